#include "devmodel/ps2_keyboard.h"

#include <glib.h>
#include <string.h>

#include "devmodel/ps2_queue.h"
#include "devmodel/ps2_scancodes.h"
#include "shared/log.h"

#define KEY_BUFFER_SIZE 16u

#define ACKNOWLEDGE  0xfau
#define RESEND       0xfeu
#define BAT_PASSED   0xaau
#define ECHO         0xeeu
#define FIRST_COMMAND 0xedu

#define SET_LEDS      0xedu
#define SELECT_SET    0xf0u
#define READ_ID       0xf2u
#define SET_RATE      0xf3u
#define ENABLE        0xf4u
#define DISABLE       0xf5u
#define SET_DEFAULTS  0xf6u
#define ALL_TYPEMATIC 0xf7u
#define ALL_ALL       0xfau
#define KEY_TYPEMATIC 0xfbu
#define KEY_MAKE      0xfdu
#define RESET         0xffu

#define DEFAULT_RATE 0x2bu /* 10.9 a second after 500 ms */

struct ps2_keyboard {
	struct i8042 *kbc;
	struct ps2_queue replies; /* go before the keys */
	struct ps2_queue keys;
	bool mid_sequence; /* the last byte sent was a prefix: no reply may follow it */
	bool overrun;      /* the last code put was the overrun code */
	uint8_t last_sent;
	uint8_t command;   /* waits for its parameter, or 0 */
	uint8_t set, leds, rate;
	bool scanning;
	uint8_t type[KEYS]; /* enum ps2_key_type, in force in set 3 */
	uint8_t down[KEYS]; /* 1 + enum ps2_key_variant of the press */
};

static void reply(struct ps2_keyboard *keyboard, uint8_t byte)
{
	if (!ps2_queue_put(&keyboard->replies, byte))
		guest_error("ps2-keyboard", "reply %02x lost: nobody reads", byte);
	i8042_poke(keyboard->kbc);
}

static void clear_keys(struct ps2_keyboard *keyboard)
{
	ps2_queue_clear(&keyboard->keys);
	keyboard->mid_sequence = keyboard->overrun = false;
}

static void set_default_types(struct ps2_keyboard *keyboard)
{
	for (unsigned key = 0; key < KEYS; key++)
		keyboard->type[key] = ps2_scancodes_default_type((enum key)key);
}

static void set_all_types(struct ps2_keyboard *keyboard, uint8_t command)
{
	static const uint8_t types[] = {
		PS2_KEY_TYPEMATIC, PS2_KEY_BREAK, 0, PS2_KEY_TYPEMATIC | PS2_KEY_BREAK,
	};
	memset(keyboard->type, types[command - ALL_TYPEMATIC], sizeof keyboard->type);
	clear_keys(keyboard);
}

static void set_defaults(struct ps2_keyboard *keyboard)
{
	clear_keys(keyboard);
	keyboard->set = 2;
	keyboard->rate = DEFAULT_RATE;
	set_default_types(keyboard);
}

static void self_test(struct ps2_keyboard *keyboard)
{
	ps2_queue_clear(&keyboard->replies);
	set_defaults(keyboard);
	keyboard->leds = 0;
	keyboard->command = 0;
	keyboard->scanning = true;
}

static void select_set(struct ps2_keyboard *keyboard, uint8_t set)
{
	if (set > 3) {
		reply(keyboard, RESEND);
		return;
	}
	reply(keyboard, ACKNOWLEDGE);
	if (!set) {
		reply(keyboard, keyboard->set);
		return;
	}
	clear_keys(keyboard);
	keyboard->set = set;
}

static void set_rate(struct ps2_keyboard *keyboard, uint8_t rate)
{
	if (rate & 0x80) {
		reply(keyboard, RESEND);
		return;
	}
	keyboard->rate = rate;
	reply(keyboard, ACKNOWLEDGE);
}

/* The list of keys goes on until the next command. */
static void set_key_type(struct ps2_keyboard *keyboard, uint8_t command, uint8_t code)
{
	static const uint8_t types[] = { PS2_KEY_TYPEMATIC, PS2_KEY_BREAK, 0 };
	enum key key = ps2_scancodes_key_of_set3(code);
	keyboard->command = command;
	if (key == KEY_NONE) {
		reply(keyboard, RESEND);
		return;
	}
	keyboard->type[key] = types[command - KEY_TYPEMATIC];
	reply(keyboard, ACKNOWLEDGE);
}

static void take_parameter(struct ps2_keyboard *keyboard, uint8_t byte)
{
	uint8_t command = keyboard->command;
	keyboard->command = 0;
	switch (command) {
	case SET_LEDS:
		keyboard->leds = byte & 7;
		reply(keyboard, ACKNOWLEDGE);
		break;
	case SELECT_SET:
		select_set(keyboard, byte);
		break;
	case SET_RATE:
		set_rate(keyboard, byte);
		break;
	default:
		set_key_type(keyboard, command, byte);
	}
}

/* Commands that are acknowledged first. Returns false for no such command. */
static bool run_command(struct ps2_keyboard *keyboard, uint8_t command)
{
	switch (command) {
	case KEY_TYPEMATIC ... KEY_MAKE:
		clear_keys(keyboard);
		/* fall through */
	case SET_LEDS:
	case SELECT_SET:
	case SET_RATE:
		keyboard->command = command;
		return true;
	case READ_ID:
		return true;
	case ENABLE:
		clear_keys(keyboard);
		keyboard->scanning = true;
		return true;
	case DISABLE:
		set_defaults(keyboard);
		keyboard->scanning = false;
		return true;
	case SET_DEFAULTS:
		set_defaults(keyboard);
		return true;
	case ALL_TYPEMATIC ... ALL_ALL:
		set_all_types(keyboard, command);
		return true;
	case RESET:
		self_test(keyboard);
		return true;
	default:
		return false;
	}
}

static void take_command(struct ps2_keyboard *keyboard, uint8_t command)
{
	keyboard->command = 0;
	if (command == ECHO) {
		reply(keyboard, ECHO);
	} else if (command == RESEND) {
		reply(keyboard, keyboard->last_sent);
	} else if (!run_command(keyboard, command)) {
		guest_error("ps2-keyboard", "unknown command %02x", command);
		reply(keyboard, RESEND);
	} else {
		reply(keyboard, ACKNOWLEDGE);
	}
	if (command == RESET) {
		reply(keyboard, BAT_PASSED);
	} else if (command == READ_ID) {
		reply(keyboard, 0xab);
		reply(keyboard, 0x83);
	}
}

static void receive(void *owner, uint8_t byte)
{
	struct ps2_keyboard *keyboard = owner;
	if (keyboard->command && byte < FIRST_COMMAND)
		take_parameter(keyboard, byte);
	else
		take_command(keyboard, byte);
}

static bool pending(void *owner)
{
	struct ps2_keyboard *keyboard = owner;
	return keyboard->replies.count || keyboard->keys.count;
}

static uint8_t take(void *owner)
{
	struct ps2_keyboard *keyboard = owner;
	uint8_t byte = 0;
	bool finish = keyboard->mid_sequence && keyboard->keys.count;
	if (!finish && ps2_queue_take(&keyboard->replies, &byte)) {
		if (byte != RESEND)
			keyboard->last_sent = byte;
		return byte;
	}
	ps2_queue_take(&keyboard->keys, &byte);
	keyboard->mid_sequence = byte == 0xe0 || byte == 0xe1 || byte == 0xf0;
	keyboard->last_sent = byte;
	return byte;
}

/* The overrun code stands in a 17th place, once. */
static void put_codes(struct ps2_keyboard *keyboard, const uint8_t *codes, size_t size)
{
	if (keyboard->keys.count + size <= KEY_BUFFER_SIZE) {
		for (size_t i = 0; i < size; i++)
			ps2_queue_put(&keyboard->keys, codes[i]);
		keyboard->overrun = false;
	} else if (!keyboard->overrun) {
		keyboard->overrun = true;
		ps2_queue_put(&keyboard->keys, keyboard->set == 1 ? 0xff : 0x00);
	}
	i8042_poke(keyboard->kbc);
}

static bool any_down(const struct ps2_keyboard *keyboard, enum key one, enum key other)
{
	return keyboard->down[one] || keyboard->down[other];
}

static enum ps2_key_variant variant_now(const struct ps2_keyboard *keyboard)
{
	if (any_down(keyboard, KEY_LEFT_ALT, KEY_RIGHT_ALT))
		return PS2_KEY_ALTERED;
	if (any_down(keyboard, KEY_LEFT_CTRL, KEY_RIGHT_CTRL))
		return PS2_KEY_CONTROLLED;
	if (any_down(keyboard, KEY_LEFT_SHIFT, KEY_RIGHT_SHIFT))
		return PS2_KEY_SHIFTED;
	return PS2_KEY_PLAIN;
}

/* A key is released as what it was pressed. */
static enum ps2_key_variant note_key(struct ps2_keyboard *keyboard, unsigned key, bool down)
{
	uint8_t pressed = keyboard->down[key];
	enum ps2_key_variant variant = pressed ? (enum ps2_key_variant)(pressed - 1) : variant_now(keyboard);
	keyboard->down[key] = down ? (uint8_t)(variant + 1) : 0;
	return variant;
}

/* Is there nothing to send for this press, repetition or release? */
static bool is_mute(const struct ps2_keyboard *keyboard, unsigned key, bool was_down, bool down)
{
	if (!down && !was_down)
		return true;
	bool repeated = was_down && down;
	if (keyboard->set != 3)
		return repeated && key == KEY_PAUSE;
	uint8_t type = keyboard->type[key];
	return (repeated && !(type & PS2_KEY_TYPEMATIC)) || (!down && !(type & PS2_KEY_BREAK));
}

void ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned keycode, bool down)
{
	if (keycode == KEY_NONE || keycode >= KEYS)
		return;
	bool mute = is_mute(keyboard, keycode, keyboard->down[keycode], down);
	enum ps2_key_variant variant = note_key(keyboard, keycode, down);
	if (mute || !keyboard->scanning)
		return;
	uint8_t codes[PS2_SCANCODES_MAX];
	size_t size = ps2_scancodes_get(keyboard->set, (enum key)keycode, variant, down, codes);
	if (size)
		put_codes(keyboard, codes, size);
}

bool ps2_keyboard_room(const struct ps2_keyboard *keyboard)
{
	return keyboard->scanning && i8042_is_enabled(keyboard->kbc, I8042_KEYBOARD) &&
	       keyboard->keys.count + PS2_SCANCODES_MAX <= KEY_BUFFER_SIZE;
}

uint8_t ps2_keyboard_leds(const struct ps2_keyboard *keyboard)
{
	return keyboard->leds;
}

struct ps2_keyboard *ps2_keyboard_new(struct i8042 *kbc)
{
	struct ps2_keyboard *keyboard = g_new0(struct ps2_keyboard, 1);
	keyboard->kbc = kbc;
	ps2_keyboard_reset(keyboard);
	i8042_attach(kbc, I8042_KEYBOARD,
	             &(struct i8042_device){ .receive = receive, .pending = pending, .take = take, .owner = keyboard });
	return keyboard;
}

void ps2_keyboard_free(struct ps2_keyboard *keyboard)
{
	if (!keyboard)
		return;
	i8042_attach(keyboard->kbc, I8042_KEYBOARD, NULL);
	g_free(keyboard);
}

void ps2_keyboard_reset(struct ps2_keyboard *keyboard)
{
	self_test(keyboard);
	keyboard->last_sent = 0;
	memset(keyboard->down, 0, sizeof keyboard->down);
	i8042_poke(keyboard->kbc);
}

static bool is_parameter_command(uint8_t command)
{
	return !command || command == SET_LEDS || command == SELECT_SET || command == SET_RATE ||
	       (command >= KEY_TYPEMATIC && command <= KEY_MAKE);
}

/* The fields that are used as indices. */
static void state_checked(struct ps2_keyboard *keyboard, struct snap *snap)
{
	uint8_t command = keyboard->command, set = keyboard->set, down[KEYS];
	memcpy(down, keyboard->down, sizeof down);
	snap_u8(snap, "command", &command);
	snap_u8(snap, "set", &set);
	snap_bytes(snap, "down", down, sizeof down);
	for (unsigned key = 0; key < KEYS; key++)
		if (down[key] > PS2_KEY_ALTERED + 1)
			snap_fail(snap, "ps2-keyboard: key %u is down as %u", key, down[key]);
	if (!is_parameter_command(command) || set < 1 || set > 3)
		snap_fail(snap, "ps2-keyboard: command %02x, scan code set %u", command, set);
	if (!snap_is_loading(snap) || snap_error(snap))
		return;
	keyboard->command = command;
	keyboard->set = set;
	memcpy(keyboard->down, down, sizeof down);
}

void ps2_keyboard_state(struct ps2_keyboard *keyboard, struct snap *snap)
{
	snap_section(snap, "ps2-keyboard", 1);
	ps2_queue_state(&keyboard->replies, snap);
	ps2_queue_state(&keyboard->keys, snap);
	snap_bool(snap, "mid_sequence", &keyboard->mid_sequence);
	snap_bool(snap, "overrun", &keyboard->overrun);
	snap_u8(snap, "last_sent", &keyboard->last_sent);
	snap_u8(snap, "leds", &keyboard->leds);
	snap_u8(snap, "rate", &keyboard->rate);
	snap_bool(snap, "scanning", &keyboard->scanning);
	snap_bytes(snap, "type", keyboard->type, sizeof keyboard->type);
	state_checked(keyboard, snap);
}
