/* One GDB at a time, over TCP on the loopback interface or a unix socket. While
 * the guest runs only Ctrl-C and new connections are looked for; while it stands
 * still the caller is kept inside and guest time stands still as well. */
#ifndef V2E_GDB_SERVER_H
#define V2E_GDB_SERVER_H

#include "shared/clock.h"
#include "shared/engine.h"
#include "shared/mem.h"

struct gdb_server_config {
	struct ctx *ctx;
	struct mem *mem;
	struct clock *clock;
	/* Something else ends the run (a signal): asked several times a second. */
	bool (*give_up)(void *owner);
	/* The debugger killed the guest; called once. */
	void (*kill)(void *owner);
	void *owner;
};

struct gdb_server;

/* `where`: a port number, or unix:FILE, which is made anew and removed at the end.
 * Returns NULL with *error (g_free): one line with the remedy. */
struct gdb_server *gdb_server_new(const char *where, const struct gdb_server_config *config, char **error);
/* On a connection that is there already; takes over `fd`. */
struct gdb_server *gdb_server_new_connected(int fd, const struct gdb_server_config *config);
void gdb_server_free(struct gdb_server *server); /* NULL is fine */

/* Is `where` of a form that gdb_server_new() takes? */
bool gdb_server_names_place(const char *where);

/* Before the first instruction: waits for a debugger and serves it until it lets
 * the guest run. */
void gdb_server_wait(struct gdb_server *server);
/* Every few ms while the guest runs, with a complete page. */
void gdb_server_poll(struct gdb_server *server);
/* For conduct_set_debugger(); also with STOP_HALT when the guest halted for good.
 * Serves the debugger, if there is one, until it lets the guest run. */
void gdb_server_stopped(void *server, enum stop_reason reason);
bool gdb_server_has_client(const struct gdb_server *server);
/* The run ended with this status: tells the debugger. */
void gdb_server_ended(struct gdb_server *server, int status);

#endif
