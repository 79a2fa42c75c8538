#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/log.h"

START_TEST(trace_words)
{
	uint32_t mask = 0;
	const char *bad = NULL;
	ck_assert(log_parse_trace("io,guest-error,switch", &mask, &bad));
	ck_assert_uint_eq(mask, LOG_TRACE_IO | LOG_TRACE_GUEST_ERROR | LOG_TRACE_SWITCH);
	ck_assert(log_parse_trace("int,irq,block,insn", &mask, &bad));
	ck_assert_uint_eq(mask, LOG_TRACE_INT | LOG_TRACE_IRQ | LOG_TRACE_BLOCK | LOG_TRACE_INSN);
	ck_assert(!log_parse_trace("io,irqs,insn", &mask, &bad));
	ck_assert_str_eq(bad, "irqs,insn");
	ck_assert(!log_parse_trace("io,", &mask, &bad));
	ck_assert_str_eq(bad, "");
	ck_assert_uint_eq(mask, LOG_TRACE_INT | LOG_TRACE_IRQ | LOG_TRACE_BLOCK | LOG_TRACE_INSN);
}
END_TEST

START_TEST(log_lines)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	log_set_output(out);
	log_trace_mask = LOG_TRACE_IO;
	log_error("bad %d", 1);
	log_info("good");
	log_trace(LOG_TRACE_IO, "in %u", 5u);
	log_trace(LOG_TRACE_IRQ, "hidden");
	guest_error("i8259", "hidden");
	log_trace_mask = LOG_TRACE_GUEST_ERROR;
	guest_error("i8259", "OCW%d", 3);
	log_trace_mask = 0;
	log_set_output(NULL);
	fclose(out);
	ck_assert_str_eq(text, "v2e: error: bad 1\nv2e: good\nin 5\nguest-error i8259: OCW3\n");
	free(text);
}
END_TEST

Suite *suite_log(void)
{
	Suite *suite = suite_create("log");
	TCase *tcase = tcase_create("log");
	tcase_add_test(tcase, trace_words);
	tcase_add_test(tcase, log_lines);
	suite_add_tcase(suite, tcase);
	return suite;
}
