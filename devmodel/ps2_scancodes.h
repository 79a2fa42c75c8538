/* Scan codes of sets 1, 2 and 3, and the 8042's translation of set 2 to set 1.
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboards (101- and
 * 102-Key)". */
#ifndef V2E_DEVMODEL_PS2_SCANCODES_H
#define V2E_DEVMODEL_PS2_SCANCODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devmodel/keys.h"

/* The longest code is that of Pause in set 2. */
#define PS2_SCANCODES_MAX 8u

/* What a key does in set 3. */
enum ps2_key_type { PS2_KEY_TYPEMATIC = 1, PS2_KEY_BREAK = 2 };

/* The key as it stands on the keyboard: Print Screen and Pause are other codes
 * while Shift, Ctrl or Alt is held. */
enum ps2_key_variant { PS2_KEY_PLAIN, PS2_KEY_SHIFTED, PS2_KEY_CONTROLLED, PS2_KEY_ALTERED };

/* Writes the bytes of one press or release in `set` (1, 2 or 3) into `codes` and
 * returns how many; 0 where there is nothing to send. In set 3 the break code is
 * always written, whatever the key's type. */
size_t ps2_scancodes_get(unsigned set, enum key key, enum ps2_key_variant variant, bool down,
                         uint8_t codes[PS2_SCANCODES_MAX]);

/* The key of a set 3 code, or KEY_NONE. */
enum key ps2_scancodes_key_of_set3(uint8_t code);
/* enum ps2_key_type bits that a key has after reset, in set 3. */
uint8_t ps2_scancodes_default_type(enum key key);

/* A byte of set 2, without F0, in set 1. Bytes from 80h pass, but for 83h, 84h. */
uint8_t ps2_scancodes_translate(uint8_t byte);

#endif
