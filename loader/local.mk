# What goes into a machine: firmware, images, kernels.
libv2e_a_SOURCES += $(loader_sources)

loader_sources = \
	loader/boot_plan.c \
	loader/boot_plan.h \
	loader/boot_rom.c \
	loader/boot_rom.h \
	loader/boot_rom_code.S \
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
