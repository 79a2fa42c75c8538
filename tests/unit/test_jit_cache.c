/* The cache of code: much more hot code than it holds, against the interpreter. */
/* open_memstream() */
#define _GNU_SOURCE
#include <check.h>
#include <stdlib.h>

#include "tests/unit/jit_rig.h"

#define CACHE (1u << 20)
#define PLACE  32u   /* bytes of a place */
#define PLACES 2048u /* all of a segment */
#define HOT    64u   /* of them: seen often, so that they are linked to each other */

static void setup(void) { rig_open_cache(CACHE); }
static void teardown(void) { rig_close(); }

static uint64_t stat_of(const char *name)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	jit_rig.jitted.engine->ops->print_stats(jit_rig.jitted.engine, out);
	fclose(out);
	const char *at = strstr(text, name);
	ck_assert_ptr_nonnull(at);
	uint64_t value = strtoull(at + strlen(name), NULL, 10);
	free(text);
	return value;
}

static uint16_t place_of(unsigned number) { return (uint16_t)(rig_chance() % number * PLACE); }

static void put_16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

/* ecx = ecx * A + C; js behind a jump to a hot place; mov [a byte of a C],al or NOPs; add
 * eax,ecx; and ax,FFE0; jmp ax: any place. */
static void put_place(unsigned at, bool writes)
{
	static const uint8_t form[PLACE] = {
		0x66, 0x69, 0xc9, 0x6d, 0x4e, 0xc6, 0x41, 0x66, 0x81, 0xc1, 0x39, 0x30, 0, 0, 0x78, 0x03, 0xe9, 0, 0,
		0x90, 0x90, 0x90, 0x66, 0x01, 0xc8, 0x25, 0xe0, 0xff, 0xff, 0xe0,
	};
	uint8_t *code = jit_rig.before + RIG_CODE + at;
	memcpy(code, form, sizeof form);
	if (writes) {
		code[19] = 0xa2;
		put_16(code + 20, (unsigned)place_of(PLACES) + 10 + rig_chance() % 4);
	}
	put_16(code + 17, (unsigned)place_of(HOT) - at - 19);
}

static void make_maze(struct ctx *state, unsigned one_writes_in)
{
	static const struct rig_program nothing = { .size = 1 };
	rig_fill(&nothing);
	for (unsigned at = 0; at < PLACES * PLACE; at += PLACE)
		put_place(at, one_writes_in && rig_chance() % one_writes_in == 0);
	rig_state(state, false);
	state->seg[CTX_DS] = state->seg[CTX_CS];
	state->seg[CTX_DS].access = 0x93;
}

static void compare(const struct ctx *state, uint64_t limit, const char *name)
{
	static const struct rig_program nothing = { .size = 1 };
	rig_compare(&nothing, state, limit, name);
}

START_TEST(more_hot_code_than_room)
{
	struct ctx state;
	jit_rig.seed = (uint64_t)_i + 1;
	make_maze(&state, 0);
	for (unsigned n = 0; n < 4; n++)
		compare(&state, 200000 + n, "maze");
	ck_assert_uint_gt(stat_of("jit.evictions "), 16);
	ck_assert_uint_gt(stat_of("jit.evicted "), 1000);
	ck_assert_uint_gt(stat_of("jit.linked "), 1000);
	ck_assert_uint_le(stat_of("jit.bytes_held "), CACHE);
	ck_assert_uint_eq(stat_of("jit.flushes "), 0);
}
END_TEST

/* What is written to may have been evicted, be the code that runs, or lead there. */
START_TEST(code_that_is_written_while_code_is_evicted)
{
	struct ctx state;
	jit_rig.seed = (uint64_t)_i + 1;
	make_maze(&state, 3);
	for (unsigned n = 0; n < 4; n++)
		compare(&state, 100000 + n, "maze that writes");
	ck_assert_uint_gt(stat_of("jit.evictions "), 16);
	ck_assert_uint_gt(stat_of("emu.blocks_dropped "), 1000);
}
END_TEST

START_TEST(flush_on_demand)
{
	struct ctx state;
	struct engine *engine = jit_rig.jitted.engine;
	make_maze(&state, 3);
	compare(&state, 3000, "before");
	ck_assert_uint_gt(stat_of("jit.bytes_held "), 0);
	uint64_t built = stat_of("emu.blocks_built ");
	engine->ops->flush(engine);
	ck_assert_uint_eq(stat_of("jit.bytes_held "), 0);
	ck_assert_uint_eq(stat_of("jit.flushes "), 1);
	compare(&state, 3000, "behind");
	ck_assert_uint_gt(stat_of("jit.bytes_held "), 0);
	ck_assert_uint_ge(stat_of("emu.blocks_built "), built * 3 / 2);
}
END_TEST

Suite *suite_jit_cache(void)
{
	Suite *suite = suite_create("jit_cache");
	TCase *tcase = tcase_create("cache");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, more_hot_code_than_room, 0, 3);
	tcase_add_loop_test(tcase, code_that_is_written_while_code_is_evicted, 0, 3);
	tcase_add_test(tcase, flush_on_demand);
	suite_add_tcase(suite, tcase);
	return suite;
}
