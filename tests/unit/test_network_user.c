/* The user-mode network at its card's end: DHCP and TFTP answer, a forwarded port
 * reaches the guest, and the host is out of reach unless it was asked for. */
#include <arpa/inet.h>
#include <check.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devmodel/network_user.h"

#define TRIES 2000 /* of a millisecond */

static const uint8_t guest_mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
static const uint8_t guest_ip[4] = { 10, 0, 2, 15 }, host_ip[4] = { 10, 0, 2, 2 };

static struct clock *timebase;
static struct network *network;
static GPtrArray *arrived;

static bool has_room(void *owner, size_t size)
{
	(void)owner;
	(void)size;
	return true;
}

static void receive(void *owner, const uint8_t *frame, size_t size)
{
	(void)owner;
	g_ptr_array_add(arrived, g_bytes_new(frame, size));
}

static void open_network(struct network_user_config config)
{
	char *error = NULL;
	config.clock = timebase;
	network = network_user_new(&config, &error);
	ck_assert_msg(network, "%s", error);
	network_connect(network, &(struct network_card){ has_room, receive, NULL });
}

static void start(void)
{
	timebase = clock_new(CLOCK_KIND_VIRTUAL);
	arrived = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
}

static void stop(void)
{
	network_free(network);
	network = NULL;
	g_ptr_array_unref(arrived);
	clock_free(timebase);
}

/* One look at the sockets, then a millisecond for both sides. */
static void step(void)
{
	network_poll(network);
	clock_wait_until(timebase, clock_now(timebase) + 1000000);
	clock_run_due(timebase);
	poll(NULL, 0, 1);
}

/* The next frame whose bytes from `offset` are these; NULL: none came. */
static const uint8_t *await(unsigned offset, const void *bytes, size_t size)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		for (guint i = 0; i < arrived->len; i++) {
			gsize length;
			const uint8_t *frame = g_bytes_get_data(arrived->pdata[i], &length);
			if (length >= offset + size && !memcmp(frame + offset, bytes, size))
				return frame;
		}
		step();
	}
	return NULL;
}

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static unsigned checksum(const uint8_t *bytes, size_t size, uint32_t sum)
{
	for (size_t i = 0; i < size; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* An IPv4 packet of `size` bytes behind the IP header. */
static void send_ip(uint8_t protocol, const uint8_t from[4], const uint8_t to[4], const uint8_t *body, unsigned size)
{
	static const uint8_t router[6] = { 0x52, 0x55, 10, 0, 2, 2 };
	uint8_t frame[1514] = { 0 };
	memcpy(frame, to[0] == 255 ? all : router, 6);
	memcpy(frame + 6, guest_mac, 6);
	frame[12] = 8;
	frame[14] = 0x45;
	put16(frame + 16, 20 + size);
	frame[22] = 64;
	frame[23] = protocol;
	memcpy(frame + 26, from, 4);
	memcpy(frame + 30, to, 4);
	put16(frame + 24, checksum(frame + 14, 20, 0));
	memcpy(frame + 34, body, size);
	network_send(network, frame, 34 + size);
}

static void send_udp(const uint8_t from[4], const uint8_t to[4], uint16_t source, uint16_t target, const void *data, unsigned size)
{
	uint8_t body[1480] = { 0 };
	put16(body, source);
	put16(body + 2, target);
	put16(body + 4, 8 + size);
	memcpy(body + 8, data, size);
	send_ip(17, from, to, body, 8 + size);
}

static void send_syn(const uint8_t to[4], uint16_t port)
{
	uint8_t pseudo[12] = { 0 }, body[20] = { 0 };
	put16(body, 4000);
	put16(body + 2, port);
	body[7] = 1;
	body[12] = 0x50;
	body[13] = 2;
	body[14] = 0x20;
	memcpy(pseudo, guest_ip, 4);
	memcpy(pseudo + 4, to, 4);
	pseudo[9] = 6;
	pseudo[11] = 20;
	put16(body + 16, checksum(body, 20, 0xffff & ~checksum(pseudo, 12, 0)));
	send_ip(6, guest_ip, to, body, 20);
}

static void send_arp_reply(const uint8_t *request)
{
	uint8_t frame[42] = { 0 };
	memcpy(frame, request, sizeof frame);
	memcpy(frame, request + 6, 6);
	memcpy(frame + 6, guest_mac, 6);
	frame[21] = 2;
	memcpy(frame + 22, guest_mac, 6);
	memcpy(frame + 28, request + 38, 4);
	memcpy(frame + 32, request + 22, 10);
	network_send(network, frame, sizeof frame);
}

/* A listening socket of the host, and its port. */
static int listen_on_host(uint16_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static bool is_reached(int fd)
{
	for (unsigned tries = 0; tries < TRIES / 10; tries++) {
		int client = accept(fd, NULL, NULL);
		if (client >= 0) {
			close(client);
			return true;
		}
		step();
	}
	return false;
}

START_TEST(offers_an_address_and_a_file_name)
{
	static const uint8_t nobody[4], everybody[4] = { 255, 255, 255, 255 };
	uint8_t request[300] = { 1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78 };
	open_network((struct network_user_config){ .tftp = g_get_tmp_dir(), .bootfile = "pxelinux.0" });
	memcpy(request + 28, guest_mac, 6);
	memcpy(request + 236, (const uint8_t[]){ 99, 130, 83, 99, 53, 1, 1, 255 }, 8); /* DISCOVER */
	send_udp(nobody, everybody, 68, 67, request, sizeof request);
	const uint8_t *offer = await(42 + 4, request + 4, 4);
	ck_assert_ptr_nonnull(offer);
	ck_assert_uint_eq(offer[42], 2);
	ck_assert_mem_eq(offer + 42 + 16, guest_ip, 4);
	ck_assert_str_eq((const char *)offer + 42 + 108, "pxelinux.0");
}
END_TEST

START_TEST(serves_files)
{
	g_autofree char *folder = g_dir_make_tmp("v2e-tftp-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "hello", NULL);
	static const char request[] = "\0\1hello\0octet", data[] = "\0\3\0\1from the host";
	ck_assert(g_file_set_contents(file, "from the host", -1, NULL));
	open_network((struct network_user_config){ .tftp = folder });
	send_udp(guest_ip, host_ip, 2000, 69, request, sizeof request);
	const uint8_t *arp = await(12, "\x08\x06", 2);
	ck_assert_ptr_nonnull(arp);
	send_arp_reply(arp);
	ck_assert_ptr_nonnull(await(42, data, sizeof data - 1));
	g_unlink(file);
	g_rmdir(folder);
}
END_TEST

START_TEST(isolates)
{
	uint16_t port;
	int fd = listen_on_host(&port);
	open_network((struct network_user_config){ .outbound = _i });
	send_syn(host_ip, port);
	ck_assert_int_eq(is_reached(fd), _i);
	close(fd);
}
END_TEST

START_TEST(forwards)
{
	uint16_t port;
	close(listen_on_host(&port)); /* a free one */
	open_network((struct network_user_config){ .forwards = 1, .forward = { { false, port, 22 } } });
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	connect(fd, (struct sockaddr *)&address, sizeof address);
	const uint8_t *arp = await(12, "\x08\x06", 2);
	ck_assert_ptr_nonnull(arp);
	send_arp_reply(arp);
	const uint8_t *syn = await(36, "\0\x16", 2);
	ck_assert_ptr_nonnull(syn);
	ck_assert_uint_eq(syn[47] & 0x12, 2);
	close(fd);
}
END_TEST

START_TEST(refuses)
{
	char *error = NULL;
	const struct network_user_config config = { .clock = timebase, .tftp = "/nowhere" };
	ck_assert_ptr_null(network_user_new(&config, &error));
	ck_assert_ptr_nonnull(strstr(error, "/nowhere"));
	g_free(error);
}
END_TEST

Suite *suite_network_user(void);

Suite *suite_network_user(void)
{
	Suite *suite = suite_create("network_user");
	TCase *tcase = tcase_create("network_user");
	tcase_add_checked_fixture(tcase, start, stop);
	if (network_user_built()) {
		tcase_add_test(tcase, offers_an_address_and_a_file_name);
		tcase_add_test(tcase, serves_files);
		tcase_add_loop_test(tcase, isolates, 0, 2);
		tcase_add_test(tcase, forwards);
		tcase_add_test(tcase, refuses);
	} else {
		puts("skipped: network_user: built without libslirp (Debian: apt install libslirp-dev)");
	}
	suite_add_tcase(suite, tcase);
	return suite;
}
