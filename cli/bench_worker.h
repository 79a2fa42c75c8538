/* A process that measures one subject: what hangs or crashes there, or leaves signals
 * and events behind, is of no concern to the others. */
#ifndef V2E_CLI_BENCH_WORKER_H
#define V2E_CLI_BENCH_WORKER_H

#include "cli/bench_subject.h"

struct bench_worker;

/* Forks; the caller must have one thread. Never NULL: what is wrong is said with the
 * first answer. `subject` must outlive it. */
struct bench_worker *bench_worker_new(const struct bench_subject *subject);
/* Ends the process. NULL is fine. */
void bench_worker_free(struct bench_worker *worker);

/* One sample. After answer->error a new process takes the place of the old one, for the
 * next order; silence for 20 s is an error. */
void bench_worker_ask(struct bench_worker *worker, const struct bench_order *order, struct bench_answer *answer);

#endif
