# The x86 emulator.
libv2e_a_SOURCES += $(emu_sources)

emu_sources = \
	emu/access.h \
	emu/block.h \
	emu/bodies.h \
	emu/cpu.h \
	emu/debug.h \
	emu/decode.h \
	emu/emu.h \
	emu/flags.h \
	emu/fpu.h \
	emu/fpu_host.h \
	emu/fpu_image.h \
	emu/insn.h \
	emu/opcode_map.h \
	emu/ops.def
