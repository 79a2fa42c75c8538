#define _GNU_SOURCE /* SOCK_NONBLOCK, SOCK_CLOEXEC */
#include "shared/unix_listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib.h>

static bool set_address(struct sockaddr_un *address, const char *path, char **error)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof address->sun_path) {
		*error = g_strdup_printf("'%s' is no path for a socket: 1 to %zu bytes", path, sizeof address->sun_path - 1);
		return false;
	}
	g_strlcpy(address->sun_path, path, sizeof address->sun_path);
	return true;
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Who is busy does not answer at once, but refuses nobody. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat status;
	int fd;
	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode) || (fd = open_socket()) < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

int unix_listen(const char *path, char **error)
{
	struct sockaddr_un address;
	if (!set_address(&address, path, error))
		return -1;
	remove_stale(&address);
	int fd = open_socket();
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, sizeof address) && !listen(fd, 1))
		return fd;
	*error = g_strdup_printf("cannot listen at %s: %s; %s", path, g_strerror(errno),
	                         errno == EADDRINUSE ? "give a file that does not exist yet" : "give one in a folder that can be written");
	if (fd >= 0)
		close(fd);
	return -1;
}
