/* Registers and memory as a test file names them. */
#ifndef V2E_CLI_TEST_REGISTER_H
#define V2E_CLI_TEST_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "shared/ctx.h"

struct test_register {
	char *text;         /* as it was written */
	char *name;         /* as ctx_print() has it, or a part of one: ax, ah, cs, ... */
	uint64_t mask;
	uint64_t low, high; /* of the value and mask */
};

struct test_memory {
	char *text;
	uint32_t address;   /* guest-physical */
	GArray *bytes;      /* int: 0 to 255, or -1 for any */
};

/* "NAME=VALUE", "NAME&MASK=VALUE", "NAME=LOW..HIGH". False with *error (g_free). */
struct test_register *test_register_parse(const char *text, char **error);
void test_register_free(void *reg);
/* "0x7c00", or "07c0:0000" as real mode adds it up. False with *error (g_free). */
bool test_address_parse(const char *text, uint32_t *address, char **error);
/* "ADDRESS: BYTES": 0x7c00 or 07c0:0000; hexadecimal bytes, ?? for any. */
struct test_memory *test_memory_parse(const char *text, char **error);
void test_memory_free(void *memory);

/* The value of a register by any name that test_register_parse() takes. */
bool test_register_value(const struct ctx *ctx, const char *name, uint64_t *value);

#endif
