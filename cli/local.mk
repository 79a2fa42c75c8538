# The command. All but main.c is in the library, where unit tests reach it.
v2e_SOURCES = cli/main.c
libv2e_a_SOURCES += $(cli_sources)

cli_sources = \
	cli/cpuid.c \
	cli/cpuid.h \
	cli/drives.c \
	cli/drives.h \
	cli/emulator.c \
	cli/emulator.h \
	cli/engines.c \
	cli/engines.h \
	cli/machine.c \
	cli/machine.h \
	cli/nearest.c \
	cli/nearest.h \
	cli/options.c \
	cli/options.h \
	cli/probe.c \
	cli/probe.h \
	cli/progress.c \
	cli/progress.h \
	cli/run.c \
	cli/run.h \
	cli/run_options.c \
	cli/run_options.h \
	cli/script.c \
	cli/script.h \
	cli/script_commands.c \
	cli/script_commands.def \
	cli/script_internal.h \
	cli/script_parse.c \
	cli/script_parse.h \
	cli/units.c \
	cli/units.h
