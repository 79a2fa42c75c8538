#define _GNU_SOURCE /* memmem */
#include "cli/test_expect.h"

#include <inttypes.h>
#include <string.h>

#include "devmodel/display_png.h"

struct test_expect *test_expect_new(void)
{
	struct test_expect *expect = g_new0(struct test_expect, 1);
	expect->texts = g_ptr_array_new_with_free_func(g_free);
	expect->no_texts = g_ptr_array_new_with_free_func(g_free);
	expect->serials = g_ptr_array_new_with_free_func(g_free);
	expect->no_serials = g_ptr_array_new_with_free_func(g_free);
	expect->registers = g_ptr_array_new_with_free_func(test_register_free);
	expect->memories = g_ptr_array_new_with_free_func(test_memory_free);
	expect->protected_within = expect->max_transitions = UINT64_MAX;
	expect->status = -1;
	return expect;
}

void test_expect_free(void *data)
{
	struct test_expect *expect = data;
	g_free(expect->place);
	g_ptr_array_unref(expect->texts);
	g_ptr_array_unref(expect->no_texts);
	g_ptr_array_unref(expect->serials);
	g_ptr_array_unref(expect->no_serials);
	g_ptr_array_unref(expect->registers);
	g_ptr_array_unref(expect->memories);
	test_picture_clear(&expect->picture);
	g_free(expect->mode);
	g_free(expect);
}

struct judge {
	const struct test_expect *expect;
	const struct test_view *view;
	GPtrArray *failures; /* NULL: only the verdict counts */
};

/* Takes over `message`; with no one to hear it, it goes. Always false. */
static bool miss(const struct judge *judge, char *message)
{
	if (judge->failures)
		g_ptr_array_add(judge->failures, g_strdup_printf("%s: %s", judge->expect->place, message));
	g_free(message);
	return false;
}

static bool contains(const GString *text, const char *part)
{
	return text && memmem(text->str, text->len, part, strlen(part));
}

static bool judge_text(const struct judge *judge)
{
	const struct test_expect *expect = judge->expect;
	const GString *text = judge->view->text;
	bool fine = true;
	for (guint i = 0; i < expect->texts->len; i++)
		if (!contains(text, expect->texts->pdata[i]))
			fine = miss(judge, g_strdup_printf("text: the screen does not show \"%s\"%s", (char *)expect->texts->pdata[i],
			                                   text ? "" : ": it shows graphics"));
	for (guint i = 0; i < expect->no_texts->len; i++)
		if (contains(text, expect->no_texts->pdata[i]))
			fine = miss(judge, g_strdup_printf("no-text: the screen shows \"%s\"", (char *)expect->no_texts->pdata[i]));
	return fine;
}

static bool judge_serial(const struct judge *judge)
{
	const struct test_expect *expect = judge->expect;
	const GString *serial = judge->view->serial;
	bool fine = true;
	for (guint i = 0; i < expect->serials->len; i++)
		if (!contains(serial, expect->serials->pdata[i]))
			fine = miss(judge, g_strdup_printf("serial: \"%s\" is not among the %zu bytes that the serial port sent",
			                                   (char *)expect->serials->pdata[i], serial->len));
	for (guint i = 0; i < expect->no_serials->len; i++)
		if (contains(serial, expect->no_serials->pdata[i]))
			fine = miss(judge, g_strdup_printf("no-serial: the serial port sent \"%s\"", (char *)expect->no_serials->pdata[i]));
	return fine;
}

static bool judge_register(const struct judge *judge, const struct test_register *reg)
{
	uint64_t value = 0;
	bool known = test_register_value(judge->view->ctx, reg->name, &value);
	uint64_t masked = value & reg->mask;
	if (known && masked >= reg->low && masked <= reg->high)
		return true;
	return miss(judge, g_strdup_printf("registers: %s does not hold: %s is 0x%" PRIx64, reg->text, reg->name, value));
}

static bool judge_memory(const struct judge *judge, const struct test_memory *memory)
{
	g_autoptr(GString) seen = g_string_new(NULL);
	bool fine = true;
	for (guint i = 0; i < memory->bytes->len; i++) {
		int wanted = g_array_index(memory->bytes, int, i);
		uint8_t byte = 0xff;
		/* Reading MMIO could change the guest: what is not memory is no byte. */
		bool there = mem_read_bytes(judge->view->mem, (uint64_t)memory->address + i, &byte, 1) == 1;
		g_string_append_printf(seen, there ? " %02x" : " --", byte);
		fine = fine && there && (wanted < 0 || wanted == byte);
	}
	if (fine)
		return true;
	return miss(judge, g_strdup_printf("memory: %s does not hold: there is%s", memory->text, seen->str));
}

static bool judge_machine(const struct judge *judge)
{
	const struct test_expect *expect = judge->expect;
	const char *mode = ctx_mode_name(judge->view->ctx);
	bool fine = true;
	for (guint i = 0; i < expect->registers->len; i++)
		fine = judge_register(judge, expect->registers->pdata[i]) && fine;
	for (guint i = 0; i < expect->memories->len; i++)
		fine = judge_memory(judge, expect->memories->pdata[i]) && fine;
	if (expect->mode && strcmp(expect->mode, mode))
		fine = miss(judge, g_strdup_printf("mode: the processor is in %s, not %s", mode, expect->mode));
	return fine;
}

static bool excused(const struct judge *judge, const struct surface *wanted, const char *why)
{
	const struct test_view *view = judge->view;
	return judge->failures && view->picture_differs &&
	       view->picture_differs(view->owner, judge->expect, wanted, why);
}

static bool judge_picture(const struct judge *judge)
{
	const struct test_picture *picture = &judge->expect->picture;
	if (!picture->file)
		return true;
	struct surface *wanted = surface_new(0, 0);
	g_autofree char *why = NULL;
	bool read = display_png_read(wanted, picture->file, &why) == 0;
	bool fine = read && test_picture_equal(picture, judge->view->screen, wanted, NULL, &why);
	if (!fine && !excused(judge, read ? wanted : NULL, why))
		miss(judge, read ? g_strdup_printf("screen: %s: %s", picture->file, why)
		                 : g_strdup_printf("screen: %s; --update makes the picture", why));
	else
		fine = true;
	surface_free(wanted);
	return fine;
}

bool test_expect_judge(const struct test_expect *expect, const struct test_view *view, GPtrArray *failures)
{
	struct judge judge = { expect, view, failures };
	bool fine = judge_text(&judge);
	fine = judge_serial(&judge) && fine;
	fine = judge_machine(&judge) && fine;
	/* Pictures cost most: not while there is something to wait for anyway. */
	return (fine || failures) && judge_picture(&judge) && fine;
}
