#include "tests/unit/pc_rig.h"
#include "tests/unit/pci_rig.h"

static struct pc_rig rig;

static void setup(void)
{
	pc_rig_setup(&rig);
}

static void teardown(void)
{
	pc_rig_teardown(&rig);
}

static void refuse(const char *because)
{
	char *error = NULL;
	ck_assert_ptr_null(pc_new(&rig.config, &error));
	ck_assert_msg(strstr(error, because) != NULL, "%s", error);
	g_free(error);
}

static void out(uint16_t port, uint8_t value)
{
	pc_rig_out(&rig, port, value);
}

static uint8_t in(uint16_t port)
{
	return pc_rig_in(&rig, port);
}

/* --- configuration ----------------------------------------------------------- */

START_TEST(bad_sizes_are_refused)
{
	rig.config.ram_size = MIB + 4096;
	refuse("RAM");
	rig.config.ram_size = 0;
	refuse("RAM");
	rig.config.ram_size = PC_RAM_MAX + MIB;
	refuse("3584");
	rig.config.ram_size = 32 * MIB;
	rig.config.bios_size = 100;
	refuse("BIOS");
	rig.config.bios_size = 0;
	refuse("BIOS");
	rig.config.bios_size = PC_RIG_BIOS_SIZE;
	rig.config.vgabios_size = MIB;
	refuse("VGA BIOS");
	rig.config.vgabios_size = 0;
	rig.config.boot[4] = PC_BOOT_DISK;
	refuse("boot order");
}
END_TEST

START_TEST(odd_floppy_is_refused)
{
	rig.config.floppy[0] = blk_memory_new(1440 << 10, false);
	rig.config.floppy[1] = blk_memory_new(999 << 10, false);
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	refuse("floppy B");
}
END_TEST

START_TEST(smallest_and_bare)
{
	rig.config = (struct pc_config){ .ram_size = PC_RAM_MIN, .bios = rig.bios, .bios_size = 64 << 10, .clock = rig.clock };
	rig.pc = pc_rig_build(&rig);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), 0xf0000, 1), 0);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), 0xe0000, 1), 0xff);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), 0xffffffff, 1), 0x0f);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), MIB, 1), 0xff);
	ck_assert_uint_eq(in(0x3f8), 0xff);
	ck_assert_uint_eq(in(0x402), 0xff);
}
END_TEST

/* --- memory ------------------------------------------------------------------- */

START_TEST(memory_map)
{
	rig.pc = pc_rig_build(&rig);
	struct mem *mem = pc_mem(rig.pc);
	ck_assert_uint_eq(mem_read(mem, 0xffffffff, 1), 0x3f);
	ck_assert_uint_eq(mem_read(mem, 0xfffc0000, 1), 0x00);
	ck_assert_uint_eq(mem_read(mem, 0xfffbffff, 1), 0xff);
	ck_assert_uint_eq(mem_read(mem, 0xe0000, 1), 0x20);
	ck_assert_uint_eq(mem_read(mem, 0xfffff, 1), 0x3f);
	ck_assert_uint_eq(mem_read(mem, 0xc0000, 1), 0xff);
	mem_write(mem, 0xf0000, 1, 0xee);
	ck_assert_uint_eq(mem_read(mem, 0xf0000, 1), 0x30);
	ck_assert(mem_is_ram(mem, 0, 0xa0000, true));
	ck_assert(mem_is_ram(mem, MIB, 31 * MIB, true));
	ck_assert(!mem_is_ram(mem, 32 * MIB, 1, false));
	ck_assert(!mem_is_ram(mem, 0xfffff000, 4096, true));
}
END_TEST

START_TEST(reset_brings_rom_back_and_keeps_ram)
{
	rig.pc = pc_rig_build(&rig);
	struct mem *mem = pc_mem(rig.pc);
	pci_rig_write(pc_bus(rig.pc), 0, 0x59, 1, 0x30);
	mem_write(mem, 0xf0000, 1, 0xee);
	mem_write(mem, 0x5000, 1, 0xdd);
	ck_assert_uint_eq(mem_read(mem, 0xf0000, 1), 0xee);
	pc_ctx(rig.pc)->cr0 |= CTX_CR0_PE;
	out(0xcf9, 6);
	ck_assert(pc_pins(rig.pc)->reset);
	pc_reset(rig.pc);
	ck_assert(!pc_pins(rig.pc)->reset);
	ck_assert_uint_eq(mem_read(mem, 0xf0000, 1), 0x30);
	ck_assert_uint_eq(mem_read(mem, 0x5000, 1), 0xdd);
	ck_assert_uint_eq(pc_ctx(rig.pc)->cr0 & CTX_CR0_PE, 0);
}
END_TEST

START_TEST(cpu_starts_at_the_reset_vector)
{
	rig.pc = pc_rig_build(&rig);
	struct ctx *ctx = pc_ctx(rig.pc);
	ck_assert_ptr_null(ctx_check(ctx));
	ck_assert_uint_eq((uintptr_t)ctx % CTX_SIZE, 0);
	ck_assert_uint_eq(ctx->rip, 0xfff0);
	ck_assert_uint_eq(ctx->seg[CTX_CS].base, 0xffff0000);
	ck_assert_uint_eq(ctx->gpr[CTX_RDX].e, 0x611);
}
END_TEST

START_TEST(a20_has_two_hands_on_it)
{
	rig.pc = pc_rig_build(&rig);
	struct mem *mem = pc_mem(rig.pc);
	ck_assert_uint_eq(mem->a20_mask, 0xffffffff); /* the 8042's output port after reset */
	out(0x92, 0x02);
	out(0x92, 0x00);
	ck_assert_uint_eq(mem->a20_mask, 0xffffffff);
	out(0x64, 0xd1);
	out(0x60, 0xdd);
	ck_assert_uint_eq(mem->a20_mask, 0xffefffff);
	out(0x92, 0x02);
	ck_assert_uint_eq(mem->a20_mask, 0xffffffff);
	out(0x92, 0x00);
	ck_assert_uint_eq(mem->a20_mask, 0xffefffff);
	pc_reset(rig.pc);
	ck_assert_uint_eq(mem->a20_mask, 0xffffffff);
}
END_TEST

START_TEST(smm_shows_smram)
{
	rig.pc = pc_rig_build(&rig);
	struct mem *mem = pc_mem(rig.pc);
	pci_rig_write(pc_bus(rig.pc), 0, 0x72, 1, 0x4a);
	mem_write(mem, 0xa8000, 1, 0x5c);
	pci_rig_write(pc_bus(rig.pc), 0, 0x72, 1, 0x0a);
	ck_assert_uint_ne(mem_read(mem, 0xa8000, 1), 0x5c);
	pc_set_smm(rig.pc, true);
	ck_assert_uint_eq(mem_read(mem, 0xa8000, 1), 0x5c);
	pc_reset(rig.pc);
	ck_assert_uint_ne(mem_read(mem, 0xa8000, 1), 0x5c);
}
END_TEST

/* --- ports ------------------------------------------------------------------------ */

START_TEST(small_ports)
{
	rig.pc = pc_rig_build(&rig);
	out(0x80, 0x42);
	ck_assert_uint_eq(pc_post_code(rig.pc), 0x42);
	ck_assert_uint_eq(in(0x80), 0x42);
	out(0x81, 0x13); /* the DMA page register beside it */
	ck_assert_uint_eq(in(0x81), 0x13);
	ck_assert_uint_eq(pc_post_code(rig.pc), 0x42);
	ck_assert_uint_eq(in(0x402), 0xe9);
	out(0x402, 'd');
	ck_assert_str_eq(chardev_captured(rig.chars[3])->str, "d");
	ck_assert_uint_eq(bus_read(pc_bus(rig.pc), 0xcf8, 4), 0);
	ck_assert(!pc_speaker(rig.pc));
	ck_assert_uint_eq(in(0xed), 0xff);
}
END_TEST

START_TEST(guest_ends_the_run)
{
	rig.pc = pc_rig_build(&rig);
	int status = -1;
	ck_assert_int_eq(pc_end(rig.pc, &status), PC_RUNNING);
	out(0xf4, 3);
	ck_assert(pc_pins(rig.pc)->stop);
	ck_assert_int_eq(pc_end(rig.pc, &status), PC_EXITED);
	ck_assert_int_eq(status, 7);
}
END_TEST

START_TEST(guest_switches_off)
{
	rig.pc = pc_rig_build(&rig);
	int status = -1;
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 3), 0x40, 4, 0x600);
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(1, 3), 0x80, 1, 1);
	bus_write(pc_bus(rig.pc), 0x604, 2, 0x2000);
	ck_assert(pc_pins(rig.pc)->stop);
	ck_assert(atomic_load(&pc_pins(rig.pc)->attention));
	ck_assert_int_eq(pc_end(rig.pc, &status), PC_POWERED_OFF);
	ck_assert_int_eq(status, -1);
}
END_TEST

START_TEST(cpu_reset_is_init)
{
	rig.pc = pc_rig_build(&rig);
	out(0x92, 0x01);
	ck_assert(pc_pins(rig.pc)->init);
	ck_assert(!pc_pins(rig.pc)->reset);
	pc_reset(rig.pc);
	ck_assert(!pc_pins(rig.pc)->init);
	out(0x64, 0xfe);
	ck_assert(pc_pins(rig.pc)->init);
}
END_TEST

/* --- PCI display ------------------------------------------------------------------ */

START_TEST(vga_function)
{
	uint8_t vga = PCI_DEVFN(2, 0);
	rig.pc = pc_rig_build(&rig);
	struct bus *bus = pc_bus(rig.pc);
	struct mem *mem = pc_mem(rig.pc);
	ck_assert_uint_eq(pci_rig_read(bus, vga, 0, 4), 0x11111234);
	ck_assert_uint_eq(pci_rig_read(bus, vga, 0x0a, 2), 0x0300);
	pci_rig_write(bus, vga, 0x10, 4, 0xffffffff);
	ck_assert_uint_eq(pci_rig_read(bus, vga, 0x10, 4), 0u - VGA_VRAM_SIZE + 8);
	pci_rig_write(bus, vga, 0x10, 4, 0xfd000000);
	pci_rig_write(bus, vga, 0x18, 4, 0xfebf0000);
	pci_rig_write(bus, vga, 0x30, 4, 0xfebe0001);
	ck_assert_uint_eq(mem_read(mem, 0xfebe0000, 1), 0xff);
	pci_rig_write(bus, vga, 0x04, 2, 2);
	ck_assert_uint_eq(mem_read(mem, 0xfebe0000, 2), 0x5656);
	ck_assert_uint_eq(mem_read(mem, 0xfebe0400, 1), 0);
	mem_write(mem, 0xfebe0000, 1, 0);
	ck_assert_uint_eq(mem_read(mem, 0xfebe0000, 1), 0x56);
	mem_write(mem, 0xfd000000, 4, 0x12345678);
	ck_assert_uint_eq(mem_read(mem, 0xfd000000, 4), 0x12345678);
	ck_assert_uint_eq(mem_read(mem, 0xfebf0600, 4), 8);
	pc_reset(rig.pc);
	ck_assert_uint_eq(mem_read(mem, 0xfd000000, 1), 0xff);
	ck_assert_uint_eq(mem_read(mem, 0xfebe0000, 1), 0xff);
}
END_TEST

START_TEST(no_vga_bios_no_rom)
{
	rig.config.vgabios_size = 0;
	rig.pc = pc_rig_build(&rig);
	pci_rig_write(pc_bus(rig.pc), PCI_DEVFN(2, 0), 0x30, 4, 0xffffffff);
	ck_assert_uint_eq(pci_rig_read(pc_bus(rig.pc), PCI_DEVFN(2, 0), 0x30, 4), 0);
}
END_TEST

/* --- more than one, and again ------------------------------------------------------ */

START_TEST(two_boards_do_not_touch)
{
	struct pc *first = rig.pc = pc_rig_build(&rig);
	out(0x80, 0x11);
	mem_write(pc_mem(rig.pc), 0x1000, 1, 0x11);
	rig.config.ram_size = 16 * MIB;
	memset(rig.config.serial, 0, sizeof rig.config.serial);
	struct pc *second = rig.pc = pc_rig_build(&rig);
	out(0x80, 0x22);
	mem_write(pc_mem(rig.pc), 0x1000, 1, 0x22);
	out(0xcf9, 6);
	out(0x64, 0xd1);
	out(0x60, 0xdd);
	rig.pc = first;
	ck_assert_uint_eq(pc_post_code(first), 0x11);
	ck_assert_uint_eq(mem_read(pc_mem(first), 0x1000, 1), 0x11);
	ck_assert(!pc_pins(first)->reset);
	ck_assert_uint_eq(pc_mem(first)->a20_mask, 0xffffffff);
	pc_free(second);
	ck_assert_uint_eq(in(0x80), 0x11);
}
END_TEST

static GByteArray *save(struct pc *board)
{
	struct snap *snap = snap_new_save();
	pc_state(board, snap);
	size_t size;
	const void *data = snap_data(snap, &size);
	GByteArray *bytes = g_byte_array_new();
	g_byte_array_append(bytes, data, (guint)size);
	snap_free(snap);
	return bytes;
}

static void note_map_change(void *owner, uint64_t address, uint64_t size)
{
	*(bool *)owner |= address == 0 && size == MEM_SPACE;
}

START_TEST(state_comes_back)
{
	static bool told;
	rig.config.ram_size = MIB;
	pc_rig_build_with_interrupts(&rig);
	ck_assert_int_eq(mem_listen(pc_mem(rig.pc), &(struct mem_listener){ note_map_change, NULL, &told }), 0);
	pci_rig_write(pc_bus(rig.pc), 0, 0x59, 1, 0x30);
	mem_write(pc_mem(rig.pc), 0xf8000, 4, 0xcafe1234);
	irq_set(&pc_pins(rig.pc)->ferr, true);
	out(0x80, 0x77);
	pc_rig_pass(&rig, 123456789);
	pc_ctx(rig.pc)->gpr[CTX_RAX].e = 0x12345678;
	GByteArray *saved = save(rig.pc);
	uint64_t now = clock_now(rig.clock);
	pc_reset(rig.pc);
	mem_write(pc_mem(rig.pc), 0x1000, 4, 1);
	out(0x80, 0);
	pc_rig_pass(&rig, 1000);
	told = false;
	struct snap *load = snap_new_load(saved->data, saved->len);
	pc_state(rig.pc, load);
	ck_assert_msg(!snap_error(load), "%s", snap_error(load));
	snap_free(load);
	ck_assert(told);
	ck_assert_uint_eq(clock_now(rig.clock), now);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), 0xf8000, 4), 0xcafe1234);
	ck_assert_uint_eq(pc_ctx(rig.pc)->gpr[CTX_RAX].e, 0x12345678);
	ck_assert_uint_eq(pc_post_code(rig.pc), 0x77);
	GByteArray *again = save(rig.pc);
	ck_assert_uint_eq(again->len, saved->len);
	ck_assert(!memcmp(again->data, saved->data, saved->len));
	ck_assert_uint_eq(pc_rig_vector(&rig), 0x2d);
	g_byte_array_free(again, TRUE);
	g_byte_array_free(saved, TRUE);
}
END_TEST

START_TEST(bad_page_is_refused)
{
	rig.config.ram_size = MIB;
	rig.pc = pc_rig_build(&rig);
	pc_ctx(rig.pc)->event_type = 99;
	GByteArray *saved = save(rig.pc);
	pc_reset(rig.pc);
	struct snap *load = snap_new_load(saved->data, saved->len);
	pc_state(rig.pc, load);
	ck_assert_ptr_nonnull(snap_error(load));
	ck_assert_uint_eq(pc_ctx(rig.pc)->event_type, 0);
	snap_free(load);
	g_byte_array_free(saved, TRUE);
}
END_TEST

/* Whatever a guest does with its ports, the board stands. */
START_TEST(any_port_access_is_survived)
{
	rig.config.ram_size = MIB;
	rig.config.drive[0] = (struct pc_drive){ PC_DRIVE_DISK, blk_memory_new(MIB, false) };
	rig.config.drive[2] = (struct pc_drive){ PC_DRIVE_CDROM, blk_memory_new(MIB, true) };
	rig.config.floppy[0] = blk_memory_new(1440 << 10, false);
	rig.pc = pc_rig_build(&rig);
	GRand *random = g_rand_new_with_seed((guint32)_i);
	for (unsigned n = 0; n < 20000; n++) {
		uint16_t port = (uint16_t)g_rand_int_range(random, 0, n & 1 ? 0x1000 : 0x10000);
		unsigned size = 1u << g_rand_int_range(random, 0, 3);
		if (n % 3)
			bus_write(pc_bus(rig.pc), port, size, g_rand_int(random));
		else
			bus_read(pc_bus(rig.pc), port, size);
		if (n % 7 == 0)
			pc_rig_pass(&rig, 1000000);
	}
	g_rand_free(random);
	pc_reset(rig.pc);
	ck_assert_uint_eq(mem_read(pc_mem(rig.pc), 0xfffff, 1), 0x3f);
}
END_TEST

static TCase *tcase(Suite *suite, const char *name)
{
	TCase *tc = tcase_create(name);
	tcase_add_checked_fixture(tc, setup, teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

static void add_memory_tests(Suite *suite)
{
	TCase *tc = tcase(suite, "memory");
	tcase_add_test(tc, bad_sizes_are_refused);
	tcase_add_test(tc, odd_floppy_is_refused);
	tcase_add_test(tc, smallest_and_bare);
	tcase_add_test(tc, memory_map);
	tcase_add_test(tc, reset_brings_rom_back_and_keeps_ram);
	tcase_add_test(tc, cpu_starts_at_the_reset_vector);
	tcase_add_test(tc, a20_has_two_hands_on_it);
	tcase_add_test(tc, smm_shows_smram);
}

static void add_wiring_tests(Suite *suite)
{
	TCase *tc = tcase(suite, "wiring");
	tcase_add_test(tc, small_ports);
	tcase_add_test(tc, guest_ends_the_run);
	tcase_add_test(tc, guest_switches_off);
	tcase_add_test(tc, cpu_reset_is_init);
	tcase_add_test(tc, vga_function);
	tcase_add_test(tc, no_vga_bios_no_rom);
}

Suite *suite_pc(void)
{
	Suite *suite = suite_create("pc");
	add_memory_tests(suite);
	add_wiring_tests(suite);
	TCase *tc = tcase(suite, "boards");
	tcase_add_test(tc, two_boards_do_not_touch);
	tcase_add_test(tc, state_comes_back);
	tcase_add_test(tc, bad_page_is_refused);
	tcase_add_loop_test(tc, any_port_access_is_survived, 0, 4);
	return suite;
}
