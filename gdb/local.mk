# The debugger's way in: GDB's remote protocol.
libv2e_a_SOURCES += $(gdb_sources)

gdb_sources = \
	gdb/listen.c \
	gdb/listen.h \
	gdb/monitor_commands.c \
	gdb/packet.c \
	gdb/packet.h \
	gdb/points.c \
	gdb/registers.c \
	gdb/registers.h \
	gdb/server.c \
	gdb/server.h \
	gdb/tables.c \
	gdb/tables.h \
	gdb/target.c \
	gdb/target.h \
	gdb/target_private.h

EXTRA_DIST += gdb/v2e.gdb
