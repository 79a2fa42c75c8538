/* The map against a model that searches all layers for each page. */
#include <check.h>
#include <stdlib.h>

#include "shared/mem.h"

#define PAGE MEM_PAGE_SIZE

static struct mem *mem;
static struct mem_store *ram;

#define LAYERS 8
#define SPAN   24u

struct layer {
	struct mem_region *region;
	struct mem_store *store;
	uint64_t offset, pages, at;
	unsigned flags;
	int priority;
	bool enabled;
};

static const struct layer *winner(const struct layer *layer, unsigned page, unsigned flag)
{
	const struct layer *best = NULL;
	for (const struct layer *l = layer; l < layer + LAYERS; l++)
		if (l->enabled && (l->flags & flag) && page >= l->at && page < l->at + l->pages &&
		    (!best || l->priority >= best->priority))
			best = l;
	return best;
}

static uint8_t *byte_of(const struct layer *layer, unsigned page)
{
	return mem_store_data(layer->store) + (layer->offset + page - layer->at) * PAGE;
}

static void compare(const struct layer *layer)
{
	for (unsigned page = 0; page < SPAN; page++) {
		const struct layer *reader = winner(layer, page, MEM_REGION_READS);
		const struct layer *writer = winner(layer, page, MEM_REGION_WRITES);
		uint8_t *write_to = writer && !(writer->flags & MEM_REGION_ROM) ? byte_of(writer, page) : NULL;
		uint8_t before = (uint8_t)(rand() & 0x7f), after = before ^ 0x80;
		if (write_to)
			*write_to = before;
		mem_write(mem, page * PAGE, 1, after);
		if (write_to)
			ck_assert_uint_eq(*write_to, after);
		ck_assert_uint_eq(mem_read(mem, page * PAGE, 1), reader ? *byte_of(reader, page) : 0xff);
		ck_assert_int_eq(mem_can_read(mem, page * PAGE), reader != NULL);
		if (reader)
			ck_assert_uint_eq(mem->flat[page * PAGE], *byte_of(reader, page));
		if (mem_can_write(mem, page * PAGE)) {
			ck_assert_ptr_eq(write_to, byte_of(reader, page));
			mem->flat[page * PAGE] = before;
			ck_assert_uint_eq(*write_to, before);
		}
	}
}

static void change(struct layer *layer)
{
	switch (rand() % 3) {
	case 0:
		layer->at = (unsigned)rand() % 16;
		layer->enabled = true;
		mem_region_enable(layer->region, layer->at * PAGE);
		break;
	case 1:
		layer->enabled = false;
		mem_region_disable(layer->region);
		break;
	case 2:
		layer->flags = (unsigned)rand() & 7;
		mem_region_set_flags(layer->region, layer->flags);
		break;
	}
}

START_TEST(any_sequence)
{
	struct layer layer[LAYERS];
	srand((unsigned)_i + 1);
	mem = mem_new();
	ram = mem_store_new(mem, "ram", 16 * PAGE);
	for (unsigned n = 0; n < LAYERS; n++) {
		struct layer *l = &layer[n];
		*l = (struct layer){ .store = ram, .offset = (unsigned)rand() % 8, .pages = 1 + (unsigned)rand() % 8,
		                     .flags = (unsigned)rand() & 7, .priority = rand() % 3 };
		l->region = mem_region_new(mem, "layer", l->priority, l->flags, ram, l->offset * PAGE, l->pages * PAGE);
	}
	for (unsigned n = 0; n < 200; n++) {
		change(&layer[rand() % LAYERS]);
		compare(layer);
	}
	mem_free(mem);
}
END_TEST

Suite *suite_mem_layers(void)
{
	Suite *suite = suite_create("mem_layers");
	TCase *tcase = tcase_create("mem_layers");
	tcase_add_loop_test(tcase, any_sequence, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite;
}
