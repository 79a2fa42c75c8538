# The command. All but main.c is in the library, where unit tests reach it.
v2e_SOURCES = cli/main.c
libv2e_a_SOURCES += $(cli_sources)

cli_sources = \
	cli/drives.h \
	cli/machine.h \
	cli/nearest.h \
	cli/options.h \
	cli/progress.h \
	cli/run.h \
	cli/run_options.h \
	cli/script.h \
	cli/script_commands.def \
	cli/script_internal.h \
	cli/script_parse.h \
	cli/units.h
