# The x86 emulator.
libv2e_a_SOURCES += $(emu_sources)

emu_sources = \
	emu/access.c \
	emu/access.h \
	emu/block.c \
	emu/block.h \
	emu/bodies.h \
	emu/cpu.h \
	emu/debug.c \
	emu/debug.h \
	emu/decode.c \
	emu/decode.h \
	emu/emu.h \
	emu/exec_alu.c \
	emu/exec_bcd.c \
	emu/exec_bits.c \
	emu/exec_control.c \
	emu/exec_cpuid.c \
	emu/exec_flags.c \
	emu/exec_flow.c \
	emu/exec_io.c \
	emu/exec_mov.c \
	emu/exec_muldiv.c \
	emu/exec_shift.c \
	emu/exec_stack.c \
	emu/exec_string.c \
	emu/exec_system.c \
	emu/far.c \
	emu/flags.h \
	emu/fpu.c \
	emu/fpu.h \
	emu/fpu_env.c \
	emu/fpu_fxsave.c \
	emu/fpu_host.c \
	emu/fpu_host.h \
	emu/fpu_image.h \
	emu/fpu_simd.c \
	emu/fpu_sse.c \
	emu/fpu_x87.c \
	emu/insn.h \
	emu/intr.c \
	emu/opcode_map.c \
	emu/opcode_map.h \
	emu/ops.c \
	emu/ops.def \
	emu/paging.c \
	emu/run.c \
	emu/seg.c \
	emu/smm.c \
	emu/task.c
