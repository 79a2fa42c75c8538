# The corpus is replayed in each test run. make fuzz (with clang) builds the fuzzers
# fuzz/block and others; for AFL++ configure with CC=afl-clang-fast and run
# afl-fuzz -i tests/fuzz/corpus/block -o OUT tests/fuzz/block @@.
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)
fuzz_programs = \
	tests/fuzz/block \
	tests/fuzz/page \
	tests/fuzz/image \
	tests/fuzz/linux \
	tests/fuzz/multiboot \
	tests/fuzz/multiboot2 \
	tests/fuzz/elf \
	tests/fuzz/state \
	tests/fuzz/virtio

fuzz_common = \
	tests/fuzz/fuzz.h \
	tests/insn/machine.c \
	tests/insn/machine.h

tests_fuzz_block_SOURCES = $(fuzz_common) tests/fuzz/fuzz_block.c tests/fuzz/replay.c
tests_fuzz_block_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"block"'
tests_fuzz_block_LDADD = $(insn_libs)
tests_fuzz_page_SOURCES = $(fuzz_common) tests/fuzz/fuzz_page.c tests/fuzz/replay.c
tests_fuzz_page_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"page"'
tests_fuzz_page_LDADD = $(insn_libs)

# One program for each parser of the loaders.
tests_fuzz_image_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_image.c tests/fuzz/replay.c
tests_fuzz_image_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"image"'
tests_fuzz_image_LDADD = libv2e.a $(GLIB_LIBS)
tests_fuzz_linux_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_loader.c tests/fuzz/replay.c
tests_fuzz_linux_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"linux"' -DV2E_FUZZ_KIND=KERNEL_LINUX
tests_fuzz_linux_LDADD = libv2e.a $(GLIB_LIBS)
tests_fuzz_multiboot_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_loader.c tests/fuzz/replay.c
tests_fuzz_multiboot_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"multiboot"' -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT
tests_fuzz_multiboot_LDADD = libv2e.a $(GLIB_LIBS)
tests_fuzz_multiboot2_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_loader.c tests/fuzz/replay.c
tests_fuzz_multiboot2_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"multiboot2"' -DV2E_FUZZ_KIND=KERNEL_MULTIBOOT2
tests_fuzz_multiboot2_LDADD = libv2e.a $(GLIB_LIBS)
tests_fuzz_elf_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_loader.c tests/fuzz/replay.c
tests_fuzz_elf_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"elf"' -DV2E_FUZZ_KIND=KERNEL_ELF
tests_fuzz_elf_LDADD = libv2e.a $(GLIB_LIBS)

# Saved machines, in the whole command.
tests_fuzz_state_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_state.c tests/fuzz/replay.c
tests_fuzz_state_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"state"'
tests_fuzz_state_LDADD = $(v2e_LDADD)

# Virtio devices, at their registers and queues.
tests_fuzz_virtio_SOURCES = tests/fuzz/fuzz.h tests/fuzz/fuzz_virtio.c tests/fuzz/replay.c
tests_fuzz_virtio_CPPFLAGS = $(AM_CPPFLAGS) -DV2E_FUZZ_CORPUS='"virtio"'
tests_fuzz_virtio_LDADD = libv2e.a $(GLIB_LIBS)

fuzz: cli/revision.h trace/report_assets.h
	V2E_SRC='$(abs_top_srcdir)' V2E_BUILD='$(abs_top_builddir)' $(srcdir)/tests/fuzz/build.sh

.PHONY: fuzz

EXTRA_DIST += tests/fuzz/build.sh $(fuzz_corpus)
fuzz_corpus = \
	tests/fuzz/corpus/block/code16 \
	tests/fuzz/corpus/block/code16-ring3 \
	tests/fuzz/corpus/block/code32 \
	tests/fuzz/corpus/block/code32-paging \
	tests/fuzz/corpus/block/prefixes \
	tests/fuzz/corpus/block/real-alu \
	tests/fuzz/corpus/block/real-mode-switch \
	tests/fuzz/corpus/block/real-string \
	tests/fuzz/corpus/block/ring3 \
	tests/fuzz/corpus/block/ring3-paging \
	tests/fuzz/corpus/block/smc \
	tests/fuzz/corpus/block/sse \
	tests/fuzz/corpus/block/tasks \
	tests/fuzz/corpus/block/truncated \
	tests/fuzz/corpus/block/vm86 \
	tests/fuzz/corpus/block/x87 \
	tests/fuzz/corpus/page/event \
	tests/fuzz/corpus/page/paging \
	tests/fuzz/corpus/page/protected \
	tests/fuzz/corpus/page/real \
	tests/fuzz/corpus/page/smm \
	tests/fuzz/corpus/page/vm86 \
	tests/fuzz/corpus/elf/bss \
	tests/fuzz/corpus/elf/class64 \
	tests/fuzz/corpus/elf/high-half \
	tests/fuzz/corpus/elf/low \
	tests/fuzz/corpus/elf/one \
	tests/fuzz/corpus/elf/overlap \
	tests/fuzz/corpus/elf/truncated \
	tests/fuzz/corpus/elf/wraps \
	tests/fuzz/corpus/image/bios \
	tests/fuzz/corpus/image/disk \
	tests/fuzz/corpus/image/elf \
	tests/fuzz/corpus/image/floppy \
	tests/fuzz/corpus/image/gzip \
	tests/fuzz/corpus/image/linux \
	tests/fuzz/corpus/image/multiboot \
	tests/fuzz/corpus/image/qcow \
	tests/fuzz/corpus/image/sector \
	tests/fuzz/corpus/linux/big-setup \
	tests/fuzz/corpus/linux/bzimage \
	tests/fuzz/corpus/linux/bzimage-202 \
	tests/fuzz/corpus/linux/old \
	tests/fuzz/corpus/linux/truncated \
	tests/fuzz/corpus/linux/zimage \
	tests/fuzz/corpus/linux/zimage-201 \
	tests/fuzz/corpus/multiboot/elf \
	tests/fuzz/corpus/multiboot/elf64 \
	tests/fuzz/corpus/multiboot/flat \
	tests/fuzz/corpus/multiboot/flat-behind \
	tests/fuzz/corpus/multiboot/no-address \
	tests/fuzz/corpus/multiboot/unknown-flags \
	tests/fuzz/corpus/multiboot2/efi \
	tests/fuzz/corpus/multiboot2/elf \
	tests/fuzz/corpus/multiboot2/elf-entry \
	tests/fuzz/corpus/multiboot2/flat \
	tests/fuzz/corpus/multiboot2/flat-all \
	tests/fuzz/corpus/multiboot2/no-end \
	tests/fuzz/corpus/state/bits \
	tests/fuzz/corpus/state/bytes \
	tests/fuzz/corpus/state/drop \
	tests/fuzz/corpus/state/file \
	tests/fuzz/corpus/state/good \
	tests/fuzz/corpus/state/kernel \
	tests/fuzz/corpus/state/kernel-indirect \
	tests/fuzz/corpus/state/kernel-large \
	tests/fuzz/corpus/state/kernel-length \
	tests/fuzz/corpus/state/kernel-no-piece \
	tests/fuzz/corpus/state/kernel-one-piece \
	tests/fuzz/corpus/state/kernel-outside \
	tests/fuzz/corpus/state/kernel-overlap \
	tests/fuzz/corpus/state/kernel-pieces \
	tests/fuzz/corpus/state/kernel-registers \
	tests/fuzz/corpus/state/kernel-room \
	tests/fuzz/corpus/state/kernel-wraps \
	tests/fuzz/corpus/state/length \
	tests/fuzz/corpus/state/ones \
	tests/fuzz/corpus/state/page \
	tests/fuzz/corpus/state/pages \
	tests/fuzz/corpus/state/repeat \
	tests/fuzz/corpus/state/setup \
	tests/fuzz/corpus/state/stream \
	tests/fuzz/corpus/state/timers \
	tests/fuzz/corpus/virtio/blk \
	tests/fuzz/corpus/virtio/blk-doorbell \
	tests/fuzz/corpus/virtio/blk-indirect \
	tests/fuzz/corpus/virtio/console \
	tests/fuzz/corpus/virtio/huge \
	tests/fuzz/corpus/virtio/index \
	tests/fuzz/corpus/virtio/legacy-blk \
	tests/fuzz/corpus/virtio/legacy-net \
	tests/fuzz/corpus/virtio/loop \
	tests/fuzz/corpus/virtio/mmio \
	tests/fuzz/corpus/virtio/net \
	tests/fuzz/corpus/virtio/net-doorbell \
	tests/fuzz/corpus/virtio/net-small \
	tests/fuzz/corpus/virtio/rng \
	tests/fuzz/corpus/virtio/rng-driver \
	tests/fuzz/corpus/virtio/rng-much \
	tests/fuzz/corpus/virtio/rom \
	tests/fuzz/corpus/virtio/table-in-table \
	tests/fuzz/corpus/virtio/wild
