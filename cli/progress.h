/* The line at the bottom of a terminal: guest time, processor mode, speed. */
#ifndef V2E_CLI_PROGRESS_H
#define V2E_CLI_PROGRESS_H

#include <stdio.h>

#include "shared/clock.h"
#include "shared/conduct.h"
#include "shared/ctx.h"

struct progress;

/* Nothing is owned; all must outlive it. */
struct progress *progress_new(FILE *out, struct clock *clock, const struct ctx *ctx, const struct conduct *conduct);
/* Wipes the line. NULL is fine. */
void progress_free(struct progress *progress);

/* Draws the line anew when a quarter of a second of host time has passed since
 * the last one; NULL is fine. The guest cannot tell whether it was called. */
void progress_update(struct progress *progress);

#endif
