#define _GNU_SOURCE /* accept4 */
#include "devmodel/chardev_internal.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shared/unix_listen.h"

#define LAST_WAIT_MS 1000

static bool open_unix(struct chardev *chardev, const char *path, char **error)
{
	chardev->listener = unix_listen(path, error);
	if (chardev->listener < 0)
		return false;
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
