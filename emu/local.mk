# The x86 emulator.
libv2e_a_SOURCES += $(emu_sources)
EXTRA_DIST += $(jit_sources)
if NATIVE
libv2e_a_SOURCES += $(jit_sources)
endif

emu_sources = \
	emu/access.c \
	emu/access.h \
	emu/block.c \
	emu/block.h \
	emu/bodies.h \
	emu/cpu.h \
	emu/debug.c \
	emu/debug.h \
	emu/debugger.c \
	emu/debugger.h \
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
	emu/jit.h \
	emu/opcode_map.c \
	emu/opcode_map.h \
	emu/ops.c \
	emu/ops.def \
	emu/paging.c \
	emu/run.c \
	emu/seg.c \
	emu/smm.c \
	emu/task.c \
	emu/tracer.c \
	emu/tracer.h

jit_sources = \
	emu/jit_asm.c \
	emu/jit_asm.h \
	emu/jit_cache.c \
	emu/jit_code.c \
	emu/jit_compile.c \
	emu/jit_dump.c \
	emu/jit_emit.c \
	emu/jit_emit_alu.c \
	emu/jit_emit_flags.c \
	emu/jit_emit_flow.c \
	emu/jit_emit_int.c \
	emu/jit_emit_late.c \
	emu/jit_emit_mov.c \
	emu/jit_emit_muldiv.c \
	emu/jit_emit_seg.c \
	emu/jit_emit_shift.c \
	emu/jit_emit_string.c \
	emu/jit_emit_system.c \
	emu/jit_internal.h \
	emu/jit_ir.c \
	emu/jit_plan.c \
	emu/jit_run.c \
	emu/jit_thunk_flags.c \
	emu/jit_thunk_seg.c
