/* Names of addresses, from ELF files and maps of GNU ld, NASM and nm. The files are
 * not trusted. */
#ifndef V2E_TRACE_SYMBOLS_H
#define V2E_TRACE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

struct symbols *symbols_new(void);
void symbols_free(struct symbols *symbols); /* NULL is fine */

/* "FILE", or "FILE@BASE" where BASE is added to each address: SEG:OFF in hexadecimal,
 * or a number. False with *error (g_free): one line with the remedy. */
bool symbols_add(struct symbols *symbols, const char *spec, char **error);

/* "name" or "name+1a" for a linear address, until the next call; NULL: none near. For
 * trace_set_symbols(). */
const char *symbols_name(void *symbols, uint64_t linear);

size_t symbols_count(const struct symbols *symbols);

/* For symbols.c, from the files for each format. False: `data` is not of that kind, or
 * broken: then *error says how. */
struct symbols_source {
	const uint8_t *data;
	size_t size;
	uint64_t base;
};
bool symbols_read_elf(struct symbols *symbols, const struct symbols_source *source, char **error);
bool symbols_read_map(struct symbols *symbols, const struct symbols_source *source, char **error);
/* `size` 0: up to the next one. */
void symbols_put(struct symbols *symbols, uint64_t address, uint64_t size, const char *name, size_t length);

#endif
