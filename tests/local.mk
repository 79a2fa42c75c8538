# make check: the unit tests (one program) and the shell tests that need no
# payload. make check-boot: the tests that boot firmware and real payloads.
if TESTS_ENABLED
check_PROGRAMS += tests/unit/unit
TESTS += tests/unit/unit
endif

tests_unit_unit_SOURCES = $(unit_sources)
EXTRA_DIST += $(unit_native_sources)
if NATIVE
tests_unit_unit_SOURCES += $(unit_native_sources)
endif
tests_unit_unit_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_unit_unit_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=_mark_point
tests_unit_unit_LDADD = libv2e.a $(CAPSTONE_LIBS) $(GLIB_LIBS) $(PNG_LIBS) $(ZLIB_LIBS) $(VNC_LIBS) $(SDL_LIBS) $(SECCOMP_LIBS) $(SLIRP_LIBS) $(CHECK_LIBS)

unit_native_sources = \
	tests/unit/jit_rig.c \
	tests/unit/jit_rig.h \
	tests/unit/test_jit.c \
	tests/unit/test_jit_cache.c \
	tests/unit/test_jit_chains.c \
	tests/unit/test_jit_modes.c \
	tests/unit/test_kvm_ctx.c \
	tests/unit/test_kvm_mem.c \
	tests/unit/test_kvm_sites.c \
	tests/unit/test_kvm_speed.c

unit_sources = \
	tests/insn/machine.c \
	tests/insn/machine.h \
	tests/unit/emu_rig.c \
	tests/unit/emu_rig.h \
	tests/unit/fpu_native.c \
	tests/unit/fpu_native.h \
	tests/unit/i8042_rig.h \
	tests/unit/i82077_rig.h \
	tests/unit/i8237_rig.h \
	tests/unit/i8259_rig.h \
	tests/unit/i8254_rig.h \
	tests/unit/ide_rig.c \
	tests/unit/ide_rig.h \
	tests/unit/main.c \
	tests/unit/pc_rig.h \
	tests/unit/pci_rig.h \
	tests/unit/snap_rig.c \
	tests/unit/snap_rig.h \
	tests/unit/suites.def \
	tests/unit/test_atapi.c \
	tests/unit/test_bench.c \
	tests/unit/test_blk.c \
	tests/unit/test_bmdma.c \
	tests/unit/kernel_rig.h \
	tests/unit/test_boot_plan.c \
	tests/unit/test_bus.c \
	tests/unit/test_elf_image.c \
	tests/unit/test_linux_image.c \
	tests/unit/test_multiboot.c \
	tests/unit/channel_rig.h \
	tests/unit/test_channel_death.c \
	tests/unit/test_channel_process.c \
	tests/unit/test_channel_thread.c \
	tests/unit/test_chardev.c \
	tests/unit/test_clock.c \
	tests/unit/conduct_rig.h \
	tests/unit/test_conduct.c \
	tests/unit/test_conduct_halt.c \
	tests/unit/test_log.c \
	tests/unit/test_ctx.c \
	tests/unit/test_debug_port.c \
	tests/unit/test_disassemble.c \
	tests/unit/test_e1000.c \
	tests/unit/test_decode.c \
	tests/unit/test_emu_debug.c \
	tests/unit/test_emu_far.c \
	tests/unit/test_emu_handover.c \
	tests/unit/test_emu_interrupts.c \
	tests/unit/test_emu_models.c \
	tests/unit/test_emu_pae.c \
	tests/unit/test_emu_paging.c \
	tests/unit/test_emu_real.c \
	tests/unit/test_emu_real_events.c \
	tests/unit/test_emu_segments.c \
	tests/unit/test_emu_smc.c \
	tests/unit/test_emu_smm.c \
	tests/unit/test_emu_tasks.c \
	tests/unit/test_emu_vm86.c \
	tests/unit/test_exit_port.c \
	tests/unit/test_fpu.c \
	tests/unit/test_fpu_faults.c \
	tests/unit/test_fpu_sse.c \
	tests/unit/test_fw_cfg.c \
	tests/unit/test_gdb_packet.c \
	tests/unit/test_gdb_server.c \
	tests/unit/test_gdb_target.c \
	tests/unit/test_handler.c \
	tests/unit/test_step_decode.c \
	tests/unit/test_trace_limits.c \
	tests/unit/test_report_changes.c \
	tests/unit/test_i440fx.c \
	tests/unit/test_i8042.c \
	tests/unit/test_i82077.c \
	tests/unit/test_i82077_data.c \
	tests/unit/test_i8237.c \
	tests/unit/test_i8237_grants.c \
	tests/unit/test_i8254.c \
	tests/unit/test_i8254_modes.c \
	tests/unit/test_i8259.c \
	tests/unit/test_i8259_commands.c \
	tests/unit/test_ide.c \
	tests/unit/test_ide_ata.c \
	tests/unit/test_image.c \
	tests/unit/test_keys.c \
	tests/unit/test_mc146818.c \
	tests/unit/test_mem.c \
	tests/unit/test_mem_doorbell.c \
	tests/unit/test_mem_layers.c \
	tests/unit/test_network_user.c \
	tests/unit/test_ns16550.c \
	tests/unit/test_options.c \
	tests/unit/test_parallel.c \
	tests/unit/test_pc.c \
	tests/unit/test_pc_interrupts.c \
	tests/unit/test_pc_setup.c \
	tests/unit/test_pc_state.c \
	tests/unit/test_pc_virtio.c \
	tests/unit/test_pci.c \
	tests/unit/test_piix3.c \
	tests/unit/test_piix4_pm.c \
	tests/unit/test_policy.c \
	tests/unit/test_port61.c \
	tests/unit/test_port92.c \
	tests/unit/test_ps2_keyboard.c \
	tests/unit/test_ps2_mouse.c \
	tests/unit/test_script.c \
	tests/unit/test_script_parse.c \
	tests/unit/test_snap.c \
	tests/unit/test_state_file.c \
	tests/unit/test_surface.c \
	tests/unit/test_test_file.c \
	tests/unit/test_test_picture.c \
	tests/unit/test_test_register.c \
	tests/unit/test_test_report.c \
	tests/unit/test_transition.c \
	tests/unit/test_vga_dispi.c \
	tests/unit/test_vga_mem.c \
	tests/unit/test_vga_regs.c \
	tests/unit/test_vga_render.c \
	tests/unit/test_vga_text.c \
	tests/unit/vga_rig.c \
	tests/unit/vga_rig.h \
	tests/unit/virtio_rig.h \
	tests/unit/test_virtio_devices.c \
	tests/unit/test_virtio_mmio.c \
	tests/unit/test_virtqueue.c

dist_check_SCRIPTS = $(shell_tests)
TESTS += $(shell_tests)

shell_tests = \
	tests/cli/bad-input.sh \
	tests/cli/display.sh \
	tests/cli/bench.sh \
	tests/cli/help.sh \
	tests/cli/monitor.sh \
	tests/cli/pointer.sh \
	tests/cli/report.sh \
	tests/cli/run.sh \
	tests/cli/state.sh \
	tests/cli/test.sh \
	tests/cli/test-refused.sh \
	tests/cli/test-reports.sh \
	tests/cli/test-runs.sh \
	tests/cli/trace.sh \
	tests/cli/trace-engines.sh \
	tests/gdb/engines.sh \
	tests/gdb/gdb.sh \
	tests/hv/doorbells.sh \
	tests/hv/host.sh \
	tests/rules.sh

include tests/insn/local.mk
include tests/fuzz/local.mk

AM_TESTS_ENVIRONMENT = \
	V2E_SRC='$(abs_top_srcdir)'; V2E_BUILD='$(abs_top_builddir)'; \
	export V2E_SRC V2E_BUILD;

EXTRA_DIST += tests/cli/test-lib.sh tests/gdb/lib.sh tests/gdb/rom.asm
EXTRA_DIST += tests/lib.sh tests/gdb/kvm.asm tests/cli/calls.asm tests/cli/calls_all.asm tests/cli/calls_all.expected tests/cli/make-calls.sh tests/gdb/modes.asm tests/gdb/long.asm

# Looks at screenshots for the boot tests.
check_PROGRAMS += tests/boot/pngdiff
tests_boot_pngdiff_SOURCES = tests/boot/pngdiff.c
tests_boot_pngdiff_LDADD = $(PNG_LIBS)

# What --engine auto does without the KVM that it counted on.
check_PROGRAMS += tests/hv/native
tests_hv_native_SOURCES = cli/main.c tests/hv/native.c
tests_hv_native_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=hv_probe_hybrid
tests_hv_native_LDADD = $(v2e_LDADD)

# And of windows.
check_PROGRAMS += tests/boot/xwd2png
tests_boot_xwd2png_SOURCES = tests/boot/xwd2png.c
tests_boot_xwd2png_LDADD = $(PNG_LIBS)

EXTRA_DIST += $(boot_files)
boot_files = \
	tests/sum.sh \
	tests/clone.sh \
	tests/cross.sh \
	tests/fresh-root.sh \
	tests/boot/run.sh \
	tests/boot/lib.sh \
	tests/boot/firmware.sh \
	tests/boot/archive.sh \
	tests/boot/boot-loaders.sh \
	tests/boot/channels.sh \
	tests/boot/compare.sh \
	tests/boot/isolinux.sh \
	tests/boot/debian-linux.sh \
	tests/boot/engines.sh \
	tests/boot/extlinux.sh \
	tests/boot/floppies.sh \
	tests/boot/floppy.asm \
	tests/boot/game.asm \
	tests/boot/game.sh \
	tests/boot/grub.sh \
	tests/boot/ipxe.sh \
	tests/boot/linux.sh \
	tests/boot/loaders.sh \
	tests/boot/mouse.asm \
	tests/boot/memtest.sh \
	tests/guest/kernel.c \
	tests/guest/kernel.ld \
	tests/guest/kernel_start.S \
	tests/guest/make-kernel.sh \
	tests/guest/virtio.c \
	tests/guest/virtio_start.S \
	tests/boot/network.sh \
	tests/boot/virtio.sh \
	tests/boot/virtio-cmdline.sh \
	tests/boot/virtio-lib.sh \
	tests/boot/virtio-module.sh \
	tests/boot/pxe.asm \
	tests/boot/shutdown.asm \
	tests/boot/gfxboot.sh \
	tests/boot/hybrid.sh \
	tests/boot/repeat.sh \
	tests/boot/cycles.sh \
	tests/boot/again.asm \
	tests/boot/count.asm \
	tests/cli/fail_save.c \
	tests/boot/make-grub-disk.sh \
	tests/boot/make-iso.sh \
	tests/boot/make-gfxboot-iso.sh \
	tests/boot/qemu-as-v2e \
	tests/boot/hello.asm \
	tests/boot/exit.asm \
	tests/boot/kernel.asm \
	tests/boot/switch.asm

# v2e test of these boot sectors.
EXTRA_DIST += \
	tests/samples/exit.v2etest \
	tests/samples/hello.png \
	tests/samples/hello.v2etest \
	tests/samples/stay.v2etest \
	tests/samples/switch.v2etest

# Guests for each way between the modes; run-tests runs them.
EXTRA_DIST += $(guest_files)
guest_files = \
	tests/guest/run.sh \
	tests/guest/table \
	tests/guest/guest.inc \
	tests/guest/irq.inc \
	tests/guest/a20.asm \
	tests/guest/debug.asm \
	tests/guest/fpu.asm \
	tests/guest/nmi.asm \
	tests/guest/bigreal.asm \
	tests/guest/cpuid.asm \
	tests/guest/pae.asm \
	tests/guest/pam.asm \
	tests/guest/paging.asm \
	tests/guest/patch.asm \
	tests/guest/pe.asm \
	tests/guest/pm16.asm \
	tests/guest/remap.asm \
	tests/guest/reset.asm \
	tests/guest/shadow.asm \
	tests/guest/smi.asm \
	tests/guest/step.asm \
	tests/guest/task.asm \
	tests/guest/triple.asm \
	tests/guest/triple16.asm \
	tests/guest/vm86.asm \
	tests/guest/window.asm \
	tests/guest/window32.asm

# A real kvm_amd and kvm_intel in emulated machines; run-tests runs them.
EXTRA_DIST += $(nested_files) tests/hv/deaf.c tests/hv/fail_ioctl.c tests/hv/handover.c
nested_files = \
	tests/nested/bochs.sh \
	tests/nested/boot.asm \
	tests/nested/debugger.c \
	tests/nested/init.c \
	tests/nested/lib.sh \
	tests/nested/linux.sh \
	tests/nested/long.asm \
	tests/nested/machine.sh \
	tests/nested/no_slirp.c \
	tests/nested/mkdisk.c \
	tests/nested/payloads.sh \
	tests/nested/prepare.sh \
	tests/nested/run.sh \
	tests/nested/stops.c \
	tests/nested/switch.asm

# For run-tests: build without running, and what there is to run.
test-programs: $(check_PROGRAMS)
print-tests:
	@echo $(TESTS)

check-boot: v2e tests/boot/pngdiff
	V2E_SRC='$(abs_top_srcdir)' V2E_BUILD='$(abs_top_builddir)' $(srcdir)/tests/boot/run.sh

.PHONY: test-programs print-tests check-boot
