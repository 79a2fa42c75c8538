/* Where the server can be found. */
#ifndef V2E_GDB_LISTEN_H
#define V2E_GDB_LISTEN_H

#include <stdbool.h>

/* A listening socket that does not block; *path (g_free): the file to remove at
 * the end, or NULL. Returns -1 with *error (g_free). */
int gdb_listen(const char *where, char **path, char **error);

/* Reads a port, 1 to 65535. */
bool gdb_listen_parse_port(const char *where, unsigned *port);

#endif
