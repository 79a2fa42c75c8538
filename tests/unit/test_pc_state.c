/* What a saved state says is not to be trusted: it comes from a file. */
#include "tests/unit/pc_rig.h"

#include "devmodel/pc_virtio.h"
#include "devmodel/ps2_keyboard.h"
#include "devmodel/ps2_mouse.h"
#include "devmodel/surface.h"
#include "tests/unit/pci_rig.h"

#define VIRTIO_SLOTS (PC_VIRTIO_DISK + 1u) /* one disk is like the other */
#define VIRTIO_QUEUE 0x20000u              /* queue n of a slot has a page there */

static struct pc_rig rig;
static struct chardev *console;

static void setup(void)
{
	pc_rig_setup(&rig);
	rig.config.ram_size = MIB;
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_snapshot_new(blk_memory_new(MIB, true)) };
	rig.config.drive[2] = (struct pc_drive){ PC_DRIVE_CDROM, blk_snapshot_new(blk_memory_new(MIB, true)) };
	rig.config.floppy[0] = blk_snapshot_new(blk_memory_new(1440 << 10, true));
	rig.config.virtio = (1u << VIRTIO_SLOTS) - 1;
	rig.config.virtio_console = console = chardev_new("memory", NULL);
	rig.config.virtio_disk[0] = blk_snapshot_new(blk_memory_new(MIB, true));
	rig.pc = pc_rig_build(&rig);
}

static void teardown(void)
{
	pc_rig_teardown(&rig);
	chardev_free(console);
}

static void out(uint16_t port, uint8_t value)
{
	pc_rig_out(&rig, port, value);
}

static void virtio_set(unsigned slot, unsigned offset, uint32_t value)
{
	mem_write(pc_mem(rig.pc), PC_VIRTIO_BASE + 0x1000 * slot + offset, 4, value);
}

/* Queue n of a slot, of four descriptors, the third of them available; the device is
 * told if `kick`. */
static void start_virtio_queue(unsigned slot, unsigned n, bool kick)
{
	uint32_t place = VIRTIO_QUEUE + 0x1000 * (2 * slot + n);
	virtio_set(slot, 0x30, n);
	virtio_set(slot, 0x38, 4);
	virtio_set(slot, 0x80, place);
	virtio_set(slot, 0x90, place + 0x100);
	virtio_set(slot, 0xa0, place + 0x200);
	virtio_set(slot, 0x44, 1);
	mem_write(pc_mem(rig.pc), place + 0x20, 8, place + 0x300);
	mem_write(pc_mem(rig.pc), place + 0x28, 8, 0x100000000ull * (n ? 0 : 2) + 512);
	mem_write(pc_mem(rig.pc), place + 0x104, 2, 2);
	mem_write(pc_mem(rig.pc), place + 0x102, 2, 1);
	if (kick)
		virtio_set(slot, 0x50, n);
}

static void start_virtio(void)
{
	for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++) {
		virtio_set(slot, 0x70, 3);
		virtio_set(slot, 0x24, 1);
		virtio_set(slot, 0x20, 1);
		virtio_set(slot, 0x70, 11);
		virtio_set(slot, 0x70, 15);
		start_virtio_queue(slot, 0, slot != PC_VIRTIO_DISK);
		start_virtio_queue(slot, 1, true);
	}
	chardev_feed(console, "typed", 5);
}

/* Something under way everywhere: timers, a text mode, bytes in queues, a sector that
 * is being read, another that was written. */
static void make_busy(void)
{
	static const uint8_t crtc[] = { 95, 79, 80, 130, 85, 129, 191, 31, 0, 79, 13, 14, 0, 0, 0, 0, 156, 142, 143, 40, 31, 150, 185, 163, 255 };
	for (unsigned n = 0; n < sizeof crtc; n++) {
		out(0x3d4, (uint8_t)n);
		out(0x3d5, crtc[n]);
	}
	out(0x3c2, 0x67);
	out(0x43, 0x34), out(0x40, 0), out(0x40, 0x10);
	out(0x70, 0x0b), out(0x71, 0x52);
	out(0x3f9, 0x03), out(0x3f8, 'x');
	out(0x64, 0x60), out(0x60, 0x03);
	ps2_keyboard_key(pc_keyboard(rig.pc), KEY_A, true);
	out(0x1f6, 0xe0), out(0x1f2, 1), out(0x1f3, 5), out(0x1f4, 0), out(0x1f5, 0), out(0x1f7, 0x30);
	for (unsigned n = 0; n < 256; n++)
		bus_write(pc_bus(rig.pc), 0x1f0, 2, n);
	out(0x1f2, 4), out(0x1f7, 0x20);
	out(0x3f2, 0x1c), out(0x3f5, 0xe6), out(0x3f5, 0);
	start_virtio();
	pci_rig_write(pc_bus(rig.pc), 0, 0x59, 1, 0x30);
	mem_write(pc_mem(rig.pc), 0x7c00, 4, 0xfeedbeef);
	pc_ctx(rig.pc)->gpr[CTX_RAX].e = 1;
}

static void pass(uint64_t ns)
{
	uint64_t end = clock_now(rig.clock) + ns;
	for (unsigned n = 0; n < 2000 && clock_next_deadline(rig.clock) <= end; n++) {
		clock_wait_until(rig.clock, clock_next_deadline(rig.clock));
		clock_run_due(rig.clock);
	}
}

static GByteArray *save(void)
{
	struct snap *snap = snap_new_save();
	pc_state(rig.pc, snap);
	size_t size;
	const void *data = snap_data(snap, &size);
	GByteArray *bytes = g_byte_array_new();
	g_byte_array_append(bytes, data, (guint)size);
	snap_free(snap);
	return bytes;
}

/* The board is used as a guest and its host would. */
static void use(void)
{
	struct surface *surface = surface_new(0, 0);
	GString *text = g_string_new(NULL);
	for (unsigned port = 0; port < 0x400; port++)
		bus_read(pc_bus(rig.pc), (uint16_t)port, 1);
	pass(3000000);
	for (unsigned n = 0; n < 300; n++) {
		bus_read(pc_bus(rig.pc), 0x1f0, 2);
		bus_read(pc_bus(rig.pc), 0x3f5, 1);
	}
	for (unsigned slot = 0; slot < VIRTIO_SLOTS; slot++)
		for (unsigned n = 0; n < 2; n++)
			virtio_set(slot, 0x50, n);
	chardev_feed(console, "more", 4);
	ps2_keyboard_key(pc_keyboard(rig.pc), KEY_B, true);
	vga_render(pc_vga(rig.pc), surface, VGA_BLINK_CLOCK);
	vga_text_read(pc_vga(rig.pc), text, NULL, NULL);
	pass(3000000);
	mem_read(pc_mem(rig.pc), 0xa0000, 4);
	mem_write(pc_mem(rig.pc), 0xb8000, 4, 0);
	g_string_free(text, TRUE);
	surface_free(surface);
}

/* Returns whether the board took it. */
static bool load(const GByteArray *bytes)
{
	struct snap *snap = snap_new_load(bytes->data, bytes->len);
	pc_state(rig.pc, snap);
	bool fine = !snap_error(snap);
	snap_free(snap);
	return fine;
}

/* Where the value of the item at `at` is, and its length; *next is the item behind. */
static unsigned find_value(const GByteArray *bytes, unsigned at, unsigned *size, unsigned *next)
{
	uint8_t item = bytes->data[at];
	unsigned value = at + 2 + bytes->data[at + 1];
	uint32_t length = 0;
	switch (item) {
	case 'b': case '1': length = 1; break;
	case '2': length = 2; break;
	case '4': case 'S': length = 4; break;
	case '8': case 't': length = 8; break;
	default:
		memcpy(&length, bytes->data + value, 4);
		value += 4;
	}
	*size = length;
	*next = value + length;
	return value;
}

static void try(GByteArray *bytes, unsigned at, const void *value, unsigned size)
{
	uint8_t kept[8];
	memcpy(kept, bytes->data + at, size);
	if (memcmp(kept, value, size)) {
		memcpy(bytes->data + at, value, size);
		if (load(bytes))
			use();
		memcpy(bytes->data + at, kept, size);
	}
}

/* Each number becomes each of these, each string of bytes has some set to them. */
static const uint64_t extremes[] = { 0, 1, UINT64_MAX, 0x8000, 0x80, 0x7f7f7f7f7f7f7f7f, 0x8000000000000000, UINT64_MAX - 1 };

START_TEST(any_value_is_survived)
{
	make_busy();
	GByteArray *bytes = save();
	unsigned items = 0;
	for (unsigned at = 0, next; at < bytes->len; at = next, items++) {
		unsigned size, value = find_value(bytes, at, &size, &next);
		unsigned width = MIN(size, 8);
		if (!width)
			continue;
		unsigned places = size > 8 ? 4 : 1;
		for (unsigned place = 0; place < places; place++)
			try(bytes, value + place * (size - width) / places, &extremes[_i], width);
	}
	ck_assert_uint_gt(items, 400);
	ck_assert(load(bytes));
	g_byte_array_free(bytes, TRUE);
}
END_TEST

/* Several at once. */
START_TEST(random_values_are_survived)
{
	make_busy();
	GByteArray *good = save();
	GRand *random = g_rand_new_with_seed((guint32)_i);
	unsigned taken = 0;
	for (unsigned round = 0; round < 60; round++) {
		GByteArray *bytes = g_byte_array_new();
		g_byte_array_append(bytes, good->data, good->len);
		for (unsigned at = 0, next; at < bytes->len; at = next) {
			unsigned size, value = find_value(bytes, at, &size, &next);
			if (bytes->data[at] != 'S' && size && g_rand_int_range(random, 0, 100) < 3)
				bytes->data[value + (unsigned)g_rand_int_range(random, 0, (gint32)size)] ^= (uint8_t)(1u << g_rand_int_range(random, 0, 8));
		}
		if (load(bytes)) {
			taken++;
			use();
		}
		g_byte_array_free(bytes, TRUE);
	}
	ck_assert(load(good));
	g_rand_free(random);
	g_byte_array_free(good, TRUE);
	(void)taken;
}
END_TEST

START_TEST(cut_off_anywhere_is_refused)
{
	make_busy();
	GByteArray *bytes = save();
	guint whole = bytes->len;
	for (unsigned at = 0, next; at < whole; at = next) {
		unsigned size;
		find_value(bytes, at, &size, &next);
		bytes->len = next - 1;
		ck_assert(!load(bytes));
		bytes->len = whole;
	}
	g_byte_array_free(bytes, TRUE);
}
END_TEST

/* A second board that loads it goes on as the first one does. */
START_TEST(two_boards_stay_equal)
{
	make_busy();
	pass(1234567);
	GByteArray *saved = save();
	use();
	GByteArray *first = save();
	ck_assert(load(saved));
	use();
	GByteArray *second = save();
	ck_assert_uint_eq(first->len, second->len);
	ck_assert(!memcmp(first->data, second->data, first->len));
	g_byte_array_free(saved, TRUE);
	g_byte_array_free(first, TRUE);
	g_byte_array_free(second, TRUE);
}
END_TEST

Suite *suite_pc_state(void)
{
	Suite *suite = suite_create("pc_state");
	TCase *tc = tcase_create("states");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, any_value_is_survived, 0, G_N_ELEMENTS(extremes));
	tcase_add_loop_test(tc, random_values_are_survived, 0, 5);
	tcase_add_test(tc, cut_off_anywhere_is_refused);
	tcase_add_test(tc, two_boards_stay_equal);
	suite_add_tcase(suite, tc);
	return suite;
}
