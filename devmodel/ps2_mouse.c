#include "devmodel/ps2_mouse.h"

#include <glib.h>

#include "devmodel/ps2_queue.h"
#include "shared/log.h"

#define ACKNOWLEDGE 0xfau
#define RESEND      0xfeu
#define ERROR       0xfcu
#define BAT_PASSED  0xaau

#define SET_SCALING_1_1 0xe6u
#define SET_SCALING_2_1 0xe7u
#define SET_RESOLUTION  0xe8u
#define STATUS_REQUEST  0xe9u
#define SET_STREAM      0xeau
#define READ_DATA       0xebu
#define RESET_WRAP      0xecu
#define SET_WRAP        0xeeu
#define SET_REMOTE      0xf0u
#define READ_ID         0xf2u
#define SET_SAMPLE_RATE 0xf3u
#define ENABLE          0xf4u
#define DISABLE         0xf5u
#define SET_DEFAULTS    0xf6u
#define RESEND_LAST     0xfeu
#define RESET           0xffu

/* Device IDs */
#define ID_STANDARD     0u
#define ID_INTELLIMOUSE 3u /* wheel */
#define ID_EXPLORER     4u /* wheel, five buttons */

/* First byte of a packet, and of the answer to a status request */
#define PACKET_ALWAYS  0x08u
#define PACKET_X_SIGN  0x10u
#define PACKET_Y_SIGN  0x20u
#define STATUS_REMOTE  0x40u
#define STATUS_ENABLED 0x20u
#define STATUS_SCALING 0x10u

#define BUTTONS_STANDARD (PS2_MOUSE_LEFT | PS2_MOUSE_RIGHT | PS2_MOUSE_MIDDLE)
#define BUTTONS_ALL      (BUTTONS_STANDARD | PS2_MOUSE_4TH | PS2_MOUSE_5TH)

#define DEFAULT_RATE       100u
#define DEFAULT_RESOLUTION 2u
#define WAITING_MAX        32767

struct ps2_mouse {
	struct i8042 *kbc;
	struct clock *clock;
	struct clock_timer *timer; /* one sample */
	struct ps2_queue queue;
	uint8_t command; /* waits for its parameter, or 0 */
	uint8_t last_sent;
	uint8_t rate, resolution, id;
	uint8_t last_rates[2]; /* before `rate`, oldest first */
	bool enabled, remote, wrap, scaling;
	bool refused; /* the last byte was answered with RESEND */
	uint8_t buttons, reported_buttons;
	int32_t dx, dy, dz; /* counts not yet reported; dy up, as in the packet */
};

static void reply(struct ps2_mouse *mouse, uint8_t byte)
{
	if (!ps2_queue_put(&mouse->queue, byte))
		guest_error("ps2-mouse", "reply %02x lost: nobody reads", byte);
	i8042_poke(mouse->kbc);
}

static bool has_button_news(const struct ps2_mouse *mouse)
{
	uint8_t seen = mouse->id == ID_EXPLORER ? BUTTONS_ALL : BUTTONS_STANDARD;
	return (mouse->buttons ^ mouse->reported_buttons) & seen;
}

static bool has_news(const struct ps2_mouse *mouse)
{
	return mouse->dx || mouse->dy || (mouse->id && mouse->dz) || has_button_news(mouse);
}

static bool is_streaming(const struct ps2_mouse *mouse)
{
	return mouse->enabled && !mouse->remote && !mouse->wrap;
}

static void schedule_sample(struct ps2_mouse *mouse)
{
	if (!is_streaming(mouse) || !has_news(mouse))
		clock_timer_stop(mouse->timer);
	else if (clock_timer_deadline(mouse->timer) == CLOCK_NEVER)
		clock_timer_set(mouse->timer, clock_now(mouse->clock) + 1000000000u / mouse->rate);
}

static void forget_motion(struct ps2_mouse *mouse)
{
	mouse->dx = mouse->dy = mouse->dz = 0;
}

static int take_counts(int32_t *counter, int min, int max)
{
	int counts = CLAMP(*counter, min, max);
	*counter -= counts;
	return counts;
}

/* 2:1 scaling bends small counts and doubles the others. */
static int scale(int counts)
{
	static const int bent[] = { 0, 1, 1, 3, 6, 9 };
	int size = counts < 0 ? -counts : counts;
	int scaled = size < (int)G_N_ELEMENTS(bent) ? bent[size] : 2 * size;
	return counts < 0 ? -scaled : scaled;
}

static void reply_wheel(struct ps2_mouse *mouse)
{
	if (mouse->id == ID_INTELLIMOUSE) {
		reply(mouse, (uint8_t)take_counts(&mouse->dz, -128, 127));
	} else if (mouse->id == ID_EXPLORER) {
		uint8_t side = (uint8_t)((mouse->buttons & (PS2_MOUSE_4TH | PS2_MOUSE_5TH)) << 1);
		reply(mouse, (uint8_t)((take_counts(&mouse->dz, -8, 7) & 0x0f) | side));
	}
}

/* No step is so long that it would overflow. */
static void reply_packet(struct ps2_mouse *mouse, bool scaling)
{
	int longest = scaling ? 127 : 255;
	int dx = take_counts(&mouse->dx, -longest, longest), dy = take_counts(&mouse->dy, -longest, longest);
	uint8_t flags = PACKET_ALWAYS | (mouse->buttons & BUTTONS_STANDARD);
	flags |= (dx < 0 ? PACKET_X_SIGN : 0) | (dy < 0 ? PACKET_Y_SIGN : 0);
	reply(mouse, flags);
	reply(mouse, (uint8_t)(scaling ? scale(dx) : dx));
	reply(mouse, (uint8_t)(scaling ? scale(dy) : dy));
	reply_wheel(mouse);
	mouse->reported_buttons = mouse->buttons;
}

static void sample(void *owner)
{
	struct ps2_mouse *mouse = owner;
	/* A slow host gets fewer and longer steps, not a queue of stale ones. */
	if (is_streaming(mouse) && has_news(mouse) && !mouse->queue.count)
		reply_packet(mouse, mouse->scaling);
	schedule_sample(mouse);
}

static void set_defaults(struct ps2_mouse *mouse)
{
	mouse->rate = DEFAULT_RATE;
	mouse->resolution = DEFAULT_RESOLUTION;
	mouse->enabled = mouse->remote = mouse->wrap = mouse->scaling = false;
	mouse->command = 0;
	forget_motion(mouse);
	mouse->reported_buttons = mouse->buttons;
}

static void self_test(struct ps2_mouse *mouse)
{
	set_defaults(mouse);
	mouse->id = ID_STANDARD;
	mouse->last_rates[0] = mouse->last_rates[1] = 0;
	ps2_queue_clear(&mouse->queue);
}

/* Three rates in a row are the key to another ID. */
static void knock(struct ps2_mouse *mouse, uint8_t rate)
{
	if (mouse->last_rates[0] == 200 && rate == 80) {
		if (mouse->last_rates[1] == 100)
			mouse->id = ID_INTELLIMOUSE;
		else if (mouse->last_rates[1] == 200 && mouse->id == ID_INTELLIMOUSE)
			mouse->id = ID_EXPLORER;
	}
	mouse->last_rates[0] = mouse->last_rates[1];
	mouse->last_rates[1] = rate;
}

static bool is_rate(uint8_t rate)
{
	return rate == 10 || rate == 20 || rate == 40 || rate == 60 || rate == 80 || rate == 100 || rate == 200;
}

static void refuse(struct ps2_mouse *mouse, uint8_t byte)
{
	guest_error("ps2-mouse", "unknown command or parameter %02x", byte);
	reply(mouse, mouse->refused ? ERROR : RESEND);
	mouse->refused = !mouse->refused;
}

static void take_parameter(struct ps2_mouse *mouse, uint8_t byte)
{
	if (mouse->command == SET_RESOLUTION ? byte > 3 : !is_rate(byte)) {
		if (mouse->refused)
			mouse->command = 0;
		refuse(mouse, byte);
		return;
	}
	if (mouse->command == SET_RESOLUTION) {
		mouse->resolution = byte;
	} else {
		mouse->rate = byte;
		knock(mouse, byte);
	}
	mouse->command = 0;
	mouse->refused = false;
	reply(mouse, ACKNOWLEDGE);
}

static void reply_status(struct ps2_mouse *mouse)
{
	uint8_t buttons = (uint8_t)((mouse->buttons & PS2_MOUSE_LEFT ? 4 : 0) |
	                            (mouse->buttons & PS2_MOUSE_MIDDLE ? 2 : 0) |
	                            (mouse->buttons & PS2_MOUSE_RIGHT ? 1 : 0));
	reply(mouse, (uint8_t)(buttons | (mouse->remote ? STATUS_REMOTE : 0) | (mouse->enabled ? STATUS_ENABLED : 0) |
	                       (mouse->scaling ? STATUS_SCALING : 0)));
	reply(mouse, mouse->resolution);
	reply(mouse, mouse->rate);
}

/* Returns false for no such command. */
static bool change_mode(struct ps2_mouse *mouse, uint8_t command)
{
	switch (command) {
	case SET_SCALING_1_1:
	case SET_SCALING_2_1:
		mouse->scaling = command == SET_SCALING_2_1;
		return true;
	case SET_STREAM:
	case SET_REMOTE:
		mouse->remote = command == SET_REMOTE;
		forget_motion(mouse);
		return true;
	case SET_WRAP:
		mouse->wrap = true;
		return true;
	case RESET_WRAP:
		return true;
	case ENABLE:
	case DISABLE:
		mouse->enabled = command == ENABLE;
		forget_motion(mouse);
		mouse->reported_buttons = mouse->buttons;
		return true;
	case SET_DEFAULTS:
		set_defaults(mouse);
		return true;
	case RESET:
		self_test(mouse);
		return true;
	default:
		return false;
	}
}

/* Commands with a parameter or an answer. Returns false for no such command. */
static bool begin_exchange(struct ps2_mouse *mouse, uint8_t command)
{
	switch (command) {
	case SET_RESOLUTION:
	case SET_SAMPLE_RATE:
		mouse->command = command;
		return true;
	case STATUS_REQUEST:
	case READ_DATA:
	case READ_ID:
		return true;
	default:
		return false;
	}
}

static void reply_data(struct ps2_mouse *mouse, uint8_t command)
{
	switch (command) {
	case STATUS_REQUEST:
		reply_status(mouse);
		break;
	case READ_DATA:
		reply_packet(mouse, false);
		break;
	case READ_ID:
		reply(mouse, mouse->id);
		break;
	case RESET:
		reply(mouse, BAT_PASSED);
		reply(mouse, ID_STANDARD);
		break;
	}
}

static void take_command(struct ps2_mouse *mouse, uint8_t command)
{
	mouse->command = 0;
	/* A command stops what is being sent. */
	ps2_queue_clear(&mouse->queue);
	if (command == RESEND_LAST) {
		reply(mouse, mouse->last_sent);
		return;
	}
	if (!change_mode(mouse, command) && !begin_exchange(mouse, command)) {
		refuse(mouse, command);
		return;
	}
	mouse->refused = false;
	reply(mouse, ACKNOWLEDGE);
	reply_data(mouse, command);
}

static void receive(void *owner, uint8_t byte)
{
	struct ps2_mouse *mouse = owner;
	if (mouse->wrap && byte == RESET_WRAP)
		mouse->wrap = false;
	if (mouse->wrap && byte != RESET)
		reply(mouse, byte);
	else if (mouse->command && byte < SET_SCALING_1_1)
		take_parameter(mouse, byte);
	else
		take_command(mouse, byte);
	schedule_sample(mouse);
}

static bool pending(void *owner)
{
	return ((struct ps2_mouse *)owner)->queue.count > 0;
}

static uint8_t take(void *owner)
{
	struct ps2_mouse *mouse = owner;
	uint8_t byte = 0;
	ps2_queue_take(&mouse->queue, &byte);
	if (byte != RESEND)
		mouse->last_sent = byte;
	return byte;
}

static int32_t add_counts(int32_t waiting, int64_t counts)
{
	return (int32_t)CLAMP(waiting + counts, -WAITING_MAX, WAITING_MAX);
}

void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy, int dz, unsigned buttons)
{
	mouse->buttons = (uint8_t)(buttons & BUTTONS_ALL);
	/* In remote mode the counters run without being enabled. */
	if (mouse->enabled || mouse->remote) {
		mouse->dx = add_counts(mouse->dx, dx);
		mouse->dy = add_counts(mouse->dy, -(int64_t)dy);
		mouse->dz = add_counts(mouse->dz, mouse->id ? dz : 0);
	}
	schedule_sample(mouse);
}

bool ps2_mouse_room(const struct ps2_mouse *mouse)
{
	return !(mouse->enabled || mouse->remote) || !has_button_news(mouse);
}

struct ps2_mouse *ps2_mouse_new(struct i8042 *kbc, struct clock *clock)
{
	struct ps2_mouse *mouse = g_new0(struct ps2_mouse, 1);
	mouse->kbc = kbc;
	mouse->clock = clock;
	mouse->timer = clock_timer_new(clock, sample, mouse);
	ps2_mouse_reset(mouse);
	i8042_attach(kbc, I8042_AUX,
	             &(struct i8042_device){ .receive = receive, .pending = pending, .take = take, .owner = mouse });
	return mouse;
}

void ps2_mouse_free(struct ps2_mouse *mouse)
{
	if (!mouse)
		return;
	i8042_attach(mouse->kbc, I8042_AUX, NULL);
	clock_timer_free(mouse->timer);
	g_free(mouse);
}

void ps2_mouse_reset(struct ps2_mouse *mouse)
{
	mouse->buttons = 0;
	mouse->last_sent = 0;
	mouse->refused = false;
	self_test(mouse);
	clock_timer_stop(mouse->timer);
	i8042_poke(mouse->kbc);
}

static void state_motion(struct ps2_mouse *mouse, struct snap *snap)
{
	int32_t *counts[] = { &mouse->dx, &mouse->dy, &mouse->dz };
	static const char *const names[] = { "dx", "dy", "dz" };
	for (unsigned i = 0; i < G_N_ELEMENTS(counts); i++) {
		uint32_t value = (uint32_t)*counts[i];
		snap_u32(snap, names[i], &value);
		*counts[i] = add_counts((int32_t)value, 0);
	}
}

void ps2_mouse_state(struct ps2_mouse *mouse, struct snap *snap)
{
	snap_section(snap, "ps2-mouse", 1);
	ps2_queue_state(&mouse->queue, snap);
	snap_u8(snap, "command", &mouse->command);
	snap_u8(snap, "last_sent", &mouse->last_sent);
	uint8_t rate = mouse->rate;
	snap_u8(snap, "rate", &rate);
	snap_u8(snap, "resolution", &mouse->resolution);
	snap_u8(snap, "id", &mouse->id);
	snap_bytes(snap, "last_rates", mouse->last_rates, sizeof mouse->last_rates);
	snap_bool(snap, "enabled", &mouse->enabled);
	snap_bool(snap, "remote", &mouse->remote);
	snap_bool(snap, "wrap", &mouse->wrap);
	snap_bool(snap, "scaling", &mouse->scaling);
	snap_bool(snap, "refused", &mouse->refused);
	snap_u8(snap, "buttons", &mouse->buttons);
	snap_u8(snap, "reported_buttons", &mouse->reported_buttons);
	state_motion(mouse, snap);
	snap_timer(snap, "timer", mouse->timer);
	if (!is_rate(rate))
		snap_fail(snap, "ps2-mouse: %u samples a second", rate);
	else if (snap_is_loading(snap))
		mouse->rate = rate;
}
