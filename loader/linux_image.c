#include "loader/linux_image.h"

#include <inttypes.h>
#include <stdlib.h>

/* The header's fields, boot.rst "The Real-Mode Kernel Header". */
enum {
	SETUP_SECTS = 0x1f1, SYSSIZE = 0x1f4, VID_MODE = 0x1fa, BOOT_FLAG = 0x1fe, JUMP = 0x200, MAGIC = 0x202,
	PROTOCOL = 0x206, TYPE_OF_LOADER = 0x210, LOADFLAGS = 0x211, SETUP_MOVE_SIZE = 0x212, CODE32_START = 0x214,
	RAMDISK_IMAGE = 0x218, RAMDISK_SIZE = 0x21c, HEAP_END = 0x224, CMD_LINE_PTR = 0x228, INITRD_ADDR_MAX = 0x22c,
	RELOCATABLE = 0x234, CMDLINE_SIZE = 0x238, PREF_ADDRESS = 0x258, INIT_SIZE = 0x260, HEADER_END = 0x268,
};

#define SECTOR       512u
#define LOADED_HIGH  0x01u
#define CAN_USE_HEAP 0x80u
#define LOADER_OTHER 0xffu

/* Before protocol 2.02 the command line is found through the boot sector. */
enum { OLD_LINE_MAGIC = 0x20, OLD_LINE_OFFSET = 0x22 };
#define OLD_LINE_MAGIC_VALUE 0xa33fu

/* Where the real-mode part goes: 64 KiB of code and heap, then the command line. A
 * zImage's main part is there already. */
#define HIGH_SEGMENT    0x1000u
#define LOW_SEGMENT     0x9000u
#define LOW_MAIN        0x10000u
#define LOW_MAIN_MAX    0x80000u
#define SETUP_MAX       0x8000u /* sectors that any version of the protocol may have */
#define HEAP_TOP        0xe000u /* of bzImages, from the segment's start; for zImages: */
#define LOW_HEAP_TOP    0x9000u
#define HEAP_MARGIN     0x200u  /* the stack's part of the heap */
#define LINE_MAX_OLD    255u
#define INITRD_MAX_OLD  0x37ffffffu
#define PAGE            4096u

bool linux_image_is(const struct loader_file *file)
{
	return loader_file_has(file, PROTOCOL, 2) && loader_file_16(file, BOOT_FLAG) == 0xaa55 && !memcmp(file->data + MAGIC, "HdrS", 4);
}

/* Fields behind the header's own end are not there. The jump over it tells where. */
static bool has_field(const struct loader_file *file, const struct linux_image *image, uint16_t since, unsigned offset)
{
	unsigned end = MAGIC + file->data[JUMP + 1];
	return image->protocol >= since && offset + 4 <= end;
}

static bool parse_limits(const struct loader_file *file, struct linux_image *image, char **error)
{
	image->command_line_max = LINE_MAX_OLD;
	if (has_field(file, image, 0x0206, CMDLINE_SIZE))
		image->command_line_max = loader_file_32(file, CMDLINE_SIZE);
	image->initrd_max = INITRD_MAX_OLD;
	if (has_field(file, image, 0x0203, INITRD_ADDR_MAX))
		image->initrd_max = loader_file_32(file, INITRD_ADDR_MAX);
	image->run_size = image->main_size;
	image->run_address = image->high ? BOOT_HIGH : LOW_MAIN;
	if (has_field(file, image, 0x020a, INIT_SIZE)) {
		image->run_size = MAX(image->main_size, loader_file_32(file, INIT_SIZE));
		image->run_address = MAX(image->run_address, loader_file_64(file, PREF_ADDRESS));
	}
	if (image->run_address + image->run_size > UINT64_C(1) << 32 || image->run_address >> 32)
		return loader_refuse(file->path, error, "pref_address is %" PRIX64 "h and init_size %" PRIu64 ", which pass 4 GiB",
		                     image->run_address, image->run_size);
	return true;
}

static bool parse_sizes(const struct loader_file *file, struct linux_image *image, char **error)
{
	unsigned sectors = file->data[SETUP_SECTS] ? file->data[SETUP_SECTS] : 4;
	image->setup_size = (sectors + 1) * SECTOR;
	if (image->setup_size > SETUP_MAX)
		return loader_refuse(file->path, error, "setup_sects is %u, more than %u", sectors, SETUP_MAX / SECTOR - 1);
	if (image->setup_size < HEADER_END)
		return loader_refuse(file->path, error, "setup_sects is %u: the header alone has two sectors", sectors);
	if (image->setup_size >= file->size)
		return loader_refuse(file->path, error, "is truncated: setup_sects makes a set-up of %" PRIu32 " bytes, the file has %" PRIu64,
		                     image->setup_size, file->size);
	image->main_size = file->size - image->setup_size;
	uint64_t paragraphs = loader_file_32(file, SYSSIZE);
	if (image->protocol < 0x0204)
		paragraphs &= 0xffff;
	/* The last paragraph need not be whole. Before 2.04 large kernels say too little. */
	if (paragraphs * 16 > image->main_size + 15)
		return loader_refuse(file->path, error, "is truncated: syssize makes a main part of %" PRIu64 " bytes, the file has %" PRIu64 " behind the set-up",
		                     paragraphs * 16, image->main_size);
	if (!image->high && image->main_size > LOW_MAIN_MAX)
		return loader_refuse(file->path, error, "main part of a zImage (loadflags bit 0 is clear) has %" PRIu64 " bytes, more than %u",
		                     image->main_size, LOW_MAIN_MAX);
	return true;
}

bool linux_image_parse(const struct loader_file *file, struct linux_image *image, char **error)
{
	*image = (struct linux_image){ .protocol = 0 };
	if (!linux_image_is(file))
		return loader_refuse(file->path, error, "is no Linux kernel: AA55h at offset 1FEh and HdrS at 202h are not both there");
	if (!loader_file_has(file, 0, HEADER_END))
		return loader_refuse(file->path, error, "is truncated: the header has %u bytes, the file %" PRIu64, HEADER_END, file->size);
	image->protocol = loader_file_16(file, PROTOCOL);
	if (image->protocol < 0x0200)
		return loader_refuse(file->path, error, "boot protocol is %u.%02u, older than 2.00", image->protocol >> 8, image->protocol & 0xff);
	image->high = file->data[LOADFLAGS] & LOADED_HIGH;
	return parse_sizes(file, image, error) && parse_limits(file, image, error);
}

/* --- the plan ------------------------------------------------------------------ */

struct plan_work {
	const struct loader_file *file;
	const struct linux_image *image;
	struct boot_plan *plan;
	uint8_t *setup;    /* the real-mode part, to be changed */
	uint32_t segment;
	uint32_t heap_top;
};

static void put16(uint8_t *at, uint32_t value)
{
	uint16_t little = GUINT16_TO_LE((uint16_t)value);
	memcpy(at, &little, sizeof little);
}

static void put32(uint8_t *at, uint64_t value)
{
	uint32_t little = GUINT32_TO_LE((uint32_t)value);
	memcpy(at, &little, sizeof little);
}

/* "vga=ask", "vga=normal", "vga=ext" or a number: boot.rst, "Special Command Line
 * Options". What is none of these is left to the kernel. */
static void set_video_mode(const struct plan_work *work, const char *append)
{
	const char *value = NULL;
	for (const char *at = append; (at = strstr(at, "vga=")); at += 4)
		if (at == append || at[-1] == ' ')
			value = at + 4;
	if (!value)
		return;
	char *end;
	unsigned long mode = strtoul(value, &end, 0);
	size_t length = strcspn(value, " ");
	if (!strncmp(value, "normal", length) && length == 6)
		mode = 0xffff;
	else if (!strncmp(value, "ext", length) && length == 3)
		mode = 0xfffe;
	else if (!strncmp(value, "ask", length) && length == 3)
		mode = 0xfffd;
	else if (end != value + length || !length || mode > 0xffff)
		return;
	put16(work->setup + VID_MODE, (uint32_t)mode);
}

static bool add_command_line(const struct plan_work *work, const char *append, char **error)
{
	size_t length = strlen(append);
	if (length > work->image->command_line_max)
		return loader_refuse(work->file->path, error, "the command line has %zu bytes, the kernel takes %" PRIu32 "; make --append shorter",
		                     length, work->image->command_line_max);
	uint64_t segment = (uint64_t)work->segment << 4, address = segment + work->heap_top;
	/* Old kernels look for it within their segment; others may have a long one. */
	if (work->image->high && work->image->protocol >= 0x0202)
		address = segment + 0x10000;
	uint8_t *line = boot_plan_bytes(work->plan, length + 1);
	memcpy(line, append, length);
	struct boot_piece piece = { .address = address, .size = length + 1, .data = line, .data_size = length + 1, .use = BOOT_USE_INIT };
	if (!boot_plan_add(work->plan, "command line", &piece, error))
		return false;
	if (work->image->protocol >= 0x0202) {
		put32(work->setup + CMD_LINE_PTR, address);
	} else {
		put16(work->setup + OLD_LINE_MAGIC, OLD_LINE_MAGIC_VALUE);
		put16(work->setup + OLD_LINE_OFFSET, work->heap_top);
		put16(work->setup + SETUP_MOVE_SIZE, work->heap_top + (uint32_t)length + 1);
	}
	set_video_mode(work, append);
	return true;
}

static bool add_initrd(const struct plan_work *work, const struct loader_file *initrd, char **error)
{
	const struct linux_image *image = work->image;
	uint64_t from = MAX(boot_plan_end(work->plan, BOOT_HIGH), image->run_address + image->run_size);
	uint64_t to = MIN(image->initrd_max + 1, boot_plan_limit(work->plan));
	uint64_t address = boot_plan_find(work->plan, initrd->size, PAGE, from, to, true);
	if (!address)
		return loader_refuse(initrd->path, error, "initial RAM disk: %" PRIu64 " bytes do not fit between the kernel's end at %08" PRIX64 "h and the limit %08" PRIX64 "h; give more memory with -m",
		                     initrd->size, from, to);
	struct boot_piece piece = { .address = address, .size = initrd->size, .data = initrd->data, .data_size = initrd->size, .use = BOOT_USE_INIT };
	put32(work->setup + RAMDISK_IMAGE, address);
	put32(work->setup + RAMDISK_SIZE, initrd->size);
	return boot_plan_add(work->plan, "initial RAM disk", &piece, error);
}

static void fill_header(const struct plan_work *work)
{
	work->setup[TYPE_OF_LOADER] = LOADER_OTHER;
	if (work->image->protocol >= 0x0201) {
		put16(work->setup + HEAP_END, work->heap_top - HEAP_MARGIN);
		work->setup[LOADFLAGS] |= CAN_USE_HEAP;
	}
}

static bool add_kernel(struct plan_work *work, char **error)
{
	const struct linux_image *image = work->image;
	uint64_t end = image->run_address + image->run_size, limit = boot_plan_limit(work->plan);
	if (image->high && end > limit)
		return loader_refuse(work->file->path, error, "is too big for memory: it runs in %" PRIu64 " bytes from %08" PRIX64 "h on (pref_address, init_size), RAM ends at %08" PRIX64 "h for it; give more with -m",
		                     image->run_size, image->run_address, limit);
	work->segment = image->high ? HIGH_SEGMENT : LOW_SEGMENT;
	work->heap_top = image->high ? HEAP_TOP : LOW_HEAP_TOP;
	work->setup = boot_plan_bytes(work->plan, image->setup_size);
	memcpy(work->setup, work->file->data, image->setup_size);
	struct boot_piece setup = { .address = (uint64_t)work->segment << 4, .size = work->heap_top, .data = work->setup, .data_size = image->setup_size };
	struct boot_piece main_part = { .address = image->high ? BOOT_HIGH : LOW_MAIN, .size = image->main_size,
	                                .data = work->file->data + image->setup_size, .data_size = image->main_size };
	return boot_plan_add(work->plan, "set-up code", &setup, error) && boot_plan_add(work->plan, "main part", &main_part, error);
}

bool linux_image_plan(const struct loader_file *file, const struct loader_file *initrd, const char *append,
                      struct boot_plan *plan, char **error)
{
	struct linux_image image;
	struct plan_work work = { .file = file, .image = &image, .plan = plan };
	if (!linux_image_parse(file, &image, error) || !add_kernel(&work, error))
		return false;
	fill_header(&work);
	if (!add_command_line(&work, append ? append : "", error) || (initrd && !add_initrd(&work, initrd, error)))
		return false;
	plan->cs = (uint16_t)(work.segment + 0x20);
	plan->ip = 0;
	plan->ds = plan->ss = (uint16_t)work.segment;
	plan->sp = (uint16_t)work.heap_top;
	return true;
}
