/* Bytes -> struct insn. decode.c is the only file that knows Capstone. */
#ifndef V2E_EMU_DECODE_H
#define V2E_EMU_DECODE_H

#include <stddef.h>

#include "emu/emu.h"
#include "emu/insn.h"

#define DECODE_MAX_LENGTH 15u

enum decode_result {
	DECODE_OK,        /* also for what is not defined: op is OP_ud */
	DECODE_TRUNCATED, /* the instruction goes on behind the bytes given */
	DECODE_TOO_LONG,  /* more than 15 bytes: #GP(0) */
};

struct decoder;

/* NULL with a message (g_free) when Capstone cannot be had. */
struct decoder *decoder_new(enum emu_cpu cpu, char **error);
void decoder_free(struct decoder *decoder);

/* Decodes one instruction of a 16- or 32-bit code segment. `available` is at
 * least 1. All of *insn is set but `offset`. */
enum decode_result decode_insn(struct decoder *decoder, const uint8_t *bytes, size_t available,
                               bool code32, struct insn *insn);

/* `bytes` are those of *insn with another immediate or displacement: takes that over.
 * False when anything else differs as well; *insn is as before. */
bool decode_again(const uint8_t *bytes, bool code32, struct insn *insn);

/* Must a block end behind this instruction? */
bool decode_ends_block(const struct insn *insn);

/* How often Capstone's length was not ours (see decode.c); for tests. */
unsigned decoder_disagreements(const struct decoder *decoder);

/* Prints `bytes` as text into `text`; returns the length, 0 when undefined. */
size_t decode_print(struct decoder *decoder, const uint8_t *bytes, size_t available,
                    bool code32, uint64_t address, char *text, size_t text_size);

#endif
