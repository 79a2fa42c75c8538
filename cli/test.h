/* `v2e test`: boots images and checks what comes of it. */
#ifndef V2E_CLI_TEST_H
#define V2E_CLI_TEST_H

/* argv[0] is the first word behind `test`. Returns the exit status, an enum
 * run_status: 0 when all tests passed, 1 when one did not, 2 when no test was run
 * because a test file or an option is wrong. */
int test_main(int argc, char *const *argv);

#endif
