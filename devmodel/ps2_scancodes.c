#include "devmodel/ps2_scancodes.h"

#include <string.h>

#define EXTENDED 0xe0u
#define BREAK    0xf0u
#define E0       0x100u /* the code has the prefix E0h in sets 1 and 2 */

#define T  PS2_KEY_TYPEMATIC
#define MB PS2_KEY_BREAK
#define M  0

/* Set 1 is set 2 through the translation. Pause and Print Screen are made by hand
 * in sets 1 and 2. */
static const struct {
	uint16_t set2;
	uint8_t set3, type;
} keys[KEYS] = {
	[KEY_ESCAPE]        = { 0x76, 0x08, M },
	[KEY_F1]            = { 0x05, 0x07, M },
	[KEY_F2]            = { 0x06, 0x0f, M },
	[KEY_F3]            = { 0x04, 0x17, M },
	[KEY_F4]            = { 0x0c, 0x1f, M },
	[KEY_F5]            = { 0x03, 0x27, M },
	[KEY_F6]            = { 0x0b, 0x2f, M },
	[KEY_F7]            = { 0x83, 0x37, M },
	[KEY_F8]            = { 0x0a, 0x3f, M },
	[KEY_F9]            = { 0x01, 0x47, M },
	[KEY_F10]           = { 0x09, 0x4f, M },
	[KEY_F11]           = { 0x78, 0x56, M },
	[KEY_F12]           = { 0x07, 0x5e, M },
	[KEY_PRINT_SCREEN]  = { 0x7c | E0, 0x57, M },
	[KEY_SCROLL_LOCK]   = { 0x7e, 0x5f, M },
	[KEY_PAUSE]         = { 0x77, 0x62, M },
	[KEY_GRAVE]         = { 0x0e, 0x0e, T },
	[KEY_1]             = { 0x16, 0x16, T },
	[KEY_2]             = { 0x1e, 0x1e, T },
	[KEY_3]             = { 0x26, 0x26, T },
	[KEY_4]             = { 0x25, 0x25, T },
	[KEY_5]             = { 0x2e, 0x2e, T },
	[KEY_6]             = { 0x36, 0x36, T },
	[KEY_7]             = { 0x3d, 0x3d, T },
	[KEY_8]             = { 0x3e, 0x3e, T },
	[KEY_9]             = { 0x46, 0x46, T },
	[KEY_0]             = { 0x45, 0x45, T },
	[KEY_MINUS]         = { 0x4e, 0x4e, T },
	[KEY_EQUAL]         = { 0x55, 0x55, T },
	[KEY_BACKSPACE]     = { 0x66, 0x66, T },
	[KEY_TAB]           = { 0x0d, 0x0d, T },
	[KEY_Q]             = { 0x15, 0x15, T },
	[KEY_W]             = { 0x1d, 0x1d, T },
	[KEY_E]             = { 0x24, 0x24, T },
	[KEY_R]             = { 0x2d, 0x2d, T },
	[KEY_T]             = { 0x2c, 0x2c, T },
	[KEY_Y]             = { 0x35, 0x35, T },
	[KEY_U]             = { 0x3c, 0x3c, T },
	[KEY_I]             = { 0x43, 0x43, T },
	[KEY_O]             = { 0x44, 0x44, T },
	[KEY_P]             = { 0x4d, 0x4d, T },
	[KEY_LEFT_BRACKET]  = { 0x54, 0x54, T },
	[KEY_RIGHT_BRACKET] = { 0x5b, 0x5b, T },
	[KEY_BACKSLASH]     = { 0x5d, 0x5c, T },
	[KEY_CAPS_LOCK]     = { 0x58, 0x14, MB },
	[KEY_A]             = { 0x1c, 0x1c, T },
	[KEY_S]             = { 0x1b, 0x1b, T },
	[KEY_D]             = { 0x23, 0x23, T },
	[KEY_F]             = { 0x2b, 0x2b, T },
	[KEY_G]             = { 0x34, 0x34, T },
	[KEY_H]             = { 0x33, 0x33, T },
	[KEY_J]             = { 0x3b, 0x3b, T },
	[KEY_K]             = { 0x42, 0x42, T },
	[KEY_L]             = { 0x4b, 0x4b, T },
	[KEY_SEMICOLON]     = { 0x4c, 0x4c, T },
	[KEY_APOSTROPHE]    = { 0x52, 0x52, T },
	[KEY_ENTER]         = { 0x5a, 0x5a, T },
	[KEY_LEFT_SHIFT]    = { 0x12, 0x12, MB },
	[KEY_102ND]         = { 0x61, 0x13, T },
	[KEY_Z]             = { 0x1a, 0x1a, T },
	[KEY_X]             = { 0x22, 0x22, T },
	[KEY_C]             = { 0x21, 0x21, T },
	[KEY_V]             = { 0x2a, 0x2a, T },
	[KEY_B]             = { 0x32, 0x32, T },
	[KEY_N]             = { 0x31, 0x31, T },
	[KEY_M]             = { 0x3a, 0x3a, T },
	[KEY_COMMA]         = { 0x41, 0x41, T },
	[KEY_PERIOD]        = { 0x49, 0x49, T },
	[KEY_SLASH]         = { 0x4a, 0x4a, T },
	[KEY_RIGHT_SHIFT]   = { 0x59, 0x59, MB },
	[KEY_LEFT_CTRL]     = { 0x14, 0x11, MB },
	[KEY_LEFT_META]     = { 0x1f | E0, 0x8b, MB },
	[KEY_LEFT_ALT]      = { 0x11, 0x19, MB },
	[KEY_SPACE]         = { 0x29, 0x29, T },
	[KEY_RIGHT_ALT]     = { 0x11 | E0, 0x39, M },
	[KEY_RIGHT_META]    = { 0x27 | E0, 0x8c, MB },
	[KEY_MENU]          = { 0x2f | E0, 0x8d, MB },
	[KEY_RIGHT_CTRL]    = { 0x14 | E0, 0x58, M },
	[KEY_INSERT]        = { 0x70 | E0, 0x67, M },
	[KEY_HOME]          = { 0x6c | E0, 0x6e, M },
	[KEY_PAGE_UP]       = { 0x7d | E0, 0x6f, M },
	[KEY_DELETE]        = { 0x71 | E0, 0x64, T },
	[KEY_END]           = { 0x69 | E0, 0x65, M },
	[KEY_PAGE_DOWN]     = { 0x7a | E0, 0x6d, M },
	[KEY_UP]            = { 0x75 | E0, 0x63, T },
	[KEY_LEFT]          = { 0x6b | E0, 0x61, T },
	[KEY_DOWN]          = { 0x72 | E0, 0x60, T },
	[KEY_RIGHT]         = { 0x74 | E0, 0x6a, T },
	[KEY_NUM_LOCK]      = { 0x77, 0x76, M },
	[KEY_PAD_SLASH]     = { 0x4a | E0, 0x77, M },
	[KEY_PAD_ASTERISK]  = { 0x7c, 0x7e, M },
	[KEY_PAD_MINUS]     = { 0x7b, 0x84, M },
	[KEY_PAD_7]         = { 0x6c, 0x6c, M },
	[KEY_PAD_8]         = { 0x75, 0x75, M },
	[KEY_PAD_9]         = { 0x7d, 0x7d, M },
	[KEY_PAD_PLUS]      = { 0x79, 0x7c, T },
	[KEY_PAD_4]         = { 0x6b, 0x6b, M },
	[KEY_PAD_5]         = { 0x73, 0x73, M },
	[KEY_PAD_6]         = { 0x74, 0x74, M },
	[KEY_PAD_1]         = { 0x69, 0x69, M },
	[KEY_PAD_2]         = { 0x72, 0x72, M },
	[KEY_PAD_3]         = { 0x7a, 0x7a, M },
	[KEY_PAD_ENTER]     = { 0x5a | E0, 0x79, M },
	[KEY_PAD_0]         = { 0x70, 0x70, M },
	[KEY_PAD_PERIOD]    = { 0x71, 0x71, M },
};

/* From the 8042's ROM. */
static const uint8_t translation[0x80] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
};

uint8_t ps2_scancodes_translate(uint8_t byte)
{
	if (byte < sizeof translation)
		return translation[byte];
	return byte == 0x83 ? 0x41 : byte == 0x84 ? 0x54 : byte;
}

static size_t put(uint8_t codes[PS2_SCANCODES_MAX], const uint8_t *bytes, size_t size)
{
	memcpy(codes, bytes, size);
	return size;
}

#define PUT(...) put(codes, (const uint8_t[]){ __VA_ARGS__ }, sizeof (const uint8_t[]){ __VA_ARGS__ })

static size_t put_set2(uint16_t code, bool down, uint8_t codes[PS2_SCANCODES_MAX])
{
	size_t size = 0;
	if (code & E0)
		codes[size++] = EXTENDED;
	if (!down)
		codes[size++] = BREAK;
	codes[size++] = (uint8_t)code;
	return size;
}

static size_t put_print_screen(enum ps2_key_variant variant, bool down, uint8_t codes[PS2_SCANCODES_MAX])
{
	if (variant == PS2_KEY_ALTERED) /* SysRq */
		return put_set2(0x84, down, codes);
	if (variant != PS2_KEY_PLAIN)
		return put_set2(0x7c | E0, down, codes);
	return down ? PUT(0xe0, 0x12, 0xe0, 0x7c) : PUT(0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12);
}

/* Pause sends all when pressed. */
static size_t put_pause(enum ps2_key_variant variant, bool down, uint8_t codes[PS2_SCANCODES_MAX])
{
	if (!down)
		return 0;
	if (variant == PS2_KEY_CONTROLLED) /* Break */
		return PUT(0xe0, 0x7e, 0xe0, 0xf0, 0x7e);
	return PUT(0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77);
}

static size_t get_set2(enum key key, enum ps2_key_variant variant, bool down, uint8_t codes[PS2_SCANCODES_MAX])
{
	if (key == KEY_PRINT_SCREEN)
		return put_print_screen(variant, down, codes);
	if (key == KEY_PAUSE)
		return put_pause(variant, down, codes);
	return put_set2(keys[key].set2, down, codes);
}

static size_t set2_to_set1(uint8_t codes[PS2_SCANCODES_MAX], size_t size)
{
	size_t kept = 0;
	uint8_t released = 0;
	for (size_t i = 0; i < size; i++) {
		if (codes[i] == BREAK) {
			released = 0x80;
			continue;
		}
		codes[kept++] = ps2_scancodes_translate(codes[i]) | released;
		released = 0;
	}
	return kept;
}

size_t ps2_scancodes_get(unsigned set, enum key key, enum ps2_key_variant variant, bool down,
                         uint8_t codes[PS2_SCANCODES_MAX])
{
	if (key == KEY_NONE || key >= KEYS)
		return 0;
	if (set == 3)
		return put_set2(keys[key].set3, down, codes);
	size_t size = get_set2(key, variant, down, codes);
	return set == 1 ? set2_to_set1(codes, size) : size;
}

enum key ps2_scancodes_key_of_set3(uint8_t code)
{
	for (unsigned key = KEY_NONE + 1; key < KEYS; key++)
		if (keys[key].set3 == code)
			return (enum key)key;
	return KEY_NONE;
}

uint8_t ps2_scancodes_default_type(enum key key)
{
	return key < KEYS ? keys[key].type : 0;
}
