/* `v2e bench`: what a switch between real and protected mode costs. */
#ifndef V2E_CLI_BENCH_H
#define V2E_CLI_BENCH_H

/* argv[0] is the first word behind `bench`. Returns the exit status: 0 when there are
 * results, 1 when there are none or they cannot be written, 2 for wrong options. */
int bench_main(int argc, char *const *argv);

#endif
