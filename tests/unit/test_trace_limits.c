/* What looks at a guest step by step has places for so many stops, and so many calls that
 * wait; a guest or a debugger may want more. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "shared/trace.h"
#include "trace/calls.h"
#include "trace/debug_steps.h"

#define RAM_SIZE 0x100000u
#define AT       0x1000u
#define CANARY   UINT64_C(0x0123456789abcdef)

static struct mem *mem;
static uint8_t *ram;
static struct ctx ctx;

static void setup(void)
{
	mem = mem_new();
	struct mem_store *store = mem_store_new(mem, "ram", RAM_SIZE);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM_SIZE), 0);
	ram = mem_store_data(store);
	ctx_reset(&ctx, 0);
	for (unsigned n = CTX_ES; n <= CTX_GS; n++) {
		ctx.seg[n].base = 0;
		ctx.seg[n].selector = 0;
	}
	ctx.rip = AT;
}

static void teardown(void) { mem_free(mem); }

/* --- handlers of exceptions, with a debugger on KVM alone ------------------------------------- */

/* The handlers of `count` exceptions are wanted, which the next instruction may raise. */
static unsigned stops_for(unsigned count, uint64_t stop[STEPPER_STOPS + 1])
{
	char *error = NULL;
	unsigned stops = 0;
	struct stepper stepper = debug_steps_new(&error);
	for (unsigned vector = 0; vector < 14; vector++)
		ram[4 * vector + 1] = (uint8_t)(0x20 + vector); /* 0000:2000, 2100... */
	ram[AT] = 0x90;
	memset(&ctx.debug, 0, sizeof ctx.debug);
	ctx.debug.armed = 1;
	for (unsigned vector = 0, left = count; left; vector++)
		if (vector != 3 && vector != 4) {
			ctx.debug.vectors[0] |= UINT64_C(1) << vector;
			left--;
		}
	ck_assert(stepper.begin(stepper.owner, &ctx));
	stop[STEPPER_STOPS] = CANARY;
	ck_assert_int_eq(stepper.plan(stepper.owner, &ctx, mem, false, stop, &stops), STEPPER_ONE);
	stepper.free(stepper.owner);
	return stops;
}

START_TEST(handlers_are_as_many_as_a_processor_has_stops)
{
	uint64_t stop[STEPPER_STOPS + 1];
	ck_assert_uint_eq(stops_for(2, stop), 2);
	ck_assert_uint_eq(stop[0], 0x2000);
	ck_assert_uint_eq(stop[1], 0x2100);
	ck_assert_uint_eq(stops_for(10, stop), STEPPER_STOPS);
	ck_assert_uint_eq(stop[STEPPER_STOPS - 1], 0x2500);
	ck_assert_uint_eq(stop[STEPPER_STOPS], CANARY);
}
END_TEST

/* --- calls that wait for their return ----------------------------------------------------------- */

static void nest(struct watcher *watcher, unsigned depth)
{
	ctx.rip = AT + 0x10 * depth;
	ctx.gpr[CTX_RSP].e = 0x8000 - 0x10 * depth;
	watcher->soft_int(watcher->owner, &ctx, 2, mem, 0x60);
}

static void come_back(struct watcher *watcher, unsigned depth)
{
	ctx.rip = AT + 0x10 * depth;
	ctx.gpr[CTX_RSP].e = 0x8000 - 0x10 * depth;
	watcher->arrived(watcher->owner, &ctx, 2, mem);
}

static unsigned count_of(const char *text, const char *what)
{
	unsigned count = 0;
	for (const char *at = text; (at = strstr(at, what)); at++)
		count++;
	return count;
}

START_TEST(the_oldest_call_is_forgotten_first)
{
	const unsigned depth = 3 * TRACE_CALLS_OPEN;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	trace_set_output(out, TRACE_FORMAT_JSON);
	struct watcher watcher = trace_calls_new();
	for (unsigned n = 0; n < depth; n++)
		nest(&watcher, n);
	for (unsigned n = depth; n-- > 0;)
		come_back(&watcher, n);
	watcher.free(watcher.owner);
	trace_flush();
	trace_set_output(NULL, TRACE_FORMAT_TEXT);
	fclose(out);
	ck_assert_uint_eq(count_of(text, "\"kind\": \"call\""), depth);
	ck_assert_uint_eq(count_of(text, "\"kind\": \"return\""), TRACE_CALLS_OPEN);
	g_autofree char *first = g_strdup_printf("\"kind\": \"return\", \"call\": %u,", depth);
	g_autofree char *last = g_strdup_printf("\"kind\": \"return\", \"call\": %u,", depth - TRACE_CALLS_OPEN + 1);
	ck_assert_ptr_nonnull(strstr(text, first));
	ck_assert_ptr_nonnull(strstr(text, last));
	free(text);
}
END_TEST

Suite *suite_trace_limits(void)
{
	Suite *suite = suite_create("trace limits");
	TCase *tcase = tcase_create("core");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, handlers_are_as_many_as_a_processor_has_stops);
	tcase_add_test(tcase, the_oldest_call_is_forgotten_first);
	suite_add_tcase(suite, tcase);
	return suite;
}
