/* Sockets in the file system, where a client finds a serial port, monitor or debugger. */
#ifndef V2E_SHARED_UNIX_LISTEN_H
#define V2E_SHARED_UNIX_LISTEN_H

/* Listens there, for one client at a time. A socket that nobody listens at any more is
 * replaced, anything else is left alone. Returns a descriptor that does not block and is
 * closed by exec, and the file is the caller's to remove; or -1 with *error (g_free). */
int unix_listen(const char *path, char **error);

#endif
