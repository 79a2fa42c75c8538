/* The JIT: x86-64 code for hot blocks. run.c and block.c see only this; without
 * V2E_NATIVE (configure) there is none and the interpreter runs everything. */
#ifndef V2E_EMU_JIT_H
#define V2E_EMU_JIT_H

#include <stdio.h>

#include "emu/block.h"

struct jit;

/* Blocks run so often before they are compiled (not with EMU_JIT_ALWAYS). */
#define JIT_HOT 24u

#ifdef V2E_NATIVE

/* NULL when the host gives no memory that can be executed, or `config` wants none. */
struct jit *jit_new(struct emu *emu, const struct emu_config *config);
void jit_free(struct jit *jit);

/* Is there code for `block` at ctx->rip, now or after this call? */
bool jit_ready(struct emu *emu, struct block *block);
/* Runs the code of `block` and of what it leads to. On return the page, emu.insns
 * and the flags are exact, at a boundary of blocks; emu.block is NULL. */
void jit_run(struct emu *emu, struct block *block);

/* `block` is dead: nothing may lead there any more. */
void jit_kill(struct emu *emu, struct block *block);
/* All blocks are gone. */
void jit_flush(struct jit *jit);
/* The bytes of `block` were compared: those of what its code holds beside it are due. */
void jit_check(struct emu *emu, struct block *block);
/* `block` was found anew under another epoch: where it leads is unknown again. */
void jit_unlink(struct block *block);

void jit_print_stats(const struct jit *jit, FILE *out);

#else

static inline struct jit *jit_new(struct emu *emu, const struct emu_config *config) { (void)emu, (void)config; return NULL; }
static inline void jit_free(struct jit *jit) { (void)jit; }
static inline bool jit_ready(struct emu *emu, struct block *block) { (void)emu, (void)block; return false; }
static inline void jit_run(struct emu *emu, struct block *block) { (void)emu, (void)block; }
static inline void jit_kill(struct emu *emu, struct block *block) { (void)emu, (void)block; }
static inline void jit_flush(struct jit *jit) { (void)jit; }
static inline void jit_check(struct emu *emu, struct block *block) { (void)emu, (void)block; }
static inline void jit_unlink(struct block *block) { (void)block; }
static inline void jit_print_stats(const struct jit *jit, FILE *out) { (void)jit, (void)out; }

#endif
#endif
