#include "devmodel/chardev.h"

#include <check.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static char *folder, *path, *spec;

static void setup(void)
{
	folder = g_dir_make_tmp("chardev-XXXXXX", NULL);
	ck_assert_ptr_nonnull(folder);
	path = g_build_filename(folder, "it", NULL);
	spec = NULL;
}

static void teardown(void)
{
	g_unlink(path);
	g_rmdir(folder);
	g_free(folder);
	g_free(path);
	g_free(spec);
}

static struct chardev *open_as(const char *text)
{
	char *error = NULL;
	struct chardev *chardev = chardev_new(text, &error);
	ck_assert_msg(chardev != NULL, "%s", error);
	return chardev;
}

static struct chardev *open_path(const char *kind)
{
	spec = g_strdup_printf("%s:%s", kind, path);
	return open_as(spec);
}

static void refuse(const char *text)
{
	char *error = NULL;
	ck_assert_ptr_null(chardev_new(text, &error));
	ck_assert_ptr_nonnull(error);
	g_free(error);
}

static void write_text(struct chardev *chardev, const char *text)
{
	chardev_write(chardev, text, strlen(text));
}

/* A receiver with room for so many bytes. */
struct sink {
	GString *got;
	size_t room;
};

static size_t sink_room(void *owner)
{
	return ((struct sink *)owner)->room;
}

static void sink_receive(void *owner, uint8_t byte)
{
	struct sink *sink = owner;
	ck_assert_uint_gt(sink->room, 0);
	sink->room--;
	g_string_append_c(sink->got, (char)byte);
}

static void sink_attach(struct sink *sink, struct chardev *chardev, size_t room)
{
	sink->got = g_string_new(NULL);
	sink->room = room;
	chardev_set_receiver(chardev, &(struct chardev_receiver){ sink_room, sink_receive, sink });
}

START_TEST(bad_specs)
{
	refuse("");
	refuse("nonesuch");
	refuse("none:x");
	refuse("file");
	refuse("file:");
	refuse("file:/no/such/folder/x");
	refuse("unix:");
	refuse("unix:/no/such/folder/x");
	char *longest = g_strnfill(4000, 'x');
	char *text = g_strdup_printf("unix:/%s", longest);
	refuse(text);
	g_free(text);
	g_free(longest);
	chardev_free(NULL);
}
END_TEST

START_TEST(none)
{
	struct chardev *chardev = open_as("none");
	for (unsigned i = 0; i < 10000; i++)
		write_text(chardev, "text\n");
	chardev_poll(chardev);
	ck_assert_ptr_null(chardev_captured(chardev));
	chardev_free(chardev);
}
END_TEST

START_TEST(memory)
{
	struct chardev *chardev = open_as("memory");
	write_text(chardev, "one\n");
	chardev_poll(chardev);
	chardev_write(chardev, "t\0o", 3);
	ck_assert_uint_eq(chardev_captured(chardev)->len, 7);
	ck_assert_mem_eq(chardev_captured(chardev)->str, "one\nt\0o", 7);
	chardev_free(chardev);
}
END_TEST

START_TEST(memory_is_bounded)
{
	struct chardev *chardev = open_as("memory");
	char *block = g_strnfill(1 << 16, 'x');
	for (unsigned i = 0; i < 40; i++) {
		chardev_write(chardev, block, 1 << 16);
		ck_assert_uint_le(chardev_captured(chardev)->len, CHARDEV_PENDING_MAX);
	}
	write_text(chardev, "the end");
	ck_assert(g_str_has_suffix(chardev_captured(chardev)->str, "xthe end"));
	g_free(block);
	chardev_free(chardev);
}
END_TEST

static void append(void *owner, uint8_t byte)
{
	g_string_append_c(owner, (char)byte);
}

START_TEST(tap)
{
	struct chardev *chardev = open_as("none");
	GString *seen = g_string_new(NULL);
	write_text(chardev, "before ");
	chardev_set_tap(chardev, append, seen);
	write_text(chardev, "while");
	chardev_set_tap(chardev, NULL, NULL);
	write_text(chardev, " after");
	ck_assert_str_eq(seen->str, "while");
	g_string_free(seen, TRUE);
	chardev_free(chardev);
}
END_TEST

START_TEST(input_waits_for_room)
{
	struct chardev *chardev = open_as("memory");
	struct sink sink;
	chardev_feed(chardev, "ab", 2); /* before anybody listens */
	sink_attach(&sink, chardev, 1);
	chardev_poll(chardev);
	ck_assert_str_eq(sink.got->str, "a");
	chardev_feed(chardev, "cdef", 4);
	ck_assert_str_eq(sink.got->str, "a");
	sink.room = 3;
	chardev_poll(chardev);
	ck_assert_str_eq(sink.got->str, "abcd");
	chardev_set_receiver(chardev, NULL);
	chardev_poll(chardev);
	chardev_free(chardev);
	g_string_free(sink.got, TRUE);
}
END_TEST

static void expect_file(const char *text)
{
	char *contents = NULL;
	ck_assert(g_file_get_contents(path, &contents, NULL, NULL));
	ck_assert_str_eq(contents, text);
	g_free(contents);
}

START_TEST(file)
{
	ck_assert(g_file_set_contents(path, "old contents", -1, NULL));
	struct chardev *chardev = open_path("file");
	expect_file("");
	write_text(chardev, "a line\nhalf");
	write_text(chardev, " a line");
	chardev_poll(chardev);
	expect_file("a line\nhalf a line");
	write_text(chardev, " more");
	chardev_free(chardev);
	expect_file("a line\nhalf a line more");
}
END_TEST

START_TEST(full_disk_is_survived)
{
	if (access("/dev/full", W_OK))
		return;
	struct chardev *chardev = open_as("file:/dev/full");
	for (unsigned i = 0; i < 100; i++)
		write_text(chardev, "lost\n");
	chardev_free(chardev);
}
END_TEST

static int connect_client(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static void expect_from(int fd, const char *text)
{
	char got[256] = "";
	ssize_t size = read(fd, got, sizeof got - 1);
	ck_assert_int_eq(size, (ssize_t)strlen(text));
	ck_assert_str_eq(got, text);
}

START_TEST(socket_both_ways)
{
	struct chardev *chardev = open_path("unix");
	struct sink sink;
	sink_attach(&sink, chardev, 100);
	write_text(chardev, "early\n"); /* kept for the first client */
	int client = connect_client();
	chardev_poll(chardev);
	expect_from(client, "early\n");
	ck_assert_int_eq(write(client, "hello", 5), 5);
	chardev_poll(chardev);
	ck_assert_str_eq(sink.got->str, "hello");
	write_text(chardev, "no newline");
	chardev_poll(chardev);
	expect_from(client, "no newline");
	write_text(chardev, "last");
	chardev_free(chardev);
	expect_from(client, "last");
	ck_assert_int_eq(read(client, &(char){ 0 }, 1), 0);
	ck_assert_int_ne(access(path, F_OK), 0);
	close(client);
	g_string_free(sink.got, TRUE);
}
END_TEST

START_TEST(socket_takes_the_next_client)
{
	struct chardev *chardev = open_path("unix");
	close(connect_client());
	chardev_poll(chardev); /* accepts, sees the end */
	write_text(chardev, "for the second\n");
	int client = connect_client();
	chardev_poll(chardev);
	expect_from(client, "for the second\n");
	close(client);
	for (unsigned i = 0; i < 10; i++)
		write_text(chardev, "into a closed socket\n");
	chardev_free(chardev);
}
END_TEST

START_TEST(socket_replaces_a_stale_one)
{
	struct chardev *chardev = open_path("unix");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	g_strlcpy(address.sun_path, path, sizeof address.sun_path);
	chardev_free(chardev);
	int stale = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(stale, (struct sockaddr *)&address, sizeof address), 0);
	close(stale);
	chardev = open_as(spec);
	close(connect_client());
	chardev_free(chardev);
	/* what is no socket stays */
	ck_assert(g_file_set_contents(path, "precious", -1, NULL));
	refuse(spec);
	expect_file("precious");
}
END_TEST

START_TEST(socket_in_use_is_left_alone)
{
	struct chardev *chardev = open_path("unix");
	int waiting[] = { connect_client(), connect_client() }; /* all that is waited for */
	refuse(spec);
	chardev_poll(chardev);
	write_text(chardev, "still here\n");
	expect_from(waiting[0], "still here\n");
	close(waiting[0]);
	close(waiting[1]);
	chardev_free(chardev);
}
END_TEST

START_TEST(client_that_does_not_read)
{
	struct chardev *chardev = open_path("unix");
	int client = connect_client();
	chardev_poll(chardev);
	char *block = g_strnfill(1 << 16, 'x');
	for (unsigned i = 0; i < 64; i++)
		chardev_write(chardev, block, 1 << 16);
	char got[4096];
	while (read(client, got, sizeof got) > 0)
		;
	ck_assert_int_eq(read(client, got, sizeof got), 0); /* it was dropped */
	int next = connect_client();
	chardev_poll(chardev);
	ck_assert_int_gt(read(next, got, sizeof got), 0); /* what waited */
	close(client);
	close(next);
	chardev_free(chardev);
	g_free(block);
}
END_TEST

static int saved_in, saved_out;

static void redirect(int in, int out)
{
	fflush(stdout);
	saved_in = dup(STDIN_FILENO);
	saved_out = dup(STDOUT_FILENO);
	dup2(in, STDIN_FILENO);
	dup2(out, STDOUT_FILENO);
}

static void redirect_back(void)
{
	dup2(saved_in, STDIN_FILENO);
	dup2(saved_out, STDOUT_FILENO);
	close(saved_in);
	close(saved_out);
}

START_TEST(stdio_pipes)
{
	int in[2], out[2];
	struct sink sink;
	ck_assert_int_eq(pipe(in), 0);
	ck_assert_int_eq(pipe(out), 0);
	redirect(in[0], out[1]);
	struct chardev *chardev = open_as("stdio");
	sink_attach(&sink, chardev, 100);
	chardev_poll(chardev); /* nothing there: does not wait */
	ck_assert_int_eq(write(in[1], "input", 5), 5);
	chardev_poll(chardev);
	close(in[1]);
	chardev_poll(chardev); /* the end */
	chardev_poll(chardev);
	write_text(chardev, "out");
	chardev_free(chardev);
	redirect_back();
	ck_assert_str_eq(sink.got->str, "input");
	expect_from(out[0], "out");
	close(in[0]);
	close(out[0]);
	close(out[1]);
	g_string_free(sink.got, TRUE);
}
END_TEST

START_TEST(stdio_terminal_is_restored)
{
	int master, slave;
	struct termios before, during, after;
	ck_assert_int_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
	tcgetattr(slave, &before);
	ck_assert(before.c_lflag & ICANON);
	redirect(slave, slave);
	struct chardev *one = open_as("stdio");
	struct chardev *two = open_as("stdio");
	tcgetattr(slave, &during);
	chardev_free(one);
	struct termios still;
	tcgetattr(slave, &still);
	chardev_free(two);
	tcgetattr(slave, &after);
	redirect_back();
	ck_assert_uint_eq(during.c_lflag & (ICANON | ECHO), 0);
	ck_assert(during.c_lflag & ISIG);
	ck_assert_uint_eq(still.c_lflag & ICANON, 0);
	ck_assert_uint_eq(after.c_lflag, before.c_lflag);
	ck_assert_uint_eq(after.c_iflag, before.c_iflag);
	ck_assert_uint_eq(after.c_oflag, before.c_oflag);
	close(master);
	close(slave);
}
END_TEST

Suite *suite_chardev(void)
{
	Suite *suite = suite_create("chardev");
	TCase *tcase = tcase_create("chardev");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, bad_specs);
	tcase_add_test(tcase, none);
	tcase_add_test(tcase, memory);
	tcase_add_test(tcase, memory_is_bounded);
	tcase_add_test(tcase, tap);
	tcase_add_test(tcase, input_waits_for_room);
	tcase_add_test(tcase, file);
	tcase_add_test(tcase, full_disk_is_survived);
	tcase_add_test(tcase, socket_both_ways);
	tcase_add_test(tcase, socket_takes_the_next_client);
	tcase_add_test(tcase, socket_replaces_a_stale_one);
	tcase_add_test(tcase, socket_in_use_is_left_alone);
	tcase_add_test(tcase, client_that_does_not_read);
	tcase_add_test(tcase, stdio_pipes);
	tcase_add_test(tcase, stdio_terminal_is_restored);
	suite_add_tcase(suite, tcase);
	return suite;
}
