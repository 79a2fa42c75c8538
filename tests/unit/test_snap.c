#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/snap.h"

struct chip {
	bool on;
	uint8_t byte;
	uint16_t word;
	uint32_t dword;
	uint64_t qword;
	uint8_t bytes[5];
	struct clock_timer *timer;
};

static struct clock *clock;
static struct chip chip;

static void nothing(void *owner)
{
	(void)owner;
}

static void setup(void)
{
	clock = clock_new(CLOCK_KIND_VIRTUAL);
	chip = (struct chip){ true, 0x12, 0x3456, 0x789abcde, 0x1122334455667788, { 1, 2, 3, 4, 5 }, NULL };
	chip.timer = clock_timer_new(clock, nothing, NULL);
	clock_timer_set(chip.timer, 1234);
}

static void teardown(void)
{
	clock_timer_free(chip.timer);
	clock_free(clock);
}

static void chip_state(struct chip *c, struct snap *snap)
{
	snap_section(snap, "chip", 3);
	snap_bool(snap, "on", &c->on);
	snap_u8(snap, "byte", &c->byte);
	snap_u16(snap, "word", &c->word);
	snap_u32(snap, "dword", &c->dword);
	snap_u64(snap, "qword", &c->qword);
	snap_bytes(snap, "bytes", c->bytes, sizeof c->bytes);
	snap_timer(snap, "timer", c->timer);
}

/* What a chip saves, in the caller's buffer. */
static size_t save(struct chip *c, uint8_t *to, size_t room)
{
	struct snap *snap = snap_new_save();
	size_t size;
	chip_state(c, snap);
	ck_assert(!snap_is_loading(snap));
	const void *data = snap_data(snap, &size);
	ck_assert_uint_le(size, room);
	memcpy(to, data, size);
	snap_free(snap);
	return size;
}

START_TEST(round_trip)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	struct chip other = { .timer = clock_timer_new(clock, nothing, NULL) };
	struct snap *snap = snap_new_load(data, size);
	ck_assert(snap_is_loading(snap));
	chip_state(&other, snap);
	ck_assert_ptr_null(snap_error(snap));
	ck_assert(other.on);
	ck_assert_uint_eq(other.byte, 0x12);
	ck_assert_uint_eq(other.word, 0x3456);
	ck_assert_uint_eq(other.dword, 0x789abcde);
	ck_assert_uint_eq(other.qword, 0x1122334455667788);
	ck_assert_mem_eq(other.bytes, chip.bytes, 5);
	ck_assert_uint_eq(clock_timer_deadline(other.timer), 1234);
	snap_free(snap);
	clock_timer_free(other.timer);
}
END_TEST

START_TEST(stopped_timer)
{
	uint8_t data[256];
	clock_timer_stop(chip.timer);
	size_t size = save(&chip, data, sizeof data);
	clock_timer_set(chip.timer, 77);
	struct snap *snap = snap_new_load(data, size);
	chip_state(&chip, snap);
	ck_assert_ptr_null(snap_error(snap));
	ck_assert_uint_eq(clock_timer_deadline(chip.timer), CLOCK_NEVER);
	snap_free(snap);
}
END_TEST

/* Cut anywhere, a load fails, and fields behind the cut keep their values. */
START_TEST(cut_off)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	for (size_t n = 0; n < size; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* for the address sanitizer */
		memcpy(exact, data, n);
		clock_timer_set(chip.timer, 99);
		struct snap *snap = snap_new_load(exact, n);
		chip_state(&chip, snap);
		ck_assert_msg(snap_error(snap), "%zu of %zu bytes", n, size);
		ck_assert_uint_eq(clock_timer_deadline(chip.timer), 99);
		snap_free(snap);
		free(exact);
	}
}
END_TEST

/* Whatever one byte becomes, a load ends well. */
START_TEST(any_byte_changed)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	for (size_t n = 0; n < size; n++)
		for (unsigned bit = 0; bit < 8; bit++) {
			data[n] ^= (uint8_t)(1u << bit);
			struct snap *snap = snap_new_load(data, size);
			chip_state(&chip, snap);
			snap_free(snap);
			data[n] ^= (uint8_t)(1u << bit);
		}
}
END_TEST

START_TEST(other_fields_are_refused)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	struct snap *snap = snap_new_load(data, size);
	uint8_t byte = 0xaa;
	snap_section(snap, "chip", 3);
	snap_u8(snap, "mode", &byte);
	ck_assert_str_eq(snap_error(snap), "chip: mode expected, on found");
	ck_assert_uint_eq(byte, 0xaa);
	snap_bool(snap, "on", &chip.on); /* only the first error stays */
	ck_assert_str_eq(snap_error(snap), "chip: mode expected, on found");
	snap_free(snap);
}
END_TEST

START_TEST(other_type_is_refused)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	struct snap *snap = snap_new_load(data, size);
	uint8_t byte = 0xaa;
	snap_section(snap, "chip", 3);
	snap_u8(snap, "on", &byte);
	ck_assert(snap_error(snap));
	ck_assert_uint_eq(byte, 0xaa);
	snap_free(snap);
}
END_TEST

START_TEST(other_section_is_refused)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	struct snap *snap = snap_new_load(data, size);
	snap_section(snap, "chop", 3);
	ck_assert_str_eq(snap_error(snap), "chop: chop expected, chip found");
	snap_free(snap);
	snap = snap_new_load(data, size);
	snap_section(snap, "chip", 2);
	ck_assert_str_eq(snap_error(snap), "chip: version 3, not 2");
	snap_free(snap);
}
END_TEST

START_TEST(other_length_is_refused)
{
	struct snap *snap = snap_new_save();
	uint8_t bytes[6] = "abcde";
	size_t size;
	snap_bytes(snap, "bytes", bytes, 5);
	const void *data = snap_data(snap, &size);
	struct snap *load = snap_new_load(data, size);
	memset(bytes, 'x', sizeof bytes);
	snap_bytes(load, "bytes", bytes, 6);
	ck_assert_str_eq(snap_error(load), "bytes has 5 bytes, not 6");
	ck_assert_mem_eq(bytes, "xxxxxx", 6);
	snap_free(load);
	snap_free(snap);
}
END_TEST

START_TEST(bool_is_0_or_1)
{
	struct snap *snap = snap_new_save();
	bool value = true;
	size_t size;
	snap_bool(snap, "on", &value);
	const uint8_t *data = snap_data(snap, &size);
	uint8_t copy[16];
	memcpy(copy, data, size);
	copy[size - 1] = 2;
	struct snap *load = snap_new_load(copy, size);
	snap_bool(load, "on", &value);
	ck_assert(snap_error(load));
	snap_free(load);
	snap_free(snap);
}
END_TEST

START_TEST(chip_fails_a_load)
{
	uint8_t data[256];
	size_t size = save(&chip, data, sizeof data);
	struct snap *snap = snap_new_load(data, size);
	snap_section(snap, "chip", 3);
	snap_bool(snap, "on", &chip.on);
	snap_fail(snap, "index %u", 9u);
	ck_assert_str_eq(snap_error(snap), "chip: index 9");
	chip.byte = 0x55;
	snap_u8(snap, "byte", &chip.byte);
	ck_assert_uint_eq(chip.byte, 0x55);
	snap_free(snap);
}
END_TEST

START_TEST(dump)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	struct snap *snap = snap_new_dump(out);
	static uint8_t many[257];
	chip_state(&chip, snap);
	clock_timer_stop(chip.timer);
	snap_timer(snap, "timer", chip.timer);
	snap_bytes(snap, "many", many, sizeof many);
	snap_free(snap);
	fclose(out);
	ck_assert_str_eq(text, "chip.on 0x1\nchip.byte 0x12\nchip.word 0x3456\nchip.dword 0x789abcde\n"
	                       "chip.qword 0x1122334455667788\nchip.bytes 0102030405\nchip.timer 0x4d2\n"
	                       "chip.timer never\n"
	                       "chip.many 257 bytes, sha1 5ee50d675c809fe59e4a7762c54b65837547eafb\n");
	free(text);
}
END_TEST

Suite *suite_snap(void)
{
	Suite *suite = suite_create("snap");
	TCase *tcase = tcase_create("snap");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, round_trip);
	tcase_add_test(tcase, stopped_timer);
	tcase_add_test(tcase, cut_off);
	tcase_add_test(tcase, any_byte_changed);
	tcase_add_test(tcase, other_fields_are_refused);
	tcase_add_test(tcase, other_type_is_refused);
	tcase_add_test(tcase, other_section_is_refused);
	tcase_add_test(tcase, other_length_is_refused);
	tcase_add_test(tcase, bool_is_0_or_1);
	tcase_add_test(tcase, chip_fails_a_load);
	tcase_add_test(tcase, dump);
	suite_add_tcase(suite, tcase);
	return suite;
}
