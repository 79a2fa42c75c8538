/* `v2e run`: starts a machine and sees it to its end. */
#ifndef V2E_CLI_RUN_H
#define V2E_CLI_RUN_H

/* Exit statuses; besides them that of `quit` and that of the exit port. */
enum run_status {
	RUN_DONE = 0,   /* all commands done; or none, and the guest ended */
	RUN_FAILED = 1, /* an expectation failed or timed out */
	RUN_USAGE = 2,  /* wrong options or images, or the host cannot do it */
};

/* How often, in guest ns, ports are moved, commands looked at, signals heeded. */
#define RUN_TICK_NS 10000000u

/* The picture of a run that failed in a graphics mode, in the current folder. */
#define RUN_FAILURE_PICTURE "v2e-screen.png"

/* argv[0] is the first word behind `run`. Returns the exit status; has printed
 * what there is to say. Takes SIGINT, SIGTERM and SIGHUP while the guest runs. */
int run_main(int argc, char *const *argv);

struct option_table;
struct run_options;
/* The same for a command that has another table of run_options_table's rows, and has
 * set defaults of its own. */
int run_by_table(const struct option_table *table, struct run_options *options, int argc, char *const *argv);

#endif
