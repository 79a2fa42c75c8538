/* A hostile saved machine: what state_restore() lets through must run, be looked at
 * and be saved without harm, and what it does not must be told in one line that names
 * the file. The input's first byte says what follows:
 *
 *	p	patches of a good state, 12 bytes each, see struct patch
 *	k	the same of one whose kernel was started without firmware
 *	s	all that is compressed in a file
 *	f	the file itself
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "cli/machine.h"
#include "cli/state.h"
#include "cli/state_file.h"
#include "devmodel/pc_virtio.h"
#include "devmodel/ps2_keyboard.h"
#include "devmodel/ps2_mouse.h"
#include "devmodel/surface.h"
#include "tests/fuzz/fuzz.h"

#define BIOS_SIZE  65536u
#define ROM_SIZE   512u
#define MIB        (1u << 20)
#define KERNEL_AT  MIB
#define RESET_PORT 0xcf9u
#define RUN_NS     UINT64_C(100000) /* 10,000 instructions */

/* One item of the good state changes. */
struct patch {
	uint8_t item[2];   /* its number, little-endian, modulo how many there are */
	uint8_t place;     /* in bytes or long values, in parts of 256 */
	uint8_t operation; /* enum operation, modulo OPERATIONS */
	uint8_t value[8];
};

enum operation { SET_1, SET_2, SET_4, SET_8, DROP, REPEAT, LENGTH, OPERATIONS };

/* A state that is as it should be. */
struct good {
	GByteArray *data;
	GArray *items; /* guint: where in `data` each begins; then its end */
};

static struct good with_bios, with_kernel;
static int fd;
static char path[32];
static struct run_options options;

/* abort(), as libFuzzer keeps an input that raises SIGABRT. */
static void require(bool holds)
{
	if (!holds)
		abort();
}

/* --- a good state ------------------------------------------------------------------- */

/* A name for a file in memory that lives as long as the process. */
static char *file_of(const void *data, size_t size, size_t whole)
{
	int file = memfd_create("fuzz", 0);
	require(file >= 0 && !ftruncate(file, (off_t)whole) && pwrite(file, data, size, 0) == (ssize_t)size);
	return g_strdup_printf("/proc/self/fd/%d", file);
}

/* Reads all ports that chips can have, again and again. */
static char *make_bios(void)
{
	static const uint8_t code[] = { 0x31, 0xd2, 0xec, 0x42, 0x81, 0xfa, 0x00, 0x08, 0x72, 0xf8, 0xeb, 0xf4 };
	static const uint8_t start[] = { 0xea, 0x00, 0x00, 0x00, 0xf0 };
	uint8_t *bios = g_malloc0(BIOS_SIZE);
	memcpy(bios, code, sizeof code);
	memcpy(bios + BIOS_SIZE - 16, start, sizeof start);
	char *name = file_of(bios, BIOS_SIZE, BIOS_SIZE);
	g_free(bios);
	return name;
}

/* The same in 32 bits. */
static char *make_kernel(void)
{
	static const uint8_t code[] = { 0x31, 0xd2, 0xec, 0x42, 0x81, 0xfa, 0x00, 0x08, 0x00, 0x00, 0x72, 0xf6, 0xeb, 0xf2 };
	return file_of(code, sizeof code, sizeof code);
}

static char *make_rom(void)
{
	uint8_t rom[ROM_SIZE] = { 0x55, 0xaa, 1, 0xcb };
	for (unsigned n = 0; n < ROM_SIZE - 1; n++)
		rom[ROM_SIZE - 1] -= rom[n];
	return file_of(rom, ROM_SIZE, ROM_SIZE);
}

/* What tells a CD by its contents. */
static char *make_cdrom(void)
{
	uint8_t *data = g_malloc0(MIB);
	memcpy(data + 32769, "CD001", 5);
	char *name = file_of(data, MIB, MIB);
	g_free(data);
	return name;
}

static void out(struct machine *machine, uint16_t port, uint8_t value)
{
	bus_write(pc_bus(machine->pc), port, 1, value);
}

/* A queue of two descriptors that is in use. */
static void start_virtio(struct machine *machine, unsigned slot)
{
	static const struct { uint16_t offset; uint32_t value; } writes[] = {
		{ 0x70, 3 }, { 0x24, 1 }, { 0x20, 1 }, { 0x70, 11 }, { 0x38, 2 }, { 0x80, 0x8000 }, { 0x90, 0x8100 },
		{ 0xa0, 0x8200 }, { 0x44, 1 }, { 0x70, 15 }, { 0x50, 0 },
	};
	for (unsigned n = 0; n < G_N_ELEMENTS(writes); n++)
		mem_write(pc_mem(machine->pc), PC_VIRTIO_BASE + slot * 0x1000 + writes[n].offset, 4, writes[n].value);
}

/* Something under way everywhere: timers, a text mode, bytes in queues, a sector that
 * is being read, another that was written. */
static void make_busy(struct machine *machine)
{
	static const uint8_t crtc[] = { 95, 79, 80, 130, 85, 129, 191, 31, 0, 79, 13, 14, 0, 0, 0, 0, 156, 142, 143, 40, 31, 150, 185, 163, 255 };
	static const struct { uint16_t port; uint8_t value; } writes[] = {
		{ 0x3c2, 0x67 }, { 0x43, 0x34 }, { 0x40, 0 }, { 0x40, 0x10 }, { 0x70, 0x0b }, { 0x71, 0x52 }, { 0x3f9, 0x03 },
		{ 0x3f8, 'x' }, { 0x64, 0x60 }, { 0x60, 0x03 }, { 0x1f6, 0xe0 }, { 0x1f2, 1 }, { 0x1f3, 5 }, { 0x1f4, 0 },
		{ 0x1f5, 0 }, { 0x1f7, 0x30 },
	};
	for (unsigned n = 0; n < sizeof crtc; n++) {
		out(machine, 0x3d4, (uint8_t)n);
		out(machine, 0x3d5, crtc[n]);
	}
	for (unsigned n = 0; n < G_N_ELEMENTS(writes); n++)
		out(machine, writes[n].port, writes[n].value);
	for (unsigned n = 0; n < 256; n++)
		bus_write(pc_bus(machine->pc), 0x1f0, 2, n);
	out(machine, 0x1f2, 4), out(machine, 0x1f7, 0x20);
	out(machine, 0x3f2, 0x1c), out(machine, 0x3f5, 0xe6), out(machine, 0x3f5, 0);
	mem_write(pc_mem(machine->pc), 0x7c00, 4, 0xfeedbeef);
	for (unsigned slot = 0; slot < PC_VIRTIO_SLOTS; slot++)
		start_virtio(machine, slot);
	ps2_keyboard_key(pc_keyboard(machine->pc), KEY_A, true);
}

static void read_items(struct good *good, const char *file)
{
	struct state_reader *reader = state_reader_new(file, NULL);
	uint8_t byte;
	require(reader);
	good->data = g_byte_array_new();
	while (state_reader_get(reader, &byte, 1))
		g_byte_array_append(good->data, &byte, 1);
	require(state_reader_is_done(reader));
	state_reader_free(reader);
}

/* See shared/snap.c: type, length of the name, name, for bytes their length, value. */
static guint value_of(const struct good *good, guint at, guint *size)
{
	const uint8_t *data = good->data->data;
	guint value = at + 2 + data[at + 1];
	uint32_t length = 0;
	switch (data[at]) {
	case 'b': case '1': length = 1; break;
	case '2': length = 2; break;
	case '4': case 'S': length = 4; break;
	case '8': case 't': length = 8; break;
	default:
		memcpy(&length, data + value, 4);
		value += 4;
	}
	*size = length;
	return value;
}

static void find_items(struct good *good)
{
	good->items = g_array_new(FALSE, FALSE, sizeof(guint));
	guint size;
	for (guint at = 0; at < good->data->len; at = value_of(good, at, &size) + size)
		g_array_append_val(good->items, at);
	g_array_append_val(good->items, good->data->len);
	require(good->items->len > 400);
}

static void save_good(struct good *good, const struct run_options *base)
{
	char *error = NULL, *folder = g_dir_make_tmp("v2e-fuzz-XXXXXX", NULL);
	g_autofree char *file = g_build_filename(folder, "good", NULL);
	struct machine *machine = machine_new(base, &error);
	if (!machine)
		fprintf(stderr, "%s\n", error);
	require(machine);
	make_busy(machine);
	require(state_save(machine, file, &error));
	machine_free(machine);
	read_items(good, file);
	find_items(good);
	g_unlink(file);
	g_rmdir(folder);
	g_free(folder);
}

static void set_common(struct run_options *base)
{
	run_options_init(base);
	base->engine = RUN_ENGINE_EMU;
	base->clock = CLOCK_KIND_VIRTUAL;
	base->jit = EMU_JIT_OFF;
	base->snapshot = true;
	base->bios = make_bios();
	base->vgabios = make_rom();
}

static void make_with_bios(void)
{
	struct run_options base;
	set_common(&base);
	base.memory = MIB;
	g_ptr_array_add(base.disks, file_of("", 0, MIB));
	g_ptr_array_add(base.cdroms, make_cdrom());
	g_ptr_array_add(base.floppies, file_of("", 0, 1440 << 10));
	g_ptr_array_add(base.virtio.disks, file_of("", 0, MIB));
	base.virtio.console = g_strdup("none");
	base.virtio.rng = true;
	save_good(&with_bios, &base);
	run_options_clear(&base);
}

static void make_with_kernel(void)
{
	struct run_options base;
	set_common(&base);
	base.memory = 2 * MIB;
	base.kernel = make_kernel();
	base.load_at = KERNEL_AT;
	save_good(&with_kernel, &base);
	run_options_clear(&base);
}

/* --- a bad one ------------------------------------------------------------------------ */

static void add_item(const struct good *good, GByteArray *to, guint item)
{
	guint at = g_array_index(good->items, guint, item);
	g_byte_array_append(to, good->data->data + at, g_array_index(good->items, guint, item + 1) - at);
}

/* The item as the patch would have it. */
static void add_patched(const struct good *good, GByteArray *to, guint item, const struct patch *patch)
{
	enum operation operation = patch->operation % OPERATIONS;
	guint at = g_array_index(good->items, guint, item), start = to->len, size;
	guint value = value_of(good, at, &size) - at;
	if (operation == DROP)
		return;
	add_item(good, to, item);
	if (operation == REPEAT) {
		add_item(good, to, item);
	} else if (operation == LENGTH) {
		if (strchr("BV", good->data->data[at]))
			memcpy(to->data + start + value - 4, patch->value, 4);
	} else {
		guint width = MIN(1u << operation, size);
		memcpy(to->data + start + value + (guint64)(size - width) * patch->place / 255, patch->value, width);
	}
}

/* The last of the patches of an item is the one that counts. */
static GByteArray *patch_good(const struct good *good, const uint8_t *data, size_t size)
{
	GByteArray *stream = g_byte_array_new();
	const struct patch *patches = (const struct patch *)data;
	size_t count = MIN(size / sizeof *patches, 64);
	for (guint item = 0; item + 1 < good->items->len; item++) {
		const struct patch *found = NULL;
		for (size_t n = 0; n < count; n++)
			if ((patches[n].item[0] | patches[n].item[1] << 8) % (good->items->len - 1) == item)
				found = &patches[n];
		if (found)
			add_patched(good, stream, item, found);
		else
			add_item(good, stream, item);
	}
	return stream;
}

static void put_file(const void *data, size_t size)
{
	require(!ftruncate(fd, 0) && pwrite(fd, data, size, 0) == (ssize_t)size);
}

/* With a checksum that fits, as who means harm would make it. */
static void put_stream(const uint8_t *data, size_t size)
{
	static const uint8_t header[16] = { 'V', '2', 'E', 'S', 'T', 'A', 'T', 'E', 1 };
	uLongf packed = compressBound(size);
	uint8_t *file = g_malloc(sizeof header + packed + 32);
	gsize sum = 32;
	memcpy(file, header, sizeof header);
	require(compress2(file + sizeof header, &packed, data, size, Z_NO_COMPRESSION) == Z_OK);
	GChecksum *checksum = g_checksum_new(G_CHECKSUM_SHA256);
	g_checksum_update(checksum, file, (gssize)(sizeof header + packed));
	g_checksum_get_digest(checksum, file + sizeof header + packed, &sum);
	g_checksum_free(checksum);
	put_file(file, sizeof header + packed + 32);
	g_free(file);
}

/* --- what comes of it --------------------------------------------------------------------- */

static void stop(void *owner)
{
	conduct_stop(((struct machine *)owner)->conduct);
}

static void run(struct machine *machine)
{
	struct clock_timer *timer = clock_timer_new(machine->clock, stop, machine);
	clock_timer_set(timer, clock_now(machine->clock) + RUN_NS);
	conduct_run(machine->conduct);
	clock_timer_free(timer);
}

/* A board that was loaded can be saved, and that can be loaded. */
static void save_and_load(struct machine *machine)
{
	struct snap *save = snap_new_save();
	pc_state(machine->pc, save);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	pc_state(machine->pc, load);
	if (snap_error(load))
		fprintf(stderr, "%s\n", snap_error(load));
	require(!snap_error(load));
	snap_free(load);
	snap_free(save);
}

static void use(struct machine *machine)
{
	GString *text = g_string_new(NULL);
	save_and_load(machine);
	run(machine);
	ps2_keyboard_key(pc_keyboard(machine->pc), KEY_B, true);
	ps2_mouse_move(pc_mouse(machine->pc), 3, -4, 1, 1);
	vga_render(pc_vga(machine->pc), machine->surface, VGA_BLINK_CLOCK);
	vga_text_read(pc_vga(machine->pc), text, NULL, NULL);
	machine_poll_ports(machine);
	run(machine);
	/* What starts then is in the state as well. */
	out(machine, RESET_PORT, 6);
	run(machine);
	save_and_load(machine);
	g_string_free(text, TRUE);
}

static void start(void)
{
	make_with_bios();
	make_with_kernel();
	fd = memfd_create("state", 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	run_options_init(&options);
	options.engine = RUN_ENGINE_EMU;
	options.clock = CLOCK_KIND_VIRTUAL;
	options.jit = EMU_JIT_OFF;
	options.snapshot = true;
	options.restore = g_strdup(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *error = NULL;
	if (!size)
		return 0;
	if (!with_bios.data)
		start();
	if (*data == 'f') {
		put_file(data + 1, size - 1);
	} else if (*data == 's') {
		put_stream(data + 1, size - 1);
	} else {
		GByteArray *stream = patch_good(*data == 'k' ? &with_kernel : &with_bios, data + 1, size - 1);
		put_stream(stream->data, stream->len);
		g_byte_array_free(stream, TRUE);
	}
	struct machine *machine = state_restore(&options, &error);
	if (machine)
		use(machine);
	else
		require(error && g_str_has_prefix(error, path) && !strchr(error, '\n'));
	machine_free(machine);
	g_free(error);
	return 0;
}
