/* Text modes as text, graphics as half blocks, by the control sequences that
 * terminals have in common (ECMA-48, and 24-bit colours as xterm has them). */
#include "devmodel/display.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define KEY_TO_END 0x1d /* Ctrl-] */

struct term {
	struct display display;
	struct vga_text_screen text;
	GString *drawn, *frame; /* what the terminal was sent last, and what is due now */
	bool escape_came;       /* and nothing behind it yet */
	bool ended;
};

/* --- the terminal itself ---------------------------------------------------------------- */

/* It belongs to the process, not to a machine. */
static struct termios before, raw;
static volatile sig_atomic_t taken, stopped;

/* Also called where signals are handled. */
static void give_terminal_back(void)
{
	static const char text[] = "\033[0m\033[?25h\033[?1049l";
	if (!taken)
		return;
	taken = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
	ssize_t done = write(STDOUT_FILENO, text, sizeof text - 1);
	(void)done;
}

static void make_terminal_ours(void)
{
	static const char text[] = "\033[?1049h\033[2J";
	tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
	taken = 1;
	ssize_t done = write(STDOUT_FILENO, text, sizeof text - 1);
	(void)done;
}

/* Signals that end or stop the process without another word. The others are the run's,
 * which ends in order. */
static const int ends[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT };
static struct sigaction end_before[G_N_ELEMENTS(ends)], stop_before, go_on_before;

static void on_end(int number)
{
	int saved = errno;
	give_terminal_back();
	for (unsigned n = 0; n < G_N_ELEMENTS(ends); n++)
		if (ends[n] == number)
			sigaction(number, &end_before[n], NULL);
	raise(number);
	errno = saved;
}

static void on_stop(int number)
{
	int saved = errno;
	(void)number;
	give_terminal_back();
	stopped = 1;
	raise(SIGSTOP);
	errno = saved;
}

/* By SIGSTOP nobody was asked; it is in the shell's hands all the same. */
static void on_go_on(int number)
{
	(void)number;
	stopped = 1;
}

static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end }, stop = { .sa_handler = on_stop, .sa_flags = SA_RESTART };
	struct sigaction go_on = { .sa_handler = on_go_on, .sa_flags = SA_RESTART };
	for (unsigned n = 0; n < G_N_ELEMENTS(ends); n++)
		sigaction(ends[n], &end, &end_before[n]);
	sigaction(SIGTSTP, &stop, &stop_before);
	sigaction(SIGCONT, &go_on, &go_on_before);
}

static void leave_signals(void)
{
	for (unsigned n = 0; n < G_N_ELEMENTS(ends); n++)
		sigaction(ends[n], &end_before[n], NULL);
	sigaction(SIGTSTP, &stop_before, NULL);
	sigaction(SIGCONT, &go_on_before, NULL);
}

static bool take_terminal(char **error)
{
	static bool at_exit;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &before)) {
		*error = g_strdup("standard input and output are no terminal; start v2e in one, or give --display none");
		return false;
	}
	raw = before;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* lines on standard error still end */
	catch_signals();
	make_terminal_ours();
	if (!at_exit)
		at_exit = !atexit(give_terminal_back);
	return true;
}

/* --- keys ---------------------------------------------------------------------------- */

static const struct {
	const char *bytes; /* behind the escape character */
	enum key key;
} sequences[] = {
	{ "[A", KEY_UP }, { "[B", KEY_DOWN }, { "[C", KEY_RIGHT }, { "[D", KEY_LEFT }, { "[H", KEY_HOME }, { "[F", KEY_END },
	{ "OA", KEY_UP }, { "OB", KEY_DOWN }, { "OC", KEY_RIGHT }, { "OD", KEY_LEFT }, { "OH", KEY_HOME }, { "OF", KEY_END },
	{ "[1~", KEY_HOME }, { "[2~", KEY_INSERT }, { "[3~", KEY_DELETE }, { "[4~", KEY_END },
	{ "[5~", KEY_PAGE_UP }, { "[6~", KEY_PAGE_DOWN }, { "[7~", KEY_HOME }, { "[8~", KEY_END },
	{ "OP", KEY_F1 }, { "OQ", KEY_F2 }, { "OR", KEY_F3 }, { "OS", KEY_F4 },
	{ "[[A", KEY_F1 }, { "[[B", KEY_F2 }, { "[[C", KEY_F3 }, { "[[D", KEY_F4 }, { "[[E", KEY_F5 },
	{ "[11~", KEY_F1 }, { "[12~", KEY_F2 }, { "[13~", KEY_F3 }, { "[14~", KEY_F4 }, { "[15~", KEY_F5 },
	{ "[17~", KEY_F6 }, { "[18~", KEY_F7 }, { "[19~", KEY_F8 }, { "[20~", KEY_F9 }, { "[21~", KEY_F10 },
	{ "[23~", KEY_F11 }, { "[24~", KEY_F12 },
};

static void press(struct term *term, enum key key, unsigned modifiers)
{
	struct key_stroke stroke = { key, modifiers };
	display_stroke(&term->display, &stroke);
}

static void press_byte(struct term *term, uint8_t byte, unsigned modifiers)
{
	struct key_stroke stroke;
	if (byte == KEY_TO_END) {
		term->ended = true;
	} else if (byte == 0x7f) {
		press(term, KEY_BACKSPACE, modifiers);
	} else if (byte == 0) {
		press(term, KEY_SPACE, modifiers | KEY_MODIFIER_CTRL);
	} else if (byte < 0x20 && !strchr("\b\t\r\n\033", byte)) {
		press_byte(term, byte < 27 ? byte | 0x60 : byte | 0x40, modifiers | KEY_MODIFIER_CTRL);
	} else if (keys_from_char((char)byte, &stroke)) {
		press(term, stroke.key, stroke.modifiers | modifiers);
	}
}

static enum key find_sequence(const char *wanted)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(sequences); i++)
		if (!strcmp(sequences[i].bytes, wanted))
			return sequences[i].key;
	return KEY_NONE;
}

static size_t read_number(const uint8_t *bytes, size_t size, size_t at, unsigned *number)
{
	for (*number = 0; at < size && g_ascii_isdigit(bytes[at]); at++)
		*number = MIN(*number * 10 + (bytes[at] - '0'), 999u);
	return at;
}

/* ECMA-48, 5.4: what is no key here, or a key that a PC has not, is passed over as a
 * whole. With Shift, Alt or Ctrl a second number follows, as xterm has it: 1 and a bit
 * for each of them. Returns its length; 0: there is no end. */
static size_t press_control_sequence(struct term *term, const uint8_t *bytes, size_t size)
{
	unsigned first, second = 1;
	char name[8];
	if (bytes[0] != '[')
		return 0;
	size_t at = read_number(bytes, size, 1, &first);
	if (at < size && bytes[at] == ';')
		at = read_number(bytes, size, at + 1, &second);
	size_t end = at;
	while (end < size && bytes[end] >= 0x20 && bytes[end] < 0x40)
		end++;
	if (end == size || bytes[end] < 0x40 || bytes[end] > 0x7e)
		return 0;
	unsigned bits = second ? second - 1 : 0;
	unsigned modifiers = (bits & 1 ? KEY_MODIFIER_SHIFT : 0u) | (bits & 2 ? KEY_MODIFIER_ALT : 0u) | (bits & 4 ? KEY_MODIFIER_CTRL : 0u);
	if (bytes[end] == '~')
		g_snprintf(name, sizeof name, "[%u~", first);
	else
		g_snprintf(name, sizeof name, "O%c", bytes[end]);
	if (bytes[end] == 'Z')
		press(term, KEY_TAB, modifiers | KEY_MODIFIER_SHIFT);
	else if (end == at && find_sequence(name))
		press(term, find_sequence(name), modifiers);
	return end + 1;
}

/* Behind an escape character: how many of the bytes are a key with it. */
static size_t press_sequence(struct term *term, const uint8_t *bytes, size_t size)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(sequences); i++) {
		size_t length = strlen(sequences[i].bytes);
		if (length > size || memcmp(sequences[i].bytes, bytes, length))
			continue;
		press(term, sequences[i].key, 0);
		return length;
	}
	size_t length = press_control_sequence(term, bytes, size);
	if (length)
		return length;
	/* What Alt does to a character. */
	press_byte(term, bytes[0], KEY_MODIFIER_ALT);
	return 1;
}

static void take_bytes(struct term *term, const uint8_t *bytes, size_t size)
{
	for (size_t at = 0; at < size;) {
		if (term->escape_came) {
			term->escape_came = false;
			at += press_sequence(term, bytes + at, size - at);
		} else if (bytes[at] == '\033' && at + 1 < size) {
			term->escape_came = true;
			at++;
		} else {
			press_byte(term, bytes[at++], 0);
		}
	}
}

/* A terminal sends a sequence in one piece, so that an escape character with nothing
 * behind it is the key. */
static void read_keys(struct term *term)
{
	uint8_t bytes[256];
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	if (poll(&ready, 1, 0) <= 0)
		return;
	ssize_t size = read(STDIN_FILENO, bytes, sizeof bytes);
	if (size > 0)
		take_bytes(term, bytes, (size_t)size);
	else if (size == 0 || errno != EINTR)
		term->ended = true; /* the terminal has gone */
}

/* --- pictures --------------------------------------------------------------------------- */

/* The order of the PC's colours is blue, green, red, the terminals' red, green, blue. */
static unsigned terminal_color(unsigned color)
{
	return (color & 2) | (color & 1) << 2 | (color >> 2 & 1);
}

static void append_colors(GString *frame, const struct vga_cell *cell)
{
	g_string_append_printf(frame, "\033[0;%u;%u%sm", (cell->foreground & 8 ? 90 : 30) + terminal_color(cell->foreground),
	                       (cell->background & 8 ? 100 : 40) + terminal_color(cell->background), cell->blinks ? ";5" : "");
}

static bool same_colors(const struct vga_cell *a, const struct vga_cell *b)
{
	return a && a->foreground == b->foreground && a->background == b->background && a->blinks == b->blinks;
}

static struct winsize terminal_size(void)
{
	struct winsize size = { 0 };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row || !size.ws_col)
		size = (struct winsize){ .ws_row = 25, .ws_col = 80 };
	return size;
}

static void append_text(struct term *term, const struct winsize *size)
{
	const struct vga_text_screen *text = &term->text;
	unsigned rows = MIN(text->rows, size->ws_row), columns = MIN(text->columns, size->ws_col);
	for (unsigned row = 0; row < rows; row++) {
		const struct vga_cell *last = NULL;
		g_string_append_printf(term->frame, "\033[%u;1H", row + 1);
		for (unsigned column = 0; column < columns; column++) {
			const struct vga_cell *cell = &g_array_index(text->cells, struct vga_cell, row * text->columns + column);
			if (!same_colors(last, cell))
				append_colors(term->frame, cell);
			g_string_append(term->frame, vga_text_character(cell->code));
			last = cell;
		}
		g_string_append(term->frame, "\033[0m\033[K");
	}
	if (text->has_cursor && text->cursor_row < rows && text->cursor_column < columns)
		g_string_append_printf(term->frame, "\033[J\033[%u;%uH\033[?25h", text->cursor_row + 1, text->cursor_column + 1);
	else
		g_string_append(term->frame, "\033[J\033[?25l");
}

static uint32_t sample(const struct surface *surface, unsigned x, unsigned columns, unsigned y, unsigned rows)
{
	return surface_row(surface, y * surface->height / rows)[x * surface->width / columns];
}

static void append_color(GString *frame, unsigned selector, uint32_t color)
{
	g_string_append_printf(frame, "\033[%u;2;%u;%u;%um", selector, color >> 16 & 255, color >> 8 & 255, color & 255);
}

/* A character shows two dots, one above the other: about as wide as high. */
static void append_picture(struct term *term, const struct winsize *size)
{
	const struct surface *surface = term->display.surface;
	unsigned columns = size->ws_col, rows = size->ws_row * 2u;
	g_string_append(term->frame, "\033[?25l");
	for (unsigned y = 0; surface->width && surface->height && y < rows; y += 2) {
		g_string_append_printf(term->frame, "\033[%u;1H", y / 2 + 1);
		for (unsigned x = 0; x < columns; x++) {
			append_color(term->frame, 38, sample(surface, x, columns, y, rows));
			append_color(term->frame, 48, sample(surface, x, columns, y + 1, rows));
			g_string_append(term->frame, "▀");
		}
		g_string_append(term->frame, "\033[0m");
	}
}

static void send(const GString *frame)
{
	for (size_t at = 0; at < frame->len;) {
		ssize_t done = write(STDOUT_FILENO, frame->str + at, frame->len - at);
		if (done <= 0 && errno != EINTR)
			return;
		at += done > 0 ? (size_t)done : 0;
	}
}

static void show(struct term *term)
{
	struct winsize size = terminal_size();
	if (!display_draw(&term->display))
		return;
	g_string_printf(term->frame, "\033[0m");
	if (vga_text_cells(term->display.guest.vga, &term->text))
		append_text(term, &size);
	else
		append_picture(term, &size);
	if (g_string_equal(term->frame, term->drawn))
		return;
	send(term->frame);
	g_string_assign(term->drawn, term->frame->str);
}

static bool term_poll(struct display *display)
{
	struct term *term = (struct term *)display;
	if (stopped) {
		stopped = 0;
		make_terminal_ours();
		g_string_truncate(term->drawn, 0);
	}
	read_keys(term);
	show(term);
	return !term->ended;
}

static void term_free(struct display *display)
{
	struct term *term = (struct term *)display;
	give_terminal_back();
	leave_signals();
	g_array_unref(term->text.cells);
	g_string_free(term->drawn, TRUE);
	g_string_free(term->frame, TRUE);
	g_free(term);
}

static const struct display_ops ops = { .poll = term_poll, .free = term_free };

struct display *display_term_new(const struct display_guest *guest, char **error)
{
	if (!take_terminal(error))
		return NULL;
	struct term *term = g_new0(struct term, 1);
	display_init(&term->display, &ops, guest);
	term->text.cells = g_array_new(FALSE, FALSE, sizeof(struct vga_cell));
	term->drawn = g_string_new(NULL);
	term->frame = g_string_new(NULL);
	return &term->display;
}
