/* Whether two machines are in the same state. docs/compare.md says what counts. */
#ifndef V2E_CLI_COMPARE_SAME_H
#define V2E_CLI_COMPARE_SAME_H

#include "cli/compare_side.h"

/* Each returns NULL, or what differs (g_free): a line, or several. */
char *compare_same_context(const struct compare_side *a, const struct compare_side *b);
/* *images: bytes that differ, but as images of FLAGS may. */
char *compare_same_memory(const struct compare_side *a, const struct compare_side *b, unsigned *images);
/* Drops the events that are the same in both, as far as both have got. */
char *compare_same_events(struct compare_side *a, struct compare_side *b);

/* "out 0021.1 = fb", "interrupt 08" (g_free). */
char *compare_event_text(const struct compare_event *event);

#endif
