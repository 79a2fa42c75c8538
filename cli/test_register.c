#include "cli/test_register.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/units.h"

/* Registers */

struct alias {
	const char *name, *whole; /* a part of what ctx_print() names */
	unsigned shift, bits;
};

#define PARTS(x) { "e" #x, "r" #x, 0, 32 }, { #x, "r" #x, 0, 16 }
#define BYTES(x) { #x "l", "r" #x "x", 0, 8 }, { #x "h", "r" #x "x", 8, 8 }
#define SELECTOR(x) { #x, #x ".selector", 0, 16 }

static const struct alias aliases[] = {
	PARTS(ax), PARTS(bx), PARTS(cx), PARTS(dx), PARTS(si), PARTS(di), PARTS(bp), PARTS(sp), PARTS(ip),
	BYTES(a), BYTES(b), BYTES(c), BYTES(d),
	{ "eflags", "rflags", 0, 32 }, { "flags", "rflags", 0, 16 },
	SELECTOR(cs), SELECTOR(ds), SELECTOR(es), SELECTOR(fs), SELECTOR(gs), SELECTOR(ss), SELECTOR(ldtr), SELECTOR(tr),
};

static bool find_printed(const struct ctx *ctx, const char *name, uint64_t *value)
{
	char *text = NULL;
	size_t size, length = strlen(name);
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return false;
	ctx_print(ctx, out);
	fclose(out);
	bool found = false;
	for (const char *line = text; *line && !found; line = strchr(line, '\n') + 1) {
		found = !strncmp(line, name, length) && line[length] == ' ';
		if (found)
			*value = strtoull(line + length, NULL, 16);
	}
	free(text);
	return found;
}

bool test_register_value(const struct ctx *ctx, const char *name, uint64_t *value)
{
	*value = 0;
	/* A row of the FXSAVE image is no number of 64 bits. */
	if (!strncmp(name, "fxsave", 6))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++) {
		if (strcmp(aliases[i].name, name))
			continue;
		bool found = find_printed(ctx, aliases[i].whole, value);
		*value = *value >> aliases[i].shift & (UINT64_MAX >> (64 - aliases[i].bits));
		return found;
	}
	return find_printed(ctx, name, value);
}

static bool parse_range(struct test_register *reg, const char *text, char **error)
{
	const char *dots = strstr(text, "..");
	if (!dots) {
		bool fine = units_parse_number(text, 0, UINT64_MAX, &reg->low, error);
		reg->high = reg->low;
		return fine;
	}
	g_autofree char *low = g_strndup(text, (size_t)(dots - text));
	if (!units_parse_number(g_strstrip(low), 0, UINT64_MAX, &reg->low, error) ||
	    !units_parse_number(dots + 2 + strspn(dots + 2, " "), 0, UINT64_MAX, &reg->high, error))
		return false;
	if (reg->low <= reg->high)
		return true;
	*error = g_strdup_printf("'%s' is an empty range; write the lower number first", text);
	return false;
}

static bool parse_register(struct test_register *reg, const char *text, char **error)
{
	const char *equals = strchr(text, '=');
	if (!equals) {
		*error = g_strdup_printf("'%s' has no value; write such as ax=0x1234, eflags&1=1 or cx=1..9", text);
		return false;
	}
	g_autofree char *left = g_strstrip(g_strndup(text, (size_t)(equals - text)));
	char *mask = strchr(left, '&');
	if (mask) {
		*mask++ = 0;
		if (!units_parse_number(g_strstrip(mask), 1, UINT64_MAX, &reg->mask, error))
			return false;
	}
	reg->name = g_ascii_strdown(g_strstrip(left), -1);
	struct ctx probe;
	uint64_t value;
	ctx_reset(&probe, 0);
	if (!test_register_value(&probe, reg->name, &value)) {
		*error = g_strdup_printf("unknown register '%s'; give one of registers.txt, such as eax, cs, cs.base or cr0", reg->name);
		return false;
	}
	return parse_range(reg, equals + 1 + strspn(equals + 1, " "), error);
}

void test_register_free(void *data)
{
	struct test_register *reg = data;
	g_free(reg->text);
	g_free(reg->name);
	g_free(reg);
}

struct test_register *test_register_parse(const char *text, char **error)
{
	struct test_register *reg = g_new0(struct test_register, 1);
	reg->mask = UINT64_MAX;
	reg->text = g_strdup(text);
	if (parse_register(reg, text, error))
		return reg;
	test_register_free(reg);
	return NULL;
}

/* Memory */

bool test_address_parse(const char *text, uint32_t *address, char **error)
{
	g_auto(GStrv) parts = g_strsplit(text, ":", -1);
	uint64_t first, second = 0;
	if (g_strv_length(parts) != 2) {
		if (!units_parse_number(text, 0, UINT32_MAX, &first, error))
			return false;
		*address = (uint32_t)first;
		return true;
	}
	/* Segment and offset are written without 0x. */
	g_autofree char *segment = g_strconcat("0x", parts[0], NULL), *offset = g_strconcat("0x", parts[1], NULL);
	if (!units_parse_number(segment, 0, 0xffff, &first, error) || !units_parse_number(offset, 0, 0xffff, &second, error))
		return false;
	*address = (uint32_t)(first << 4) + (uint32_t)second;
	return true;
}

static bool parse_bytes(struct test_memory *memory, const char *text, char **error)
{
	while (*(text += strspn(text, " \t"))) {
		int value = -1;
		if (strncmp(text, "??", 2)) {
			if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1])) {
				*error = g_strdup_printf("'%s' is no byte; give pairs of hexadecimal digits, or ?? for any", text);
				return false;
			}
			value = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
		}
		g_array_append_val(memory->bytes, value);
		text += 2;
	}
	if (memory->bytes->len)
		return true;
	*error = g_strdup("there are no bytes behind the address; write such as 0x7dfe: 55 aa");
	return false;
}

static bool parse_memory(struct test_memory *memory, const char *text, char **error)
{
	/* The last colon: the address may have one as well. */
	const char *colon = strrchr(text, ':');
	if (!colon) {
		*error = g_strdup_printf("'%s' has no ': ' between address and bytes; write such as 0x7dfe: 55 aa", text);
		return false;
	}
	g_autofree char *address = g_strstrip(g_strndup(text, (size_t)(colon - text)));
	if (!test_address_parse(address, &memory->address, error) || !parse_bytes(memory, colon + 1, error))
		return false;
	if (memory->bytes->len - 1 <= UINT32_MAX - memory->address)
		return true;
	*error = g_strdup_printf("'%s' passes 4 GiB; give a lower address", text);
	return false;
}

void test_memory_free(void *data)
{
	struct test_memory *memory = data;
	g_free(memory->text);
	g_array_unref(memory->bytes);
	g_free(memory);
}

struct test_memory *test_memory_parse(const char *text, char **error)
{
	struct test_memory *memory = g_new0(struct test_memory, 1);
	memory->text = g_strdup(text);
	memory->bytes = g_array_new(FALSE, FALSE, sizeof(int));
	if (parse_memory(memory, text, error))
		return memory;
	test_memory_free(memory);
	return NULL;
}
