/* A page of HTML from recordings: no script or picture from elsewhere, all that comes
 * from a guest is escaped. */
#ifndef V2E_TRACE_REPORT_H
#define V2E_TRACE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct report;
struct symbols;

/* `symbols`: names for places that have none in the recording, or NULL; not owned. */
struct report *report_new(struct symbols *symbols);
void report_free(struct report *report); /* NULL is fine */

/* A trace as JSON lines, or what --transitions wrote, JSON or CSV. May be called again
 * for more of the same run. `name` is for messages. False with *error (g_free): one line. */
bool report_read(struct report *report, FILE *file, const char *name, char **error);

void report_write(struct report *report, FILE *out);

#endif
