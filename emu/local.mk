# The x86 emulator.
libv2e_a_SOURCES += $(emu_sources)

emu_sources = \
	emu/cpu.h \
	emu/emu.h \
	emu/flags.h \
	emu/insn.h \
	emu/ops.def
