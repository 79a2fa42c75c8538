#define _GNU_SOURCE /* accept4 */
#include "devmodel/chardev_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LAST_WAIT_MS 1000

static bool set_address(struct sockaddr_un *address, const char *path, char **error)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!*path || strlen(path) >= sizeof address->sun_path) {
		*error = g_strdup_printf("'%s' is no path for a socket: 1 to %zu bytes", path,
		                         sizeof address->sun_path - 1);
		return false;
	}
	g_strlcpy(address->sun_path, path, sizeof address->sun_path);
	return true;
}

static void remove_old_socket(const char *path)
{
	struct stat status;
	if (!lstat(path, &status) && S_ISSOCK(status.st_mode))
		unlink(path);
}

static bool open_unix(struct chardev *chardev, const char *path, char **error)
{
	struct sockaddr_un address;
	if (!set_address(&address, path, error))
		return false;
	chardev->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	remove_old_socket(path);
	if (chardev->listener < 0 || bind(chardev->listener, (struct sockaddr *)&address, sizeof address) ||
	    listen(chardev->listener, 1)) {
		*error = g_strdup_printf("%s: %s", path, strerror(errno));
		return false;
	}
	chardev->path = g_strdup(path);
	return true;
}

static void drop_client(struct chardev *chardev)
{
	if (chardev->out >= 0)
		close(chardev->out);
	chardev->in = chardev->out = -1;
}

static void flush_unix(struct chardev *chardev)
{
	int error = chardev->out >= 0 ? chardev_send(chardev) : -EAGAIN;
	bool stuck = error == -EAGAIN && chardev->output->len > CHARDEV_PENDING_MAX;
	if (stuck || (error && error != -EAGAIN))
		drop_client(chardev);
}

static void poll_unix(struct chardev *chardev)
{
	if (chardev->out < 0) {
		chardev->in = chardev->out = accept4(chardev->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		chardev->failed = chardev->failed && chardev->out < 0;
	}
	if (chardev->in >= 0 && !chardev_receive(chardev))
		drop_client(chardev);
}

/* The client gets the rest as long as it goes on taking some. */
static void send_rest(struct chardev *chardev)
{
	while (chardev->out >= 0 && chardev_send(chardev) == -EAGAIN) {
		struct pollfd client = { .fd = chardev->out, .events = POLLOUT };
		if (poll(&client, 1, LAST_WAIT_MS) <= 0)
			break;
	}
}

static void close_unix(struct chardev *chardev)
{
	send_rest(chardev);
	drop_client(chardev);
	if (chardev->listener >= 0)
		close(chardev->listener);
	if (chardev->path)
		unlink(chardev->path);
}

const struct chardev_ops chardev_unix_ops = {
	.prefix = "unix:",
	.open = open_unix,
	.close = close_unix,
	.flush = flush_unix,
	.poll = poll_unix,
};
