/* --monitor: commands from a person or a program while the guest runs, a line
 * each: those of --do, and a few that look at the processor. The answer is what
 * there is to show and then a line `ok` or `error: WHY`; after `json on` it is one
 * line of JSON with command, ok, output and error. */
#ifndef V2E_CLI_MONITOR_H
#define V2E_CLI_MONITOR_H

#include "cli/script.h"
#include "shared/ctx.h"
#include "shared/mem.h"

struct monitor;

/* `where`: stdio, or unix:FILE, where one client at a time may connect. ctx and mem
 * must outlive it. Returns NULL with *error (g_free). */
struct monitor *monitor_new(const char *where, const struct script_guest *guest, struct ctx *ctx, struct mem *mem, char **error);
void monitor_free(struct monitor *monitor); /* NULL is fine */

bool monitor_names_place(const char *where);

/* Every few ms, with a complete page; `now` as for script_poll(). False: `quit` was
 * given, with monitor_status(). */
bool monitor_poll(struct monitor *monitor, uint64_t now);
int monitor_status(const struct monitor *monitor);

/* For wait-serial: a byte that the guest sent over the first serial port. */
void monitor_serial_byte(struct monitor *monitor, uint8_t byte);

#endif
