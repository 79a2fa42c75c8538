#include "gdb/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "shared/unix_listen.h"

bool gdb_listen_parse_port(const char *where, unsigned *port)
{
	char *end;
	if (!g_ascii_isdigit(*where))
		return false;
	uint64_t number = g_ascii_strtoull(where, &end, 10);
	*port = (unsigned)number;
	return !*end && number >= 1 && number <= 65535;
}

static int listen_port(const char *where, char **error)
{
	unsigned port;
	int on = 1;
	if (!gdb_listen_parse_port(where, &port)) {
		*error = g_strdup_printf("'%s' is no place for a debugger; give a port such as 1234, or unix:FILE", where);
		return -1;
	}
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) &&
	    !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1))
		return fd;
	*error = g_strdup_printf("cannot listen at %s: %s; give another port", where, g_strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int listen_file(const char *file, char **path, char **error)
{
	int fd = unix_listen(file, error);
	if (fd >= 0)
		*path = g_strdup(file);
	return fd;
}

int gdb_listen(const char *where, char **path, char **error)
{
	*path = NULL;
	if (g_str_has_prefix(where, "unix:"))
		return listen_file(where + 5, path, error);
	return listen_port(where, error);
}
