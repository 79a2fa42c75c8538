/* Where code lies: regions that are filled one behind the other, and emptied in the
 * same order when the last one is full. What is hot comes back by itself. */
#include "emu/jit_internal.h"

/* The code of the longest block fits into an empty region; to begin takes room for what
 * stands in front of it. */
#define CODE_MAX (96u << 10)
_Static_assert(EMU_JIT_BYTES_MIN / JIT_REGIONS >= CODE_MAX, "a region is for any block");

/* Counts as never seen: only what is still hot is compiled again. */
static void evict_code(struct jit *jit, struct jit_code *code)
{
	struct block *head = code->head;
	if (!head)
		return;
	jit_drop_code(head);
	head->runs = head->compiles = 0;
	jit->stats.evicted++;
}

static void evict_region(struct jit *jit, struct jit_region *region)
{
	uint8_t *at = region->start;
	if (at == region->used)
		return;
	while (at < region->used) {
		struct jit_code *code = (struct jit_code *)at;
		evict_code(jit, code);
		at += code->size;
	}
	region->used = region->start;
	jit->stats.evictions++;
}

void jit_cache_new(struct jit *jit, uint8_t *start, uint8_t *end)
{
	size_t size = (size_t)(end - start) / JIT_REGIONS & ~(size_t)(JIT_ALIGN - 1);
	for (unsigned i = 0; i < JIT_REGIONS; i++) {
		struct jit_region *region = &jit->region[i];
		region->start = region->used = start + i * size;
		region->end = region->start + size;
	}
}

bool jit_cache_turn(struct jit *jit)
{
	const struct jit_region *region = &jit->region[jit->filling];
	if (region->used == region->start)
		return false;
	jit->filling = (jit->filling + 1) % JIT_REGIONS;
	evict_region(jit, &jit->region[jit->filling]);
	return true;
}

uint8_t *jit_cache_room(struct jit *jit)
{
	const struct jit_region *region = &jit->region[jit->filling];
	if ((size_t)(region->end - region->used) < sizeof(struct jit_code))
		jit_cache_turn(jit);
	return jit->region[jit->filling].used;
}

uint8_t *jit_cache_end(const struct jit *jit)
{
	return jit->region[jit->filling].end;
}

void jit_cache_take(struct jit *jit, struct jit_code *code, const uint8_t *end)
{
	struct jit_region *region = &jit->region[jit->filling];
	code->size = (uint32_t)(((size_t)(end - region->used) + JIT_ALIGN - 1) & ~(size_t)(JIT_ALIGN - 1));
	region->used += code->size;
}

void jit_flush(struct jit *jit)
{
	if (!jit)
		return;
	for (unsigned i = 0; i < JIT_REGIONS; i++)
		jit->region[i].used = jit->region[i].start;
	jit->filling = 0;
	jit->stats.flushes++;
}

size_t jit_cache_used(const struct jit *jit)
{
	size_t used = 0;
	for (unsigned i = 0; i < JIT_REGIONS; i++)
		used += (size_t)(jit->region[i].used - jit->region[i].start);
	return used;
}
