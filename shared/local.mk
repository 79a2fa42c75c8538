# What every part builds on: context page, memory, ports, clock, log.
libv2e_a_SOURCES += $(shared_sources)

shared_sources = \
	shared/bus.h \
	shared/channel.h \
	shared/clock.h \
	shared/conduct.h \
	shared/ctx.h \
	shared/ctx_fields.def \
	shared/engine.h \
	shared/irq.h \
	shared/log.h \
	shared/mem.h \
	shared/snap.h
