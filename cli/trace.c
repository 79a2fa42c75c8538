#include "cli/trace.h"

#include "cli/run.h"
#include "cli/run_options.h"
#include "shared/log.h"

int trace_main(int argc, char *const *argv)
{
	struct run_options options;
	run_options_init(&options);
	options.trace = LOG_TRACE_SWITCH | LOG_TRACE_INT;
	options.trace_file = g_strdup("-");
	int status = run_by_table(&trace_options_table, &options, argc, argv);
	run_options_clear(&options);
	return status;
}
