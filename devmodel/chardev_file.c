#include "devmodel/chardev_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "shared/log.h"

#define READ_SIZE 4096u

/* The terminal belongs to the process, not to a machine. */
static struct termios terminal_before;
static unsigned terminal_users;

static bool ready(int fd, short events, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };
	return poll(&poll_fd, 1, timeout_ms) > 0;
}

static ssize_t write_some(struct chardev *chardev)
{
	/* Only a socket of ours may be cut off without killing the process. */
	if (chardev->listener >= 0)
		return send(chardev->out, chardev->output->str, chardev->output->len, MSG_NOSIGNAL | MSG_DONTWAIT);
	return write(chardev->out, chardev->output->str, chardev->output->len);
}

int chardev_send(struct chardev *chardev)
{
	while (chardev->output->len) {
		ssize_t done = write_some(chardev);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		g_string_erase(chardev->output, 0, done);
	}
	return 0;
}

void chardev_send_all(struct chardev *chardev)
{
	int error;
	while ((error = chardev_send(chardev)) == -EAGAIN)
		ready(chardev->out, POLLOUT, -1);
	if (!error)
		return;
	if (!chardev->failed)
		log_error("%s output is lost: %s", chardev->ops->prefix, strerror(-error));
	chardev->failed = true;
	g_string_truncate(chardev->output, 0);
}

bool chardev_receive(struct chardev *chardev)
{
	char bytes[READ_SIZE];
	/* poll() first: O_NONBLOCK would stay on a terminal that others share. */
	if (!ready(chardev->in, POLLIN, 0))
		return true;
	ssize_t size = read(chardev->in, bytes, sizeof bytes);
	if (size > 0)
		g_string_append_len(chardev->input, bytes, size);
	return size > 0 || (size < 0 && (errno == EINTR || errno == EAGAIN));
}

static bool open_file(struct chardev *chardev, const char *path, char **error)
{
	chardev->out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (chardev->out < 0)
		*error = g_strdup_printf("%s: %s", path, strerror(errno));
	return chardev->out >= 0;
}

static void close_file(struct chardev *chardev)
{
	if (chardev->out < 0)
		return;
	chardev_send_all(chardev);
	if (close(chardev->out) && !chardev->failed)
		log_error("file: output may be lost: %s", strerror(errno));
}

const struct chardev_ops chardev_file_ops = {
	.prefix = "file:",
	.open = open_file,
	.close = close_file,
	.flush = chardev_send_all,
};

static void restore_terminal(void)
{
	if (terminal_users)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal_before);
}

static void take_terminal(void)
{
	static bool at_exit;
	if (terminal_users++)
		return;
	tcgetattr(STDIN_FILENO, &terminal_before);
	struct termios raw = terminal_before;
	cfmakeraw(&raw);
	/* The user's Ctrl-C still ends the program, and its lines still end. */
	raw.c_lflag |= ISIG;
	raw.c_oflag |= OPOST;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	if (!at_exit)
		at_exit = !atexit(restore_terminal);
}

static bool open_stdio(struct chardev *chardev, const char *argument, char **error)
{
	(void)argument, (void)error;
	chardev->in = STDIN_FILENO;
	chardev->out = STDOUT_FILENO;
	chardev->is_terminal = isatty(STDIN_FILENO);
	if (chardev->is_terminal)
		take_terminal();
	return true;
}

static void close_stdio(struct chardev *chardev)
{
	chardev_send_all(chardev);
	if (!chardev->is_terminal)
		return;
	if (terminal_users == 1)
		restore_terminal();
	terminal_users--;
}

static void poll_stdio(struct chardev *chardev)
{
	if (chardev->in >= 0 && !chardev_receive(chardev))
		chardev->in = -1;
}

const struct chardev_ops chardev_stdio_ops = {
	.prefix = "stdio",
	.open = open_stdio,
	.close = close_stdio,
	.flush = chardev_send_all,
	.poll = poll_stdio,
};
