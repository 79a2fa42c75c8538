#define _GNU_SOURCE
#include "cli/monitor.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/disassemble.h"
#include "cli/json.h"
#include "cli/nearest.h"
#include "cli/units.h"
#include "gdb/listen.h"
#include "shared/linear.h"

#define LINE_MAX_BYTES 65536u
#define DUMP_MAX       4096u
#define WRITE_MS       1000 /* who reads nothing for so long is gone */

struct monitor {
	struct script_guest guest;
	struct ctx *ctx;
	struct mem *mem;
	int listener, in, out; /* -1: none */
	char *path;
	GString *input;
	unsigned lines;
	bool json;
	struct script *script; /* of the command that runs; or NULL */
	struct script_run *run;
	char *line;
	GString *printed;      /* by that command */
	uint64_t picture_before_keys;
	bool quit;
	int status;
};

/* --- answers ---------------------------------------------------------------------- */

static void close_client(struct monitor *monitor)
{
	if (monitor->listener >= 0 && monitor->in >= 0)
		close(monitor->in);
	monitor->in = -1;
	if (monitor->listener >= 0)
		monitor->out = -1;
	g_string_truncate(monitor->input, 0);
}

static void put(struct monitor *monitor, const char *text, size_t size)
{
	while (size && monitor->out >= 0) {
		struct pollfd ready = { .fd = monitor->out, .events = POLLOUT };
		ssize_t done = poll(&ready, 1, WRITE_MS) == 1 ? write(monitor->out, text, size) : -1;
		if (done <= 0) {
			close_client(monitor);
			return;
		}
		text += done;
		size -= (size_t)done;
	}
}

static void answer(struct monitor *monitor, const char *command, const char *output, const char *error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (monitor->json) {
		g_string_append(text, "{\"command\":");
		json_append_string(text, command);
		g_string_append_printf(text, ",\"ok\":%s,\"output\":", error ? "false" : "true");
		json_append_string(text, output);
		if (error) {
			g_string_append(text, ",\"error\":");
			json_append_string(text, error);
		}
		g_string_append(text, "}\n");
	} else {
		g_string_append_printf(text, "%s%s%s\n", output, error ? "error: " : "ok", error ? error : "");
	}
	put(monitor, text->str, text->len);
}

/* --- commands of its own ------------------------------------------------------------ */

/* `words` behind the verb, ends with NULL. False with *error (g_free). */
struct command {
	const char *name, *arguments;
	unsigned most; /* arguments */
	const char *help;
	bool (*run)(struct monitor *monitor, char **words, FILE *out, char **error);
};

static bool show_registers(struct monitor *monitor, char **words, FILE *out, char **error)
{
	(void)words, (void)error;
	ctx_print(monitor->ctx, out);
	return true;
}

static bool disassemble(struct monitor *monitor, char **words, FILE *out, char **error)
{
	uint64_t count = 8;
	if (words[0] && !units_parse_number(words[0], 1, 1000, &count, error))
		return false;
	disassemble_print(monitor->ctx, monitor->mem, (unsigned)count, out);
	return true;
}

static void dump_row(FILE *out, uint64_t address, const uint8_t *bytes, uint32_t size)
{
	fprintf(out, "%08" PRIx64 " ", address);
	for (uint32_t i = 0; i < size; i++)
		fprintf(out, " %02x", bytes[i]);
	fprintf(out, "%*s", (int)(16 - size) * 3 + 2, "");
	for (uint32_t i = 0; i < size; i++)
		fputc(g_ascii_isprint(bytes[i]) ? bytes[i] : '.', out);
	fputc('\n', out);
}

static bool dump(struct monitor *monitor, char **words, FILE *out, char **error)
{
	uint64_t address, count = 128;
	uint8_t bytes[DUMP_MAX];
	if (!words[0]) {
		*error = g_strdup("an address is missing; write: dump ADDRESS [COUNT]");
		return false;
	}
	if (!units_parse_number(words[0], 0, linear_wrap(monitor->ctx, UINT64_MAX), &address, error) ||
	    (words[1] && !units_parse_number(words[1], 1, DUMP_MAX, &count, error)))
		return false;
	uint32_t have = linear_read(monitor->ctx, monitor->mem, address, bytes, (uint32_t)count);
	for (uint32_t at = 0; at < have; at += 16)
		dump_row(out, linear_wrap(monitor->ctx, address + at), bytes + at, MIN(16, have - at));
	if (have < count)
		*error = g_strdup_printf("there is no memory at 0x%" PRIx64, linear_wrap(monitor->ctx, address + have));
	return have == count;
}

static bool set_json(struct monitor *monitor, char **words, FILE *out, char **error)
{
	(void)out;
	if (!words[0] || (strcmp(words[0], "on") && strcmp(words[0], "off"))) {
		*error = g_strdup("write: json on, or json off");
		return false;
	}
	monitor->json = !strcmp(words[0], "on");
	return true;
}

static bool show_help(struct monitor *monitor, char **words, FILE *out, char **error);

static const struct command commands[] = {
	{ "registers", "", 0, "all registers of the processor", show_registers },
	{ "disassemble", "[COUNT]", 1, "what runs next", disassemble },
	{ "dump", "ADDRESS [COUNT]", 2, "memory by linear address", dump },
	{ "json", "on|off", 1, "answers as JSON", set_json },
	{ "help", "", 0, "this list", show_help },
};

static bool show_help(struct monitor *monitor, char **words, FILE *out, char **error)
{
	(void)monitor, (void)words, (void)error;
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
		fprintf(out, "  %-11s %-15s  %s\n", commands[i].name, commands[i].arguments, commands[i].help);
	script_print_help(out);
	return true;
}

static void run_command(struct monitor *monitor, const struct command *command, const char *line, char **words)
{
	g_autofree char *error = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return;
	bool ok = command->run(monitor, words, out, &error);
	fclose(out);
	answer(monitor, line, text, ok ? NULL : error);
	free(text);
}

static char **split(const char *line)
{
	g_auto(GStrv) parts = g_strsplit_set(line, " \t", -1);
	g_autoptr(GStrvBuilder) words = g_strv_builder_new();
	for (char **part = parts; *part; part++)
		if (**part)
			g_strv_builder_add(words, *part);
	return g_strv_builder_end(words);
}

static bool run_own(struct monitor *monitor, const char *line)
{
	g_auto(GStrv) words = split(line);
	for (unsigned i = 0; words[0] && i < G_N_ELEMENTS(commands); i++) {
		const struct command *command = &commands[i];
		if (strcmp(command->name, words[0]))
			continue;
		if (g_strv_length(words + 1) <= command->most) {
			run_command(monitor, command, line, words + 1);
			return true;
		}
		g_autofree char *error = g_strdup_printf("'%s' is too much; write: %s%s%s", words[1 + command->most], command->name,
		                                         *command->arguments ? " " : "", command->arguments);
		answer(monitor, line, "", error);
		return true;
	}
	return false;
}

/* --- commands of --do ----------------------------------------------------------------- */

static void end_script(struct monitor *monitor)
{
	script_run_free(monitor->run);
	if (monitor->script)
		script_free(monitor->script);
	g_free(monitor->line);
	monitor->run = NULL;
	monitor->script = NULL;
	monitor->line = NULL;
}

/* One of ours that was meant, or NULL. */
static const char *own_name(const char *line)
{
	const char *names[G_N_ELEMENTS(commands) + 1] = { NULL };
	g_auto(GStrv) words = split(line);
	for (unsigned i = 0; i < G_N_ELEMENTS(commands); i++)
		names[i] = commands[i].name;
	return words[0] ? nearest_match(words[0], names) : NULL;
}

/* What the script knows is not all that there is. */
static void answer_mistake(struct monitor *monitor, const char *line, const char *error)
{
	bool unknown = strstr(error, "unknown command") != NULL;
	const char *name = unknown ? own_name(line) : NULL;
	g_autofree char *text = name ? g_strdup_printf("unknown command; did you mean %s? help lists all", name) :
	                               g_strconcat(error, unknown ? "; help lists all" : "", NULL);
	answer(monitor, line, "", text);
}

static void begin_line(struct monitor *monitor, const char *line)
{
	g_autofree char *error = NULL;
	monitor->lines++;
	if (run_own(monitor, line))
		return;
	monitor->script = script_new();
	if (!g_utf8_validate(line, -1, NULL))
		answer(monitor, "", "", "this is not UTF-8 text");
	else if (!script_parse_line(monitor->script, "monitor", monitor->lines, line, &error))
		answer_mistake(monitor, line, error);
	if (!script_count(monitor->script)) {
		end_script(monitor);
		return;
	}
	g_string_truncate(monitor->printed, 0);
	monitor->run = script_run_new(monitor->script, &monitor->guest);
	monitor->line = g_strdup(line);
}

/* True: the command is done, the next may come. */
static bool poll_script(struct monitor *monitor, uint64_t now)
{
	enum script_state state = script_poll(monitor->run, now);
	if (state == SCRIPT_RUNNING)
		return false;
	answer(monitor, monitor->line, monitor->printed->str, state == SCRIPT_FAILED ? script_run_message(monitor->run) : NULL);
	monitor->quit |= state == SCRIPT_QUIT;
	monitor->status = state == SCRIPT_QUIT ? script_run_status(monitor->run) : 0;
	end_script(monitor);
	return true;
}

/* --- input ----------------------------------------------------------------------------- */

static void accept_client(struct monitor *monitor)
{
	if (monitor->listener < 0 || monitor->in >= 0)
		return;
	monitor->in = monitor->out = accept4(monitor->listener, NULL, NULL, SOCK_CLOEXEC);
}

static void receive(struct monitor *monitor)
{
	char bytes[4096];
	struct pollfd ready = { .fd = monitor->in, .events = POLLIN };
	if (monitor->in < 0 || poll(&ready, 1, 0) <= 0)
		return;
	ssize_t got = read(monitor->in, bytes, sizeof bytes);
	if (got > 0 && monitor->input->len + (size_t)got <= LINE_MAX_BYTES)
		g_string_append_len(monitor->input, bytes, got);
	else if (got >= 0)
		close_client(monitor);
}

static bool take_line(struct monitor *monitor)
{
	char *end = memchr(monitor->input->str, '\n', monitor->input->len);
	if (!end)
		return false;
	g_autofree char *line = g_strndup(monitor->input->str, (size_t)(end - monitor->input->str));
	g_string_erase(monitor->input, 0, end - monitor->input->str + 1);
	begin_line(monitor, g_strchomp(line));
	return true;
}

bool monitor_poll(struct monitor *monitor, uint64_t now)
{
	accept_client(monitor);
	if (!monitor->run)
		receive(monitor);
	while (!monitor->quit && (!monitor->run || poll_script(monitor, now)) && !monitor->quit && take_line(monitor))
		;
	return !monitor->quit;
}

int monitor_status(const struct monitor *monitor)
{
	return monitor->status;
}

void monitor_serial_byte(struct monitor *monitor, uint8_t byte)
{
	if (monitor->run)
		script_serial_byte(monitor->run, byte);
}

/* --- beginning and end -------------------------------------------------------------------- */

bool monitor_names_place(const char *where)
{
	return !strcmp(where, "stdio") || (g_str_has_prefix(where, "unix:") && where[5]);
}

struct monitor *monitor_new(const char *where, const struct script_guest *guest, struct ctx *ctx, struct mem *mem, char **error)
{
	struct monitor *monitor = g_new0(struct monitor, 1);
	bool stdio = !strcmp(where, "stdio");
	monitor->guest = *guest;
	monitor->guest.printed = monitor->printed = g_string_new(NULL);
	monitor->guest.picture_before_keys = &monitor->picture_before_keys;
	monitor->ctx = ctx;
	monitor->mem = mem;
	monitor->input = g_string_new(NULL);
	monitor->listener = -1;
	monitor->in = stdio ? STDIN_FILENO : -1;
	monitor->out = stdio ? STDOUT_FILENO : -1;
	if (stdio || (monitor->listener = gdb_listen(where, &monitor->path, error)) >= 0)
		return monitor;
	monitor_free(monitor);
	return NULL;
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	end_script(monitor);
	close_client(monitor);
	if (monitor->listener >= 0)
		close(monitor->listener);
	if (monitor->path)
		unlink(monitor->path);
	g_free(monitor->path);
	g_string_free(monitor->printed, TRUE);
	g_string_free(monitor->input, TRUE);
	g_free(monitor);
}
