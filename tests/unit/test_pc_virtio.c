#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
/* The virtio devices on the board: where they are, how they are found, how they
 * interrupt. */
#include "tests/unit/pc_rig.h"

#include "devmodel/pc_virtio.h"
#include "devmodel/virtio_mmio.h"
#include "include/v2e/virtio.h"

/* What guests are told. */
_Static_assert(V2E_VIRTIO_BASE == PC_VIRTIO_BASE && V2E_VIRTIO_STEP == VIRTIO_MMIO_SIZE && V2E_VIRTIO_SLOTS == PC_VIRTIO_SLOTS, "include/v2e/virtio.h");

#define ALL   ((1u << PC_VIRTIO_SLOTS) - 1)
#define QUEUE 0x20000u

static struct pc_rig rig;

static void setup(void)
{
	pc_rig_setup(&rig);
	rig.config.parallel = NULL;
	rig.config.virtio = ALL;
	rig.config.virtio_console = rig.chars[2];
	for (unsigned n = 0; n < PC_VIRTIO_DISKS; n++)
		rig.config.virtio_disk[n] = blk_memory_new(BLK_SECTOR_SIZE * (n + 1), false);
	rig.pc = pc_rig_build(&rig);
}

static void teardown(void)
{
	pc_rig_teardown(&rig);
}

static uint32_t at(unsigned slot, unsigned offset) { return (uint32_t)mem_read(pc_mem(rig.pc), PC_VIRTIO_BASE + 0x1000 * slot + offset, 4); }
static void set(unsigned slot, unsigned offset, uint32_t value) { mem_write(pc_mem(rig.pc), PC_VIRTIO_BASE + 0x1000 * slot + offset, 4, value); }
static void ram16(uint32_t address, uint16_t value) { mem_write(pc_mem(rig.pc), address, 2, value); }

START_TEST(each_has_its_place)
{
	static const uint32_t ids[PC_VIRTIO_SLOTS] = { 4, 3, 1, 2, 2, 2, 2 };
	for (unsigned slot = 0; slot < PC_VIRTIO_SLOTS; slot++) {
		ck_assert_uint_eq(at(slot, 0), 0x74726976);
		ck_assert_uint_eq(at(slot, 8), ids[slot]);
		if (slot >= PC_VIRTIO_DISK)
			ck_assert_uint_eq(at(slot, 0x100), slot - PC_VIRTIO_DISK + 1);
	}
	ck_assert_uint_eq(at(PC_VIRTIO_SLOTS, 0), UINT32_MAX);
}
END_TEST

static void count_doorbell(void *owner, const struct mem_doorbell *doorbell)
{
	uint8_t *queues = owner;
	ck_assert_uint_eq(doorbell->address & 0xfff, 0x50);
	ck_assert_uint_eq(doorbell->size, 4);
	queues[(doorbell->address - PC_VIRTIO_BASE) / VIRTIO_MMIO_SIZE] |= (uint8_t)(1u << doorbell->value);
}

START_TEST(each_queue_has_a_doorbell)
{
	uint8_t queues[PC_VIRTIO_SLOTS] = { 0 };
	static const uint8_t expected[PC_VIRTIO_SLOTS] = { 1, 3, 3, 1, 1, 1, 1 };
	mem_for_each_doorbell(pc_mem(rig.pc), count_doorbell, queues);
	ck_assert_mem_eq(queues, expected, sizeof queues);
}
END_TEST

START_TEST(only_what_is_fitted)
{
	pc_free(rig.pc);
	rig.config.virtio = 1 << PC_VIRTIO_CONSOLE;
	rig.config.virtio_legacy = true;
	memset(rig.config.virtio_disk, 0, sizeof rig.config.virtio_disk);
	rig.pc = pc_rig_build(&rig);
	ck_assert_uint_eq(at(PC_VIRTIO_RNG, 0), UINT32_MAX);
	ck_assert_uint_eq(at(PC_VIRTIO_CONSOLE, 4), 1);
	struct pc_device device[PC_DEVICES];
	unsigned count = pc_devices(&rig.config, device);
	ck_assert_uint_eq(device[count - 1].base, PC_VIRTIO_BASE + 0x1000);
	ck_assert_uint_eq(device[count - 1].irq, 7);
	ck_assert_uint_lt(device[count - 2].base, 0x10000);
}
END_TEST

START_TEST(all_are_in_the_list)
{
	struct pc_device device[PC_DEVICES];
	unsigned count = pc_devices(&rig.config, device);
	ck_assert_uint_le(count, PC_DEVICES);
	for (unsigned n = 0; n < PC_VIRTIO_SLOTS; n++) {
		ck_assert_uint_eq(device[count - PC_VIRTIO_SLOTS + n].base, PC_VIRTIO_BASE + 0x1000 * n);
		ck_assert_uint_eq(device[count - PC_VIRTIO_SLOTS + n].irq, V2E_VIRTIO_IRQ(n));
	}
	rig.config.parallel = rig.chars[2]; /* has IRQ 7 */
	count = pc_devices(&rig.config, device);
	ck_assert_uint_eq(device[count - 1].irq, 5);
	ck_assert_uint_eq(device[count - 2].irq, 5);
}
END_TEST

/* --- interrupts ---------------------------------------------------------------------------- */

static uint8_t vector(void)
{
	struct cpu_pins *pins = pc_pins(rig.pc);
	return pins->intr ? pins->acknowledge(pins->owner) : 0;
}

static void start_pic(void)
{
	static const uint8_t words[] = { 0x20, 4, 1, 0 };
	pc_rig_out(&rig, 0x20, 0x11);
	for (unsigned n = 0; n < sizeof words; n++)
		pc_rig_out(&rig, 0x21, words[n]);
}

/* Queue 0 of a slot, of one descriptor to be written to. */
static void start_slot(unsigned slot)
{
	uint32_t place = QUEUE + 0x1000 * slot;
	set(slot, 0x70, 3);
	set(slot, 0x24, 1);
	set(slot, 0x20, 1);
	set(slot, 0x70, 11);
	set(slot, 0x30, 0);
	set(slot, 0x38, 1);
	set(slot, 0x80, place);
	set(slot, 0x90, place + 0x100);
	set(slot, 0xa0, place + 0x200);
	set(slot, 0x44, 1);
	set(slot, 0x70, 15);
	mem_write(pc_mem(rig.pc), place, 8, place + 0x800);
	mem_write(pc_mem(rig.pc), place + 8, 4, 64);
	ram16(place + 12, 2);
}

/* One chain more, and the device sees it. */
static void kick(unsigned slot)
{
	uint32_t index = QUEUE + 0x1000 * slot + 0x102;
	ram16(index, (uint16_t)(mem_read(pc_mem(rig.pc), index, 2) + 1));
	set(slot, 0x50, 0);
}

/* Two devices of one interrupt: an edge for each cause, whatever is acknowledged when. */
START_TEST(edges_are_not_missed)
{
	const unsigned other = PC_VIRTIO_DISK + 1;
	start_pic();
	start_slot(PC_VIRTIO_RNG);
	start_slot(other);
	kick(PC_VIRTIO_RNG);
	ck_assert_uint_eq(vector(), 0x25);
	ram16(QUEUE + 0x1000 * other + 0x102, 5); /* a ring that stops the disk: another cause */
	set(other, 0x50, 0);
	ck_assert_uint_eq(at(other, 0x60), 2);
	set(PC_VIRTIO_RNG, 0x64, 1);
	pc_rig_out(&rig, 0x20, 0x20);
	ck_assert_uint_eq(vector(), 0x25);
	pc_rig_out(&rig, 0x20, 0x20);
	ck_assert_uint_eq(vector(), 0);
	kick(PC_VIRTIO_RNG); /* while the line is high */
	ck_assert_uint_eq(vector(), 0x25);
}
END_TEST

START_TEST(levels_are_shared)
{
	start_pic();
	pc_rig_out(&rig, 0x4d0, 0x20);
	start_slot(PC_VIRTIO_RNG);
	kick(PC_VIRTIO_RNG);
	ck_assert_uint_eq(vector(), 0x25);
	pc_rig_out(&rig, 0x20, 0x20);
	ck_assert_uint_eq(vector(), 0x25); /* still there */
	set(PC_VIRTIO_RNG, 0x64, 1);
	pc_rig_out(&rig, 0x20, 0x20);
	ck_assert_uint_eq(vector(), 0);
	kick(PC_VIRTIO_RNG);
	pc_reset(rig.pc);
	start_pic();
	ck_assert_uint_eq(vector(), 0);
	ck_assert_uint_eq(at(PC_VIRTIO_RNG, 0x70), 0);
}
END_TEST

/* --- ACPI ------------------------------------------------------------------------------------ */

/* The firmware's file, or one of size 0. */
static GByteArray *read_file(const char *name)
{
	GByteArray *bytes = g_byte_array_new();
	uint32_t count = 0, size = 0;
	uint16_t select = 0;
	bus_write(pc_bus(rig.pc), 0x510, 2, 0x19);
	for (unsigned n = 0; n < 4; n++)
		count = count << 8 | pc_rig_in(&rig, 0x511);
	while (count--) {
		uint8_t entry[64];
		for (unsigned n = 0; n < sizeof entry; n++)
			entry[n] = pc_rig_in(&rig, 0x511);
		if (strcmp((char *)entry + 8, name))
			continue;
		size = (uint32_t)entry[0] << 24 | (uint32_t)entry[1] << 16 | (uint32_t)entry[2] << 8 | entry[3];
		select = (uint16_t)(entry[4] << 8 | entry[5]);
	}
	bus_write(pc_bus(rig.pc), 0x510, 2, select);
	for (uint32_t n = 0; n < size; n++)
		g_byte_array_append(bytes, &(uint8_t){ pc_rig_in(&rig, 0x511) }, 1);
	return bytes;
}

START_TEST(acpi_names_them)
{
	GByteArray *table = read_file("acpi/virtio");
	ck_assert_uint_gt(table->len, 36);
	ck_assert_mem_eq(table->data, "SSDT", 4);
	ck_assert_uint_eq((unsigned)table->data[4] | table->data[5] << 8, table->len);
	uint8_t sum = 0;
	unsigned devices = 0;
	for (guint n = 0; n < table->len; n++)
		sum = (uint8_t)(sum + table->data[n]);
	ck_assert_uint_eq(sum, 0);
	for (guint n = 0; n + 9 < table->len; n++)
		devices += !memcmp(table->data + n, "LNRO0005", 9);
	ck_assert_uint_eq(devices, PC_VIRTIO_SLOTS);
	for (unsigned slot = 0; slot < PC_VIRTIO_SLOTS; slot++) {
		const uint8_t wanted[] = {
			0x86, 9, 0, 1, 0, (uint8_t)(slot << 4), 0xf0, 0xfe, 0, 0x10, 0, 0, 0x89, 6, 0, 9, 1, slot % 2 ? 7 : 5, 0, 0, 0, 0x79,
		};
		ck_assert_msg(memmem(table->data, table->len, wanted, sizeof wanted) != NULL, "%u", slot);
	}
	/* The scope ends where the table does. */
	ck_assert_uint_eq(table->data[36], 0x10);
	ck_assert_uint_eq((table->data[37] & 15u) + table->data[38] * 16u, table->len - 37);
	g_byte_array_free(table, TRUE);
}
END_TEST

START_TEST(acpi_names_none)
{
	pc_free(rig.pc);
	rig.config.virtio = 0;
	memset(rig.config.virtio_disk, 0, sizeof rig.config.virtio_disk);
	rig.pc = pc_rig_build(&rig);
	GByteArray *table = read_file("acpi/virtio");
	ck_assert_uint_eq(table->len, 0);
	g_byte_array_free(table, TRUE);
}
END_TEST

Suite *suite_pc_virtio(void);

Suite *suite_pc_virtio(void)
{
	Suite *suite = suite_create("pc_virtio");
	TCase *tcase = tcase_create("virtio");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_has_its_place);
	tcase_add_test(tcase, each_queue_has_a_doorbell);
	tcase_add_test(tcase, only_what_is_fitted);
	tcase_add_test(tcase, all_are_in_the_list);
	tcase_add_test(tcase, edges_are_not_missed);
	tcase_add_test(tcase, levels_are_shared);
	tcase_add_test(tcase, acpi_names_them);
	tcase_add_test(tcase, acpi_names_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
