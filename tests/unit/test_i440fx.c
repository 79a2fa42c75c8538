#include "tests/unit/pci_rig.h"

#include "devmodel/i440fx.h"
#include "shared/mem.h"
#include "shared/snap.h"

#define HOST PCI_DEVFN(0, 0)
#define RAM_SIZE (4u << 20)

#define ROM_BYTE 0x52

static struct bus *bus;
static struct mem *mem;
static struct mem_store *ram;
static struct pci_bus *pci;
static struct i440fx *host;

/* RAM reads as the 64 KiB block number, ROM as ROM_BYTE. */
static void setup(void)
{
	bus = bus_new();
	mem = mem_new();
	pci = pci_bus_new(bus);
	ram = mem_store_new(mem, "ram", RAM_SIZE);
	for (uint32_t at = 0; at < RAM_SIZE; at++)
		mem_store_data(ram)[at] = (uint8_t)(at >> 16);
	struct mem_store *rom = mem_store_new(mem, "rom", 128 << 10);
	memset(mem_store_data(rom), ROM_BYTE, 128 << 10);
	struct mem_region *region = mem_region_new(mem, "rom", MEM_PRIORITY_ROM, MEM_REGION_READS | MEM_REGION_ROM,
	                                           rom, 0, 128 << 10);
	mem_region_enable(region, 0xe0000);
	host = i440fx_new(pci, mem, ram);
}

static void teardown(void)
{
	i440fx_free(host);
	pci_bus_free(pci);
	mem_free(mem);
	bus_free(bus);
}

static uint8_t get(unsigned offset)
{
	return (uint8_t)pci_rig_read(bus, HOST, offset, 1);
}

static void put(unsigned offset, uint8_t value)
{
	pci_rig_write(bus, HOST, offset, 1, value);
}

static const struct {
	uint8_t offset, shift;
	uint32_t first, last;
} segments[] = {
	{ 0x5a, 0, 0xc0000, 0xc3fff }, { 0x5a, 4, 0xc4000, 0xc7fff },
	{ 0x5b, 0, 0xc8000, 0xcbfff }, { 0x5b, 4, 0xcc000, 0xcffff },
	{ 0x5c, 0, 0xd0000, 0xd3fff }, { 0x5c, 4, 0xd4000, 0xd7fff },
	{ 0x5d, 0, 0xd8000, 0xdbfff }, { 0x5d, 4, 0xdc000, 0xdffff },
	{ 0x5e, 0, 0xe0000, 0xe3fff }, { 0x5e, 4, 0xe4000, 0xe7fff },
	{ 0x5f, 0, 0xe8000, 0xebfff }, { 0x5f, 4, 0xec000, 0xeffff },
	{ 0x59, 4, 0xf0000, 0xfffff },
};

/* What a read finds where RAM is not shown. */
static uint8_t below(uint32_t address)
{
	return address >= 0xe0000 ? ROM_BYTE : 0xff;
}

static void expect_segment(uint32_t address, bool reads_ram, bool writes_ram)
{
	uint8_t *byte = mem_store_data(ram) + address;
	*byte = 0x11;
	ck_assert_uint_eq(mem_read(mem, address, 1), reads_ram ? 0x11 : below(address));
	mem_write(mem, address, 1, 0x22);
	ck_assert_uint_eq(*byte, writes_ram ? 0x22 : 0x11);
	ck_assert_uint_eq(mem_read(mem, address, 1), reads_ram ? *byte : below(address));
}

START_TEST(firmware_recognizes_it)
{
	ck_assert_uint_eq(pci_rig_read(bus, HOST, 0, 4), 0x12378086);
	ck_assert_uint_eq(pci_rig_read(bus, HOST, 0x2c, 4), 0x11001af4);
	ck_assert_uint_eq(get(8), 2);
	ck_assert_uint_eq(pci_rig_read(bus, HOST, 0x0a, 2), 0x0600);
	ck_assert_uint_eq(get(0x0e), 0);
}
END_TEST

START_TEST(plain_ram)
{
	ck_assert_uint_eq(mem_read(mem, 0, 1), 0);
	ck_assert_uint_eq(mem_read(mem, 0x9ffff, 1), 9);
	ck_assert_uint_eq(mem_read(mem, 0xa0000, 1), 0xff);
	ck_assert_uint_eq(mem_read(mem, 0x100000, 1), 0x10);
	ck_assert_uint_eq(mem_read(mem, RAM_SIZE - 1, 1), 0x3f);
	ck_assert_uint_eq(mem_read(mem, RAM_SIZE, 1), 0xff);
	mem_write(mem, 0x100000, 4, 0x12345678);
	ck_assert_uint_eq(mem_read(mem, 0x100000, 4), 0x12345678);
}
END_TEST

START_TEST(pam_attributes)
{
	unsigned n = (unsigned)_i;
	for (unsigned attribute = 0; attribute < 4; attribute++) {
		put(segments[n].offset, (uint8_t)(attribute << segments[n].shift));
		ck_assert_uint_eq(get(segments[n].offset), attribute << segments[n].shift);
		expect_segment(segments[n].first, attribute & 1, attribute & 2);
		expect_segment(segments[n].last, attribute & 1, attribute & 2);
		/* the neighbours have attribute 0 */
		if (segments[n].first > 0xc0000)
			expect_segment(segments[n].first - 1, false, false);
		if (segments[n].last < 0xfffff)
			expect_segment(segments[n].last + 1, false, false);
	}
	put(segments[n].offset, 0);
	expect_segment(segments[n].first, false, false);
}
END_TEST

START_TEST(pam_reserved_bits_stay_zero)
{
	put(0x59, 0xff);
	ck_assert_uint_eq(get(0x59), 0x30);
	put(0x5c, 0xff);
	ck_assert_uint_eq(get(0x5c), 0x33);
}
END_TEST

START_TEST(pam_by_doubleword)
{
	pci_rig_write(bus, HOST, 0x58, 4, 0x33333000);
	expect_segment(0xf0000, true, true);
	expect_segment(0xcffff, true, true);
	expect_segment(0xd0000, false, false);
}
END_TEST

START_TEST(reset_shows_rom_and_keeps_ram)
{
	put(0x59, 0x30);
	mem_write(mem, 0xf1234, 1, 0x77);
	pci_bus_reset(pci);
	ck_assert_uint_eq(mem_read(mem, 0xf1234, 1), ROM_BYTE);
	ck_assert_uint_eq(get(0x59), 0);
	put(0x59, 0x10);
	ck_assert_uint_eq(mem_read(mem, 0xf1234, 1), 0x77);
}
END_TEST

static bool smram_visible(void)
{
	return mem_read(mem, 0xa0000, 1) == 0xa && mem_read(mem, 0xbffff, 1) == 0xb;
}

START_TEST(smram_opens_for_all_or_for_smm)
{
	ck_assert_uint_eq(get(0x72), 0x02);
	ck_assert(!smram_visible());
	i440fx_set_smm(host, true);
	ck_assert(!smram_visible());
	put(0x72, 0x0a);
	ck_assert(smram_visible());
	i440fx_set_smm(host, false);
	ck_assert(!smram_visible());
	put(0x72, 0x4a);
	ck_assert(smram_visible());
	put(0x72, 0x0a);
	ck_assert(!smram_visible());
	put(0x72, 0xff & ~0x10);
	ck_assert_uint_eq(get(0x72), 0x6a);
}
END_TEST

START_TEST(smram_lock)
{
	put(0x72, 0x5a);
	ck_assert_uint_eq(get(0x72), 0x1a);
	ck_assert(!smram_visible());
	put(0x72, 0x42);
	ck_assert_uint_eq(get(0x72), 0x1a);
	put(0x72, 0x22);
	ck_assert_uint_eq(get(0x72), 0x3a);
	i440fx_set_smm(host, true);
	ck_assert(smram_visible());
	pci_bus_reset(pci);
	ck_assert_uint_eq(get(0x72), 0x02);
	put(0x72, 0x42);
	ck_assert(smram_visible());
}
END_TEST

START_TEST(state_comes_back)
{
	put(0x59, 0x30);
	put(0x72, 0x1a);
	struct snap *save = snap_new_save();
	pci_bus_state(pci, save);
	pci_bus_reset(pci);
	put(0x72, 0x4a);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	pci_bus_state(pci, load);
	ck_assert_ptr_null(snap_error(load));
	expect_segment(0xf0000, true, true);
	ck_assert(!smram_visible());
	put(0x72, 0x4a);
	ck_assert_uint_eq(get(0x72), 0x1a);
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(open_state_replaces_a_lock)
{
	put(0x72, 0x4a);
	struct snap *save = snap_new_save();
	pci_bus_state(pci, save);
	put(0x72, 0x1a);
	size_t size;
	const void *data = snap_data(save, &size);
	struct snap *load = snap_new_load(data, size);
	pci_bus_state(pci, load);
	ck_assert_uint_eq(get(0x72), 0x4a);
	ck_assert(smram_visible());
	snap_free(load);
	snap_free(save);
}
END_TEST

START_TEST(too_little_ram)
{
	struct mem_store *small = mem_store_new(mem, "small", 512 << 10);
	struct pci_bus *other = pci_bus_new(bus);
	ck_assert_ptr_null(i440fx_new(other, mem, small));
	pci_bus_free(other);
}
END_TEST

Suite *suite_i440fx(void)
{
	Suite *suite = suite_create("i440fx");
	TCase *tc = tcase_create("i440fx");
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, firmware_recognizes_it);
	tcase_add_test(tc, plain_ram);
	tcase_add_loop_test(tc, pam_attributes, 0, (int)(sizeof segments / sizeof *segments));
	tcase_add_test(tc, pam_reserved_bits_stay_zero);
	tcase_add_test(tc, pam_by_doubleword);
	tcase_add_test(tc, reset_shows_rom_and_keeps_ram);
	tcase_add_test(tc, smram_opens_for_all_or_for_smm);
	tcase_add_test(tc, smram_lock);
	tcase_add_test(tc, state_comes_back);
	tcase_add_test(tc, open_state_replaces_a_lock);
	tcase_add_test(tc, too_little_ram);
	suite_add_tcase(suite, tc);
	return suite;
}
