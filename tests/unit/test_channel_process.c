#include "tests/unit/channel_rig.h"

static void fire(void *owner)
{
	(void)owner;
}

/* --- requests ----------------------------------------------------------------------------- */

START_TEST(page_goes_and_comes)
{
	page.sequence = 9;
	page.limit_insns = 100;
	ck_assert_int_eq(request(ACT_NOTHING, 1, 2), STOP_BUDGET);
	ck_assert_uint_eq(page.request_state, CTX_IDLE);
	ck_assert_uint_eq(page.insns_run, 5);
	ck_assert_uint_eq(page.sequence, 9);
	ck_assert_uint_eq(page.limit_insns, 100);
	ck_assert_str_eq(channel->ops->name, "process");
	ck_assert_str_eq(channel->engine->ops->name, "fake");
}
END_TEST

START_TEST(round_trips)
{
	for (unsigned n = 0; n < 10000; n++) {
		ck_assert_uint_eq(result_of(ACT_IN, 0x10, 4), 0x11223354u);
		ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x10);
	}
}
END_TEST

START_TEST(ports)
{
	static const uint32_t mask[] = { 0, 0xff, 0xffff, 0, 0xffffffff };
	ck_assert_uint_eq(result_of(ACT_IN, 0x12, (uint64_t)_i), (0x11223344u + 0x12) & mask[_i]);
	ck_assert_uint_eq(seen_at, 0x12);
	ck_assert_uint_eq(seen_size, _i);
	page.gpr[CTX_RDX].r = 0x87654321;
	ck_assert_int_eq(request(ACT_OUT, 0x13, (uint64_t)_i), STOP_BUDGET);
	ck_assert_uint_eq(seen_at, 0x13);
	ck_assert_uint_eq(seen_size, _i);
	ck_assert_uint_eq(seen_value, 0x87654321 & mask[_i]);
	ck_assert_uint_eq(result_of(ACT_IN, 0x300, (uint64_t)_i), mask[_i]);
}
END_TEST

/* More than fits into the shared memory at once. */
START_TEST(port_streams)
{
	ck_assert_uint_eq(result_of(ACT_INS, 0x14, 40000), 40000ull * 0x3358);
	ck_assert_int_eq(request(ACT_OUTS, 0x14, 40000), STOP_BUDGET);
	uint64_t expected = 0;
	for (uint64_t n = 0; n < 40000; n++)
		expected = expected * 3 + n;
	ck_assert_uint_eq(seen_value, expected);
}
END_TEST

START_TEST(memory_is_shared)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x1234, 2), 0xaaaa);
	mem_store_data(ram)[0x1234] = 0x55;
	ck_assert_uint_eq(result_of(ACT_READ, 0x1234, 2), 0xaa55);
	page.gpr[CTX_RDX].r = 0x1234567890abcdef;
	request(ACT_WRITE, 0x2000, 8);
	ck_assert_uint_eq(mem_read(mem, 0x2000, 8), 0x1234567890abcdef);
	ck_assert_uint_eq(result_of(ACT_READ, 0x50000, 4), 0xffffffff);
}
END_TEST

START_TEST(mmio)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x80010, 4), 0x55667798);
	ck_assert_uint_eq(seen_at, 0x10);
	ck_assert_uint_eq(seen_size, 4);
	/* Split as the region wants it. */
	ck_assert_uint_eq(result_of(ACT_READ, 0x80010, 8), 0x5566779c55667798u);
	ck_assert_uint_eq(seen_at, 0x14);
	page.gpr[CTX_RDX].r = 0xabcd;
	request(ACT_WRITE, 0x81ffe, 2);
	ck_assert_uint_eq(seen_at, 0x1ffe);
	ck_assert_uint_eq(seen_size, 2);
	ck_assert_uint_eq(seen_value, 0xabcd);
}
END_TEST

START_TEST(map_changes_between_requests)
{
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
	mem_region_enable(other_region, 0x20000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xbb);
	mem_region_enable(other_region, 0x3000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xbb);
	mem_region_set_flags(other_region, MEM_REGION_WRITES);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xaa);
	page.gpr[CTX_RDX].r = 0x11;
	request(ACT_WRITE, 0x3000, 1);
	ck_assert_uint_eq(mem_store_data(other)[0], 0x11);
	ck_assert_uint_eq(mem_store_data(ram)[0x3000], 0xaa);
	mem_region_set_flags(other_region, MEM_REGION_READS | MEM_REGION_ROM);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0x11);
	mem_region_disable(other_region);
	ck_assert_uint_eq(result_of(ACT_READ, 0x3000, 1), 0xaa);
	mem_region_enable(mmio_region, 0x90000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x90000, 1), 0x88);
	ck_assert_uint_eq(result_of(ACT_READ, 0x80000, 1), 0xff);
}
END_TEST

START_TEST(map_changes_by_port_writes)
{
	request(ACT_OUT, 0x20, 1);
	ck_assert_uint_eq(result_of(ACT_A20, 0, 0), 0xffefffff);
	mem_set_a20(mem, true);
	ck_assert_uint_eq(result_of(ACT_A20, 0, 0), 0xffffffff);
	request(ACT_OUT, 0x21, 1);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xbb);
	request(ACT_OUT, 0x22, 1);
	ck_assert_uint_eq(result_of(ACT_READ, 0x20000, 1), 0xff);
}
END_TEST

/* The change is there when the call comes back. */
START_TEST(smiact)
{
	ck_assert_uint_eq(result_of(ACT_SMM, 1, 0), 0xbb);
	ck_assert_uint_eq(result_of(ACT_SMM, 0, 0), 0xff);
	ck_assert_uint_eq(seen_smm, 17);
}
END_TEST

/* A region that came after the fork. */
START_TEST(late_region)
{
	struct mem_store *late = mem_store_new(mem, "late", MEM_PAGE_SIZE);
	memset(mem_store_data(late), 0xcc, MEM_PAGE_SIZE);
	struct mem_region *region = mem_region_new(mem, "late", 0, MEM_REGION_READS | MEM_REGION_WRITES, late, 0, MEM_PAGE_SIZE);
	mem_region_enable(region, 0x40000);
	ck_assert_uint_eq(result_of(ACT_READ, 0x40010, 8), 0xcccccccccccccccc);
	page.gpr[CTX_RDX].r = 0x77;
	request(ACT_WRITE, 0x40011, 1);
	ck_assert_uint_eq(mem_store_data(late)[0x11], 0x77);
}
END_TEST

/* --- code that others write ------------------------------------------------------------------ */

START_TEST(written_code_is_reported)
{
	mem_write_bytes(mem, 0x1100, "x", 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 0);
	request(ACT_CODE, 0x1000, 0);
	mem_write_bytes(mem, 0x2100, "x", 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 0);
	mem_write_bytes(mem, 0x1100, "abc", 3);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
	ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x1100);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 3);
	request(ACT_OUT, 0x23, 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 2);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 5);
}
END_TEST

START_TEST(too_many_writes_for_a_list)
{
	request(ACT_CODE, 0x1000, 0);
	for (unsigned n = 0; n < 1000; n++)
		mem_write(mem, 0x2000 + 2 * n, 1, n);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
	ck_assert_uint_eq(page.gpr[CTX_RBX].r, 0x1000);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, MEM_PAGE_SIZE);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) >> 8 & 0xff, 1);
}
END_TEST

START_TEST(epochs)
{
	channel->engine->ops->new_epoch(channel->engine);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) & 0xff, 1);
	ck_assert_uint_eq(result_of(ACT_EPOCHS, 0, 0) & 0xff, 1);
}
END_TEST

/* --- wires, time, messages ------------------------------------------------------------------------ */

START_TEST(interrupts)
{
	pins.intr = true;
	cpu_pins_attend(&pins);
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 1);
	ck_assert(pins.intr);
	ck_assert(atomic_load(&pins.attention));
	/* intr falls with the acknowledge, seen at once */
	ck_assert_uint_eq(result_of(ACT_INTA, 0, 0), 0x33);
	ck_assert(!pins.intr);
}
END_TEST

/* What a third engine has kept stays there until it is needed over there. */
START_TEST(kept_state)
{
	page.fpu_present = 0;
	page.dr6_kept = 1;
	page.dr6 = 2;
	request(ACT_NOTHING, 0, 0);
	ck_assert_uint_eq(seen_fetches, 0);
	ck_assert(!page.fpu_present && page.dr6_kept);
	ck_assert_uint_eq(result_of(ACT_FETCH, 300, 0), 0x5a);
	ck_assert_uint_eq(seen_fetches, 17);
	ck_assert(page.fpu_present && !page.dr6_kept);
	ck_assert_uint_eq(page.dr6, 6);
	ck_assert_uint_eq(page.fxsave[511], 0x5a);
	/* Who asks again gets what there is, and nothing is asked for twice. */
	page.fxsave[0] = 1;
	ck_assert_int_eq(request(ACT_FETCH_AGAIN, 0, 0), STOP_BUDGET);
	ck_assert_uint_eq(seen_fetches, 17);
	ck_assert_uint_eq(page.fxsave[0], 1);
}
END_TEST

START_TEST(latched_pins)
{
	pins.nmi = pins.smi = pins.init = pins.reset = true;
	ck_assert_uint_eq(result_of(ACT_PINS, 0, 0), 0x1e);
	ck_assert(!pins.nmi && !pins.smi && !pins.init);
	ck_assert(pins.reset);
	request(ACT_FERR, 1, 0);
	ck_assert_uint_eq(seen_ferr, 8);
	request(ACT_FERR, 0, 0);
	ck_assert_uint_eq(seen_ferr, 7);
}
END_TEST

START_TEST(virtual_time)
{
	clock_add_insns(board_clock, 1000);
	ck_assert_uint_eq(result_of(ACT_CLOCK, 0, 0), 10000);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, CLOCK_NEVER);
	timer = clock_timer_new(board_clock, fire, NULL);
	/* the device sees the engine's time, the engine the device's deadline */
	request(ACT_SPEND, 7, 0);
	ck_assert_uint_eq(seen_ns, 10070);
	ck_assert_uint_eq(page.gpr[CTX_RCX].r, 10070 + 12345);
	ck_assert_uint_eq(clock_now(board_clock), 10140);
	ck_assert_uint_eq(result_of(ACT_CLOCK, 0, 0), 10140);
}
END_TEST

START_TEST(real_time)
{
	channel_free(channel);
	mem_free(mem);
	bus_free(bus);
	clock_free(board_clock);
	new_board(CLOCK_KIND_REAL);
	ck_assert(open_channel(NULL, NULL));
	uint64_t before = clock_now(board_clock), there = result_of(ACT_CLOCK, 0, 0), after = clock_now(board_clock);
	ck_assert_uint_ge(there + 1000000, before);
	ck_assert_uint_le(there, after + 1000000);
	clock_set_now(board_clock, 5000000000000);
	ck_assert_uint_ge(result_of(ACT_CLOCK, 0, 0), 4999000000000);
}
END_TEST

START_TEST(messages)
{
	request(ACT_LOG, 1, 0);
	g_autofree char *before = g_strdup(log_text());
	log_trace_mask = LOG_TRACE_IO;
	request(ACT_LOG, 2, 0);
	log_trace_mask = 0;
	ck_assert(g_str_has_prefix(log_text(), before));
	ck_assert_str_eq(log_text() + strlen(before), "from afar 2\n");
	ck_assert_ptr_null(strstr(before, "from afar"));
}
END_TEST

START_TEST(stats)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	channel->engine->ops->new_epoch(channel->engine);
	request(ACT_IN, 0x10, 1);
	channel->engine->ops->print_stats(channel->engine, out);
	fclose(out);
	ck_assert_str_eq(text, "fake.epochs 1\nprocess.requests 1\nprocess.questions 1\n");
	free(text);
}
END_TEST

START_TEST(can_run)
{
	struct engine *engine = channel->engine;
	ck_assert(engine->ops->can_run(engine, &page));
	request(ACT_NOTHING, 0, 0);
	ck_assert(engine->ops->can_run(engine, &page));
	page.efer = CTX_EFER_LMA;
	ck_assert(!engine->ops->can_run(engine, &page));
	ck_assert(!engine->ops->can_run(engine, &page));
	page.efer = 0;
	ck_assert(engine->ops->can_run(engine, &page));
}
END_TEST

Suite *suite_channel_process(void)
{
	Suite *suite = suite_create("channel_process");
	TCase *tcase = tcase_create("channel_process");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, page_goes_and_comes);
	tcase_add_test(tcase, round_trips);
	for (int size = 1; size <= 4; size *= 2)
		tcase_add_loop_test(tcase, ports, size, size + 1);
	tcase_add_test(tcase, port_streams);
	tcase_add_test(tcase, memory_is_shared);
	tcase_add_test(tcase, mmio);
	tcase_add_test(tcase, map_changes_between_requests);
	tcase_add_test(tcase, map_changes_by_port_writes);
	tcase_add_test(tcase, smiact);
	tcase_add_test(tcase, late_region);
	tcase_add_test(tcase, written_code_is_reported);
	tcase_add_test(tcase, too_many_writes_for_a_list);
	tcase_add_test(tcase, epochs);
	tcase_add_test(tcase, interrupts);
	tcase_add_test(tcase, kept_state);
	tcase_add_test(tcase, latched_pins);
	tcase_add_test(tcase, virtual_time);
	tcase_add_test(tcase, real_time);
	tcase_add_test(tcase, messages);
	tcase_add_test(tcase, stats);
	tcase_add_test(tcase, can_run);
	suite_add_tcase(suite, tcase);
	return suite;
}
