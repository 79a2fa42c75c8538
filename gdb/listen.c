#include "gdb/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

bool gdb_listen_parse_port(const char *where, unsigned *port)
{
	char *end;
	if (!g_ascii_isdigit(*where))
		return false;
	uint64_t number = g_ascii_strtoull(where, &end, 10);
	*port = (unsigned)number;
	return !*end && number >= 1 && number <= 65535;
}

static int fail(int fd, const char *where, const char *remedy, char **error)
{
	*error = g_strdup_printf("cannot listen at %s: %s; %s", where, g_strerror(errno), remedy);
	if (fd >= 0)
		close(fd);
	return -1;
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
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
		return fail(fd, where, "give another port", error);
	return fd;
}

/* A socket that nobody listens at any more. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int listen_file(const char *file, char **path, char **error)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	if (strlen(file) >= sizeof address.sun_path) {
		*error = g_strdup_printf("'%s' is too long for a socket; give a shorter name", file);
		return -1;
	}
	memcpy(address.sun_path, file, strlen(file) + 1);
	remove_stale(&address);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 1) < 0)
		return fail(fd, file, errno == EADDRINUSE ? "give a file that does not exist yet" : "give one in a folder that can be written", error);
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
