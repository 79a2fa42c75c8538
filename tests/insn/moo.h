/* Reader for MOO files: single-instruction tests recorded from real chips
 * (SingleStepTests). Chunks of id[4], length, payload, little-endian, nested. */
#ifndef V2E_TESTS_INSN_MOO_H
#define V2E_TESTS_INSN_MOO_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum moo_reg { MOO_AX, MOO_BX, MOO_CX, MOO_DX, MOO_CS, MOO_SS, MOO_DS, MOO_ES, MOO_SP, MOO_BP, MOO_SI, MOO_DI, MOO_IP, MOO_FLAGS, MOO_REGS };

struct moo_byte {
	uint32_t address;
	uint8_t value;
};

struct moo_state {
	uint16_t present;        /* bit by enum moo_reg */
	uint16_t reg[MOO_REGS];
	GArray *ram;             /* struct moo_byte */
};

struct moo_test {
	uint32_t index;
	char *name;
	GByteArray *bytes;
	struct moo_state initial, final;
	bool has_exception;
	uint8_t vector;
	uint32_t flags_address;  /* where the exception pushed FLAGS */
};

struct moo_file {
	char cpu[5];
	GPtrArray *tests;        /* struct moo_test */
};

/* `path` may be gzipped. NULL with a message naming file and offset (g_free). */
struct moo_file *moo_load(const char *path, char **error);
void moo_free(struct moo_file *file);

#endif
