#include "devmodel/vga_internal.h"

/* Where the font of a character map begins in plane 2. The map's high bit is
 * apart from the others in the register, because the EGA had four maps. */
static uint32_t font_address(unsigned map)
{
	return (map & 3) * 0x4000 + (map & 4 ? 0x2000 : 0);
}

struct fonts {
	uint32_t a, b; /* for characters with attribute bit 3 set and clear */
};

static struct fonts select_fonts(const struct vga *vga)
{
	unsigned select = vga->regs.seq[SEQ_CHARACTER_MAP];
	if (!(vga->regs.seq[SEQ_MEMORY] & SEQ_MEMORY_EXTENDED))
		return (struct fonts){ 0, 0 };
	return (struct fonts){
		.a = font_address((select >> 2 & 3) | (select >> 5 & 1) << 2),
		.b = font_address((select & 3) | (select >> 4 & 1) << 2),
	};
}

/* The column that the cursor is in, or UINT_MAX. */
static unsigned cursor_column(const struct vga *vga, const struct vga_scan *scan)
{
	const uint8_t *crtc = vga->regs.crtc;
	uint8_t start = crtc[CRTC_CURSOR_START], end = crtc[CRTC_CURSOR_END];
	unsigned location = (unsigned)(crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW]);
	unsigned column = (location + (end >> 5 & 3u) - scan->counter) & 0xffff;
	bool is_here = !(start & 0x20) && scan->row >= (start & 0x1fu) && scan->row <= (end & 0x1fu);
	return is_here ? column << scan->shift : UINT_MAX;
}

/* Nine dots of one character in one scan line, the leftmost in bit 8. */
static unsigned glyph_dots(const struct vga *vga, const struct fonts *fonts, unsigned row,
                           uint8_t code, uint8_t attribute)
{
	uint32_t font = attribute & 8 ? fonts->a : fonts->b;
	unsigned dots = vga_planes(vga, font + code * 32u + row)[2] * 2u;
	bool extends = vga->regs.attr[ATTR_MODE] & ATTR_MODE_LINE_GRAPHICS && (code & 0xe0) == 0xc0;
	if (extends)
		dots |= dots >> 1 & 1;
	if ((attribute & 0x77) == 0x01 && row == (vga->regs.crtc[CRTC_UNDERLINE] & 0x1f))
		dots = 0x1ff;
	return dots;
}

static void paint(uint8_t *to, unsigned dots, uint8_t foreground, uint8_t background)
{
	for (unsigned i = 0; i < 9; i++)
		to[i] = dots >> (8 - i) & 1 ? foreground : background;
}

unsigned vga_text_line(const struct vga *vga, const struct vga_scan *scan,
                       const struct vga_blinking *blinking, uint8_t *dots)
{
	struct fonts fonts = select_fonts(vga);
	unsigned width = vga->regs.seq[SEQ_CLOCKING] & SEQ_CLOCKING_8_DOTS ? 8 : 9;
	unsigned cursor = blinking->cursor ? cursor_column(vga, scan) : UINT_MAX;
	bool can_blink = vga->regs.attr[ATTR_MODE] & ATTR_MODE_BLINK;
	for (unsigned i = 0; i <= scan->columns; i++) {
		const uint8_t *planes = vga_scan_fetch(vga, scan, i);
		uint8_t attribute = planes[1];
		unsigned glyph = glyph_dots(vga, &fonts, scan->row, planes[0], attribute);
		if (can_blink && attribute & 0x80 && !blinking->text)
			glyph = 0;
		if (i == cursor)
			glyph = 0x1ff;
		paint(dots + i * width, glyph, attribute & 15, attribute >> 4 & (can_blink ? 7 : 15));
	}
	return width;
}

/* Code page 437, graphics characters included. The blanks at 00 and FF say
 * nothing, so they are spaces. */
static const char cp437[256][4] = {
	" ", "☺", "☻", "♥", "♦", "♣", "♠", "•", "◘", "○", "◙", "♂", "♀", "♪", "♫", "☼",
	"►", "◄", "↕", "‼", "¶", "§", "▬", "↨", "↑", "↓", "→", "←", "∟", "↔", "▲", "▼",
	" ", "!", "\"", "#", "$", "%", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/",
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", ":", ";", "<", "=", ">", "?",
	"@", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O",
	"P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z", "[", "\\", "]", "^", "_",
	"`", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o",
	"p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "{", "|", "}", "~", "⌂",
	"Ç", "ü", "é", "â", "ä", "à", "å", "ç", "ê", "ë", "è", "ï", "î", "ì", "Ä", "Å",
	"É", "æ", "Æ", "ô", "ö", "ò", "û", "ù", "ÿ", "Ö", "Ü", "¢", "£", "¥", "₧", "ƒ",
	"á", "í", "ó", "ú", "ñ", "Ñ", "ª", "º", "¿", "⌐", "¬", "½", "¼", "¡", "«", "»",
	"░", "▒", "▓", "│", "┤", "╡", "╢", "╖", "╕", "╣", "║", "╗", "╝", "╜", "╛", "┐",
	"└", "┴", "┬", "├", "─", "┼", "╞", "╟", "╚", "╔", "╩", "╦", "╠", "═", "╬", "╧",
	"╨", "╤", "╥", "╙", "╘", "╒", "╓", "╫", "╪", "┘", "┌", "█", "▄", "▌", "▐", "▀",
	"α", "ß", "Γ", "π", "Σ", "σ", "µ", "τ", "Φ", "Θ", "Ω", "δ", "∞", "φ", "ε", "∩",
	"≡", "±", "≥", "≤", "⌠", "⌡", "÷", "≈", "°", "∙", "·", "√", "ⁿ", "²", "■", " ",
};

static void append_row(const struct vga *vga, const struct vga_scan *scan, GString *text)
{
	size_t end = text->len;
	for (unsigned i = 0; i < scan->columns; i++) {
		const char *character = cp437[vga_scan_fetch(vga, scan, i)[0]];
		g_string_append(text, character);
		if (*character != ' ')
			end = text->len;
	}
	g_string_truncate(text, end);
	g_string_append_c(text, '\n');
}

static unsigned append_screen(const struct vga *vga, struct vga_scan *scan, GString *text)
{
	unsigned rows = 0;
	for (; scan->line < scan->lines; vga_scan_next(vga, scan)) {
		if (scan->line && (scan->row || scan->doubled))
			continue;
		append_row(vga, scan, text);
		rows++;
	}
	return rows;
}

bool vga_text_read(struct vga *vga, GString *text, unsigned *columns, unsigned *rows)
{
	struct vga_scan scan = { 0 };
	unsigned count = 0;
	bool is_text = vga_scan_is_text(vga);
	g_string_truncate(text, 0);
	if (is_text) {
		vga_scan_start(vga, &scan);
		count = append_screen(vga, &scan, text);
	}
	if (columns)
		*columns = scan.columns;
	if (rows)
		*rows = count;
	return is_text;
}

static void append_cells(const struct vga *vga, const struct vga_scan *scan, GArray *cells)
{
	bool can_blink = vga->regs.attr[ATTR_MODE] & ATTR_MODE_BLINK;
	for (unsigned i = 0; i < scan->columns; i++) {
		const uint8_t *planes = vga_scan_fetch(vga, scan, i);
		struct vga_cell cell = {
			.code = planes[0], .foreground = planes[1] & 15, .background = (uint8_t)(planes[1] >> 4 & (can_blink ? 7 : 15)),
			.blinks = can_blink && planes[1] & 0x80,
		};
		g_array_append_val(cells, cell);
	}
}

static void find_cursor(const struct vga *vga, const struct vga_scan *scan, struct vga_text_screen *screen)
{
	const uint8_t *crtc = vga->regs.crtc;
	unsigned location = (unsigned)(crtc[CRTC_CURSOR_HIGH] << 8 | crtc[CRTC_CURSOR_LOW]);
	unsigned column = ((location - scan->counter) & 0xffff) << scan->shift;
	if (crtc[CRTC_CURSOR_START] & 0x20 || column >= scan->columns)
		return;
	screen->has_cursor = true;
	screen->cursor_column = column;
	screen->cursor_row = screen->rows;
}

bool vga_text_cells(struct vga *vga, struct vga_text_screen *screen)
{
	struct vga_scan scan;
	g_array_set_size(screen->cells, 0);
	screen->columns = screen->rows = 0;
	screen->has_cursor = false;
	if (!vga_scan_is_text(vga) || vga_is_dark(vga))
		return false;
	vga_scan_start(vga, &scan);
	screen->columns = scan.columns;
	for (; scan.line < scan.lines; vga_scan_next(vga, &scan)) {
		if (scan.line && (scan.row || scan.doubled))
			continue;
		append_cells(vga, &scan, screen->cells);
		find_cursor(vga, &scan, screen);
		screen->rows++;
	}
	return true;
}

const char *vga_text_character(uint8_t code)
{
	return cp437[code];
}
