/* Where and of what something was measured. */
#ifndef V2E_CLI_BENCH_HOST_H
#define V2E_CLI_BENCH_HOST_H

struct bench_host {
	char *machine;        /* processor and how many; without commas */
	char *kernel;
	char *date;           /* ISO 8601, UTC */
	const char *revision; /* git's, or the version where there was no git */
};

void bench_host_get(struct bench_host *host);
void bench_host_clear(struct bench_host *host);

#endif
