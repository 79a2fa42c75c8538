/* Maps, line by line. What a line is shows in its words:
 *
 *	0x0000000000007c00                start              GNU ld
 *	0x0000000000007e00                end = .            GNU ld
 *	            7C00              7C00  start            NASM: real, virtual
 *	00007c00 T start                                     nm */
#include <string.h>

#include <glib.h>

#include "trace/symbols.h"

#define WORDS   4u
#define LONGEST 1024u

static bool is_name(const char *word)
{
	if (!g_ascii_isalpha(*word) && !strchr("_.$@?", *word))
		return false;
	for (; *word; word++)
		if (!g_ascii_isalnum(*word) && !strchr("_.$@?~#", *word))
			return false;
	return true;
}

/* Without a prefix, or with 0x. */
static bool is_address(const char *word, bool prefixed, uint64_t *address)
{
	char *end;
	if (prefixed != (word[0] == '0' && word[1] == 'x'))
		return false;
	word += prefixed ? 2 : 0;
	if (!g_ascii_isxdigit(*word) || strlen(word) > 16)
		return false;
	*address = g_ascii_strtoull(word, &end, 16);
	return !*end;
}

static unsigned split(char *line, char *words[WORDS + 1])
{
	unsigned count = 0;
	for (char *word = strtok_r(line, " \t\r", &line); word && count <= WORDS; word = strtok_r(NULL, " \t\r", &line))
		words[count++] = word;
	return count;
}

static void take_line(struct symbols *symbols, char *line, uint64_t base)
{
	char *words[WORDS + 1];
	const char *name = NULL;
	uint64_t address, real;
	unsigned count = split(line, words);
	bool ld = count >= 2 && is_address(words[0], true, &address) && (count == 2 || !strcmp(words[2], "="));
	if (ld)
		name = words[1];
	else if (count == 3 && is_address(words[0], false, &real) && is_address(words[1], false, &address) && strlen(words[0]) > 1)
		name = words[2];
	else if (count == 3 && is_address(words[0], false, &address) && strlen(words[1]) == 1 && g_ascii_isalpha(*words[1]) &&
	         !strchr("aAU", *words[1]))
		name = words[2];
	if (name && is_name(name) && strcmp(name, "."))
		symbols_put(symbols, base + address, 0, name, strlen(name));
}

bool symbols_read_map(struct symbols *symbols, const struct symbols_source *source, char **error)
{
	const char *at = (const char *)source->data;
	char line[LONGEST];
	if (source->size && memchr(at, '\0', source->size)) {
		*error = g_strdup("is neither an ELF file nor text; give an ELF file, or a map of GNU ld, NASM or nm");
		return false;
	}
	for (size_t left = source->size; left;) {
		const char *end = memchr(at, '\n', left);
		size_t length = end ? (size_t)(end - at) : left;
		if (length < sizeof line) {
			memcpy(line, at, length);
			line[length] = '\0';
			take_line(symbols, line, source->base);
		}
		at += MIN(length + 1, left);
		left -= MIN(length + 1, left);
	}
	return true;
}
