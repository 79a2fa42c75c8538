#include <check.h>
#include <string.h>

#include "gdb/packet.h"

static struct gdb_packet_reader reader;

static void start(void) { gdb_packet_reader_init(&reader); }
static void stop(void) { gdb_packet_reader_clear(&reader); }

/* The event of the last byte; all before it give none. */
static enum gdb_packet_event feed(const char *text, size_t size)
{
	for (size_t n = 0; n + 1 < size; n++)
		ck_assert_int_eq(gdb_packet_feed(&reader, (uint8_t)text[n]), GDB_PACKET_NONE);
	return gdb_packet_feed(&reader, (uint8_t)text[size - 1]);
}

#define FEED(text) feed(text, strlen(text))

START_TEST(a_packet_is_read)
{
	ck_assert_int_eq(FEED("$m0,4#fd"), GDB_PACKET_READY);
	ck_assert_str_eq(reader.data->str, "m0,4");
	ck_assert_int_eq(FEED("$#00"), GDB_PACKET_READY);
	ck_assert_uint_eq(reader.data->len, 0);
	ck_assert_int_eq(FEED("+noise$?#3f"), GDB_PACKET_READY);
	ck_assert_str_eq(reader.data->str, "?");
	ck_assert_int_eq(FEED("$?#3F"), GDB_PACKET_READY);
}
END_TEST

START_TEST(a_wrong_checksum_is_refused)
{
	ck_assert_int_eq(FEED("$m0,4#fe"), GDB_PACKET_BAD);
	ck_assert_int_eq(FEED("$?#3x"), GDB_PACKET_BAD);
	ck_assert_int_eq(FEED("$?#x"), GDB_PACKET_BAD);
	ck_assert_int_eq(FEED("$?#3f"), GDB_PACKET_READY);
}
END_TEST

START_TEST(a_packet_cut_short_gives_way_to_the_next)
{
	ck_assert_int_eq(FEED("$m0,$?#3f"), GDB_PACKET_READY);
	ck_assert_str_eq(reader.data->str, "?");
}
END_TEST

START_TEST(break_and_repeat_count_between_packets_only)
{
	ck_assert_int_eq(FEED("\003"), GDB_PACKET_BREAK);
	ck_assert_int_eq(FEED("-"), GDB_PACKET_AGAIN);
	ck_assert_int_eq(FEED("$X\003-#a3"), GDB_PACKET_BAD);
	ck_assert_int_eq(FEED("$X\003-#88"), GDB_PACKET_READY);
	ck_assert_mem_eq(reader.data->str, "X\003-", 3);
}
END_TEST

START_TEST(escapes_come_and_go)
{
	static const char data[] = { 'X', '#', '$', '}', '*', 0, 'z' };
	g_autoptr(GString) frame = g_string_new(NULL);
	gdb_packet_frame(frame, data, sizeof data);
	ck_assert_ptr_null(strchr(frame->str + 1, '$'));
	ck_assert_uint_eq(frame->len, 1 + sizeof data + 4 + 3);
	ck_assert_int_eq(feed(frame->str, frame->len), GDB_PACKET_READY);
	ck_assert_uint_eq(reader.data->len, sizeof data);
	ck_assert_mem_eq(reader.data->str, data, sizeof data);
}
END_TEST

START_TEST(a_packet_may_be_so_long_and_no_longer)
{
	g_autofree char *data = g_strnfill(GDB_PACKET_MAX + 1, 'a');
	g_autoptr(GString) frame = g_string_new(NULL);
	gdb_packet_frame(frame, data, GDB_PACKET_MAX);
	ck_assert_int_eq(feed(frame->str, frame->len), GDB_PACKET_READY);
	ck_assert_uint_eq(reader.data->len, GDB_PACKET_MAX);
	g_string_truncate(frame, 0);
	gdb_packet_frame(frame, data, GDB_PACKET_MAX + 1);
	ck_assert_int_eq(feed(frame->str, frame->len), GDB_PACKET_BAD);
}
END_TEST

START_TEST(hexadecimal_there_and_back)
{
	static const uint8_t bytes[] = { 0x00, 0x0f, 0xf0, 0xa5 };
	uint8_t back[4];
	g_autoptr(GString) text = g_string_new(NULL);
	gdb_packet_append_hex(text, bytes, sizeof bytes);
	ck_assert_str_eq(text->str, "000ff0a5");
	ck_assert(gdb_packet_parse_hex(text->str, 8, back));
	ck_assert_mem_eq(back, bytes, sizeof bytes);
	ck_assert(!gdb_packet_parse_hex("0", 1, back));
	ck_assert(!gdb_packet_parse_hex("0g", 2, back));
	ck_assert(!gdb_packet_parse_hex("x0", 2, back));
}
END_TEST

Suite *suite_gdb_packet(void)
{
	Suite *suite = suite_create("gdb packet");
	TCase *tcase = tcase_create("all");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, a_packet_is_read);
	tcase_add_test(tcase, a_wrong_checksum_is_refused);
	tcase_add_test(tcase, a_packet_cut_short_gives_way_to_the_next);
	tcase_add_test(tcase, break_and_repeat_count_between_packets_only);
	tcase_add_test(tcase, escapes_come_and_go);
	tcase_add_test(tcase, a_packet_may_be_so_long_and_no_longer);
	tcase_add_test(tcase, hexadecimal_there_and_back);
	suite_add_tcase(suite, tcase);
	return suite;
}
