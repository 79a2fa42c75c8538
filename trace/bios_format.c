/* What bios_calls.def may have in braces:
 *
 *	{ax} {eax} {al} {es} ...  a register in hexadecimal, all its digits
 *	{ax:d} {al:c}             decimal; as a character
 *	{es:bx}                   a far pointer
 *	{string:ds:dx}            a string there that ends with NUL; {dollar:...}: with $
 *	{text:es:bp:cx}           a string there, CX bytes long
 *	{dap:->}                  the disk address packet at DS:SI, with an arrow
 *	and the words in `words` below. */
#include <stdlib.h>
#include <string.h>

#include "shared/linear.h"
#include "trace/bios_call.h"

#define STRING_MAX 40u

static const char *const names16[] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
static const char *const names8[] = { "al", "cl", "dl", "bl", "ah", "ch", "dh", "bh" };
static const char *const names_seg[] = { "es", "cs", "ss", "ds", "fs", "gs" };

struct source {
	const struct ctx *ctx;
	struct mem *mem;
};

static int name_index(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}

/* Its digits in hexadecimal, 0: there is no such register. */
static unsigned read_register(const struct source *source, const char *name, uint32_t *value)
{
	const struct ctx *ctx = source->ctx;
	int n;
	if ((n = name_index(names8, 8, name)) >= 0)
		return *value = n < 4 ? ctx->gpr[n].l : ctx->gpr[n - 4].h, 2;
	if ((n = name_index(names16, 8, name)) >= 0)
		return *value = ctx->gpr[n].x, 4;
	if ((n = name_index(names_seg, 6, name)) >= 0)
		return *value = ctx->seg[n].selector, 4;
	if (*name == 'e' && (n = name_index(names16, 8, name + 1)) >= 0)
		return *value = ctx->gpr[n].e, 8;
	return 0;
}

static uint32_t value_of(const struct source *source, const char *name)
{
	uint32_t value = 0;
	read_register(source, name, &value);
	return value;
}

/* Real mode's arithmetic, 64 KiB around a segment; what cannot be read is 0. */
static void read_far(const struct source *source, uint32_t segment, uint32_t offset, void *to, unsigned size)
{
	uint8_t *bytes = to;
	memset(to, 0, size);
	for (unsigned i = 0; i < size; i++)
		linear_read(source->ctx, source->mem, (segment << 4) + ((offset + i) & 0xffff), bytes + i, 1);
}

static uint32_t word(const uint8_t *bytes) { return bytes[0] | (uint32_t)bytes[1] << 8; }
static uint32_t dword(const uint8_t *bytes) { return word(bytes) | word(bytes + 2) << 16; }
static uint64_t qword(const uint8_t *bytes) { return dword(bytes) | (uint64_t)dword(bytes + 4) << 32; }

/* --- characters -------------------------------------------------------------------- */

static void add_character(GString *text, uint8_t c, char quote)
{
	if (c == '\n')
		g_string_append(text, "\\n");
	else if (c == '\r')
		g_string_append(text, "\\r");
	else if (c < ' ' || c > '~')
		g_string_append_printf(text, "\\x%02x", c);
	else if (c == '\\' || c == quote)
		g_string_append_printf(text, "\\%c", c);
	else
		g_string_append_c(text, (char)c);
}

/* `end`: the byte that ends it, or -1; `count`: the most there are. */
static void add_string(const struct source *source, uint32_t segment, uint32_t offset, int end, uint32_t count, GString *text)
{
	uint32_t shown = 0;
	uint8_t c;
	g_string_append_c(text, '"');
	for (; shown < count; shown++) {
		read_far(source, segment, offset + shown, &c, 1);
		if (c == end)
			break;
		if (shown == STRING_MAX) {
			g_string_append(text, "\"...");
			return;
		}
		add_character(text, c, '"');
	}
	g_string_append_c(text, '"');
}

/* --- structures ------------------------------------------------------------------------ */

static void add_chs(const struct source *source, GString *text)
{
	uint32_t cx = value_of(source, "cx");
	g_string_append_printf(text, "%u/%u/%u", cx >> 8 | (cx & 0xc0) << 2, value_of(source, "dh"), cx & 0x3f);
}

static void add_geometry(const struct source *source, GString *text)
{
	uint32_t cx = value_of(source, "cx");
	g_string_append_printf(text, "%u/%u/%u", (cx >> 8 | (cx & 0xc0) << 2) + 1, value_of(source, "dh") + 1, cx & 0x3f);
}

static void add_packet(const struct source *source, const char *arrow, GString *text)
{
	uint8_t packet[24];
	read_far(source, value_of(source, "ds"), value_of(source, "si"), packet, sizeof packet);
	uint32_t offset = word(packet + 4), segment = word(packet + 6);
	g_string_append_printf(text, "LBA %" G_GUINT64_FORMAT " count %u %s ", qword(packet + 8), word(packet + 2), arrow);
	if (offset == 0xffff && segment == 0xffff && packet[0] >= 24)
		g_string_append_printf(text, "%" G_GINT64_MODIFIER "x", qword(packet + 16));
	else
		g_string_append_printf(text, "%04x:%04x", segment, offset);
}

static void add_drive_parameters(const struct source *source, GString *text)
{
	uint8_t table[26];
	read_far(source, value_of(source, "ds"), value_of(source, "si"), table, sizeof table);
	g_string_append_printf(text, "%" G_GUINT64_FORMAT " sectors of %u bytes", qword(table + 16), word(table + 24));
}

static void add_eltorito(const struct source *source, GString *text)
{
	uint8_t packet[19];
	read_far(source, value_of(source, "ds"), value_of(source, "si"), packet, sizeof packet);
	g_string_append_printf(text, "media %02x drive %02x image at LBA %u", packet[1], packet[2], dword(packet + 4));
}

static void add_memory_map(const struct source *source, GString *text)
{
	static const char *const types[] = { "type 0", "usable", "reserved", "ACPI", "ACPI NVS", "unusable" };
	uint8_t entry[20];
	read_far(source, value_of(source, "es"), value_of(source, "di"), entry, sizeof entry);
	uint64_t base = qword(entry), size = qword(entry + 8);
	uint32_t type = dword(entry + 16);
	g_string_append_printf(text, "%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x ", base, base + size - 1);
	if (type < G_N_ELEMENTS(types))
		g_string_append(text, types[type]);
	else
		g_string_append_printf(text, "type %u", type);
}

static void add_vbe(const struct source *source, GString *text)
{
	uint8_t info[20];
	read_far(source, value_of(source, "es"), value_of(source, "di"), info, sizeof info);
	g_string_append_printf(text, "VBE %u.%u, %u KiB", info[5], info[4], word(info + 18) * 64);
}

static void add_vbe_mode(const struct source *source, GString *text)
{
	uint8_t info[44];
	read_far(source, value_of(source, "es"), value_of(source, "di"), info, sizeof info);
	g_string_append_printf(text, "%ux%ux%u", word(info + 18), word(info + 20), info[25]);
	if (info[0] & 0x80)
		g_string_append_printf(text, ", frame buffer %08x", dword(info + 40));
}

/* INT 15h AH=87: the third and fourth descriptors are source and target. */
static void add_move(const struct source *source, GString *text)
{
	uint8_t table[0x20];
	read_far(source, value_of(source, "es"), value_of(source, "si"), table, sizeof table);
	const uint8_t *from = table + 0x10, *to = table + 0x18;
	g_string_append_printf(text, ", %08x -> %08x", (dword(from + 2) & 0xffffff) | (uint32_t)from[7] << 24,
	                       (dword(to + 2) & 0xffffff) | (uint32_t)to[7] << 24);
}

static void add_key(const struct source *source, GString *text)
{
	uint8_t al = (uint8_t)value_of(source, "al");
	g_string_append_printf(text, "scan code %02x", value_of(source, "ah"));
	if (!al)
		return;
	g_string_append(text, " '");
	add_character(text, al, '\'');
	g_string_append_c(text, '\'');
}

static void add_pci(const struct source *source, GString *text)
{
	uint32_t bx = value_of(source, "bx");
	g_string_append_printf(text, "%02x:%02x.%u", bx >> 8, bx >> 3 & 31, bx & 7);
}

/* --- numbers in two registers ------------------------------------------------------------- */

static void add_pair(const struct source *source, const char *high, const char *low, GString *text)
{
	g_string_append_printf(text, "%u", value_of(source, high) << 16 | value_of(source, low));
}

static void add_ticks(const struct source *source, GString *text) { add_pair(source, "cx", "dx", text); }
static void add_position(const struct source *source, GString *text) { add_pair(source, "dx", "ax", text); }

static void add_seek(const struct source *source, GString *text)
{
	g_string_append_printf(text, "%+d", (int32_t)(value_of(source, "cx") << 16 | value_of(source, "dx")));
}

static const struct {
	const char *name;
	void (*add)(const struct source *source, GString *text);
} words[] = {
	{ "chs", add_chs }, { "geometry", add_geometry }, { "edd", add_drive_parameters }, { "eltorito", add_eltorito },
	{ "e820", add_memory_map }, { "vbe", add_vbe }, { "vbemode", add_vbe_mode }, { "move", add_move },
	{ "key", add_key }, { "pci", add_pci }, { "ticks", add_ticks }, { "us", add_ticks }, { "seek", add_seek },
	{ "at", add_position },
};

/* --- patterns ---------------------------------------------------------------------------------- */

static void add_register(const struct source *source, char **parts, unsigned count, GString *text)
{
	uint32_t value = 0, offset;
	unsigned digits = read_register(source, parts[0], &value);
	if (count == 1)
		g_string_append_printf(text, "%0*x", (int)digits, value);
	else if (!strcmp(parts[1], "d"))
		g_string_append_printf(text, "%u", value);
	else if (!strcmp(parts[1], "c")) {
		g_string_append_c(text, '\'');
		add_character(text, (uint8_t)value, '\'');
		g_string_append_c(text, '\'');
	} else if (read_register(source, parts[1], &offset))
		g_string_append_printf(text, "%04x:%04x", value, offset & 0xffff);
}

static void add_placed(const struct source *source, char **parts, unsigned count, GString *text)
{
	uint32_t segment = value_of(source, parts[1]), offset = value_of(source, parts[2]);
	int end = !strcmp(parts[0], "string") ? 0 : !strcmp(parts[0], "dollar") ? '$' : -1;
	add_string(source, segment, offset, end, count == 4 ? value_of(source, parts[3]) : UINT16_MAX, text);
}

static void add_item(const struct source *source, const char *item, GString *text)
{
	g_auto(GStrv) parts = g_strsplit(item, ":", 4);
	unsigned count = g_strv_length(parts);
	for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
		if (!strcmp(words[i].name, item)) {
			words[i].add(source, text);
			return;
		}
	if (!strcmp(parts[0], "dap"))
		add_packet(source, parts[1], text);
	else if (count >= 3)
		add_placed(source, parts, count, text);
	else
		add_register(source, parts, count, text);
}

void bios_format(const char *pattern, const struct ctx *ctx, struct mem *mem, GString *text)
{
	const struct source source = { ctx, mem };
	for (const char *c = pattern; *c; c++) {
		const char *end = *c == '{' ? strchr(c, '}') : NULL;
		if (!end) {
			g_string_append_c(text, *c);
			continue;
		}
		g_autofree char *item = g_strndup(c + 1, (size_t)(end - c - 1));
		add_item(&source, item, text);
		c = end;
	}
}
