/* Places for pieces, flat binaries, and the option ROM that carries a plan out. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "loader/boot_rom.h"
#include "loader/boot_start.h"
#include "loader/flat_image.h"
#include "loader/kernel.h"
#include "tests/unit/kernel_rig.h"
#include "tests/unit/snap_rig.h"

static struct kernel_rig rig;
static const uint8_t bytes[256] = { 1, 2, 3 };

static void setup(void) { kernel_rig_setup(&rig, BOOT_PROTECTED); }
static void teardown(void) { kernel_rig_teardown(&rig); }

static bool add(uint64_t address, uint64_t size, uint64_t data_size)
{
	return boot_plan_add(&rig.plan, "piece", &(struct boot_piece){ .address = address, .size = size, .data = bytes, .data_size = data_size }, &rig.error);
}

START_TEST(places)
{
	KERNEL_RIG_REFUSED(&rig, add(0xfff, 1, 1), "00000FFFh", "01000h");
	KERNEL_RIG_REFUSED(&rig, add(BOOT_FIRMWARE_LOW_END - 1, 2, 1), "not in RAM");
	KERNEL_RIG_REFUSED(&rig, add(0xfffff, 2, 1), "not in RAM");
	KERNEL_RIG_REFUSED(&rig, add(KERNEL_RIG_RAM - BOOT_FIRMWARE_TOP, 1, 1), "too big for memory");
	KERNEL_RIG_REFUSED(&rig, add(UINT64_MAX, 2, 1), "4 GiB");
	KERNEL_RIG_REFUSED(&rig, add(0x100000, UINT64_MAX, 1), "4 GiB");
	ck_assert(add(0x200000, 0x1000, 1) && add(0x1ff000, 0x1000, 1) && add(0x201000, 0x1000, 1) && add(0x300000, 0, 0));
	ck_assert_uint_eq(rig.plan.pieces->len, 3);
	KERNEL_RIG_REFUSED(&rig, add(0x200fff, 2, 1), "overlap piece");
}
END_TEST

START_TEST(rooms)
{
	ck_assert(add(0x101000, 0x1000, 1) && add(0x104000, 0x1000, 1));
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x1000, 0x1000, 0x100000, 0x110000, false), 0x100000);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x1001, 0x1000, 0x100000, 0x110000, false), 0x102000);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x2001, 0x1000, 0x100000, 0x110000, false), 0x105000);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x2000, 0x1000, 0x100000, 0x105000, true), 0x102000);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x800, 0x1000, 0x100000, 0x102800, true), 0x102000);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x2001, 0x1000, 0x100000, 0x105000, true), 0);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, 0x2001, 0x1000, 0x100000, 0x105000, false), 0);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, KERNEL_RIG_RAM, 1, 0x100000, UINT64_MAX, false), 0);
	ck_assert_uint_eq(boot_plan_find(&rig.plan, UINT64_MAX, 1, 0x100000, UINT64_MAX, true), 0);
	ck_assert(boot_plan_covers(&rig.plan, 0x101fff) && !boot_plan_covers(&rig.plan, 0x102000));
}
END_TEST

START_TEST(flat)
{
	static const struct { uint32_t address; uint16_t cs, ip; } cases[] = { { 0x7c00, 0, 0x7c00 }, { 0x8001, 0, 0x8001 }, { 0x10010, 0x1001, 0 } };
	struct start_info_board board = { .devices = 0 };
	kernel_rig_put(&rig, 63, 0x90, 1);
	for (unsigned n = 0; n < G_N_ELEMENTS(cases); n++) {
		ck_assert_int_eq(flat_image_mode(cases[n].address), BOOT_REAL);
		rig.plan.mode = BOOT_REAL;
		ck_assert_msg(flat_image_plan(kernel_rig_file(&rig), cases[n].address, &board, &rig.plan, &rig.error), "%s", rig.error);
		ck_assert_uint_eq(rig.plan.cs, cases[n].cs);
		ck_assert_uint_eq(rig.plan.ip, cases[n].ip);
		ck_assert(rig.plan.interrupts);
		kernel_rig_again(&rig);
	}
	KERNEL_RIG_REFUSED(&rig, flat_image_plan(kernel_rig_file(&rig), 0x10001, &board, &rig.plan, &rig.error), "10001h", "multiple of 10h");
	ck_assert_int_eq(flat_image_mode(0x100000), BOOT_DIRECT);
	rig.plan.mode = BOOT_DIRECT;
	ck_assert_msg(flat_image_plan(kernel_rig_file(&rig), 0x200000, &board, &rig.plan, &rig.error), "%s", rig.error);
	ck_assert_uint_eq(rig.plan.eip, 0x200000);
	ck_assert_uint_eq(rig.plan.ebx, 0x1000);
}
END_TEST

static uint8_t sum(const uint8_t *from, size_t size)
{
	uint8_t total = 0;
	while (size--)
		total = (uint8_t)(total + *from++);
	return total;
}

START_TEST(option_rom)
{
	struct boot_rom rom;
	ck_assert(add(0x100000, 0x1000, 3) && add(0x200000, 16, 16));
	ck_assert_msg(boot_rom_make(&rig.plan, &rom, &rig.error), "%s", rig.error);
	ck_assert_uint_eq(rom.data_size, 19);
	ck_assert_mem_eq(rom.data, bytes, 3);
	ck_assert_mem_eq(rom.data + 3, bytes, 16);
	ck_assert_uint_eq(rom.rom[0], 0x55);
	ck_assert_uint_eq(rom.rom[1], 0xaa);
	ck_assert_uint_eq(rom.rom[2] * 512u, rom.rom_size);
	ck_assert_uint_eq(sum(rom.rom, rom.rom_size), 0);
	unsigned pnp = rom.rom[0x1a] | rom.rom[0x1b] << 8;
	ck_assert_mem_eq(rom.rom + pnp, "$PnP", 4);
	ck_assert_uint_eq(sum(rom.rom + pnp, 32), 0);
	boot_rom_clear(&rom);
}
END_TEST

START_TEST(option_rom_without_room)
{
	struct boot_rom rom;
	ck_assert(add(BOOT_FIRMWARE_LOW, BOOT_FIRMWARE_LOW_END - BOOT_FIRMWARE_LOW - 4095, 1));
	KERNEL_RIG_REFUSED(&rig, boot_rom_make(&rig.plan, &rom, &rig.error), "no 4096 bytes", "9A000h");
}
END_TEST

static void add_three(void)
{
	boot_plan_clear(&rig.plan);
	boot_plan_init(&rig.plan, "KERNEL", BOOT_DIRECT, KERNEL_RIG_RAM);
	rig.plan.eip = 0x100010;
	rig.plan.eax = 1;
	rig.plan.ebx = 2;
	rig.plan.esp = 0x9000;
	ck_assert(add(0x100000, 0x1000, sizeof bytes) && add(0, 16, 16) && add(0x200000, 0x100000, 0));
}

/* Loads into the like of rig.plan. */
static void state_of_plan(struct snap *snap)
{
	if (!snap_is_loading(snap)) {
		boot_start_save(&rig.plan, snap);
		return;
	}
	boot_plan_clear(&rig.plan);
	boot_plan_init(&rig.plan, "KERNEL", BOOT_DIRECT, KERNEL_RIG_RAM);
	boot_start_load(&rig.plan, snap);
}

START_TEST(saved)
{
	add_three();
	struct snap *save = snap_new_save();
	state_of_plan(save);
	size_t size;
	const uint8_t *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	state_of_plan(load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert_uint_eq(rig.plan.eip, 0x100010);
	ck_assert_uint_eq(rig.plan.eax, 1);
	ck_assert_uint_eq(rig.plan.ebx, 2);
	ck_assert_uint_eq(rig.plan.esp, 0x9000);
	ck_assert_uint_eq(rig.plan.pieces->len, 3);
	const struct boot_piece *piece = &g_array_index(rig.plan.pieces, struct boot_piece, 0);
	ck_assert(piece->address == 0x100000 && piece->size == 0x1000 && piece->data_size == sizeof bytes);
	ck_assert_mem_eq(piece->data, bytes, sizeof bytes);
	snap_free(load);
	snap_free(save);
}
END_TEST

/* All that is let through lies in RAM. */
static void use_plan(void)
{
	for (guint n = 0; n < rig.plan.pieces->len; n++) {
		const struct boot_piece *piece = &g_array_index(rig.plan.pieces, struct boot_piece, n);
		ck_assert(piece->data_size <= piece->size && piece->address + piece->size <= KERNEL_RIG_RAM);
	}
}

START_TEST(broken_state)
{
	add_three();
	ck_assert_uint_gt(snap_rig_damage(state_of_plan, use_plan), 32);
}
END_TEST

/* Somebody builds it anew while the guest runs, which then resets the machine. */
START_TEST(kernel_file_is_cut)
{
	static const uint8_t code[9000] = { [8999] = 0x90 };
	char *error = NULL, *path = NULL;
	int fd = g_file_open_tmp("v2e-kernel-XXXXXX", &path, NULL);
	ck_assert_int_eq(write(fd, code, sizeof code), sizeof code);
	const struct kernel_config config = { .path = path, .kind = KERNEL_FLAT, .address = 0x200000, .ram_size = KERNEL_RIG_RAM };
	struct kernel kernel;
	ck_assert_msg(kernel_open(&kernel, &config, &error), "%s", error);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	const struct boot_piece *piece = &g_array_index(kernel.plan.pieces, struct boot_piece, 0);
	ck_assert_uint_eq(piece->data_size, sizeof code);
	ck_assert_int_eq(memcmp(piece->data, code, sizeof code), 0);
	kernel_clear(&kernel);
	close(fd);
	g_unlink(path);
	g_free(path);
}
END_TEST

Suite *suite_boot_plan(void)
{
	Suite *suite = suite_create("boot plan");
	TCase *tcase = tcase_create("boot plan");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, places);
	tcase_add_test(tcase, rooms);
	tcase_add_test(tcase, flat);
	tcase_add_test(tcase, option_rom);
	tcase_add_test(tcase, option_rom_without_room);
	tcase_add_test(tcase, saved);
	tcase_add_test(tcase, broken_state);
	tcase_add_test(tcase, kernel_file_is_cut);
	suite_add_tcase(suite, tcase);
	return suite;
}
