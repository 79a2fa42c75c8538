# What goes into a machine: firmware, images, kernels.
libv2e_a_SOURCES += $(loader_sources)

# Guest code. Where the compiler is not for x86, its bytes are made by an assembler
# that is, and wrapped.
guest_code = loader/boot_rom_code.S cli/bench_guest.S
guest_code_bytes = loader/boot_rom_code_bytes.S cli/bench_guest_bytes.S
EXTRA_DIST += $(guest_code) build-aux/guest-code.sh
if NATIVE
libv2e_a_SOURCES += $(guest_code)
else
nodist_libv2e_a_SOURCES = $(guest_code_bytes)
CLEANFILES += $(guest_code_bytes)
guest_code_command = CC='$(CC)' CPPFLAGS='$(AM_CPPFLAGS) $(CPPFLAGS)' X86_PREFIX='$(X86_PREFIX)' \
	sh $(srcdir)/build-aux/guest-code.sh
loader/boot_rom_code_bytes.S: loader/boot_rom_code.S build-aux/guest-code.sh
	$(AM_V_GEN)$(guest_code_command) $(srcdir)/loader/boot_rom_code.S $@
cli/bench_guest_bytes.S: cli/bench_guest.S cli/bench_guest.h build-aux/guest-code.sh
	$(AM_V_GEN)$(guest_code_command) $(srcdir)/cli/bench_guest.S $@
endif

loader_sources = \
	loader/boot_plan.c \
	loader/boot_plan.h \
	loader/boot_rom.c \
	loader/boot_rom.h \
	loader/boot_start.c \
	loader/boot_start.h \
	loader/elf_image.c \
	loader/elf_image.h \
	loader/firmware.c \
	loader/firmware.h \
	loader/flat_image.c \
	loader/flat_image.h \
	loader/image.c \
	loader/image.h \
	loader/kernel.c \
	loader/kernel.h \
	loader/linux_image.c \
	loader/linux_image.h \
	loader/loader_file.c \
	loader/loader_file.h \
	loader/multiboot.c \
	loader/multiboot.h \
	loader/multiboot2.c \
	loader/multiboot2.h \
	loader/multiboot_common.c \
	loader/multiboot_common.h \
	loader/start_info.c \
	loader/start_info.h

# For guests.
v2eincludedir = $(includedir)/v2e
v2einclude_HEADERS = include/v2e/start_info.h include/v2e/virtio.h
