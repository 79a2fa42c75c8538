#include "trace/symbols.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>
#include <glib/gstdio.h>

#define FILE_MAX  (UINT64_C(256) << 20)
#define REACH     0x4000u /* of a symbol without a size */
#define LONGEST   96u

struct symbol {
	uint64_t address, size;
	char *name;
};

struct symbols {
	GArray *all;
	bool sorted;
	char text[LONGEST + 24];
};

static void clear_symbol(void *data)
{
	struct symbol *symbol = data;
	g_free(symbol->name);
}

struct symbols *symbols_new(void)
{
	struct symbols *symbols = g_new0(struct symbols, 1);
	symbols->all = g_array_new(FALSE, FALSE, sizeof(struct symbol));
	g_array_set_clear_func(symbols->all, clear_symbol);
	return symbols;
}

void symbols_free(struct symbols *symbols)
{
	if (!symbols)
		return;
	g_array_unref(symbols->all);
	g_free(symbols);
}

size_t symbols_count(const struct symbols *symbols)
{
	return symbols->all->len;
}

void symbols_put(struct symbols *symbols, uint64_t address, uint64_t size, const char *name, size_t length)
{
	struct symbol symbol = { address, size, g_strndup(name, MIN(length, LONGEST)) };
	for (char *c = symbol.name; *c; c++)
		if (*c <= ' ' || *c > '~')
			*c = '?';
	g_array_append_val(symbols->all, symbol);
	symbols->sorted = false;
}

/* --- files -------------------------------------------------------------------------- */

static bool parse_hex(const char *text, uint64_t max, uint64_t *value)
{
	char *end = NULL;
	if (!g_ascii_isxdigit(*text))
		return false;
	*value = g_ascii_strtoull(text, &end, 16);
	return !*end && *value <= max;
}

static bool parse_base(const char *text, uint64_t *base)
{
	uint64_t segment, offset;
	g_auto(GStrv) parts = g_strsplit(text, ":", 3);
	if (g_strv_length(parts) == 2) {
		if (!parse_hex(parts[0], 0xffff, &segment) || !parse_hex(parts[1], 0xffff, &offset))
			return false;
		*base = (segment << 4) + offset;
		return true;
	}
	if (g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X"))
		return parse_hex(text + 2, UINT32_MAX, base);
	return g_ascii_string_to_unsigned(text, 10, 0, UINT32_MAX, base, NULL);
}

static bool read_symbols(struct symbols *symbols, const struct symbols_source *source, char **error)
{
	size_t before = symbols->all->len;
	bool elf = source->size >= 4 && !memcmp(source->data, "\177ELF", 4);
	if (!(elf ? symbols_read_elf : symbols_read_map)(symbols, source, error))
		return false;
	if (symbols->all->len == before)
		*error = g_strdup("no symbols are in it; give an ELF file that is not stripped, or a map of GNU ld, NASM or nm");
	return symbols->all->len > before;
}

static bool load(struct symbols *symbols, const char *path, uint64_t base, char **error)
{
	g_autoptr(GError) problem = NULL;
	char *why = NULL;
	if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
		*error = g_strdup_printf("%s: is a folder; give an ELF file or a map in it", path);
		return false;
	}
	if (g_access(path, R_OK)) {
		*error = g_strdup_printf("%s: %s; give an ELF file or a map", path, g_strerror(errno));
		return false;
	}
	GMappedFile *file = g_mapped_file_new(path, FALSE, &problem);
	if (!file) {
		*error = g_strdup_printf("%s: %s; give an ELF file or a map", path, problem->message);
		return false;
	}
	const struct symbols_source source = {
		(const uint8_t *)g_mapped_file_get_contents(file), g_mapped_file_get_length(file), base,
	};
	if (source.size > FILE_MAX)
		why = g_strdup("is larger than 256 MiB; give the file that the linker wrote");
	else
		read_symbols(symbols, &source, &why);
	g_mapped_file_unref(file);
	if (why)
		*error = g_strdup_printf("%s: %s", path, why);
	g_free(why);
	return !*error;
}

bool symbols_add(struct symbols *symbols, const char *spec, char **error)
{
	const char *at = strrchr(spec, '@');
	uint64_t base = 0;
	if (!at || g_file_test(spec, G_FILE_TEST_EXISTS))
		return load(symbols, spec, 0, error);
	if (!parse_base(at + 1, &base)) {
		*error = g_strdup_printf("'%s' is no address; write FILE@SEG:OFF such as FILE@07c0:0000, or FILE@0x7c00", at + 1);
		return false;
	}
	g_autofree char *path = g_strndup(spec, (size_t)(at - spec));
	return load(symbols, path, base, error);
}

/* --- looking up ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	const struct symbol *left = a, *right = b;
	if (left->address != right->address)
		return left->address < right->address ? -1 : 1;
	/* Of several at one address the last is found: one with a size, and no dot in front. */
	if (!left->size != !right->size)
		return left->size ? 1 : -1;
	if ((*left->name == '.') != (*right->name == '.'))
		return *left->name == '.' ? -1 : 1;
	return strcmp(right->name, left->name);
}

const char *symbols_name(void *owner, uint64_t linear)
{
	struct symbols *symbols = owner;
	if (!symbols->sorted)
		g_array_sort(symbols->all, compare);
	symbols->sorted = true;
	unsigned low = 0, high = symbols->all->len;
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		if (g_array_index(symbols->all, struct symbol, middle).address <= linear)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low)
		return NULL;
	const struct symbol *symbol = &g_array_index(symbols->all, struct symbol, low - 1);
	uint64_t offset = linear - symbol->address;
	if (offset >= (symbol->size ? symbol->size : REACH))
		return NULL;
	if (offset)
		g_snprintf(symbols->text, sizeof symbols->text, "%s+%" G_GINT64_MODIFIER "x", symbol->name, offset);
	else
		g_strlcpy(symbols->text, symbol->name, sizeof symbols->text);
	return symbols->text;
}
