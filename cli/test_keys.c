#include "cli/test_keys.h"

#include <string.h>

#include "cli/units.h"

#define MIB (UINT64_C(1) << 20)

static bool refuse_empty(const char *value, char **error)
{
	if (*value)
		return false;
	*error = g_strdup("is empty; give something or leave the key out");
	return true;
}

static bool set_text(char **to, const char *value, char **error)
{
	if (refuse_empty(value, error))
		return false;
	*to = g_strdup(value);
	return true;
}

static bool add_text(GPtrArray *to, const char *value, char **error)
{
	if (refuse_empty(value, error))
		return false;
	g_ptr_array_add(to, g_strdup(value));
	return true;
}

/* [test] */

static bool set_name(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	g_clear_pointer(&keys->file->name, g_free);
	if (!set_text(&keys->file->name, value, error))
		return false;
	for (const char *c = value; *c; c++) {
		if (!g_ascii_iscntrl(*c) && *c != '#')
			continue;
		*error = g_strdup("has a control character or #; give a plain name");
		return false;
	}
	return true;
}

static bool set_description(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return set_text(&keys->file->description, value, error);
}

static bool add_engine(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return add_text(keys->file->engines, value, error);
}

/* [limits] */

static bool set_guest_time(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_time(value, &keys->file->limits.guest_ns, error);
}

static bool set_host_time(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_time(value, &keys->file->limits.host_ns, error);
}

static bool set_memory_limit(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_size(value, MIB, UINT64_C(1) << 40, &keys->file->limits.memory, error);
}

/* [expect] */

static bool add_screen_text(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return add_text(keys->expect->texts, value, error);
}

static bool add_no_text(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return add_text(keys->expect->no_texts, value, error);
}

static bool add_serial(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return add_text(keys->expect->serials, value, error);
}

static bool add_no_serial(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return add_text(keys->expect->no_serials, value, error);
}

static bool add_register(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	struct test_register *reg = test_register_parse(value, error);
	if (reg)
		g_ptr_array_add(keys->expect->registers, reg);
	return reg;
}

static bool add_memory(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	struct test_memory *memory = test_memory_parse(value, error);
	if (memory)
		g_ptr_array_add(keys->expect->memories, memory);
	return memory;
}

static bool set_mode(void *target, const char *value, char **error)
{
	static const char *const modes[] = { "real", "big-real", "vm86", "pm16", "pm32", "pm64", NULL };
	struct test_keys_target *keys = target;
	if (g_strv_contains(modes, value))
		return set_text(&keys->expect->mode, value, error);
	*error = g_strdup_printf("'%s' is no mode; give real, big-real, vm86, pm16, pm32 or pm64", value);
	return false;
}

static bool set_protected_within(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_time(value, &keys->expect->protected_within, error);
}

static bool set_max_transitions(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_number(value, 0, UINT64_MAX - 1, &keys->expect->max_transitions, error);
}

static bool set_min_transitions(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	return units_parse_number(value, 1, UINT64_MAX - 1, &keys->expect->min_transitions, error);
}

static bool set_status(void *target, const char *value, char **error)
{
	struct test_keys_target *keys = target;
	uint64_t status;
	if (!units_parse_number(value, 0, 511, &status, error))
		return false;
	keys->expect->status = (int)status;
	return true;
}

/* Pictures: in [expect] how the screen compares to a file, in [compare] how two
 * engines' screens compare. */

static struct test_picture *picture(struct test_keys_target *keys)
{
	return keys->expect ? &keys->expect->picture : &keys->file->compare;
}

static bool set_png(char **to, const struct test_keys_target *keys, const char *value, char **error)
{
	if (!g_str_has_suffix(value, ".png")) {
		*error = g_strdup_printf("'%s' does not end with .png; only that format is read", value);
		return false;
	}
	*to = g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(keys->folder, value, NULL);
	return true;
}

static bool set_screen(void *target, const char *value, char **error)
{
	return set_png(&picture(target)->file, target, value, error);
}

static bool set_tolerance(void *target, const char *value, char **error)
{
	uint64_t tolerance;
	if (!units_parse_number(value, 0, 255, &tolerance, error))
		return false;
	picture(target)->tolerance = (unsigned)tolerance;
	return true;
}

static bool set_pixels(void *target, const char *value, char **error)
{
	return units_parse_number(value, 0, SURFACE_MAX_SIDE * SURFACE_MAX_SIDE, &picture(target)->pixels, error);
}

static bool set_mask(void *target, const char *value, char **error)
{
	return set_png(&picture(target)->mask, target, value, error);
}

static bool add_ignore(void *target, const char *value, char **error)
{
	struct test_picture *to = picture(target);
	struct surface_area rectangle;
	if (!units_parse_area(value, &rectangle, error))
		return false;
	if (!to->ignore)
		to->ignore = g_array_new(FALSE, FALSE, sizeof rectangle);
	g_array_append_val(to->ignore, rectangle);
	return true;
}

#define PICTURE_KEYS(group_) \
	{ .group = group_, .name = "tolerance", .argument = "0..255", .set = set_tolerance, \
	  .help = "How far red, green and blue of a pixel may be off (0 if left out)." }, \
	{ .group = group_, .name = "pixels", .argument = "NUMBER", .set = set_pixels, \
	  .help = "How many pixels may be off by more than that (0 if left out)." }, \
	{ .group = group_, .name = "mask", .argument = "FILE.png", .set = set_mask, \
	  .help = "A picture of the same size; where it is black nothing is compared." }, \
	{ .group = group_, .name = "ignore", .argument = "X,Y,WIDTH,HEIGHT;...", .list = true, .set = add_ignore, \
	  .help = "Rectangles in which nothing is compared." }

static const struct test_key rows[] = {
	{ .group = TEST_GROUP_TEST, .name = "name", .argument = "TEXT", .set = set_name,
	  .help = "What reports call it. If left out, its path as it was given or found, without .v2etest." },
	{ .group = TEST_GROUP_TEST, .name = "description", .argument = "TEXT", .set = set_description,
	  .help = "A sentence for a reader of the report." },
	{ .group = TEST_GROUP_TEST, .name = "engines", .argument = "NAME;...", .list = true, .set = add_engine,
	  .help = "Run it on each of these engines and compare their last pictures; --engines wins over it." },
	{ .group = TEST_GROUP_LIMITS, .name = "guest-time", .argument = "TIME", .set = set_guest_time,
	  .help = "The test fails when it is not done by then, counted from power-on in guest time (60s if left out)." },
	{ .group = TEST_GROUP_LIMITS, .name = "host-time", .argument = "TIME", .set = set_host_time,
	  .help = "The test is ended when it has taken so long by the host's clock; by default that of --host-time." },
	{ .group = TEST_GROUP_LIMITS, .name = "memory", .argument = "SIZE", .set = set_memory_limit,
	  .help = "The test is ended when its process has more memory than this, the guest's included; "
	          "by default that of --memory." },
	{ .group = TEST_GROUP_EXPECT, .name = "text", .argument = "STRING;...", .list = true, .set = add_screen_text,
	  .help = "A line of the text screen contains each of these." },
	{ .group = TEST_GROUP_EXPECT, .name = "no-text", .argument = "STRING;...", .list = true, .set = add_no_text,
	  .help = "No line of the text screen contains one of these." },
	{ .group = TEST_GROUP_EXPECT, .name = "serial", .argument = "STRING;...", .list = true, .set = add_serial,
	  .help = "The guest has sent each of these over the first serial port." },
	{ .group = TEST_GROUP_EXPECT, .name = "no-serial", .argument = "STRING;...", .list = true, .set = add_no_serial,
	  .help = "The guest has sent none of these." },
	{ .group = TEST_GROUP_EXPECT, .name = "screen", .argument = "FILE.png", .set = set_screen,
	  .help = "The screen looks like this picture, a file beside the test. --update writes it. "
	          "A blinking cursor is always shown." },
	PICTURE_KEYS(TEST_GROUP_EXPECT),
	{ .group = TEST_GROUP_EXPECT, .name = "registers", .argument = "NAME[&MASK]=VALUE;...", .list = true, .set = add_register,
	  .help = "Registers have these values, or values in LOW..HIGH. Names as in registers.txt, and ax, ah, eip, cs and the like." },
	{ .group = TEST_GROUP_EXPECT, .name = "memory", .argument = "ADDRESS: BYTES;...", .list = true, .set = add_memory,
	  .help = "Memory has these hexadecimal bytes, ?? for any. The address is physical, such as 0x7dfe, or of real "
	          "mode, such as 07c0:01fe." },
	{ .group = TEST_GROUP_EXPECT, .name = "mode", .argument = "NAME", .set = set_mode,
	  .help = "The processor is in this mode: real, big-real, vm86, pm16, pm32 or pm64." },
	{ .group = TEST_GROUP_EXPECT, .name = "protected-within", .argument = "TIME", .set = set_protected_within,
	  .help = "Protected mode is reached (or is there already) at most so much guest time after the moment." },
	{ .group = TEST_GROUP_EXPECT, .name = "max-transitions", .argument = "NUMBER", .set = set_max_transitions,
	  .help = "From the moment to the end of the run the processor changes its mode at most so often." },
	{ .group = TEST_GROUP_EXPECT, .name = "min-transitions", .argument = "NUMBER", .set = set_min_transitions,
	  .help = "...and at least so often." },
	{ .group = TEST_GROUP_EXPECT, .name = "status", .argument = "NUMBER", .at_end = true, .set = set_status,
	  .help = "The exit status that the run has: that of quit, or of the exit port. 0 if left out. In [expect] only." },
	PICTURE_KEYS(TEST_GROUP_COMPARE),
};

static const struct {
	const char *name, *help;
} groups[TEST_GROUPS] = {
	[TEST_GROUP_TEST] = { "test", "What the test is." },
	[TEST_GROUP_LIMITS] = { "limits", "How long and how large it may become." },
	[TEST_GROUP_EXPECT] = { "expect", "What must hold at the end of the run. [expect after LABEL] is for the moment when the step "
	                                  "LABEL is done, [expect at TIME] for a moment of guest time, [expect at ADDRESS] for the first "
	                                  "time that the instruction there is next: a linear address such as 0x7c00, or one of real "
	                                  "mode such as 0000:7c00." },
	[TEST_GROUP_COMPARE] = { "compare", "How the last pictures of two engines are compared; without it every pixel must be equal." },
};

const char *test_group_name(enum test_group group)
{
	return groups[group].name;
}

const struct test_key *test_keys_find(enum test_group group, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].group == group && !strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

const char **test_keys_names(enum test_group group)
{
	const char **names = g_new0(const char *, G_N_ELEMENTS(rows) + 1);
	size_t count = 0;
	for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].group == group)
			names[count++] = rows[i].name;
	return names;
}

void test_keys_print_help(FILE *out)
{
	for (unsigned group = 0; group < TEST_GROUPS; group++) {
		fprintf(out, "\n[%s]\n", groups[group].name);
		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
			if (rows[i].group == group)
				fprintf(out, "  %s=%s\n", rows[i].name, rows[i].argument);
	}
}

void test_keys_print_man(FILE *out)
{
	for (unsigned group = 0; group < TEST_GROUPS; group++) {
		fprintf(out, ".SS [%s]\n", groups[group].name);
		options_print_man_text(groups[group].help, out);
		for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
			if (rows[i].group != group)
				continue;
			fputs(".TP\n\\fB", out);
			for (const char *c = rows[i].name; *c; c++)
				fprintf(out, *c == '-' ? "\\-" : "%c", *c);
			fprintf(out, "\\fR=\\fI%s\\fR\n", rows[i].argument);
			options_print_man_text(rows[i].help, out);
		}
	}
}
