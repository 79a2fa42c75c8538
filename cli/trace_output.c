#include "cli/trace_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "shared/trace.h"
#include "trace/report.h"
#include "trace/symbols.h"

#ifndef V2E_VERSION
#define V2E_VERSION "unknown"
#endif

struct trace_output {
	FILE *out;               /* NULL: the log */
	const char *path;        /* NULL: standard output or the log */
	FILE *report;            /* NULL: no report; `out` is then what it is made of */
	struct symbols *symbols;
};

static enum run_trace_format format_of(const struct run_options *options)
{
	const char *file = options->trace_file;
	if (options->trace_format != RUN_TRACE_BY_NAME)
		return options->trace_format;
	if (g_str_has_suffix(file, ".json") || g_str_has_suffix(file, ".jsonl"))
		return RUN_TRACE_JSON;
	return g_str_has_suffix(file, ".html") ? RUN_TRACE_HTML : RUN_TRACE_TEXT;
}

static FILE *open_file(const char *file, char **error)
{
	FILE *out = strcmp(file, "-") ? fopen(file, "we") : stdout;
	if (!out)
		*error = g_strdup_printf("--trace-file: %s: %s; give a file that can be written", file, g_strerror(errno));
	return out;
}

static bool open_files(struct trace_output *output, const struct run_options *options, char **error)
{
	if (!options->trace_file)
		return true;
	enum run_trace_format format = format_of(options);
	output->path = options->trace_file;
	FILE *out = open_file(options->trace_file, error);
	output->out = out;
	if (out && format == RUN_TRACE_HTML) {
		output->report = out;
		if (!(output->out = tmpfile()))
			*error = g_strdup_printf("--trace-file: no temporary file for the report: %s; free some space", g_strerror(errno));
	}
	if (!output->out)
		return false;
	trace_set_output(output->out, format == RUN_TRACE_TEXT ? TRACE_FORMAT_TEXT : TRACE_FORMAT_JSON);
	return true;
}

static bool load_symbols(struct trace_output *output, const struct run_options *options, char **error)
{
	char *problem = NULL;
	if (!options->symbols->len)
		return true;
	output->symbols = symbols_new();
	for (unsigned i = 0; i < options->symbols->len; i++)
		if (!symbols_add(output->symbols, options->symbols->pdata[i], &problem)) {
			*error = g_strdup_printf("--symbols: %s", problem);
			g_free(problem);
			return false;
		}
	trace_set_symbols(symbols_name, output->symbols);
	return true;
}

struct trace_output *trace_output_open(const struct run_options *options, char **error)
{
	struct trace_output *output = g_new0(struct trace_output, 1);
	if (load_symbols(output, options, error) && open_files(output, options, error))
		return output;
	trace_output_close(output, NULL);
	return NULL;
}

static const char *image_of(const struct run_options *options)
{
	const GPtrArray *lists[] = { options->cdroms, options->disks, options->floppies };
	if (options->image || options->kernel)
		return options->image ? options->image : options->kernel;
	for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
		if (lists[i]->len)
			return lists[i]->pdata[0];
	return "";
}

void trace_output_start(struct trace_output *output, const struct run_options *options, struct machine *machine)
{
	struct trace_event event;
	trace_set_clock(machine->clock);
	if (!output->out || !trace_is_json())
		return;
	trace_begin(&event, "start");
	trace_number(&event, "format", 1);
	trace_string(&event, "version", "v2e " V2E_VERSION);
	trace_string(&event, "image", image_of(options));
	trace_string(&event, "engine", !machine->kvm ? "emu" : machine->channel ? "hybrid" : "kvm");
	trace_string(&event, "clock", options->clock == CLOCK_KIND_VIRTUAL ? "virtual" : "real");
	trace_emit(&event);
}

void trace_output_stop(struct trace_output *output, struct machine *machine, int status)
{
	struct trace_event event;
	const struct conduct_stats *stats = conduct_stats(machine->conduct);
	if (output->out && trace_is_json()) {
		trace_begin(&event, "end");
		trace_number(&event, "insns", stats->insns);
		trace_number(&event, "blocks", stats->blocks);
		trace_number(&event, "handovers", stats->handovers);
		trace_number(&event, "status", (uint64_t)status);
		trace_emit(&event);
	}
	trace_flush();
	trace_set_clock(NULL);
}

static bool write_report(const struct trace_output *output, char **error)
{
	rewind(output->out);
	struct report *report = report_new(output->symbols);
	bool fine = report_read(report, output->out, "the trace", error);
	if (fine)
		report_write(report, output->report);
	report_free(report);
	return fine;
}

static bool close_file(FILE *file)
{
	bool fine = !ferror(file) && !fflush(file);
	return file == stdout ? fine : !fclose(file) && fine;
}

bool trace_output_close(struct trace_output *output, char **error)
{
	char *problem = NULL;
	if (!output)
		return true;
	trace_set_output(NULL, TRACE_FORMAT_TEXT);
	trace_set_symbols(NULL, NULL);
	bool fine = !output->report || !output->out || write_report(output, &problem);
	if (output->out && !close_file(output->out) && fine) {
		problem = g_strdup(g_strerror(errno));
		fine = false;
	}
	if (output->report && !close_file(output->report) && fine) {
		problem = g_strdup(g_strerror(errno));
		fine = false;
	}
	if (!fine && error)
		*error = g_strdup_printf("--trace-file: %s: %s; give a file that can be written", output->path, problem);
	g_free(problem);
	symbols_free(output->symbols);
	g_free(output);
	return fine;
}
