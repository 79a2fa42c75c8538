/* Split virtqueues: order, indirect tables, event index, and rings that no driver makes,
 * given to each device. */
#include "devmodel/virtio_blk.h"
#include "devmodel/virtio_console.h"
#include "devmodel/virtio_net.h"
#include "devmodel/virtio_rng.h"
#include "tests/unit/virtio_rig.h"

#define SIZE 8u

static struct virtio_rig rig;
static struct chardev *chardev;

static void start_device(unsigned kind)
{
	const struct virtio_board board = virtio_rig_board(&rig);
	static const uint8_t mac[6] = { 2 };
	struct virtio *devices[] = {
		kind == 0 ? virtio_rng_new(&board) : NULL, kind == 1 ? virtio_blk_new(&board, blk_memory_new(65536, false), 0) : NULL,
		kind == 2 ? virtio_console_new(&board, chardev) : NULL, kind == 3 ? virtio_net_new(&board, NULL, mac) : NULL,
	};
	virtio_rig_fit(&rig, devices[kind]);
}

static void start(void)
{
	char *error = NULL;
	virtio_rig_start(&rig, false);
	chardev = chardev_new("memory", &error);
}

static void stop(void)
{
	virtio_rig_stop(&rig);
	chardev_free(chardev);
}

/* --- what drivers do ------------------------------------------------------------------ */

static void start_rng(uint64_t features, uint32_t size)
{
	start_device(0);
	virtio_rig_drive(&rig, features, 1, size);
}

START_TEST(chains_come_back_in_order)
{
	uint32_t written;
	start_rng(0, SIZE);
	for (unsigned round = 0; round < 70000; round++) {
		uint16_t head = (uint16_t)(round * 3 % SIZE);
		virtio_rig_describe(&rig, 0, head, RIG_BUFFER, 16 + head, D_WRITE, 0);
		virtio_rig_offer(&rig, 0, head);
		virtio_rig_kick(&rig, 0);
		ck_assert_uint_eq(virtio_rig_used(&rig, 0), (uint16_t)(round + 1));
		ck_assert_uint_eq(virtio_rig_entry(&rig, 0, round, &written), head);
		ck_assert_uint_eq(written, 16u + head);
	}
}
END_TEST

START_TEST(several_at_once)
{
	uint32_t written;
	start_rng(0, SIZE);
	for (uint16_t n = 0; n < SIZE; n++) {
		virtio_rig_describe(&rig, 0, n, RIG_BUFFER + 64 * n, n, D_WRITE, 0);
		virtio_rig_offer(&rig, 0, (uint16_t)(SIZE - 1 - n));
	}
	virtio_rig_kick(&rig, 0);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), SIZE);
	for (unsigned n = 0; n < SIZE; n++) {
		ck_assert_uint_eq(virtio_rig_entry(&rig, 0, n, &written), SIZE - 1 - n);
		ck_assert_uint_eq(written, SIZE - 1 - n);
	}
}
END_TEST

/* A chain of all descriptors; a buffer may be cut anywhere. */
START_TEST(chains_are_scattered)
{
	uint32_t written;
	start_rng(0, SIZE);
	memset(rig.ram + RIG_BUFFER, 0, 4096);
	for (uint16_t n = 0; n < SIZE; n++)
		virtio_rig_describe(&rig, 0, n, RIG_BUFFER + 100 * n, 50, n + 1 < (int)SIZE ? D_WRITE | D_NEXT : D_WRITE, (uint16_t)(n + 1));
	virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
	virtio_rig_entry(&rig, 0, 0, &written);
	ck_assert_uint_eq(written, 50 * SIZE);
	for (unsigned n = 0; n < SIZE; n++) {
		unsigned there = 0, beside = 0;
		for (unsigned i = 0; i < 50; i++) {
			there += rig.ram[RIG_BUFFER + 100 * n + i] != 0;
			beside += rig.ram[RIG_BUFFER + 100 * n + 50 + i] != 0;
		}
		ck_assert_uint_gt(there, 40);
		ck_assert_uint_eq(beside, 0);
	}
}
END_TEST

START_TEST(indirect_tables)
{
	uint32_t written;
	start_rng(VIRTIO_F_INDIRECT, SIZE);
	for (uint16_t n = 0; n < 100; n++) /* more than the queue has */
		virtio_rig_describe_at(&rig, RIG_TABLE + 16 * n, RIG_BUFFER + 8 * n, 8, n < 99 ? D_WRITE | D_NEXT : D_WRITE, (uint16_t)(n + 1));
	virtio_rig_describe(&rig, 0, 5, RIG_TABLE, 1600, D_INDIRECT, 0);
	virtio_rig_offer(&rig, 0, 5);
	virtio_rig_describe(&rig, 0, 0, RIG_BUFFER, 24, D_WRITE | D_NEXT, 1); /* behind direct ones, D_WRITE means nothing */
	virtio_rig_describe(&rig, 0, 1, RIG_TABLE, 1600, D_INDIRECT | D_WRITE, 0);
	virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
	ck_assert_uint_eq(virtio_rig_entry(&rig, 0, 0, &written), 5);
	ck_assert_uint_eq(written, 800);
	ck_assert_uint_eq(virtio_rig_entry(&rig, 0, 1, &written), 0);
	ck_assert_uint_eq(written, 824);
}
END_TEST

static void request(unsigned count)
{
	virtio_rig_describe(&rig, 0, 0, RIG_BUFFER, 8, D_WRITE, 0);
	while (count--)
		virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
}

START_TEST(interrupts_by_flag)
{
	start_rng(0, SIZE);
	request(3);
	ck_assert_uint_eq(rig.causes, 1); /* one for all three */
	virtio_rig_set(&rig, R_ACK, 1);
	ck_assert(!rig.level);
	virtio_rig_put16(&rig, rig.queue[0].avail, 1);
	request(1);
	ck_assert(!rig.level);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 4);
}
END_TEST

START_TEST(interrupts_by_event_index)
{
	start_rng(VIRTIO_F_EVENT_INDEX, SIZE);
	uint32_t used_event = rig.queue[0].avail + 4 + 2 * SIZE, avail_event = rig.queue[0].used + 4 + 8 * SIZE;
	virtio_rig_put16(&rig, rig.queue[0].avail, 1); /* the flag has no say */
	virtio_rig_put16(&rig, used_event, 2);
	request(2);
	ck_assert(!rig.level);
	ck_assert_uint_eq(virtio_rig_get16(&rig, avail_event), 2);
	request(1);
	ck_assert(rig.level);
	virtio_rig_set(&rig, R_ACK, 1);
	request(1);
	ck_assert(!rig.level); /* that event is over */
	virtio_rig_put16(&rig, used_event, 6);
	request(5); /* 5 to 9: 6 among them */
	ck_assert(rig.level);
	ck_assert_uint_eq(virtio_rig_get16(&rig, avail_event), 9);
}
END_TEST

/* Across the end of the index. */
START_TEST(event_index_wraps)
{
	start_rng(VIRTIO_F_EVENT_INDEX, SIZE);
	uint32_t used_event = rig.queue[0].avail + 4 + 2 * SIZE;
	for (unsigned n = 0; n < 0xfffe / 2; n++)
		request(2);
	virtio_rig_set(&rig, R_ACK, 1);
	virtio_rig_put16(&rig, used_event, 0xffff);
	request(1);
	ck_assert(!rig.level);
	request(2); /* FFFFh and 0 */
	ck_assert(rig.level);
}
END_TEST

/* --- what no driver does ----------------------------------------------------------------- */

static void desc(unsigned i, uint64_t address, uint32_t size, uint16_t flags, uint16_t next) { virtio_rig_describe(&rig, 0, i, address, size, flags, next); }
static void table(unsigned i, uint64_t address, uint32_t size, uint16_t flags, uint16_t next) { virtio_rig_describe_at(&rig, RIG_TABLE + 16 * i, address, size, flags, next); }
static void offer(uint16_t head) { virtio_rig_offer(&rig, 0, head); }

static void loop_of_one(void) { desc(0, RIG_BUFFER, 16, D_WRITE | D_NEXT, 0), offer(0); }
static void loop_of_two(void) { desc(0, RIG_BUFFER, 16, D_NEXT, 1), desc(1, RIG_BUFFER, 16, D_NEXT, 0), offer(0); }
static void head_outside(void) { offer(SIZE); }
static void head_far_outside(void) { offer(0xffff); }
static void next_outside(void) { desc(0, RIG_BUFFER, 16, D_WRITE | D_NEXT, SIZE), offer(0); }
static void index_jumps(void) { virtio_rig_put16(&rig, rig.queue[0].avail + 2, SIZE + 1); }
static void index_goes_back(void) { virtio_rig_put16(&rig, rig.queue[0].avail + 2, 0xffff); }
static void readable_behind_writable(void) { desc(0, RIG_BUFFER, 16, D_WRITE | D_NEXT, 1), desc(1, RIG_BUFFER, 16, 0, 0), offer(0); }

static void more_than_4g(void)
{
	desc(0, 0, UINT32_MAX, D_NEXT, 1), desc(1, 0, UINT32_MAX, D_WRITE, 0), offer(0);
}

static void indirect_in_indirect(void)
{
	table(0, RIG_TABLE, 16, D_INDIRECT, 0), desc(0, RIG_TABLE, 16, D_INDIRECT, 0), offer(0);
}

static void indirect_loop(void)
{
	table(0, RIG_BUFFER, 1, D_WRITE | D_NEXT, 1), table(1, RIG_BUFFER, 1, D_WRITE | D_NEXT, 0);
	desc(0, RIG_TABLE, 32, D_INDIRECT, 0), offer(0);
}

static void indirect_next_outside(void) { table(0, RIG_BUFFER, 1, D_WRITE | D_NEXT, 2), desc(0, RIG_TABLE, 32, D_INDIRECT, 0), offer(0); }
static void indirect_of_nothing(void) { desc(0, RIG_TABLE, 0, D_INDIRECT, 0), offer(0); }
static void indirect_of_odd_size(void) { table(0, RIG_BUFFER, 1, D_WRITE, 0), desc(0, RIG_TABLE, 17, D_INDIRECT, 0), offer(0); }
static void indirect_with_next(void) { table(0, RIG_BUFFER, 1, D_WRITE, 0), desc(0, RIG_TABLE, 16, D_INDIRECT | D_NEXT, 1), offer(0); }
static void indirect_nowhere(void) { desc(0, 0x7fffffffffff0, 16, D_INDIRECT, 0), offer(0); }

static void indirect_huge(void)
{
	virtio_rig_describe_at(&rig, RIG_RAM - 16, RIG_BUFFER, 0, D_NEXT, 1);
	desc(0, RIG_RAM - 16, UINT32_MAX & ~15u, D_INDIRECT, 0), offer(0);
}

static void indirect_at_the_end_of_space(void) { desc(0, UINT64_MAX - 7, 32, D_INDIRECT, 0), offer(0); }
static void indirect_in_mmio(void) { desc(0, RIG_BASE, 16, D_INDIRECT, 0), offer(0); }

static const struct {
	const char *name;
	void (*make)(void);
} hostile[] = {
	{ "loop of one", loop_of_one }, { "loop of two", loop_of_two }, { "head outside", head_outside },
	{ "head far outside", head_far_outside }, { "next outside", next_outside }, { "index jumps", index_jumps },
	{ "index goes back", index_goes_back }, { "readable behind writable", readable_behind_writable },
	{ "more than 4 GiB", more_than_4g }, { "indirect in indirect", indirect_in_indirect }, { "indirect loop", indirect_loop },
	{ "indirect next outside", indirect_next_outside }, { "indirect of nothing", indirect_of_nothing },
	{ "indirect of odd size", indirect_of_odd_size }, { "indirect with next", indirect_with_next },
	{ "indirect nowhere", indirect_nowhere }, { "indirect huge", indirect_huge },
	{ "indirect at the end of space", indirect_at_the_end_of_space }, { "indirect in MMIO", indirect_in_mmio },
};

/* Queue 0 is rng's and blk's only one, and the console's and the card's for input, where
 * the ring is looked at when something arrives. */
static void let_it_look(unsigned kind)
{
	virtio_rig_kick(&rig, 0);
	if (kind == 2)
		chardev_feed(chardev, "x", 1);
	virtio_rig_pass(&rig);
}

static void expect_broken(unsigned kind, const char *name)
{
	ck_assert_msg(virtio_rig_is_broken(&rig), "device %u, %s: it does not need a reset", kind, name);
	ck_assert_msg(virtio_rig_get(&rig, R_INTERRUPT) & 2 && rig.level, "device %u, %s: no interrupt", kind, name);
	ck_assert_msg(virtio_rig_used(&rig, 0) == 0, "device %u, %s: something came back", kind, name);
}

START_TEST(hostile_rings_stop_the_device)
{
	unsigned kind = (unsigned)_i % 3;
	start_device(kind);
	for (unsigned n = 0; n < G_N_ELEMENTS(hostile); n++) {
		virtio_rig_drive(&rig, VIRTIO_F_INDIRECT, kind == 2 ? 2 : 1, SIZE);
		hostile[n].make();
		let_it_look(kind);
		expect_broken(kind, hostile[n].name);
		virtio_rig_describe(&rig, 0, 0, RIG_BUFFER, 16, D_WRITE, 0);
		virtio_rig_offer(&rig, 0, 0);
		let_it_look(kind);
		expect_broken(kind, hostile[n].name); /* until it is reset */
	}
}
END_TEST

/* The same for what a console or a card sends. */
START_TEST(hostile_rings_stop_output)
{
	unsigned kind = 2 + (unsigned)_i;
	start_device(kind);
	for (unsigned n = 0; n < G_N_ELEMENTS(hostile); n++) {
		virtio_rig_drive(&rig, VIRTIO_F_INDIRECT, 2, SIZE);
		rig.queue[0] = rig.queue[1];
		hostile[n].make();
		virtio_rig_kick(&rig, 1);
		virtio_rig_pass(&rig);
		expect_broken(kind, hostile[n].name);
	}
}
END_TEST

START_TEST(indirect_must_be_negotiated)
{
	start_rng(0, SIZE);
	table(0, RIG_BUFFER, 16, D_WRITE, 0), desc(0, RIG_TABLE, 16, D_INDIRECT, 0), offer(0);
	let_it_look(0);
	expect_broken(0, "indirect");
}
END_TEST

/* Buffers where no memory is, or none that may be written. */
static const struct {
	uint64_t address;
	uint32_t size;
} nowhere[] = {
	{ RIG_RAM, 16 }, { RIG_RAM - 8, 16 }, { RIG_BASE, 16 }, { RIG_BASE + R_STATUS, 4 }, { RIG_ROM, 16 }, { UINT64_MAX - 3, 16 },
	{ 0x100000000, 16 }, { UINT64_MAX, 1 }, { 0xffffffff, 16 }, { RIG_RAM, UINT32_MAX },
};

START_TEST(buffers_must_be_memory)
{
	start_device(0);
	for (unsigned n = 0; n < G_N_ELEMENTS(nowhere); n++) {
		virtio_rig_drive(&rig, 0, 1, SIZE);
		desc(0, nowhere[n].address, nowhere[n].size, D_WRITE, 0), offer(0);
		let_it_look(0);
		ck_assert_msg(virtio_rig_is_broken(&rig), "%u", n);
		ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
	}
}
END_TEST

/* The parts of the queue themselves. */
START_TEST(rings_must_be_memory)
{
	static const uint64_t places[] = { RIG_RAM, RIG_RAM - 16, RIG_BASE, RIG_ROM, 0xfffffff0, 0x100000000, UINT64_MAX - 15 };
	start_device(0);
	for (unsigned n = 0; n < G_N_ELEMENTS(places) * 3; n++) {
		unsigned part = n % 3;
		uint64_t place = places[n / 3];
		virtio_rig_agree(&rig, VIRTIO_F_EVENT_INDEX);
		virtio_rig_place(&rig, 0, SIZE);
		virtio_rig_set(&rig, R_READY, 0);
		virtio_rig_set(&rig, R_DESC + 0x10 * part, (uint32_t)place);
		virtio_rig_set(&rig, R_DESC + 4 + 0x10 * part, (uint32_t)(place >> 32));
		virtio_rig_set(&rig, R_READY, 1);
		desc(1, RIG_BUFFER, 16, D_WRITE, 0), offer(1);
		virtio_rig_go(&rig);
		virtio_rig_kick(&rig, 0);
		/* Where zeros can be read there are empty descriptors, and nothing is available;
		 * behind the last address comes 0. */
		bool is_fine = (place == RIG_ROM && part < 2) || (place == RIG_RAM - 16 && part == 1) || (place == UINT64_MAX - 15 && part == 0);
		ck_assert_msg(virtio_rig_is_broken(&rig) != is_fine, "part %u at %llx", part, (unsigned long long)place);
	}
}
END_TEST

/* The longest legal chains, as often as there is place: the caller gets control back in
 * between, and at last all is done. */
START_TEST(much_work_is_done_in_parts)
{
	start_rng(VIRTIO_F_INDIRECT, 256);
	for (uint16_t n = 0; n < 256; n++)
		table(n, RIG_BUFFER, 0x40000, n < 255 ? D_WRITE | D_NEXT : D_WRITE, (uint16_t)(n + 1));
	for (uint16_t n = 0; n < 256; n++)
		desc(n, RIG_TABLE, 4096, D_INDIRECT, 0), offer(n);
	virtio_rig_kick(&rig, 0);
	uint16_t first = virtio_rig_used(&rig, 0);
	ck_assert_uint_gt(first, 0);
	ck_assert_uint_lt(first, 100);
	virtio_rig_kick(&rig, 0); /* does not add to it */
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), first);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 256);
	ck_assert_uint_gt(rig.causes, 3);
}
END_TEST

/* Empty chains cost something, too. */
START_TEST(empty_chains_are_not_free)
{
	start_rng(0, 256);
	for (uint16_t n = 0; n < 256; n++)
		desc(n, 0, 0, D_WRITE, 0), offer(n);
	virtio_rig_kick(&rig, 0);
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 256);
	ck_assert(!virtio_rig_is_broken(&rig));
}
END_TEST

Suite *suite_virtqueue(void);

Suite *suite_virtqueue(void)
{
	Suite *suite = suite_create("virtqueue");
	TCase *tcase = tcase_create("virtqueue");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, chains_come_back_in_order);
	tcase_add_test(tcase, several_at_once);
	tcase_add_test(tcase, chains_are_scattered);
	tcase_add_test(tcase, indirect_tables);
	tcase_add_test(tcase, interrupts_by_flag);
	tcase_add_test(tcase, interrupts_by_event_index);
	tcase_add_test(tcase, event_index_wraps);
	tcase_add_loop_test(tcase, hostile_rings_stop_the_device, 0, 3);
	tcase_add_loop_test(tcase, hostile_rings_stop_output, 0, 2);
	tcase_add_test(tcase, indirect_must_be_negotiated);
	tcase_add_test(tcase, buffers_must_be_memory);
	tcase_add_test(tcase, rings_must_be_memory);
	tcase_add_test(tcase, much_work_is_done_in_parts);
	tcase_add_test(tcase, empty_chains_are_not_free);
	suite_add_tcase(suite, tcase);
	return suite;
}
