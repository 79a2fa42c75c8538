#include "devmodel/keys.h"

#include <string.h>

/* Name, and for keys that type a character: without and with Shift. */
static const struct {
	const char *name;
	char plain, shifted;
} keys[KEYS] = {
	[KEY_NONE]          = { "none", 0, 0 },
	[KEY_ESCAPE]        = { "esc", '\033', 0 },
	[KEY_F1]            = { "f1", 0, 0 },
	[KEY_F2]            = { "f2", 0, 0 },
	[KEY_F3]            = { "f3", 0, 0 },
	[KEY_F4]            = { "f4", 0, 0 },
	[KEY_F5]            = { "f5", 0, 0 },
	[KEY_F6]            = { "f6", 0, 0 },
	[KEY_F7]            = { "f7", 0, 0 },
	[KEY_F8]            = { "f8", 0, 0 },
	[KEY_F9]            = { "f9", 0, 0 },
	[KEY_F10]           = { "f10", 0, 0 },
	[KEY_F11]           = { "f11", 0, 0 },
	[KEY_F12]           = { "f12", 0, 0 },
	[KEY_PRINT_SCREEN]  = { "print", 0, 0 },
	[KEY_SCROLL_LOCK]   = { "scrolllock", 0, 0 },
	[KEY_PAUSE]         = { "pause", 0, 0 },
	[KEY_GRAVE]         = { "grave", '`', '~' },
	[KEY_1]             = { "1", '1', '!' },
	[KEY_2]             = { "2", '2', '@' },
	[KEY_3]             = { "3", '3', '#' },
	[KEY_4]             = { "4", '4', '$' },
	[KEY_5]             = { "5", '5', '%' },
	[KEY_6]             = { "6", '6', '^' },
	[KEY_7]             = { "7", '7', '&' },
	[KEY_8]             = { "8", '8', '*' },
	[KEY_9]             = { "9", '9', '(' },
	[KEY_0]             = { "0", '0', ')' },
	[KEY_MINUS]         = { "minus", '-', '_' },
	[KEY_EQUAL]         = { "equal", '=', '+' },
	[KEY_BACKSPACE]     = { "backspace", '\b', 0 },
	[KEY_TAB]           = { "tab", '\t', 0 },
	[KEY_Q]             = { "q", 'q', 'Q' },
	[KEY_W]             = { "w", 'w', 'W' },
	[KEY_E]             = { "e", 'e', 'E' },
	[KEY_R]             = { "r", 'r', 'R' },
	[KEY_T]             = { "t", 't', 'T' },
	[KEY_Y]             = { "y", 'y', 'Y' },
	[KEY_U]             = { "u", 'u', 'U' },
	[KEY_I]             = { "i", 'i', 'I' },
	[KEY_O]             = { "o", 'o', 'O' },
	[KEY_P]             = { "p", 'p', 'P' },
	[KEY_LEFT_BRACKET]  = { "leftbracket", '[', '{' },
	[KEY_RIGHT_BRACKET] = { "rightbracket", ']', '}' },
	[KEY_BACKSLASH]     = { "backslash", '\\', '|' },
	[KEY_CAPS_LOCK]     = { "capslock", 0, 0 },
	[KEY_A]             = { "a", 'a', 'A' },
	[KEY_S]             = { "s", 's', 'S' },
	[KEY_D]             = { "d", 'd', 'D' },
	[KEY_F]             = { "f", 'f', 'F' },
	[KEY_G]             = { "g", 'g', 'G' },
	[KEY_H]             = { "h", 'h', 'H' },
	[KEY_J]             = { "j", 'j', 'J' },
	[KEY_K]             = { "k", 'k', 'K' },
	[KEY_L]             = { "l", 'l', 'L' },
	[KEY_SEMICOLON]     = { "semicolon", ';', ':' },
	[KEY_APOSTROPHE]    = { "apostrophe", '\'', '"' },
	[KEY_ENTER]         = { "enter", '\n', 0 },
	[KEY_LEFT_SHIFT]    = { "lshift", 0, 0 },
	[KEY_102ND]         = { "102nd", 0, 0 },
	[KEY_Z]             = { "z", 'z', 'Z' },
	[KEY_X]             = { "x", 'x', 'X' },
	[KEY_C]             = { "c", 'c', 'C' },
	[KEY_V]             = { "v", 'v', 'V' },
	[KEY_B]             = { "b", 'b', 'B' },
	[KEY_N]             = { "n", 'n', 'N' },
	[KEY_M]             = { "m", 'm', 'M' },
	[KEY_COMMA]         = { "comma", ',', '<' },
	[KEY_PERIOD]        = { "period", '.', '>' },
	[KEY_SLASH]         = { "slash", '/', '?' },
	[KEY_RIGHT_SHIFT]   = { "rshift", 0, 0 },
	[KEY_LEFT_CTRL]     = { "lctrl", 0, 0 },
	[KEY_LEFT_META]     = { "lmeta", 0, 0 },
	[KEY_LEFT_ALT]      = { "lalt", 0, 0 },
	[KEY_SPACE]         = { "space", ' ', 0 },
	[KEY_RIGHT_ALT]     = { "altgr", 0, 0 },
	[KEY_RIGHT_META]    = { "rmeta", 0, 0 },
	[KEY_MENU]          = { "menu", 0, 0 },
	[KEY_RIGHT_CTRL]    = { "rctrl", 0, 0 },
	[KEY_INSERT]        = { "insert", 0, 0 },
	[KEY_HOME]          = { "home", 0, 0 },
	[KEY_PAGE_UP]       = { "pageup", 0, 0 },
	[KEY_DELETE]        = { "delete", 0, 0 },
	[KEY_END]           = { "end", 0, 0 },
	[KEY_PAGE_DOWN]     = { "pagedown", 0, 0 },
	[KEY_UP]            = { "up", 0, 0 },
	[KEY_LEFT]          = { "left", 0, 0 },
	[KEY_DOWN]          = { "down", 0, 0 },
	[KEY_RIGHT]         = { "right", 0, 0 },
	[KEY_NUM_LOCK]      = { "numlock", 0, 0 },
	[KEY_PAD_SLASH]     = { "kp/", 0, 0 },
	[KEY_PAD_ASTERISK]  = { "kp*", 0, 0 },
	[KEY_PAD_MINUS]     = { "kpminus", 0, 0 },
	[KEY_PAD_7]         = { "kp7", 0, 0 },
	[KEY_PAD_8]         = { "kp8", 0, 0 },
	[KEY_PAD_9]         = { "kp9", 0, 0 },
	[KEY_PAD_PLUS]      = { "kp+", 0, 0 },
	[KEY_PAD_4]         = { "kp4", 0, 0 },
	[KEY_PAD_5]         = { "kp5", 0, 0 },
	[KEY_PAD_6]         = { "kp6", 0, 0 },
	[KEY_PAD_1]         = { "kp1", 0, 0 },
	[KEY_PAD_2]         = { "kp2", 0, 0 },
	[KEY_PAD_3]         = { "kp3", 0, 0 },
	[KEY_PAD_ENTER]     = { "kpenter", 0, 0 },
	[KEY_PAD_0]         = { "kp0", 0, 0 },
	[KEY_PAD_PERIOD]    = { "kp.", 0, 0 },
};

static const struct {
	const char *name;
	enum key key;
} aliases[] = {
	{ "escape", KEY_ESCAPE },   { "return", KEY_ENTER },       { "ret", KEY_ENTER },
	{ "bs", KEY_BACKSPACE },    { "spc", KEY_SPACE },          { "ins", KEY_INSERT },
	{ "del", KEY_DELETE },      { "pgup", KEY_PAGE_UP },       { "pgdn", KEY_PAGE_DOWN },
	{ "caps", KEY_CAPS_LOCK },  { "num", KEY_NUM_LOCK },       { "scroll", KEY_SCROLL_LOCK },
	{ "prtsc", KEY_PRINT_SCREEN }, { "sysrq", KEY_PRINT_SCREEN }, { "break", KEY_PAUSE },
	{ "shift", KEY_LEFT_SHIFT }, { "ctrl", KEY_LEFT_CTRL },    { "alt", KEY_LEFT_ALT },
	{ "meta", KEY_LEFT_META },  { "win", KEY_LEFT_META },      { "ralt", KEY_RIGHT_ALT },
};

static const struct {
	const char *name;
	enum key_modifier modifier;
	enum key key;
} modifiers[] = {
	{ "shift", KEY_MODIFIER_SHIFT, KEY_LEFT_SHIFT },
	{ "ctrl",  KEY_MODIFIER_CTRL,  KEY_LEFT_CTRL },
	{ "alt",   KEY_MODIFIER_ALT,   KEY_LEFT_ALT },
	{ "meta",  KEY_MODIFIER_META,  KEY_LEFT_META },
	{ "altgr", KEY_MODIFIER_ALTGR, KEY_RIGHT_ALT },
};

const char *keys_name(enum key key)
{
	return key < KEYS ? keys[key].name : keys[KEY_NONE].name;
}

bool keys_from_char(char character, struct key_stroke *stroke)
{
	if (character == '\r')
		character = '\n';
	for (unsigned key = KEY_NONE + 1; character && key < KEYS; key++) {
		if (keys[key].plain != character && keys[key].shifted != character)
			continue;
		stroke->key = (enum key)key;
		stroke->modifiers = keys[key].shifted == character ? KEY_MODIFIER_SHIFT : 0;
		return true;
	}
	return false;
}

static enum key key_of_word(const char *word)
{
	for (unsigned key = KEY_NONE + 1; key < KEYS; key++)
		if (!g_ascii_strcasecmp(keys[key].name, word))
			return (enum key)key;
	for (unsigned i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (!g_ascii_strcasecmp(aliases[i].name, word))
			return aliases[i].key;
	return KEY_NONE;
}

enum key keys_by_name(const char *name)
{
	struct key_stroke stroke;
	if (*name && !name[1] && keys_from_char(*name, &stroke) && !stroke.modifiers)
		return stroke.key;
	return key_of_word(name);
}

/* Takes "ctrl-" and the like off the front of `word`. */
static bool take_modifier(const char **word, unsigned *held)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(modifiers); i++) {
		size_t length = strlen(modifiers[i].name);
		/* Something must follow the '-', which may be the key '-' itself. */
		if (g_ascii_strncasecmp(*word, modifiers[i].name, length) || (*word)[length] != '-' ||
		    !(*word)[length + 1])
			continue;
		*held |= modifiers[i].modifier;
		*word += length + 1;
		return true;
	}
	return false;
}

static bool parse_key(const char *word, struct key_stroke *stroke)
{
	if (!g_ascii_strcasecmp(word, "lt"))
		return keys_from_char('<', stroke);
	if (!g_ascii_strcasecmp(word, "gt"))
		return keys_from_char('>', stroke);
	if (*word && !word[1] && keys_from_char(*word, stroke))
		return true;
	*stroke = (struct key_stroke){ .key = key_of_word(word) };
	return stroke->key != KEY_NONE;
}

static bool parse_name(const char *name, struct key_stroke *stroke, char **error)
{
	unsigned held = 0;
	const char *word = name;
	while (take_modifier(&word, &held))
		;
	if (!parse_key(word, stroke)) {
		*error = g_strdup_printf("no key is named '%s' in <%s>", word, name);
		return false;
	}
	stroke->modifiers |= held;
	return true;
}

/* Reads <name> at *text, which stands on the '<'. */
static bool parse_brackets(const char **text, struct key_stroke *stroke, char **error)
{
	const char *name = *text + 1;
	const char *end = *name ? strchr(name + 1, '>') : NULL; /* <>> is the key '>' */
	if (!end) {
		*error = g_strdup_printf("no '>' ends the key name in '%s'; '<' itself is <lt>", *text);
		return false;
	}
	char *copy = g_strndup(name, (size_t)(end - name));
	bool good = parse_name(copy, stroke, error);
	g_free(copy);
	*text = end + 1;
	return good;
}

static bool parse_char(const char **text, struct key_stroke *stroke, char **error)
{
	unsigned char character = (unsigned char)**text;
	if (!keys_from_char((char)character, stroke)) {
		*error = g_strdup_printf("no key of the US layout types the character %02Xh", character);
		return false;
	}
	++*text;
	return true;
}

static bool parse(const char *text, bool brackets, GArray *strokes, char **error)
{
	guint before = strokes->len;
	while (*text) {
		struct key_stroke stroke;
		bool good = brackets && *text == '<' ? parse_brackets(&text, &stroke, error)
		                                     : parse_char(&text, &stroke, error);
		if (!good) {
			g_array_set_size(strokes, before);
			return false;
		}
		g_array_append_val(strokes, stroke);
	}
	return true;
}

bool keys_parse(const char *text, GArray *strokes, char **error)
{
	return parse(text, true, strokes, error);
}

bool keys_parse_literal(const char *text, GArray *strokes, char **error)
{
	return parse(text, false, strokes, error);
}

static void append_event(GArray *events, enum key key, bool down)
{
	struct key_event event = { .key = key, .down = down };
	g_array_append_val(events, event);
}

void keys_expand(const struct key_stroke *stroke, GArray *events)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(modifiers); i++)
		if (stroke->modifiers & modifiers[i].modifier)
			append_event(events, modifiers[i].key, true);
	append_event(events, stroke->key, true);
	append_event(events, stroke->key, false);
	for (unsigned i = G_N_ELEMENTS(modifiers); i-- > 0;)
		if (stroke->modifiers & modifiers[i].modifier)
			append_event(events, modifiers[i].key, false);
}
