/* PS/2 keyboard with 101 to 104 keys on the keyboard port of an 8042. Source: IBM
 * PS/2 Hardware Interface Technical Reference, "Keyboards (101- and 102-Key)".
 *
 * Self-test takes no time: AAh follows the acknowledge of FFh; none is sent at
 * power-on. Keys do not repeat by themselves: a press of a key that is down
 * already is one repetition. */
#ifndef V2E_DEVMODEL_PS2_KEYBOARD_H
#define V2E_DEVMODEL_PS2_KEYBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "devmodel/i8042.h"
#include "devmodel/keys.h"
#include "shared/snap.h"

struct ps2_keyboard;

/* Plugs itself into `kbc`, which must outlive it. */
struct ps2_keyboard *ps2_keyboard_new(struct i8042 *kbc);
void ps2_keyboard_free(struct ps2_keyboard *keyboard); /* NULL is fine */
/* Power-on: scanning, set 2, all keys up. */
void ps2_keyboard_reset(struct ps2_keyboard *keyboard);
void ps2_keyboard_state(struct ps2_keyboard *keyboard, struct snap *snap);

/* A key (enum key) goes down or up. Codes that find the buffer of 16 bytes full
 * are lost to an overrun code, codes while scanning is disabled without one. */
void ps2_keyboard_key(struct ps2_keyboard *keyboard, unsigned keycode, bool down);
/* Will the next ps2_keyboard_key() reach the host, whatever the key? False while
 * the buffer has not room enough, or the host has scanning or the port disabled, as
 * before the firmware has set up the controller. */
bool ps2_keyboard_room(const struct ps2_keyboard *keyboard);
/* The lamps as the host last set them: bit 0 Scroll, 1 Num, 2 Caps Lock. */
uint8_t ps2_keyboard_leds(const struct ps2_keyboard *keyboard);

#endif
