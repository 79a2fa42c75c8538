/* The registers of the memory-mapped transport, of both versions. */
#include "devmodel/virtio_rng.h"
#include "tests/unit/virtio_rig.h"

#define SIZE 16u

static struct virtio_rig rig;

static void open_rng(bool legacy)
{
	virtio_rig_start(&rig, legacy);
	const struct virtio_board board = virtio_rig_board(&rig);
	virtio_rig_fit(&rig, virtio_rng_new(&board));
}

static void start(void)
{
	open_rng(false);
}

static void start_legacy(void)
{
	open_rng(true);
}

static void stop(void)
{
	virtio_rig_stop(&rig);
}

static uint32_t get(unsigned offset) { return virtio_rig_get(&rig, offset); }
static void set(unsigned offset, uint32_t value) { virtio_rig_set(&rig, offset, value); }

static uint64_t offered(void)
{
	set(R_FEATURES_SEL, 1);
	uint64_t high = get(R_FEATURES);
	set(R_FEATURES_SEL, 0);
	return high << 32 | get(R_FEATURES);
}

static void ask(uint32_t size)
{
	virtio_rig_describe(&rig, 0, 0, RIG_BUFFER, size, D_WRITE, 0);
	virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
}

START_TEST(identity)
{
	ck_assert_uint_eq(get(R_MAGIC), 0x74726976);
	ck_assert_uint_eq(get(R_VERSION), 2);
	ck_assert_uint_eq(get(R_DEVICE), 4);
	ck_assert_uint_eq(get(R_NUM_MAX), 256);
	ck_assert(offered() == (VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX));
	set(R_FEATURES_SEL, 2);
	ck_assert_uint_eq(get(R_FEATURES), 0);
	set(R_SEL, 1);
	ck_assert_uint_eq(get(R_NUM_MAX), 0);
	set(R_SEL, UINT32_MAX);
	ck_assert_uint_eq(get(R_NUM_MAX), 0);
	set(R_READY, 1); /* of no queue */
	ck_assert_uint_eq(get(R_READY), 0);
	ck_assert_uint_eq(get(0xb0), UINT32_MAX); /* shared memory: none */
}
END_TEST

START_TEST(only_whole_registers)
{
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE, 1), 0);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE + 2, 4), 0);
	mem_write(rig.mem, RIG_BASE + R_STATUS, 1, 1);
	mem_write(rig.mem, RIG_BASE + R_STATUS + 1, 4, 0x01010101);
	ck_assert_uint_eq(get(R_STATUS), 0);
	ck_assert_uint_eq(mem_read(rig.mem, RIG_BASE, 8), 0x274726976);
	for (unsigned offset = 0; offset < VIRTIO_MMIO_SIZE; offset++)
		for (unsigned size = 1; size <= 8; size *= 2) {
			mem_write(rig.mem, RIG_BASE + offset, size, 0);
			mem_read(rig.mem, RIG_BASE + offset, size);
		}
}
END_TEST

START_TEST(features_are_agreed_on)
{
	ck_assert(virtio_rig_agree(&rig, 0));
	set(R_DRIVER_SEL, 0);
	set(R_DRIVER, (uint32_t)VIRTIO_F_INDIRECT); /* too late */
	ck_assert(virtio_rig_place(&rig, 0, SIZE));
	virtio_rig_go(&rig);
	virtio_rig_describe_at(&rig, RIG_TABLE, RIG_BUFFER, 16, D_WRITE, 0);
	virtio_rig_describe(&rig, 0, 0, RIG_TABLE, 16, D_INDIRECT, 0);
	virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
	ck_assert(virtio_rig_is_broken(&rig));
	ck_assert(!virtio_rig_agree(&rig, 1)); /* one that was not offered */
	set(R_STATUS, 0);
	set(R_STATUS, 3);
	set(R_STATUS, 11); /* no VERSION_1 */
	ck_assert_uint_eq(get(R_STATUS), 3);
}
END_TEST

START_TEST(nothing_before_the_driver_is_ready)
{
	ck_assert(virtio_rig_agree(&rig, 0));
	ck_assert(virtio_rig_place(&rig, 0, SIZE));
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
	virtio_rig_go(&rig); /* what is available by then is seen */
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
	set(R_STATUS, 0);
	set(R_STATUS, 7); /* without agreeing on features */
	ck_assert(virtio_rig_place(&rig, 0, SIZE));
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 0);
}
END_TEST

START_TEST(queue_sizes)
{
	static const struct { uint32_t size; bool fine; } sizes[] = {
		{ 0, false }, { 1, true }, { 2, true }, { 3, false }, { 24, false }, { 255, false }, { 256, true }, { 257, false },
		{ 512, false }, { 0x8000, false }, { 0x10000, false }, { 0x10008, false }, { 0x80000000, false }, { UINT32_MAX, false },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(sizes); n++) {
		ck_assert(virtio_rig_agree(&rig, 0));
		set(R_NUM, sizes[n].size);
		set(R_DESC, RIG_QUEUE);
		set(R_AVAIL, RIG_QUEUE + 0x4000);
		set(R_USED, RIG_QUEUE + 0x8000);
		set(R_READY, 1);
		ck_assert_msg(get(R_READY) == sizes[n].fine, "%u", sizes[n].size);
		virtio_rig_go(&rig);
		virtio_rig_kick(&rig, 0);
	}
}
END_TEST

START_TEST(queues_are_aligned)
{
	static const struct { unsigned offset; uint32_t by; } odd[] = { { R_DESC, 8 }, { R_AVAIL, 1 }, { R_USED, 2 } };
	for (unsigned n = 0; n < G_N_ELEMENTS(odd); n++) {
		ck_assert(virtio_rig_agree(&rig, 0));
		ck_assert(virtio_rig_place(&rig, 0, SIZE));
		set(R_READY, 0);
		ck_assert_uint_eq(get(R_READY), 0);
		set(odd[n].offset, RIG_QUEUE + odd[n].by);
		set(R_READY, 1);
		ck_assert_uint_eq(get(R_READY), 0);
	}
}
END_TEST

START_TEST(a_queue_in_use_stays_where_it_is)
{
	virtio_rig_drive(&rig, 0, 1, SIZE);
	set(R_NUM, 3);
	set(R_DESC, 0xdead0000);
	set(R_USED + 4, 7);
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
}
END_TEST

START_TEST(notifications_of_other_queues)
{
	virtio_rig_drive(&rig, 0, 1, SIZE);
	set(R_NOTIFY, 1);
	set(R_NOTIFY, 31);
	set(R_NOTIFY, 32);
	set(R_NOTIFY, UINT32_MAX);
	ck_assert(!virtio_rig_is_broken(&rig));
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
}
END_TEST

START_TEST(interrupts)
{
	virtio_rig_drive(&rig, 0, 1, SIZE);
	ck_assert(!rig.level);
	ask(8);
	ck_assert(rig.level);
	ck_assert_uint_eq(get(R_INTERRUPT), 1);
	unsigned causes = rig.causes;
	ask(8); /* for an edge, the line is set again */
	ck_assert_uint_eq(rig.causes, causes + 1);
	set(R_ACK, 2);
	ck_assert(rig.level);
	set(R_ACK, 1);
	ck_assert(!rig.level);
	ck_assert_uint_eq(get(R_INTERRUPT), 0);
	ask(8);
	set(R_STATUS, 0);
	ck_assert(!rig.level);
}
END_TEST

START_TEST(status_bits_are_only_added)
{
	virtio_rig_drive(&rig, 0, 1, SIZE);
	set(R_STATUS, 1);
	ck_assert_uint_eq(get(R_STATUS), 15);
	set(R_STATUS, 1 | VIRTIO_NEEDS_RESET); /* is the device's */
	ck_assert_uint_eq(get(R_STATUS), 15);
	set(R_STATUS, 0x100);
	ck_assert_uint_eq(get(R_STATUS), 0);
}
END_TEST

static GByteArray *save(void)
{
	struct snap *snap = snap_new_save();
	size_t size;
	virtio_mmio_state(rig.mmio, snap);
	const void *data = snap_data(snap, &size);
	GByteArray *bytes = g_byte_array_new();
	g_byte_array_append(bytes, data, (guint)size);
	snap_free(snap);
	return bytes;
}

static bool load(const GByteArray *bytes)
{
	struct snap *snap = snap_new_load(bytes->data, bytes->len);
	virtio_mmio_state(rig.mmio, snap);
	bool fine = !snap_error(snap);
	snap_free(snap);
	return fine;
}

START_TEST(state_survives)
{
	uint8_t first[32], second[32];
	virtio_rig_drive(&rig, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX, 1, SIZE);
	ask(32);
	GByteArray *bytes = save();
	ask(32);
	memcpy(first, rig.ram + RIG_BUFFER, sizeof first);
	uint16_t used = virtio_rig_used(&rig, 0);
	virtio_mmio_reset(rig.mmio);
	ck_assert(!rig.level);
	ck_assert(load(bytes));
	ck_assert(rig.level);
	ck_assert_uint_eq(get(R_STATUS), 15);
	virtio_rig_kick(&rig, 0); /* what is available since then comes again, with the same numbers */
	memcpy(second, rig.ram + RIG_BUFFER, sizeof second);
	ck_assert_mem_eq(first, second, sizeof first);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), used);
	g_byte_array_free(bytes, TRUE);
}
END_TEST

/* Work that waits for the next part is done after a load. */
START_TEST(state_has_what_is_pending)
{
	virtio_rig_drive(&rig, 0, 1, 256);
	for (uint16_t n = 0; n < 256; n++) {
		virtio_rig_describe(&rig, 0, n, RIG_BUFFER, 65536, D_WRITE, 0);
		virtio_rig_offer(&rig, 0, n);
	}
	virtio_rig_kick(&rig, 0);
	ck_assert_uint_lt(virtio_rig_used(&rig, 0), 256);
	GByteArray *bytes = save();
	virtio_mmio_reset(rig.mmio);
	virtio_rig_pass(&rig);
	ck_assert_uint_lt(virtio_rig_used(&rig, 0), 256);
	ck_assert(load(bytes));
	virtio_rig_pass(&rig);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 256);
	g_byte_array_free(bytes, TRUE);
}
END_TEST

START_TEST(bad_states_are_refused)
{
	virtio_rig_drive(&rig, 0, 1, 256);
	GByteArray *bytes = save();
	guint8 *place = NULL;
	for (guint n = 0; n + 6 < bytes->len; n++)
		if (!memcmp(bytes->data + n, "\4size", 5))
			place = bytes->data + n + 5;
	ck_assert_ptr_nonnull(place);
	ck_assert_uint_eq(place[1], 1); /* 256 */
	place[1] = 4;
	ck_assert(!load(bytes));
	virtio_rig_kick(&rig, 0);
	g_byte_array_free(bytes, TRUE);
}
END_TEST

/* --- version 1 ------------------------------------------------------------------------------ */

START_TEST(legacy_identity)
{
	ck_assert_uint_eq(get(R_VERSION), 1);
	ck_assert(offered() == (VIRTIO_F_ANY_LAYOUT | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_INDEX));
	ck_assert_uint_eq(get(R_READY), 0); /* is not there */
	ck_assert_uint_eq(get(R_PFN), 0);
	ck_assert(!virtio_rig_agree(&rig, 0)); /* nothing to be agreed on */
	ck_assert_uint_eq(get(R_STATUS), 3);
}
END_TEST

START_TEST(legacy_queue)
{
	virtio_rig_drive(&rig, VIRTIO_F_EVENT_INDEX, 1, SIZE);
	ask(100);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
	ck_assert(rig.level);
	set(R_PFN, 0);
	ck_assert_uint_eq(get(R_PFN), 0);
	ask(100);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
}
END_TEST

/* Linux tells its page size before it resets the device, and never again. */
START_TEST(legacy_page_size_stays)
{
	set(R_PAGE_SIZE, 4096);
	set(R_STATUS, 0);
	set(R_NUM, SIZE);
	set(R_ALIGN, 4096);
	set(R_PFN, RIG_QUEUE >> 12);
	ck_assert_uint_eq(get(R_PFN), RIG_QUEUE >> 12);
	set(R_STATUS, 0);
	ck_assert_uint_eq(get(R_PFN), 0);
}
END_TEST

START_TEST(legacy_used_before_it_is_ready)
{
	set(R_STATUS, 3);
	ck_assert(virtio_rig_place(&rig, 0, SIZE));
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
}
END_TEST

START_TEST(legacy_hostile_set_up)
{
	static const uint32_t page[] = { 4096, 0, 4096, 3, 0x80000000, 4096, UINT32_MAX, 4096 };
	static const uint32_t align[] = { 0, 4096, 3, 4096, 0x80000000, 2, 4096, 4096 };
	static const uint32_t size[] = { 8, 8, 8, 8, 8, 8, 8, 12 };
	for (unsigned n = 0; n < G_N_ELEMENTS(page); n++) {
		set(R_STATUS, 0);
		set(R_STATUS, 3);
		set(R_PAGE_SIZE, page[n]);
		set(R_NUM, size[n]);
		set(R_ALIGN, align[n]);
		set(R_PFN, UINT32_MAX);
		virtio_rig_kick(&rig, 0);
		set(R_PFN, 1);
		virtio_rig_kick(&rig, 0);
		bool may_be = page[n] == 0x80000000;
		ck_assert_msg((get(R_PFN) != 0) == may_be, "%u", n);
	}
}
END_TEST

/* There is no way to tell but silence. */
START_TEST(legacy_broken)
{
	virtio_rig_drive(&rig, 0, 1, SIZE);
	virtio_rig_describe(&rig, 0, 0, RIG_BUFFER, 16, D_WRITE | D_NEXT, 0);
	virtio_rig_offer(&rig, 0, 0);
	virtio_rig_kick(&rig, 0);
	ck_assert(!rig.level);
	ck_assert_uint_eq(get(R_STATUS), 7);
	virtio_rig_drive(&rig, 0, 1, SIZE);
	ask(8);
	ck_assert_uint_eq(virtio_rig_used(&rig, 0), 1);
}
END_TEST

Suite *suite_virtio_mmio(void);

Suite *suite_virtio_mmio(void)
{
	Suite *suite = suite_create("virtio_mmio");
	TCase *tcase = tcase_create("version 2");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, identity);
	tcase_add_test(tcase, only_whole_registers);
	tcase_add_test(tcase, features_are_agreed_on);
	tcase_add_test(tcase, nothing_before_the_driver_is_ready);
	tcase_add_test(tcase, queue_sizes);
	tcase_add_test(tcase, queues_are_aligned);
	tcase_add_test(tcase, a_queue_in_use_stays_where_it_is);
	tcase_add_test(tcase, notifications_of_other_queues);
	tcase_add_test(tcase, interrupts);
	tcase_add_test(tcase, status_bits_are_only_added);
	tcase_add_test(tcase, state_survives);
	tcase_add_test(tcase, state_has_what_is_pending);
	tcase_add_test(tcase, bad_states_are_refused);
	suite_add_tcase(suite, tcase);
	tcase = tcase_create("version 1");
	tcase_add_checked_fixture(tcase, start_legacy, stop);
	tcase_add_test(tcase, legacy_identity);
	tcase_add_test(tcase, legacy_queue);
	tcase_add_test(tcase, legacy_page_size_stays);
	tcase_add_test(tcase, legacy_used_before_it_is_ready);
	tcase_add_test(tcase, legacy_hostile_set_up);
	tcase_add_test(tcase, legacy_broken);
	suite_add_tcase(suite, tcase);
	return suite;
}
