#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hv/kvm_mem.h"

#define MIB 0x100000u
#define RAM_SIZE (4 * MIB)
#define ROM_SIZE 0x20000u
#define KVM_SLOTS 16u

static struct mem *mem;
static struct mem_store *ram, *rom;
static struct mem_region *ram_region, *rom_region, *vga_region;
static struct kvm_mem *slots;

/* KVM's side: keeps the rules that it has. */
static struct kvm_userspace_memory_region kvm[KVM_SLOTS];
static unsigned calls, fail_at;

static bool overlaps(const struct kvm_userspace_memory_region *a, const struct kvm_userspace_memory_region *b)
{
	return a->guest_phys_addr < b->guest_phys_addr + b->memory_size &&
	       b->guest_phys_addr < a->guest_phys_addr + a->memory_size;
}

static int fake_set_slot(void *owner, const struct kvm_userspace_memory_region *region)
{
	ck_assert_ptr_eq(owner, kvm);
	ck_assert_uint_lt(region->slot, KVM_SLOTS);
	struct kvm_userspace_memory_region *slot = &kvm[region->slot];
	if (++calls == fail_at)
		return -ENOMEM;
	if (!region->memory_size) {
		ck_assert_msg(slot->memory_size, "slot %u was not there", region->slot);
		memset(slot, 0, sizeof *slot);
		return 0;
	}
	ck_assert_uint_eq(region->guest_phys_addr % 4096, 0);
	ck_assert_uint_eq(region->userspace_addr % 4096, 0);
	ck_assert_msg(!slot->memory_size, "slot %u is in use", region->slot);
	for (unsigned n = 0; n < KVM_SLOTS; n++)
		ck_assert_msg(!kvm[n].memory_size || !overlaps(&kvm[n], region), "slot %u overlaps", n);
	*slot = *region;
	return 0;
}

/* Host address that KVM shows at a guest's, or NULL; *read_only as well. */
static uint8_t *shown(uint64_t address, bool *read_only)
{
	for (unsigned n = 0; n < KVM_SLOTS; n++) {
		uint64_t offset = address - kvm[n].guest_phys_addr;
		if (!kvm[n].memory_size || offset >= kvm[n].memory_size)
			continue;
		*read_only = kvm[n].flags & KVM_MEM_READONLY;
		return (uint8_t *)(uintptr_t)kvm[n].userspace_addr + offset;
	}
	return NULL;
}

static void check_ram(uint64_t address, uint64_t offset)
{
	bool read_only = true;
	ck_assert_ptr_eq(shown(address, &read_only), mem_store_data(ram) + offset);
	ck_assert(!read_only);
}

static void check_rom(uint64_t address, uint64_t offset)
{
	bool read_only = false;
	ck_assert_ptr_eq(shown(address, &read_only), mem_store_data(rom) + offset);
	ck_assert(read_only);
}

static void check_nothing(uint64_t address)
{
	bool read_only;
	ck_assert_ptr_null(shown(address, &read_only));
}

static const struct mem_mmio_ops mmio = { .name = "vga", .max_size = 1 };

static void setup(void)
{
	memset(kvm, 0, sizeof kvm);
	calls = fail_at = 0;
	mem = mem_new();
	ram = mem_store_new(mem, "ram", RAM_SIZE);
	rom = mem_store_new(mem, "rom", ROM_SIZE);
	ram_region = mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, ram, 0, RAM_SIZE);
	rom_region = mem_region_new(mem, "rom", MEM_PRIORITY_ROM,
	                            MEM_REGION_READS | MEM_REGION_WRITES | MEM_REGION_ROM, rom, 0, ROM_SIZE);
	vga_region = mem_region_new_mmio(mem, MEM_PRIORITY_VGA, 0x20000, &mmio, NULL);
	mem_region_enable(ram_region, 0);
	mem_region_enable(vga_region, 0xa0000);
	mem_region_enable(rom_region, 0xe0000);
	slots = kvm_mem_new(mem, KVM_SLOTS, fake_set_slot, kvm);
}

static void teardown(void)
{
	kvm_mem_free(slots);
	mem_free(mem);
}

static void update(void)
{
	ck_assert_int_eq(kvm_mem_update(slots), 0);
}

START_TEST(a_pc)
{
	update();
	check_ram(0, 0);
	check_ram(0x9ffff, 0x9ffff);
	check_nothing(0xa0000);
	check_nothing(0xbffff);
	check_ram(0xc0000, 0xc0000);
	check_rom(0xe0000, 0);
	check_rom(0xfffff, 0x1ffff);
	check_ram(0x100000, 0x100000);
	check_ram(RAM_SIZE - 1, RAM_SIZE - 1);
	check_nothing(RAM_SIZE);
	check_nothing(0xfffff000);
	ck_assert_uint_eq(kvm_mem_slots(slots), 4);
}
END_TEST

START_TEST(nothing_changed_costs_nothing)
{
	update();
	unsigned before = calls;
	update();
	ck_assert_uint_eq(calls, before);
}
END_TEST

START_TEST(only_what_changed_is_told)
{
	update();
	unsigned before = calls;
	mem_region_disable(rom_region);
	update();
	/* Three slots became one. */
	ck_assert_uint_eq(calls - before, 4);
	ck_assert_uint_eq(kvm_mem_slots(slots), 2);
	check_ram(0xe0000, 0xe0000);
	mem_region_enable(rom_region, 0xfffe0000);
	before = calls;
	update();
	ck_assert_uint_eq(calls - before, 1);
	check_rom(0xfffe0000, 0);
	check_rom(0xffffffff, 0x1ffff);
}
END_TEST

/* PAM: reads from ROM, writes to RAM, and back. */
START_TEST(reads_and_writes_part)
{
	mem_region_set_flags(rom_region, MEM_REGION_READS);
	update();
	check_rom(0xe0000, 0);
	mem_region_set_flags(rom_region, 0);
	update();
	check_ram(0xe0000, 0xe0000);
	struct mem_region *shadow =
		mem_region_new(mem, "shadow", MEM_PRIORITY_PAM, MEM_REGION_READS | MEM_REGION_WRITES | MEM_REGION_ROM, ram, 0xe0000, 0x10000);
	mem_region_enable(shadow, 0xe0000);
	update();
	bool read_only = false;
	ck_assert_ptr_eq(shown(0xe0000, &read_only), mem_store_data(ram) + 0xe0000);
	ck_assert(read_only);
}
END_TEST

START_TEST(moved_memory)
{
	struct mem_store *video = mem_store_new(mem, "video", 2 * MIB);
	struct mem_region *bar =
		mem_region_new(mem, "video", MEM_PRIORITY_BAR, MEM_REGION_READS | MEM_REGION_WRITES, video, 0, 2 * MIB);
	bool read_only;
	mem_region_enable(bar, 0xe0000000);
	update();
	ck_assert_ptr_eq(shown(0xe0100000, &read_only), mem_store_data(video) + MIB);
	mem_region_enable(bar, 0xe0100000);
	update();
	ck_assert_ptr_eq(shown(0xe0100000, &read_only), mem_store_data(video));
	check_nothing(0xe0000000);
}
END_TEST

START_TEST(a20_masked)
{
	mem_set_a20(mem, false);
	update();
	check_ram(0x000000, 0x000000);
	check_ram(0x100000, 0x000000);
	check_ram(0x19ffff, 0x09ffff);
	check_nothing(0x1a0000);
	check_rom(0x0e0000, 0);
	check_rom(0x1e0000, 0);
	check_ram(0x200000, 0x200000);
	check_ram(0x300000, 0x200000);
	check_ram(0x3fffff, 0x2fffff);
	check_nothing(0x400000);
	mem_set_a20(mem, true);
	update();
	check_ram(0x100000, 0x100000);
	check_ram(0x300000, 0x300000);
	ck_assert_uint_eq(kvm_mem_slots(slots), 4);
}
END_TEST

START_TEST(layout_is_sorted_and_apart)
{
	mem_set_a20(mem, _i);
	GArray *layout = kvm_mem_layout(mem);
	ck_assert_uint_gt(layout->len, 3);
	for (guint i = 1; i < layout->len; i++) {
		const struct kvm_slot *last = &g_array_index(layout, struct kvm_slot, i - 1);
		const struct kvm_slot *slot = &g_array_index(layout, struct kvm_slot, i);
		ck_assert_uint_ge(slot->address, last->address + last->size);
	}
	g_array_unref(layout);
}
END_TEST

/* As SMIACT# comes and goes, and each address space has its own already. */
START_TEST(a_change_that_is_another_spaces)
{
	ck_assert(!kvm_mem_is_current(slots));
	update();
	ck_assert(kvm_mem_is_current(slots));
	unsigned before = calls;
	mem_region_disable(rom_region);
	ck_assert(!kvm_mem_is_current(slots));
	kvm_mem_keep(slots);
	ck_assert(kvm_mem_is_current(slots));
	update();
	ck_assert_uint_eq(calls, before);
	check_rom(0xe0000, 0);
	mem_region_disable(vga_region);
	update();
	check_ram(0xe0000, 0xe0000);
}
END_TEST

START_TEST(too_many)
{
	kvm_mem_free(slots);
	slots = kvm_mem_new(mem, 3, fake_set_slot, kvm);
	ck_assert_int_eq(kvm_mem_update(slots), -ENOSPC);
}
END_TEST

/* What failed is tried again, and nothing is told twice. */
START_TEST(failing_calls)
{
	fail_at = (unsigned)_i + 1;
	ck_assert_int_eq(kvm_mem_update(slots), -ENOMEM);
	update();
	check_rom(0xe0000, 0);
	check_ram(0x100000, 0x100000);
	unsigned before = calls;
	fail_at = calls + 1 + (unsigned)_i;
	mem_region_disable(rom_region);
	ck_assert_int_eq(kvm_mem_update(slots), -ENOMEM);
	update();
	check_ram(0xe0000, 0xe0000);
	ck_assert_uint_eq(calls - before, 5);
}
END_TEST

Suite *suite_kvm_mem(void)
{
	Suite *suite = suite_create("kvm_mem");
	TCase *tcase = tcase_create("kvm_mem");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, a_pc);
	tcase_add_test(tcase, nothing_changed_costs_nothing);
	tcase_add_test(tcase, only_what_changed_is_told);
	tcase_add_test(tcase, reads_and_writes_part);
	tcase_add_test(tcase, moved_memory);
	tcase_add_test(tcase, a20_masked);
	tcase_add_loop_test(tcase, layout_is_sorted_and_apart, 0, 2);
	tcase_add_test(tcase, a_change_that_is_another_spaces);
	tcase_add_test(tcase, too_many);
	tcase_add_loop_test(tcase, failing_calls, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite;
}
