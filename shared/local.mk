# What every part builds on: context page, memory, ports, clock, log.
libv2e_a_SOURCES += $(shared_sources)

shared_sources = \
	shared/bus.c \
	shared/bus.h \
	shared/channel.c \
	shared/channel.h \
	shared/channel_child.c \
	shared/channel_inline.c \
	shared/channel_process.c \
	shared/channel_process.h \
	shared/channel_thread.c \
	shared/channel_thread.h \
	shared/channel_wire.h \
	shared/clock.c \
	shared/clock.h \
	shared/conduct.c \
	shared/conduct.h \
	shared/cpuid.h \
	shared/ctx.c \
	shared/ctx.h \
	shared/ctx_fields.def \
	shared/debug_request.c \
	shared/debug_request.h \
	shared/engine.c \
	shared/engine.h \
	shared/futex.c \
	shared/futex.h \
	shared/irq.h \
	shared/linear.c \
	shared/linear.h \
	shared/log.c \
	shared/log.h \
	shared/mem.c \
	shared/mem.h \
	shared/mem_access.c \
	shared/mem_map.c \
	shared/mem_map.h \
	shared/mem_mirror.c \
	shared/mem_mirror.h \
	shared/mem_state.c \
	shared/policy.c \
	shared/policy.h \
	shared/sandbox.c \
	shared/sandbox.h \
	shared/snap.c \
	shared/snap.h \
	shared/trace.c \
	shared/trace.h \
	shared/trace_site.c \
	shared/trace_site.h \
	shared/transition.c \
	shared/transition.h \
	shared/watcher.h
