#include "devmodel/network_user.h"

#include <errno.h>
#include <glib.h>

#ifdef V2E_SLIRP

#include <arpa/inet.h>
#include <poll.h>
#include <slirp/libslirp.h>
#include <string.h>

#include "shared/log.h"

#define POLLS_MAX 256u

struct user {
	struct network network;
	Slirp *slirp;
	char *tftp, *bootfile;
	struct pollfd polls[POLLS_MAX];
	unsigned polls_used;
};

/* --- what libslirp asks of us ------------------------------------------------------ */

static ssize_t send_packet(const void *frame, size_t size, void *opaque)
{
	struct user *user = opaque;
	network_deliver(&user->network, frame, size);
	return (ssize_t)size;
}

static void report_guest_error(const char *message, void *opaque)
{
	(void)opaque;
	guest_error("network", "%s", message);
}

static int64_t now_ns(void *opaque)
{
	struct user *user = opaque;
	return (int64_t)clock_now(user->network.clock);
}

struct timer {
	struct clock_timer *timer;
	SlirpTimerCb fire;
	void *owner;
};

static void fire_timer(void *owner)
{
	struct timer *timer = owner;
	timer->fire(timer->owner);
}

static void *new_timer(SlirpTimerCb fire, void *owner, void *opaque)
{
	struct user *user = opaque;
	struct timer *timer = g_new0(struct timer, 1);
	timer->fire = fire;
	timer->owner = owner;
	timer->timer = clock_timer_new(user->network.clock, fire_timer, timer);
	return timer;
}

static void free_timer(void *timer, void *opaque)
{
	(void)opaque;
	clock_timer_free(((struct timer *)timer)->timer);
	g_free(timer);
}

static void set_timer(void *timer, int64_t milliseconds, void *opaque)
{
	(void)opaque;
	clock_timer_set(((struct timer *)timer)->timer, (uint64_t)MAX(milliseconds, 0) * 1000000u);
}

/* All sockets are looked at with each poll. */
static void ignore_fd(int fd, void *opaque)
{
	(void)fd;
	(void)opaque;
}

static void ignore_notice(void *opaque)
{
	(void)opaque;
}

static const SlirpCb callbacks = {
	.send_packet = send_packet, .guest_error = report_guest_error, .clock_get_ns = now_ns,
	.timer_new = new_timer, .timer_free = free_timer, .timer_mod = set_timer,
	.register_poll_fd = ignore_fd, .unregister_poll_fd = ignore_fd, .notify = ignore_notice,
};

/* --- polling ------------------------------------------------------------------------- */

static const struct { int slirp; short host; } events[] = {
	{ SLIRP_POLL_IN, POLLIN }, { SLIRP_POLL_OUT, POLLOUT }, { SLIRP_POLL_PRI, POLLPRI },
	{ SLIRP_POLL_ERR, POLLERR }, { SLIRP_POLL_HUP, POLLHUP },
};

/* A socket that finds no place is looked at the next time. */
static int add_poll(int fd, int wanted, void *opaque)
{
	struct user *user = opaque;
	if (user->polls_used == POLLS_MAX)
		return -1;
	struct pollfd *poll = &user->polls[user->polls_used];
	*poll = (struct pollfd){ .fd = fd };
	for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
		if (wanted & events[i].slirp)
			poll->events |= events[i].host;
	return (int)user->polls_used++;
}

static int polled_events(int index, void *opaque)
{
	const struct user *user = opaque;
	int found = 0;
	for (unsigned i = 0; index >= 0 && i < G_N_ELEMENTS(events); i++)
		if (user->polls[index].revents & events[i].host)
			found |= events[i].slirp;
	return found;
}

static void user_poll(struct network *network)
{
	struct user *user = (struct user *)network;
	uint32_t timeout = 0;
	user->polls_used = 0;
	slirp_pollfds_fill(user->slirp, &timeout, add_poll, user);
	int found = poll(user->polls, user->polls_used, 0);
	slirp_pollfds_poll(user->slirp, found < 0, polled_events, user);
}

/* --- the network ---------------------------------------------------------------------- */

static void user_send(struct network *network, const uint8_t *frame, size_t size)
{
	slirp_input(((struct user *)network)->slirp, frame, (int)size);
}

static void user_free(struct network *network)
{
	struct user *user = (struct user *)network;
	if (user->slirp)
		slirp_cleanup(user->slirp);
	network_fini(network);
	g_free(user->tftp);
	g_free(user->bootfile);
	g_free(user);
}

static const struct network_ops ops = { .send = user_send, .poll = user_poll, .free = user_free };

static struct in_addr address(const char *text)
{
	struct in_addr in = { 0 };
	inet_pton(AF_INET, text, &in);
	return in;
}

static bool forward(struct user *user, const struct network_forward *forward, char **error)
{
	if (!slirp_add_hostfwd(user->slirp, forward->is_udp, address("127.0.0.1"), forward->host_port, address("10.0.2.15"),
	                       forward->guest_port))
		return true;
	*error = g_strdup_printf("port %u of the host: %s; forward another one", forward->host_port, g_strerror(errno));
	return false;
}

static void open_slirp(struct user *user, const struct network_user_config *config)
{
	const SlirpConfig slirp = {
		.version = 4, .restricted = !config->outbound, .in_enabled = true,
		.vnetwork = address("10.0.2.0"), .vnetmask = address("255.255.255.0"), .vhost = address("10.0.2.2"),
		.vdhcp_start = address("10.0.2.15"), .vnameserver = address("10.0.2.3"), .vhostname = "v2e",
		.tftp_path = user->tftp, .bootfile = user->bootfile,
		.disable_host_loopback = !config->outbound, .disable_dns = !config->outbound,
	};
	user->slirp = slirp_new(&slirp, &callbacks, user);
}

struct network *network_user_new(const struct network_user_config *config, char **error)
{
	if (config->tftp && !g_file_test(config->tftp, G_FILE_TEST_IS_DIR)) {
		*error = g_strdup_printf("%s: no folder; give one whose files TFTP shall show", config->tftp);
		return NULL;
	}
	struct user *user = g_new0(struct user, 1);
	network_init(&user->network, &ops, config->clock);
	user->tftp = g_strdup(config->tftp);
	user->bootfile = g_strdup(config->bootfile);
	open_slirp(user, config);
	if (!user->slirp)
		*error = g_strdup("libslirp does not start; free some memory");
	bool fits = user->slirp;
	for (unsigned i = 0; fits && i < config->forwards; i++)
		fits = forward(user, &config->forward[i], error);
	if (fits)
		return &user->network;
	user_free(&user->network);
	return NULL;
}

bool network_user_built(void)
{
	return true;
}

#else

bool network_user_built(void)
{
	return false;
}

struct network *network_user_new(const struct network_user_config *config, char **error)
{
	(void)config;
	*error = g_strdup("this v2e was built without libslirp; build it anew where that is installed (Debian: libslirp-dev)");
	return NULL;
}

#endif
