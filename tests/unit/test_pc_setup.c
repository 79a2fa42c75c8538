#include "tests/unit/pc_rig.h"

#include "devmodel/i82077.h"

static struct pc_rig rig;

static void setup(void)
{
	pc_rig_setup(&rig);
}

static void teardown(void)
{
	pc_rig_teardown(&rig);
}

START_TEST(cmos_memory)
{
	static const struct {
		unsigned mib;
		uint16_t extended, above_16m;
	} sizes[] = { { 1, 0, 0 }, { 16, 15360, 0 }, { 32, 31744, 256 }, { 128, 0xffff, 1792 } };
	rig.config.ram_size = (uint64_t)sizes[_i].mib << 20;
	rig.pc = pc_rig_build(&rig);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x15) | pc_rig_cmos(&rig, 0x16) << 8, 640);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x17) | pc_rig_cmos(&rig, 0x18) << 8, sizes[_i].extended);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x30) | pc_rig_cmos(&rig, 0x31) << 8, sizes[_i].extended);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x34) | pc_rig_cmos(&rig, 0x35) << 8, sizes[_i].above_16m);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x5b) | pc_rig_cmos(&rig, 0x5c) | pc_rig_cmos(&rig, 0x5d) | pc_rig_cmos(&rig, 0x5f) | pc_rig_cmos(&rig, 0x0f), 0);
	unsigned sum = 0;
	for (uint8_t n = 0x10; n < 0x2e; n++)
		sum += pc_rig_cmos(&rig, n);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x2e) << 8 | pc_rig_cmos(&rig, 0x2f), sum);
}
END_TEST

START_TEST(cmos_drives)
{
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(4 * MIB, false) };
	rig.config.drive[1] = (struct pc_drive){ PC_DRIVE_CDROM, NULL };
	rig.config.drive[3] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(4 * MIB, false) };
	rig.config.floppy[0] = blk_memory_new(720 << 10, false);
	rig.config.floppy[1] = blk_memory_new(1200 << 10, false);
	rig.pc = pc_rig_build(&rig);
	struct ide_geometry geometry;
	ck_assert(ide_disk_geometry(pc_ide(rig.pc), 0, 0, &geometry));
	ck_assert(!ide_disk_geometry(pc_ide(rig.pc), 0, 1, &geometry));
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x12), 0xf0);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x19), 47);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x1a), 0);
	ck_assert(ide_disk_geometry(pc_ide(rig.pc), 0, 0, &geometry));
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x1b) | pc_rig_cmos(&rig, 0x1c) << 8, geometry.cylinders);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x1d), geometry.heads);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x23), geometry.sectors);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x39), 0);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x10), 0x32);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x14), 0x47);
	ck_assert_uint_eq(i82077_medium_type(pc_fdc(rig.pc), 0), 3);
}
END_TEST

START_TEST(cmos_translation)
{
	/* beyond 1,024 cylinders of 16 * 63 sectors */
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	rig.config.drive[3] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(512 * MIB, false) };
	rig.pc = pc_rig_build(&rig);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x39), 0x40);
}
END_TEST

START_TEST(cmos_empty)
{
	rig.pc = pc_rig_build(&rig);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x10), 0x40);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x12), 0);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x14), 0x07);
	/* disk, CD-ROM, floppy */
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x3d), 0x32);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x38), 0x11);
}
END_TEST

static GByteArray *read_item(uint16_t key, unsigned size)
{
	GByteArray *bytes = g_byte_array_sized_new(size);
	bus_write(pc_bus(rig.pc), 0x510, 2, key);
	for (unsigned n = 0; n < size; n++) {
		uint8_t byte = pc_rig_in(&rig, 0x511);
		g_byte_array_append(bytes, &byte, 1);
	}
	return bytes;
}

/* NULL when the directory does not have it. */
static GByteArray *read_file(const char *name)
{
	GByteArray *directory = read_item(0x19, 4 + 64 * 64), *file = NULL;
	for (const uint8_t *entry = directory->data + 4; !file && entry[5]; entry += 64)
		if (!strcmp((const char *)entry + 8, name))
			file = read_item((uint16_t)(entry[4] << 8 | entry[5]),
			                 (unsigned)(entry[0] << 24 | entry[1] << 16 | entry[2] << 8 | entry[3]));
	g_byte_array_free(directory, TRUE);
	return file;
}

static void expect_file(const char *name, const void *bytes, unsigned size)
{
	GByteArray *file = read_file(name);
	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(file->len, size);
	ck_assert_mem_eq(file->data, bytes, size);
	g_byte_array_free(file, TRUE);
}

static void expect_item(uint16_t key, unsigned size, uint64_t value)
{
	GByteArray *item = read_item(key, size);
	uint64_t found = 0;
	memcpy(&found, item->data, size);
	ck_assert_uint_eq(found, value);
	g_byte_array_free(item, TRUE);
}

START_TEST(fw_cfg_items)
{
	static const uint8_t e820[20] = { [11] = 0x02, [16] = 1 };
	rig.config.boot_menu = true;
	rig.config.boot_menu_wait_ms = 300;
	rig.pc = pc_rig_build(&rig);
	expect_item(0x03, 8, 32 * MIB);
	expect_item(0x05, 2, 1);
	expect_item(0x0f, 2, 1);
	expect_item(0x0e, 2, 1);
	expect_item(0x0d, 8, 0);
	expect_item(0x8002, 4, 1);
	expect_item(0x8003, 4, 0);
	expect_file("etc/e820", e820, sizeof e820);
	expect_file("etc/boot-fail-wait", "\xff\xff\xff\xff", 4);
	expect_file("etc/boot-menu-wait", "\x2c\x01\0\0", 4);
	expect_file("etc/system-states", "\x80\0\0\0\0\x80", 6);
	ck_assert_ptr_null(read_file("bootorder"));
}
END_TEST

START_TEST(boot_order)
{
	static const char order[] = "/pci@i0cf8/ide@1,1/drive@1/disk@0\n"
	                            "/pci@i0cf8/isa@1/fdc@03f0/floppy@0\n"
	                            "/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
	                            "/pci@i0cf8/ide@1,1/drive@0/disk@1";
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	rig.config.drive[1] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	rig.config.drive[2] = (struct pc_drive){ PC_DRIVE_CDROM, blk_memory_new(MIB, true) };
	rig.config.floppy[0] = blk_memory_new(1440 << 10, false);
	rig.config.boot[0] = PC_BOOT_CDROM;
	rig.config.boot[1] = PC_BOOT_FLOPPY;
	rig.config.boot[2] = PC_BOOT_DISK;
	rig.pc = pc_rig_build(&rig);
	expect_file("bootorder", order, sizeof order);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x3d), 0x13);
	ck_assert_uint_eq(pc_rig_cmos(&rig, 0x38), 0x21);
}
END_TEST

Suite *suite_pc_setup(void)
{
	Suite *suite = suite_create("pc_setup");
	TCase *tc = tcase_create("pc_setup");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, cmos_memory, 0, 4);
	tcase_add_test(tc, cmos_drives);
	tcase_add_test(tc, cmos_translation);
	tcase_add_test(tc, cmos_empty);
	tcase_add_test(tc, fw_cfg_items);
	tcase_add_test(tc, boot_order);
	suite_add_tcase(suite, tc);
	return suite;
}
