#include "cli/test_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/nearest.h"
#include "cli/test_keys.h"
#include "cli/test_places.h"
#include "cli/units.h"

/* While a file is read. */
struct load {
	struct test_file *file;
	GKeyFile *keys;
	struct test_places *places;
	const GPtrArray *folders;
	char *folder; /* the file's */
	const char *group;
	char **error;
};

/* Takes over `reason`. Always false. */
static bool fail_at(const struct load *load, const char *key, char *reason)
{
	g_autofree char *place = test_places_format(load->places, load->group, key);
	*load->error = g_strdup_printf("%s: %s", place, reason);
	g_free(reason);
	return false;
}

static bool fail_name(const struct load *load, const char *key, const char *what, const char *name, const char *const *names)
{
	const char *near = nearest_match(name, names);
	if (near)
		return fail_at(load, key, g_strdup_printf("unknown %s '%s'; did you mean %s?", what, name, near));
	g_autofree char *all = g_strjoinv(", ", (char **)names);
	return fail_at(load, key, g_strdup_printf("unknown %s '%s'; there are %s", what, name, all));
}

/* The values of a key without their escapes: all parts of a list, or the one. */
static char **read_values(const struct load *load, const char *key, bool list)
{
	g_autoptr(GError) problem = NULL;
	char **values = NULL;
	if (list) {
		values = g_key_file_get_string_list(load->keys, load->group, key, NULL, &problem);
	} else {
		char *value = g_key_file_get_string(load->keys, load->group, key, &problem);
		if (value) {
			values = g_new0(char *, 2);
			values[0] = value;
		}
	}
	if (values && values[0])
		return values;
	g_strfreev(values);
	/* The text is UTF-8, so that only an escape can be wrong. */
	fail_at(load, key, problem ? g_strdup("has a \\ that GLib does not know; write \\\\ for a plain one, \\s for a blank, \\; for a semicolon")
	                           : g_strdup("is empty; give something or leave the key out"));
	return NULL;
}

/* [test], [limits], [expect ...], [compare] */

/* Without the blanks around it, in place. A line's end that was written as \n is
 * meant. */
static char *strip(char *value)
{
	value += strspn(value, " \t");
	size_t length = strlen(value);
	while (length && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		length--;
	value[length] = 0;
	return value;
}

static bool load_key(const struct load *load, enum test_group group, const char *name, struct test_expect *expect)
{
	const struct test_key *key = test_keys_find(group, name);
	if (!key) {
		g_autofree const char **names = test_keys_names(group);
		return fail_name(load, name, "key", name, names);
	}
	if (key->at_end && expect && expect->when != TEST_AT_END)
		return fail_at(load, name, g_strdup("belongs to the end of the run; move it to [expect]"));
	struct test_keys_target target = { load->file, expect, load->folder };
	g_auto(GStrv) values = read_values(load, name, key->list);
	for (unsigned i = 0; values && values[i]; i++) {
		char *reason = NULL;
		if (!key->set(&target, strip(values[i]), &reason))
			return fail_at(load, name, reason);
	}
	return values;
}

static bool load_keys(const struct load *load, enum test_group group, struct test_expect *expect)
{
	g_auto(GStrv) names = g_key_file_get_keys(load->keys, load->group, NULL, NULL);
	for (unsigned i = 0; names && names[i]; i++)
		if (!load_key(load, group, names[i], expect))
			return false;
	return true;
}

static bool load_limits(const struct load *load)
{
	return load_keys(load, TEST_GROUP_LIMITS, NULL);
}

static bool load_compare(const struct load *load)
{
	return load_keys(load, TEST_GROUP_COMPARE, NULL);
}

static bool load_test(const struct load *load)
{
	return load_keys(load, TEST_GROUP_TEST, NULL);
}

/* [machine] */

static const struct {
	const char *name, *instead;
} foreign_options[] = {
	{ "do", "put the command into [steps]" },
	{ "script", "put its commands into [steps]" },
	{ "timeout", "write guest-time in [limits]" },
	{ "engine", "write engines in [test], or give --engines" },
	{ "serial", "leave it out: the first serial port is always recorded" },
	{ "gdb", "leave it out, or give it to v2e run" },
	{ "compare", "write engines in [test]" },
	{ "transitions", "leave it out: transitions.txt among the artefacts has the last" },
	{ "log", "leave it out: log.txt among the artefacts has it" },
	{ "trace-file", "leave it out: log.txt among the artefacts has it" },
	{ "trace-format", "leave it out: log.txt among the artefacts has it" },
	{ "symbols", "leave it out: a test shows no names" },
	{ "stats", "leave it out: result.ini among the artefacts has them" },
	{ "help", "leave it out" },
	{ "man", "leave it out" },
};

static const char *const input_files[] = { "image", "cdrom", "disk", "floppy", "bios", "vgabios", NULL };

static const struct option_row *find_option(const char *name)
{
	for (unsigned i = 0; i < run_options_table.count; i++)
		if (!strcmp(run_options_table.rows[i].name, name))
			return &run_options_table.rows[i];
	return NULL;
}

static bool fail_option(const struct load *load, const char *key)
{
	const char *names[OPTIONS_MAX + 2] = { "image" };
	for (unsigned i = 0; i < run_options_table.count; i++)
		names[i + 1] = run_options_table.rows[i].name;
	const char *near = nearest_match(key, names);
	if (near)
		return fail_at(load, key, g_strdup_printf("unknown option; did you mean %s?", near));
	return fail_at(load, key, g_strdup("unknown option; give one of v2e run --help without the dashes, or image"));
}

/* Beside the test, or in one of the folders for images. */
static char *find_file(const struct load *load, const char *name)
{
	char *path = g_path_is_absolute(name) ? g_strdup(name) : g_build_filename(load->folder, name, NULL);
	for (guint i = 0; i < load->folders->len && !g_file_test(path, G_FILE_TEST_EXISTS); i++) {
		g_free(path);
		path = g_build_filename(load->folders->pdata[i], name, NULL);
	}
	if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
		g_free(path);
		return NULL;
	}
	/* The test runs in a folder of its own. */
	char *absolute = g_canonicalize_filename(path, NULL);
	g_free(path);
	return absolute;
}

static bool resolve(const struct load *load, const char *key, const struct option_row *row, char **value)
{
	if (row && (!row->argument || strcmp(row->argument, "FILE")))
		return true;
	char *path = find_file(load, *value);
	if (!path && g_strv_contains(input_files, key))
		return fail_at(load, key, g_strdup_printf("%s: no such file in %s%s; put it beside the test or name its folder with --images",
		                                          *value, load->folder, load->folders->len ? " or the folders of --images" : ""));
	if (path) {
		g_free(*value);
		*value = path;
	}
	return true;
}

static bool add_flag(const struct load *load, const char *key, struct test_option *option)
{
	g_autoptr(GError) problem = NULL;
	if (g_key_file_get_boolean(load->keys, load->group, key, &problem))
		g_array_append_val(load->file->options, *option);
	else
		g_free(option->place);
	return !problem || fail_at(load, key, g_strdup("is a switch; write true or false"));
}

static bool add_option(const struct load *load, const char *key, const struct option_row *row)
{
	if (row && !row->argument) {
		struct test_option flag = { row, NULL, test_places_format(load->places, load->group, key) };
		return add_flag(load, key, &flag);
	}
	g_auto(GStrv) values = read_values(load, key, row && row->repeats);
	for (unsigned i = 0; values && values[i]; i++) {
		if (!resolve(load, key, row, &values[i]))
			return false;
		struct test_option option = { row, g_strdup(values[i]), test_places_format(load->places, load->group, key) };
		g_array_append_val(load->file->options, option);
	}
	return values;
}

static bool load_machine(const struct load *load)
{
	g_auto(GStrv) names = g_key_file_get_keys(load->keys, load->group, NULL, NULL);
	for (unsigned i = 0; names && names[i]; i++) {
		for (size_t n = 0; n < G_N_ELEMENTS(foreign_options); n++)
			if (!strcmp(foreign_options[n].name, names[i]))
				return fail_at(load, names[i], g_strdup_printf("is not for tests; %s", foreign_options[n].instead));
		const struct option_row *row = find_option(names[i]);
		if (!row && strcmp(names[i], "image"))
			return fail_option(load, names[i]);
		if (!add_option(load, names[i], row))
			return false;
	}
	return true;
}

static bool apply_option(const struct test_option *option, struct run_options *options, char **error)
{
	g_autofree char *reason = NULL;
	options_set *set = option->row ? option->row->set : run_options_table.operand;
	if (set(options, option->value, &reason))
		return true;
	*error = g_strdup_printf("%s: %s", option->place, reason);
	return false;
}

static bool apply_engine(const struct test_file *file, const char *engine, struct run_options *options, char **error)
{
	g_autofree char *reason = NULL;
	if (!engine || find_option("engine")->set(options, engine, &reason))
		return true;
	*error = g_strdup_printf("%s: engines: %s", file->path, reason);
	return false;
}

static bool has_option(const struct test_file *file, const char *name)
{
	for (guint i = 0; i < file->options->len; i++) {
		const struct option_row *row = g_array_index(file->options, struct test_option, i).row;
		if (row && !strcmp(row->name, name))
			return true;
	}
	return false;
}

/* Tests shall repeat: on the emulator in virtual time, where nothing else is asked
 * for. KVM has no such time. */
static void set_defaults(struct run_options *options)
{
	options->clock = CLOCK_KIND_VIRTUAL;
	options->engine = RUN_ENGINE_EMU;
	options->snapshot = true;
	options->stats = true; /* so that hand-overs are noted */
	g_ptr_array_add(options->serials, g_strdup("file:serial.log"));
}

bool test_file_options(const struct test_file *file, const char *engine, struct run_options *options, char **error)
{
	run_options_init(options);
	set_defaults(options);
	for (guint i = 0; i < file->options->len; i++)
		if (!apply_option(&g_array_index(file->options, struct test_option, i), options, error))
			return false;
	g_autofree char *reason = NULL;
	/* No words: only the look at what contradicts. */
	if (!run_options_parse(options, 0, NULL, &reason)) {
		*error = g_strdup_printf("%s:machine: %s", file->path, reason);
		return false;
	}
	if (!apply_engine(file, engine, options, error))
		return false;
	if ((options->engine == RUN_ENGINE_KVM || options->engine == RUN_ENGINE_HYBRID) && !has_option(file, "clock"))
		options->clock = CLOCK_KIND_REAL;
	return true;
}

/* [steps] */

static bool load_steps(const struct load *load)
{
	g_auto(GStrv) labels = g_key_file_get_keys(load->keys, load->group, NULL, NULL);
	for (unsigned i = 0; labels && labels[i]; i++) {
		g_autofree char *text = g_key_file_get_value(load->keys, load->group, labels[i], NULL);
		g_autofree char *place = g_strdup_printf("%s:%s:%s", load->file->path, load->group, labels[i]);
		unsigned line = test_places_line(load->places, load->group, labels[i]);
		if (!script_parse_line(load->file->steps, place, line, text, load->error))
			return false;
		if (script_count(load->file->steps) != i + 1)
			return fail_at(load, labels[i], g_strdup("there is no command; give one such as sleep 1s"));
		g_ptr_array_add(load->file->labels, g_strdup(labels[i]));
	}
	return true;
}

/* [expect ...] */

static bool set_step(const struct load *load, struct test_expect *expect, const char *label)
{
	for (guint i = 0; i < load->file->labels->len; i++)
		if (!strcmp(load->file->labels->pdata[i], label)) {
			expect->when = TEST_AFTER_STEP;
			expect->step = i;
			return true;
		}
	if (!load->file->labels->len)
		return fail_at(load, NULL, g_strdup_printf("there is no step '%s'; [steps] has none", label));
	g_autoptr(GPtrArray) names = g_ptr_array_new();
	for (guint i = 0; i < load->file->labels->len; i++)
		g_ptr_array_add(names, load->file->labels->pdata[i]);
	g_ptr_array_add(names, NULL);
	return fail_name(load, NULL, "step", label, (const char *const *)names->pdata);
}

static bool set_moment(const struct load *load, struct test_expect *expect)
{
	const char *when = load->group + strlen("expect");
	if (!*when)
		return true;
	if (g_str_has_prefix(when, " after "))
		return set_step(load, expect, when + strlen(" after "));
	if (!g_str_has_prefix(when, " at "))
		return fail_at(load, NULL, g_strdup("no such group; write [expect], [expect after LABEL], [expect at TIME] or [expect at ADDRESS]"));
	const char *text = when + strlen(" at ");
	char *reason = NULL;
	bool is_address = strchr(text, ':') || g_str_has_prefix(text, "0x");
	expect->when = is_address ? TEST_AT_ADDRESS : TEST_AT_TIME;
	return (is_address ? test_address_parse(text, &expect->address, &reason) : units_parse_time(text, &expect->time, &reason)) ||
	       fail_at(load, NULL, reason);
}

static bool check_picture(const struct load *load, const struct test_expect *expect)
{
	static const char *const names[] = { "tolerance", "pixels", "mask", "ignore" };
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (!expect->picture.file && g_key_file_has_key(load->keys, load->group, names[i], NULL))
			return fail_at(load, names[i], g_strdup("there is no picture to compare with; give screen as well"));
	if (expect->min_transitions <= expect->max_transitions)
		return true;
	return fail_at(load, "min-transitions", g_strdup("is more than max-transitions; give a smaller number"));
}

static bool load_expect(const struct load *load)
{
	struct test_expect *expect = test_expect_new();
	g_ptr_array_add(load->file->expects, expect);
	expect->place = g_strdup_printf("%s:%s", load->file->path, load->group);
	return set_moment(load, expect) && load_keys(load, TEST_GROUP_EXPECT, expect) && check_picture(load, expect);
}

/* The whole file */

static const struct {
	const char *name;
	bool (*load)(const struct load *load);
} readers[] = {
	{ "test", load_test }, { "machine", load_machine }, { "limits", load_limits },
	{ "steps", load_steps }, { "compare", load_compare },
};

static bool is_expect(const char *group)
{
	return !strcmp(group, "expect") || g_str_has_prefix(group, "expect ");
}

static bool check_groups(struct load *load)
{
	static const char *const names[] = { "test", "machine", "limits", "steps", "expect", "compare", NULL };
	g_auto(GStrv) groups = g_key_file_get_groups(load->keys, NULL);
	for (unsigned i = 0; groups[i]; i++) {
		load->group = groups[i];
		if (!is_expect(groups[i]) && !g_strv_contains(names, groups[i]))
			return fail_name(load, NULL, "group", groups[i], names);
	}
	return true;
}

static bool load_expects(struct load *load)
{
	g_auto(GStrv) groups = g_key_file_get_groups(load->keys, NULL);
	for (unsigned i = 0; groups[i]; i++) {
		load->group = groups[i];
		if (is_expect(groups[i]) && !load_expect(load))
			return false;
	}
	return true;
}

/* What no single group shows. */
static bool check_whole(const struct load *load)
{
	const struct test_file *file = load->file;
	struct run_options options;
	bool fine = true;
	if (!script_count(file->steps) && !file->expects->len) {
		*load->error = g_strdup_printf("%s: tests nothing; give [steps] or [expect]", file->path);
		return false;
	}
	for (guint i = 0; i < file->expects->len; i++) {
		const struct test_expect *expect = file->expects->pdata[i];
		if (expect->when != TEST_AT_END || !expect->picture.file || script_count(file->steps))
			continue;
		*load->error = g_strdup_printf("%s: screen: needs a step that waits for the picture; give [steps] with such as "
		                               "still=wait-stable 1s", expect->place);
		return false;
	}
	for (guint i = 0; fine && i < MAX(1, file->engines->len); i++) {
		fine = test_file_options(file, file->engines->len ? file->engines->pdata[i] : NULL, &options, load->error);
		run_options_clear(&options);
	}
	return fine;
}

static bool load_groups(struct load *load)
{
	if (!check_groups(load))
		return false;
	for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
		load->group = readers[i].name;
		if (g_key_file_has_group(load->keys, load->group) && !readers[i].load(load))
			return false;
	}
	/* Last: they name steps. */
	return load_expects(load) && check_whole(load);
}

static char *refuse_file(const char *path, const char *what, char **error)
{
	*error = g_strdup_printf("%s: %s; give a test file, see v2e-test(1)", path, what);
	return NULL;
}

static char *read_text(const char *path, char **error)
{
	struct stat status;
	if (stat(path, &status) < 0)
		return refuse_file(path, g_strerror(errno), error);
	if (!S_ISREG(status.st_mode))
		return refuse_file(path, "is no regular file", error);
	if (status.st_size > TEST_FILE_MAX)
		return refuse_file(path, "is larger than 1 MiB", error);
	char *text = NULL;
	gsize size;
	if (!g_file_get_contents(path, &text, &size, NULL))
		return refuse_file(path, "cannot be read", error);
	if (g_utf8_validate(text, (gssize)size, NULL))
		return text;
	g_free(text);
	return refuse_file(path, "is not UTF-8 text", error);
}

static bool load_text(struct load *load, const char *text)
{
	g_autoptr(GError) problem = NULL;
	if (!(load->places = test_places_new(load->file->path, text, load->error)))
		return false;
	if (g_key_file_load_from_data(load->keys, text, strlen(text), G_KEY_FILE_NONE, &problem))
		return load_groups(load);
	*load->error = g_strdup_printf("%s: %s", load->file->path, problem->message);
	return false;
}

static void clear_option(void *data)
{
	struct test_option *option = data;
	g_free(option->value);
	g_free(option->place);
}

static struct test_file *new_file(const char *path, const char *name)
{
	struct test_file *file = g_new0(struct test_file, 1);
	file->path = g_strdup(path);
	file->name = g_strdup(name);
	file->engines = g_ptr_array_new_with_free_func(g_free);
	file->options = g_array_new(FALSE, FALSE, sizeof(struct test_option));
	g_array_set_clear_func(file->options, clear_option);
	file->steps = script_new();
	file->labels = g_ptr_array_new_with_free_func(g_free);
	file->expects = g_ptr_array_new_with_free_func(test_expect_free);
	return file;
}

struct test_file *test_file_load(const char *path, const char *name, const GPtrArray *folders, char **error)
{
	g_autofree char *text = read_text(path, error);
	if (!text)
		return NULL;
	struct load load = { .file = new_file(path, name), .keys = g_key_file_new(), .folders = folders, .error = error };
	/* Pictures are found when the test has its own folder. */
	g_autofree char *absolute = g_canonicalize_filename(path, NULL);
	load.folder = g_path_get_dirname(absolute);
	bool fine = load_text(&load, text);
	g_free(load.folder);
	test_places_free(load.places);
	g_key_file_free(load.keys);
	if (fine)
		return load.file;
	test_file_free(load.file);
	return NULL;
}

void test_file_free(struct test_file *file)
{
	if (!file)
		return;
	g_free(file->path);
	g_free(file->name);
	g_free(file->description);
	g_ptr_array_unref(file->engines);
	g_array_unref(file->options);
	script_free(file->steps);
	g_ptr_array_unref(file->labels);
	g_ptr_array_unref(file->expects);
	test_picture_clear(&file->compare);
	g_free(file);
}
