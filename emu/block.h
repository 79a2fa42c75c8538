/* Basic blocks: found by linear address and code size, kept by physical address,
 * dropped to the byte when their code is written. */
#ifndef V2E_EMU_BLOCK_H
#define V2E_EMU_BLOCK_H

#include <glib.h>

#include "emu/cpu.h"

#define BLOCK_MAX_INSNS 48u

struct jit_code;
struct jit_exit;
struct jit_part;

struct block {
	uint32_t linear;     /* of the last lookup, checked with `epoch` */
	uint32_t epoch;      /* cache->epoch in which `linear` was looked up */
	uint64_t physical[2];/* of the first byte; of the second page when it crosses */
	uint16_t size;       /* bytes */
	uint16_t count;      /* instructions, the closing block_end not counted */
	bool code32;
	bool single;         /* one instruction, for the slow path */
	bool user;           /* with the rights of which ring that was */
	bool dead;
	uint32_t trust;      /* cache->trust when its bytes were last compared */
	struct block *hash_next;
	struct block *page_next[2]; /* in the lists of its pages */
	struct block *successor[2]; /* the last two that followed */
	/* The JIT's: code for ctx->rip = jit_ip in a world, and who leads there. */
	const void *jit_entry;
	uint32_t jit_ip, jit_world;
	struct jit_code *jit_code;      /* NULL: none */
	struct jit_exit *jit_incoming;
	struct jit_part *jit_parts;     /* the code that it is part of, its own too */
	uint8_t runs, compiles;
	struct insn insns[];
};

/* Code bytes of a physical page, and the blocks made of them. */
struct code_page {
	uint64_t bits[64];
	struct block *blocks;
};

/* Instructions that were written to as such, by their place: after BLOCK_PATCHES
 * times a block takes a new immediate in without being made anew. */
#define BLOCK_PATCH_SIZE 256u
#define BLOCK_PATCHES 2u

struct block_patch {
	uint32_t address; /* physical, of the first byte */
	uint32_t count;
};

#define BLOCK_HASH_SIZE (1u << 15)
#define BLOCK_JUMP_SIZE (1u << 12)

struct block_stats {
	uint64_t built, killed, flushes, looked_up, patched;
};

struct block_cache {
	uint32_t epoch; /* linear addresses found before are forgotten when it moves */
	uint32_t trust;
	struct block *hash[BLOCK_HASH_SIZE];
	struct block *jump[2][BLOCK_JUMP_SIZE]; /* whole blocks, single instructions */
	struct block_patch patch[BLOCK_PATCH_SIZE];
	struct code_page **pages; /* MEM_PAGES of them */
	GArray *code_pages;       /* page numbers in use, uint32_t */
	uint8_t *arena;
	size_t arena_used;
	bool flush_wanted;
	struct block_stats stats;
};

struct block_cache *block_cache_new(void);
void block_cache_free(struct block_cache *cache);

/* The block at `ip` of the current code segment, built when needed. `single`:
 * of one instruction. NULL: emu.fault is set (fetch fault). */
struct block *block_find(struct emu *emu, uint32_t ip, bool single);

/* The block `distance` bytes from the start of `block`, if both lie in one page and it is
 * known and to be trusted. */
struct block *block_in_page(const struct emu *emu, const struct block *block, uint32_t distance);
/* Compares the bytes, where that is due; drops a block that has become another. */
void block_check(struct emu *emu, struct block *block);

/* Everything goes. Only between two blocks. */
void block_cache_flush(struct emu *emu);
/* Linear addresses may mean something else now (paging, A20, the map). */
void block_cache_forget_addresses(struct block_cache *cache);
/* Native code ran: compare each block's bytes before it runs again. */
void block_cache_distrust(struct block_cache *cache);
/* Physical bytes were written, or (size in pages) their map changed. */
void block_cache_written(struct emu *emu, uint64_t address, uint64_t size);

/* Do these bytes of one page hold decoded code? */
bool block_code_at(const struct block_cache *cache, uint32_t address, unsigned size);

/* The fast way from block to block. */
static inline struct block *block_successor(const struct emu *emu, struct block *from, uint32_t linear)
{
	for (unsigned i = 0; i < 2; i++) {
		struct block *next = from->successor[i];
		if (next && next->linear == linear && next->epoch == emu->cache->epoch &&
		    next->code32 == emu->code32 && next->user == (emu->cpl == 3) && !next->dead)
			return next;
	}
	return NULL;
}

#endif
