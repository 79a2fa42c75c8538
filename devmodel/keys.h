/* The keys of a US keyboard with 104 keys (and the 102nd key of other layouts),
 * and texts that stand for key strokes. */
#ifndef V2E_DEVMODEL_KEYS_H
#define V2E_DEVMODEL_KEYS_H

#include <glib.h>
#include <stdbool.h>

/* A physical key, named by what is printed on it. */
enum key {
	KEY_NONE,
	KEY_ESCAPE,
	KEY_F1, KEY_F2, KEY_F3, KEY_F4, KEY_F5, KEY_F6,
	KEY_F7, KEY_F8, KEY_F9, KEY_F10, KEY_F11, KEY_F12,
	KEY_PRINT_SCREEN, KEY_SCROLL_LOCK, KEY_PAUSE,
	KEY_GRAVE, KEY_1, KEY_2, KEY_3, KEY_4, KEY_5, KEY_6, KEY_7, KEY_8, KEY_9, KEY_0,
	KEY_MINUS, KEY_EQUAL, KEY_BACKSPACE,
	KEY_TAB, KEY_Q, KEY_W, KEY_E, KEY_R, KEY_T, KEY_Y, KEY_U, KEY_I, KEY_O, KEY_P,
	KEY_LEFT_BRACKET, KEY_RIGHT_BRACKET, KEY_BACKSLASH,
	KEY_CAPS_LOCK, KEY_A, KEY_S, KEY_D, KEY_F, KEY_G, KEY_H, KEY_J, KEY_K, KEY_L,
	KEY_SEMICOLON, KEY_APOSTROPHE, KEY_ENTER,
	KEY_LEFT_SHIFT, KEY_102ND, KEY_Z, KEY_X, KEY_C, KEY_V, KEY_B, KEY_N, KEY_M,
	KEY_COMMA, KEY_PERIOD, KEY_SLASH, KEY_RIGHT_SHIFT,
	KEY_LEFT_CTRL, KEY_LEFT_META, KEY_LEFT_ALT, KEY_SPACE,
	KEY_RIGHT_ALT, KEY_RIGHT_META, KEY_MENU, KEY_RIGHT_CTRL,
	KEY_INSERT, KEY_HOME, KEY_PAGE_UP, KEY_DELETE, KEY_END, KEY_PAGE_DOWN,
	KEY_UP, KEY_LEFT, KEY_DOWN, KEY_RIGHT,
	KEY_NUM_LOCK, KEY_PAD_SLASH, KEY_PAD_ASTERISK, KEY_PAD_MINUS,
	KEY_PAD_7, KEY_PAD_8, KEY_PAD_9, KEY_PAD_PLUS,
	KEY_PAD_4, KEY_PAD_5, KEY_PAD_6,
	KEY_PAD_1, KEY_PAD_2, KEY_PAD_3, KEY_PAD_ENTER,
	KEY_PAD_0, KEY_PAD_PERIOD,
	KEYS,
};

/* Held down around a key; each stands for the left one of its two keys. */
enum key_modifier {
	KEY_MODIFIER_SHIFT = 1,
	KEY_MODIFIER_CTRL  = 2,
	KEY_MODIFIER_ALT   = 4,
	KEY_MODIFIER_META  = 8,
	KEY_MODIFIER_ALTGR = 16, /* the right Alt key */
};

struct key_stroke {
	enum key key;
	unsigned modifiers; /* of enum key_modifier */
};

struct key_event {
	enum key key;
	bool down;
};

/* "abc<enter><ctrl-alt-del><shift-f1><lt>": characters of the US layout as
 * themselves (newline is Enter, tab is Tab), keys by name in angle brackets,
 * any modifiers (shift, ctrl, alt, altgr, meta) before it, joined by '-'. `<lt>`
 * is the character '<'; a single '>' is itself. Names are of any case; a single
 * character in brackets brings its own Shift along.
 * Appends struct key_stroke to `strokes`. Returns false with a message in *error
 * (to be freed with g_free) and `strokes` as it was. */
bool keys_parse(const char *text, GArray *strokes, char **error);

/* The same with no meaning for angle brackets: each character is typed. */
bool keys_parse_literal(const char *text, GArray *strokes, char **error);

/* The stroke that types an ASCII character on the US layout. Returns false when
 * no key does. */
bool keys_from_char(char character, struct key_stroke *stroke);

/* Appends struct key_event: modifiers down, key down and up, modifiers up. */
void keys_expand(const struct key_stroke *stroke, GArray *events);

/* Name as in keys_parse, "enter"; static. For KEY_NONE and beyond KEYS "none". */
const char *keys_name(enum key key);
/* The key of that name, any case, aliases included ("esc", "del", "pgup"), or a
 * single character that a key types without Shift; else KEY_NONE. */
enum key keys_by_name(const char *name);

#endif
