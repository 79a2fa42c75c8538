#include "emu/block.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "emu/bodies.h"
#include "emu/decode.h"
#include "emu/jit.h"
#include "shared/mem.h"

#define ARENA_SIZE (32u << 20)
#define BLOCK_BYTES_MAX (sizeof(struct block) + (BLOCK_MAX_INSNS + 1) * sizeof(struct insn))

struct block_cache *block_cache_new(void)
{
	struct block_cache *cache = g_new0(struct block_cache, 1);
	/* mmap, so that untouched parts cost nothing. */
	cache->arena = mmap(NULL, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cache->pages = mmap(NULL, MEM_PAGES * sizeof *cache->pages, PROT_READ | PROT_WRITE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	cache->code_pages = g_array_new(false, false, sizeof(uint32_t));
	cache->epoch = 1;
	if (cache->arena != MAP_FAILED && (void *)cache->pages != MAP_FAILED)
		return cache;
	block_cache_free(cache);
	return NULL;
}

static void free_code_pages(struct block_cache *cache)
{
	for (guint i = 0; i < cache->code_pages->len; i++) {
		uint32_t number = g_array_index(cache->code_pages, uint32_t, i);
		g_free(cache->pages[number]);
		cache->pages[number] = NULL;
	}
	g_array_set_size(cache->code_pages, 0);
}

void block_cache_free(struct block_cache *cache)
{
	if (!cache)
		return;
	free_code_pages(cache);
	g_array_free(cache->code_pages, true);
	if (cache->arena != MAP_FAILED)
		munmap(cache->arena, ARENA_SIZE);
	if ((void *)cache->pages != MAP_FAILED)
		munmap(cache->pages, MEM_PAGES * sizeof *cache->pages);
	g_free(cache);
}

void block_cache_forget_addresses(struct block_cache *cache)
{
	cache->epoch++;
}

void block_cache_distrust(struct block_cache *cache)
{
	cache->trust++;
	cache->epoch++;
}

static unsigned hash_of(uint64_t physical, bool code32, bool single)
{
	uint32_t mixed = ((uint32_t)physical ^ (uint32_t)code32 << 30 ^ (uint32_t)single << 31) * 2654435761u;
	return mixed >> 17 & (BLOCK_HASH_SIZE - 1);
}

/* --- dropping ------------------------------------------------------------------ */

/* What is left of a dropped block that is still running: go and look again. */
static enum exec exec_stale(struct emu *emu, const struct insn *insn)
{
	return exec_block_end(emu, insn);
}

static void hash_remove(struct block_cache *cache, struct block *block)
{
	struct block **link = &cache->hash[hash_of(block->physical[0], block->code32, block->single)];
	while (*link && *link != block)
		link = &(*link)->hash_next;
	if (*link)
		*link = block->hash_next;
}

static void block_kill(struct emu *emu, struct block *block)
{
	struct block_cache *cache = emu->cache;
	if (block->dead)
		return;
	block->dead = true;
	jit_kill(emu, block);
	hash_remove(cache, block);
	for (unsigned i = 0; i <= block->count; i++)
		block->insns[i].exec = exec_stale;
	cache->stats.killed++;
}

/* Which of its (at most two) pages `number` is to the block. */
static unsigned page_slot(const struct block *block, uint32_t number)
{
	return (uint32_t)(block->physical[0] >> MEM_PAGE_SHIFT) != number;
}

/* The bytes of the block in page `number`, as offsets there. */
static void block_part(const struct block *block, uint32_t number, uint32_t *first, uint32_t *end)
{
	uint32_t offset = (uint32_t)block->physical[0] & 0xfff;
	uint32_t here = offset + block->size > 0x1000 ? 0x1000 - offset : block->size;
	if (page_slot(block, number) == 0) {
		*first = offset;
		*end = offset + here;
	} else {
		*first = 0;
		*end = block->size - here;
	}
}

static void mark_code(struct code_page *page, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		page->bits[i >> 6] |= 1ull << (i & 63);
}

static bool holds_code(const struct code_page *page, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++)
		if (page->bits[i >> 6] >> (i & 63) & 1)
			return true;
	return false;
}

bool block_code_at(const struct block_cache *cache, uint32_t address, unsigned size)
{
	const struct code_page *page = cache->pages[address >> MEM_PAGE_SHIFT];
	return page && holds_code(page, address & 0xfff, (address & 0xfff) + size);
}

/* --- patching -------------------------------------------------------------------- */

static struct block_patch *patch_slot(struct block_cache *cache, uint32_t address)
{
	return &cache->patch[(address ^ address >> 8) & (BLOCK_PATCH_SIZE - 1)];
}

/* The instruction that first..end of the block's own page lies in, else NULL. */
static struct insn *insn_around(struct block *block, uint32_t number, uint32_t first, uint32_t end)
{
	uint32_t start = (uint32_t)block->physical[0] & 0xfff;
	if (page_slot(block, number) || start + block->size > 0x1000)
		return NULL;
	for (unsigned i = 0; i < block->count; i++) {
		struct insn *insn = &block->insns[i];
		if (start + insn->offset <= first && end <= start + insn->offset + insn->length)
			return insn;
	}
	return NULL;
}

static void note_patch(struct block_cache *cache, struct block *block, uint32_t number, uint32_t first, uint32_t end)
{
	const struct insn *insn = insn_around(block, number, first, end);
	if (!insn)
		return;
	uint32_t address = (uint32_t)block->physical[0] + insn->offset;
	struct block_patch *patch = patch_slot(cache, address);
	if (patch->address != address)
		*patch = (struct block_patch){ .address = address };
	patch->count++;
}

static bool block_touches(const struct block *block, uint32_t number, uint32_t first, uint32_t end)
{
	uint32_t block_first, block_end;
	block_part(block, number, &block_first, &block_end);
	return block_first < end && first < block_end;
}

/* Takes the new bytes into all blocks that hold them; false: some have to go. */
static bool page_patch(struct emu *emu, uint32_t number, uint32_t first, uint32_t end)
{
	const uint8_t *bytes = emu->flat + ((uint64_t)number << MEM_PAGE_SHIFT);
	struct block *block = emu->cache->pages[number]->blocks;
	for (; block; block = block->page_next[page_slot(block, number)]) {
		if (block->dead || !block_touches(block, number, first, end))
			continue;
		struct insn *insn = insn_around(block, number, first, end);
		if (!insn || !(insn->flags & INSN_PATCHED) ||
		    !decode_again(bytes + (block->physical[0] & 0xfff) + insn->offset, block->code32, insn))
			return false;
	}
	emu->cache->stats.patched++;
	return true;
}

/* Drops the blocks of a page that touch first..end, keeps the others. */
static void page_drop(struct emu *emu, uint32_t number, uint32_t first, uint32_t end)
{
	struct code_page *page = emu->cache->pages[number];
	struct block *block = page->blocks, **link = &page->blocks;
	memset(page->bits, 0, sizeof page->bits);
	while (block) {
		unsigned slot = page_slot(block, number);
		struct block *next = block->page_next[slot];
		uint32_t block_first, block_end;
		block_part(block, number, &block_first, &block_end);
		if (block_first < end && first < block_end) {
			note_patch(emu->cache, block, number, first, end);
			block_kill(emu, block);
		}
		if (!block->dead) {
			mark_code(page, block_first, block_end);
			*link = block;
			link = &block->page_next[slot];
		}
		block = next;
	}
	*link = NULL;
	if (!page->blocks)
		emu->page[number] &= (uint8_t)~MEM_CODE;
}

void block_cache_written(struct emu *emu, uint64_t address, uint64_t size)
{
	uint64_t end = address + size;
	while (address < end && address < MEM_SPACE) {
		uint32_t number = (uint32_t)(address >> MEM_PAGE_SHIFT), first = (uint32_t)address & 0xfff;
		uint64_t left = end - address;
		uint32_t last = left < 0x1000 - first ? first + (uint32_t)left : 0x1000;
		struct code_page *page = emu->cache->pages[number];
		if (page && page->blocks && holds_code(page, first, last) && !page_patch(emu, number, first, last))
			page_drop(emu, number, first, last);
		address = (address | 0xfff) + 1;
	}
}

void block_cache_flush(struct emu *emu)
{
	struct block_cache *cache = emu->cache;
	for (guint i = 0; i < cache->code_pages->len; i++)
		emu->page[g_array_index(cache->code_pages, uint32_t, i)] &= (uint8_t)~MEM_CODE;
	free_code_pages(cache);
	memset(cache->hash, 0, sizeof cache->hash);
	memset(cache->jump, 0, sizeof cache->jump);
	cache->arena_used = 0;
	cache->epoch++;
	cache->stats.flushes++;
	jit_flush(emu->jit);
	emu->block = NULL;
}

/* --- building ------------------------------------------------------------------ */

/* Bytes of code from one linear address on, page by page. */
struct fetch {
	uint8_t bytes[2 * DECODE_MAX_LENGTH];
	size_t available;
	uint64_t physical[2];
	bool crosses;      /* bytes of the second page were taken */
	bool faulted;      /* the second page could not be read: emu.fault */
	bool limited;      /* the segment ends behind `available` */
};

static void fetch_bytes(struct emu *emu, uint64_t physical, uint8_t *to, size_t count)
{
	if (physical < MEM_SPACE && mem_can_read(emu->mem, (uint32_t)physical)) {
		memcpy(to, emu->flat + physical, count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		to[i] = (uint8_t)mem_read(emu->mem, physical + i, 1);
}

static bool fetch_first(struct emu *emu, struct fetch *fetch, uint32_t ip, uint32_t linear, uint64_t physical)
{
	size_t room = 0x1000 - (linear & 0xfff), wanted = DECODE_MAX_LENGTH;
	memset(fetch, 0, sizeof *fetch);
	if (ip >= emu->code_limit)
		return emu_fail(emu, VEC_GP, 0);
	if (emu->code_limit - ip < wanted) {
		wanted = (size_t)(emu->code_limit - ip);
		fetch->limited = true;
	}
	fetch->physical[0] = physical;
	fetch->available = room < wanted ? room : wanted;
	fetch_bytes(emu, physical, fetch->bytes, fetch->available);
	return true;
}

/* Adds the bytes behind the page end. */
static bool fetch_second(struct emu *emu, struct fetch *fetch, uint32_t ip, uint32_t linear)
{
	size_t have = fetch->available;
	uint64_t left = emu->code_limit - ip;
	size_t wanted = left < DECODE_MAX_LENGTH ? (size_t)left : DECODE_MAX_LENGTH;
	if (wanted <= have)
		return emu_fail(emu, VEC_GP, 0);
	if (!paging_translate(emu, linear + (uint32_t)have, ACCESS_EXECUTE, emu->cpl == 3, &fetch->physical[1]))
		return false;
	fetch_bytes(emu, fetch->physical[1], fetch->bytes + have, wanted - have);
	fetch->available = wanted;
	fetch->crosses = true;
	return true;
}

/* One instruction; false: emu.fault. */
static bool fetch_insn(struct emu *emu, struct fetch *fetch, uint32_t ip, uint32_t linear, uint64_t physical, struct insn *insn)
{
	if (!fetch_first(emu, fetch, ip, linear, physical))
		return false;
	enum decode_result result = decode_insn(emu->decoder, fetch->bytes, fetch->available, emu->code32, insn);
	if (result == DECODE_TRUNCATED) {
		if (!fetch_second(emu, fetch, ip, linear))
			return false;
		result = decode_insn(emu->decoder, fetch->bytes, fetch->available, emu->code32, insn);
	}
	return result == DECODE_OK || emu_fail(emu, VEC_GP, 0);
}

static bool is_patched(struct block_cache *cache, uint32_t address)
{
	const struct block_patch *patch = patch_slot(cache, address);
	return patch->address == address && patch->count >= BLOCK_PATCHES;
}

static void close_block(struct block *block)
{
	struct insn *end = &block->insns[block->count];
	memset(end, 0, sizeof *end);
	end->op = OP_block_end;
	end->exec = exec_block_end;
	end->offset = block->size;
}

/* Decodes into `block`; false: the very first instruction cannot be had. */
static bool decode_block(struct emu *emu, struct block *block, uint32_t ip, uint32_t linear, uint64_t physical)
{
	unsigned limit = block->single ? 1 : BLOCK_MAX_INSNS;
	uint32_t room = 0x1000 - (linear & 0xfff);
	while (block->count < limit && block->size < room) {
		struct fetch fetch;
		struct insn *insn = &block->insns[block->count];
		uint32_t at = block->size;
		if (!fetch_insn(emu, &fetch, ip + at, linear + at, physical + at, insn)) {
			if (!block->count)
				return false;
			break;
		}
		if (fetch.crosses && block->count)
			break; /* gets a block of its own */
		if (fetch.crosses)
			block->physical[1] = fetch.physical[1];
		insn->offset = (uint16_t)at;
		if (!fetch.crosses && is_patched(emu->cache, (uint32_t)physical + at))
			insn->flags |= INSN_PATCHED;
		block->size = (uint16_t)(block->size + insn->length);
		block->count++;
		if (decode_ends_block(insn))
			break;
	}
	close_block(block);
	return true;
}

static void enlist(struct emu *emu, struct block *block, unsigned slot)
{
	struct block_cache *cache = emu->cache;
	if (block->physical[slot] >= MEM_SPACE)
		return;
	uint32_t number = (uint32_t)(block->physical[slot] >> MEM_PAGE_SHIFT), first, end;
	struct code_page *page = cache->pages[number];
	if (!page) {
		page = cache->pages[number] = g_new0(struct code_page, 1);
		g_array_append_val(cache->code_pages, number);
	}
	block_part(block, number, &first, &end);
	mark_code(page, first, end);
	block->page_next[slot] = page->blocks;
	page->blocks = block;
	emu->page[number] |= MEM_CODE;
}

static bool crosses_page(const struct block *block)
{
	return (block->physical[0] & 0xfff) + block->size > 0x1000;
}

static struct block *block_build(struct emu *emu, uint32_t ip, uint32_t linear, uint64_t physical, bool single)
{
	struct block_cache *cache = emu->cache;
	if (cache->arena_used + BLOCK_BYTES_MAX > ARENA_SIZE)
		block_cache_flush(emu);
	struct block *block = (struct block *)(cache->arena + cache->arena_used);
	memset(block, 0, sizeof *block);
	block->physical[0] = physical;
	block->code32 = emu->code32;
	block->single = single;
	block->trust = cache->trust;
	block->jit_world = WORLD_NONE;
	if (!decode_block(emu, block, ip, linear, physical))
		return NULL;
	/* Nobody reports writes to what is no plain memory: use it once. */
	if (physical >= MEM_SPACE || !mem_can_read(emu->mem, (uint32_t)physical)) {
		block->dead = true;
		return block;
	}
	cache->arena_used += sizeof *block + (block->count + 1u) * sizeof(struct insn);
	cache->arena_used = (cache->arena_used + 63) & ~(size_t)63;
	enlist(emu, block, 0);
	if (crosses_page(block) && (block->physical[1] >> MEM_PAGE_SHIFT) != (physical >> MEM_PAGE_SHIFT))
		enlist(emu, block, 1);
	unsigned hash = hash_of(physical, block->code32, single);
	block->hash_next = cache->hash[hash];
	cache->hash[hash] = block;
	cache->stats.built++;
	return block;
}

/* --- finding ---------------------------------------------------------------------- */

/* Native code may have run since: are the bytes the same? */
static bool same_bytes(struct emu *emu, struct block *block)
{
	for (unsigned i = 0; i < block->count; i++) {
		uint8_t now[DECODE_MAX_LENGTH];
		uint64_t at = block->physical[0] + block->insns[i].offset;
		size_t first = 0x1000 - (size_t)(at & 0xfff), length = block->insns[i].length;
		first = first < length ? first : length;
		fetch_bytes(emu, at, now, first);
		fetch_bytes(emu, block->physical[1], now + first, length - first);
		if (memcmp(now, block->insns[i].raw, length))
			return false;
	}
	block->trust = emu->cache->trust;
	return true;
}

/* A block found again by physical address: are its bytes, and the page that it
 * runs into, still the same? */
static bool still_valid(struct emu *emu, struct block *block, uint32_t linear)
{
	if (crosses_page(block)) {
		uint64_t second;
		uint32_t next = (linear & ~0xfffu) + 0x1000;
		if (!paging_translate(emu, next, ACCESS_EXECUTE, emu->cpl == 3, &second) || second != block->physical[1])
			return false;
	}
	return block->trust == emu->cache->trust || same_bytes(emu, block);
}

static struct block *hash_find(struct emu *emu, uint32_t linear, uint64_t physical, bool single)
{
	struct block *block = emu->cache->hash[hash_of(physical, emu->code32, single)];
	while (block && !(block->physical[0] == physical && block->code32 == emu->code32 && block->single == single))
		block = block->hash_next;
	if (!block)
		return NULL;
	bool compares = block->trust != emu->cache->trust;
	if (!still_valid(emu, block, linear)) {
		block_kill(emu, block);
		return NULL;
	}
	if (compares)
		jit_check(emu, block);
	return block;
}

void block_check(struct emu *emu, struct block *block)
{
	if (block->trust != emu->cache->trust && !same_bytes(emu, block))
		block_kill(emu, block);
}

struct block *block_in_page(const struct emu *emu, const struct block *block, uint32_t distance)
{
	uint32_t start = (uint32_t)block->physical[0] & 0xfff, offset = start + distance;
	uint64_t physical = block->physical[0] - start + offset;
	if (offset > 0xfff || start + block->size > 0x1000)
		return NULL;
	struct block *found = emu->cache->hash[hash_of(physical, block->code32, false)];
	while (found && !(found->physical[0] == physical && found->code32 == block->code32 && !found->single))
		found = found->hash_next;
	bool usable = found && !found->dead && found->trust == emu->cache->trust && offset + found->size <= 0x1000;
	return usable ? found : NULL;
}

/* The block as a whole must lie inside the segment, or its first instruction alone. */
static struct block *within_limit(struct emu *emu, struct block *block, uint32_t ip)
{
	if (likely((uint64_t)ip + block->size <= emu->code_limit))
		return block;
	if (!block->single)
		return block_find(emu, ip, true);
	emu_raise_error(emu, VEC_GP, 0);
	return NULL;
}

struct block *block_find(struct emu *emu, uint32_t ip, bool single)
{
	struct block_cache *cache = emu->cache;
	uint32_t linear = (uint32_t)emu->ctx->seg[CTX_CS].base + ip;
	struct block **jump = &cache->jump[single][(linear ^ linear >> 12) & (BLOCK_JUMP_SIZE - 1)];
	struct block *block = *jump;
	if (block && block->linear == linear && block->epoch == cache->epoch &&
	    block->code32 == emu->code32 && block->user == (emu->cpl == 3) && !block->dead)
		return within_limit(emu, block, ip);
	uint64_t physical;
	cache->stats.looked_up++;
	if (ip >= emu->code_limit) {
		emu_raise_error(emu, VEC_GP, 0);
		return NULL;
	}
	if (!paging_translate(emu, linear, ACCESS_EXECUTE, emu->cpl == 3, &physical))
		return NULL;
	block = hash_find(emu, linear, physical, single);
	if (!block)
		block = block_build(emu, ip, linear, physical, single);
	if (!block)
		return NULL;
	if (block->linear != linear || block->epoch != cache->epoch)
		jit_unlink(block);
	block->linear = linear;
	block->epoch = cache->epoch;
	block->user = emu->cpl == 3;
	/* The memory of one that is used once is that of the next to be built. */
	if (!block->dead)
		*jump = block;
	return within_limit(emu, block, ip);
}
