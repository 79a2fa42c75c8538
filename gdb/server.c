#define _GNU_SOURCE
#include "gdb/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "gdb/listen.h"
#include "gdb/packet.h"
#include "gdb/target.h"

#define PATIENCE_MS 100 /* between two looks at give_up */
#define SEND_MS     5000 /* a debugger that reads nothing for so long is gone */

struct gdb_server {
	struct gdb_server_config config;
	struct gdb_target *target;
	struct gdb_packet_reader reader;
	GString *last;  /* the last frame sent, for `-` */
	GString *input; /* received, not looked at yet */
	int listener, client; /* -1: none */
	char *path;     /* to be removed, or NULL */
	bool killed;
};

/* --- the connection ------------------------------------------------------------------- */

static void drop_client(struct gdb_server *server)
{
	if (server->client < 0)
		return;
	close(server->client);
	server->client = -1;
	gdb_target_reset(server->target);
}

static void send_bytes(struct gdb_server *server, const char *bytes, size_t size)
{
	while (size && server->client >= 0) {
		ssize_t sent = send(server->client, bytes, size, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes += sent;
			size -= (size_t)sent;
			continue;
		}
		struct pollfd writable = { .fd = server->client, .events = POLLOUT };
		if (errno == EINTR || (errno == EAGAIN && poll(&writable, 1, SEND_MS) != 0))
			continue;
		drop_client(server);
	}
}

static void send_packet(void *owner, const char *data, size_t size)
{
	struct gdb_server *server = owner;
	g_string_truncate(server->last, 0);
	gdb_packet_frame(server->last, data, size);
	send_bytes(server, server->last->str, server->last->len);
}

static void take_client(struct gdb_server *server, int fd)
{
	int on = 1;
	/* Fails on unix sockets, which have no delay. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	gdb_packet_reader_clear(&server->reader);
	gdb_packet_reader_init(&server->reader);
	g_string_truncate(server->input, 0);
	server->client = fd;
	gdb_target_reset(server->target);
}

static bool accept_client(struct gdb_server *server)
{
	if (server->listener < 0 || server->client >= 0)
		return false;
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return false;
	take_client(server, fd);
	return true;
}

static void receive(struct gdb_server *server)
{
	char bytes[4096];
	ssize_t got = recv(server->client, bytes, sizeof bytes, MSG_DONTWAIT);
	if (got > 0)
		g_string_append_len(server->input, bytes, got);
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		drop_client(server);
}

/* --- while the guest stands still --------------------------------------------------------- */

/* True: the guest is to run. */
static bool act(struct gdb_server *server, enum gdb_action action)
{
	switch (action) {
	case GDB_ANSWERED:
		return server->client < 0;
	case GDB_RESUME:
		return true;
	case GDB_DETACH:
		drop_client(server);
		return true;
	case GDB_KILL:
		drop_client(server);
		server->killed = true;
		server->config.kill(server->config.owner);
		return true;
	}
	return true;
}

static bool take_packet(struct gdb_server *server)
{
	const GString *data = server->reader.data;
	if (!gdb_target_no_ack(server->target))
		send_bytes(server, "+", 1);
	return act(server, gdb_target_packet(server->target, data->str, data->len));
}

/* Looks at what was received up to the packet that lets the guest run. */
static bool take_input(struct gdb_server *server)
{
	bool resumed = false;
	size_t n = 0;
	while (n < server->input->len && !resumed) {
		switch (gdb_packet_feed(&server->reader, (uint8_t)server->input->str[n++])) {
		case GDB_PACKET_READY:
			resumed = take_packet(server);
			break;
		case GDB_PACKET_BAD:
			send_bytes(server, "-", 1);
			break;
		case GDB_PACKET_AGAIN:
			send_bytes(server, server->last->str, server->last->len);
			break;
		case GDB_PACKET_BREAK:
			gdb_target_report(server->target);
			break;
		case GDB_PACKET_NONE:
			break;
		}
	}
	g_string_erase(server->input, 0, (gssize)MIN(n, server->input->len));
	return resumed || server->client < 0;
}

static bool gives_up(const struct gdb_server *server)
{
	return server->killed || server->config.give_up(server->config.owner);
}

static void wait_for(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	poll(&readable, 1, PATIENCE_MS);
}

static void serve(struct gdb_server *server)
{
	uint64_t now = clock_now(server->config.clock);
	while (!gives_up(server) && !take_input(server)) {
		wait_for(server->client);
		receive(server);
	}
	if (clock_kind(server->config.clock) == CLOCK_KIND_REAL)
		clock_set_now(server->config.clock, now);
}

void gdb_server_stopped(void *owner, enum stop_reason reason)
{
	struct gdb_server *server = owner;
	if (server->client < 0 || !gdb_target_stopped(server->target, reason))
		return;
	gdb_target_report(server->target);
	serve(server);
}

void gdb_server_wait(struct gdb_server *server)
{
	while (server->client < 0 && !gives_up(server) && !accept_client(server))
		wait_for(server->listener);
	if (server->client >= 0)
		serve(server);
}

/* --- while it runs -------------------------------------------------------------------------- */

static bool take_break(struct gdb_server *server)
{
	for (size_t n = 0; n < server->input->len; n++)
		if (gdb_packet_feed(&server->reader, (uint8_t)server->input->str[n]) == GDB_PACKET_BREAK) {
			g_string_erase(server->input, 0, (gssize)n + 1);
			return true;
		}
	g_string_truncate(server->input, 0);
	return false;
}

void gdb_server_poll(struct gdb_server *server)
{
	if (server->killed)
		return;
	if (accept_client(server)) {
		serve(server);
		return;
	}
	if (server->client < 0)
		return;
	receive(server);
	if (server->client >= 0 && take_break(server))
		gdb_server_stopped(server, STOP_KICK);
}

bool gdb_server_has_client(const struct gdb_server *server)
{
	return server->client >= 0;
}

void gdb_server_ended(struct gdb_server *server, int status)
{
	char packet[8];
	snprintf(packet, sizeof packet, "W%02x", (unsigned)status & 0xff);
	if (server->client >= 0)
		send_packet(server, packet, strlen(packet));
}

/* --- beginning and end ------------------------------------------------------------------------ */

static struct gdb_server *new_server(const struct gdb_server_config *config)
{
	struct gdb_server *server = g_new0(struct gdb_server, 1);
	server->config = *config;
	server->listener = server->client = -1;
	server->last = g_string_new(NULL);
	server->input = g_string_new(NULL);
	gdb_packet_reader_init(&server->reader);
	server->target = gdb_target_new(config->ctx, config->mem, send_packet, server);
	return server;
}

bool gdb_server_names_place(const char *where)
{
	unsigned port;
	return gdb_listen_parse_port(where, &port) || (g_str_has_prefix(where, "unix:") && where[5]);
}

struct gdb_server *gdb_server_new(const char *where, const struct gdb_server_config *config, char **error)
{
	struct gdb_server *server = new_server(config);
	server->listener = gdb_listen(where, &server->path, error);
	if (server->listener >= 0)
		return server;
	gdb_server_free(server);
	return NULL;
}

struct gdb_server *gdb_server_new_connected(int fd, const struct gdb_server_config *config)
{
	struct gdb_server *server = new_server(config);
	take_client(server, fd);
	return server;
}

void gdb_server_free(struct gdb_server *server)
{
	if (!server)
		return;
	drop_client(server);
	if (server->listener >= 0)
		close(server->listener);
	if (server->path)
		unlink(server->path);
	gdb_target_free(server->target);
	gdb_packet_reader_clear(&server->reader);
	g_string_free(server->last, TRUE);
	g_string_free(server->input, TRUE);
	g_free(server->path);
	g_free(server);
}
