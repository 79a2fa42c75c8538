# The command. All but main.c is in the library, where unit tests reach it.
v2e_SOURCES = cli/main.c
libv2e_a_SOURCES += $(cli_sources)

cli_sources = \
	cli/nearest.h \
	cli/options.h \
	cli/script_commands.def \
	cli/script_parse.h \
	cli/units.h
