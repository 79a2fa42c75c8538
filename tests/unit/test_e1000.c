/* The 82540EM as a driver sees it: EEPROM, PHY, rings, filters, offloads. */
#include <glib.h>

#include "devmodel/e1000.h"
#include "tests/unit/pci_rig.h"

#define DEVFN  PCI_DEVFN(3, 0)
#define BASE   0xf0000000u
#define PORTS  0xc000u
#define RAM    0x100000u
#define RX     0x1000u /* rings of eight */
#define TX     0x2000u
#define BUFFER 0x10000u /* receive buffers, 2 KiB each */
#define PACKET 0x40000u
#define RING   8u

enum {
	CTRL = 0, STATUS = 8, EECD = 0x10, EERD = 0x14, MDIC = 0x20, ICR = 0xc0, ICS = 0xc8, IMS = 0xd0, IMC = 0xd8,
	RCTL = 0x100, TCTL = 0x400, RDBAL = 0x2800, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, TDBAL = 0x3800,
	TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, GPRC = 0x4074, GPTC = 0x4080, MTA = 0x5200, RAL = 0x5400,
	RAH = 0x5404, VFTA = 0x5600,
};

static const uint8_t mac[6] = { 0x52, 0x54, 0x00, 0xaa, 0xbb, 0xcc };

/* A network that keeps what was sent. */
struct tap {
	struct network network;
	GPtrArray *sent; /* of GBytes */
};

static struct bus *bus;
static struct mem *mem;
static struct clock *timebase;
static struct pci_bus *pci;
static struct pci_rig_wire pirq[PCI_PIRQS];
static struct tap tap;
static struct e1000 *card;
static uint8_t *ram;

static void tap_send(struct network *network, const uint8_t *frame, size_t size)
{
	g_ptr_array_add(((struct tap *)network)->sent, g_bytes_new(frame, size));
}

static const struct network_ops tap_ops = { .send = tap_send, .free = network_fini };

static uint32_t reg(unsigned offset) { return (uint32_t)mem_read(mem, BASE + offset, 4); }
static void set(unsigned offset, uint32_t value) { mem_write(mem, BASE + offset, 4, value); }

static bool irq(void)
{
	return pirq[pci_pirq_of(DEVFN, 1)].level;
}

static void start(void)
{
	memset(pirq, 0, sizeof pirq);
	bus = bus_new();
	mem = mem_new();
	timebase = clock_new(CLOCK_KIND_VIRTUAL);
	pci = pci_bus_new(bus);
	for (unsigned n = 0; n < PCI_PIRQS; n++)
		pci_bus_connect_pirq(pci, n, pci_rig_wire_line(pirq, n));
	struct mem_store *store = mem_store_new(mem, "ram", RAM);
	mem_region_enable(mem_region_new(mem, "ram", MEM_PRIORITY_RAM, MEM_REGION_READS | MEM_REGION_WRITES, store, 0, RAM), 0);
	ram = mem_store_data(store);
	tap.sent = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
	network_init(&tap.network, &tap_ops, timebase);
	struct e1000_config config = { .pci = pci, .ports = bus, .mem = mem, .devfn = DEVFN, .network = &tap.network };
	memcpy(config.mac, mac, sizeof mac);
	card = e1000_new(&config);
	pci_rig_write(bus, DEVFN, PCI_BASE_ADDRESS, 4, BASE);
	pci_rig_write(bus, DEVFN, PCI_BASE_ADDRESS + 4, 4, PORTS);
	pci_rig_write(bus, DEVFN, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void stop(void)
{
	e1000_free(card);
	network_free(&tap.network);
	g_ptr_array_unref(tap.sent);
	pci_bus_free(pci);
	clock_free(timebase);
	mem_free(mem);
	bus_free(bus);
}

static void open_receiver(uint32_t rctl)
{
	for (unsigned n = 0; n < RING; n++)
		mem_write(mem, RX + 16 * n, 8, BUFFER + 2048 * n);
	set(RDBAL, RX);
	set(RDLEN, 16 * RING);
	set(RDT, RING - 1);
	set(RCTL, 2 | rctl);
}

static void open_transmitter(void)
{
	set(TDBAL, TX);
	set(TDLEN, 16 * RING);
	set(TCTL, 2 | 8);
}

static void pass_time(void)
{
	while (clock_next_deadline(timebase) != CLOCK_NEVER) {
		clock_wait_until(timebase, clock_next_deadline(timebase));
		clock_run_due(timebase);
	}
}

/* A frame of `size` bytes to `to` arrives. */
static void arrive(const uint8_t to[6], size_t size, uint16_t type)
{
	uint8_t frame[2048] = { 0 };
	memcpy(frame, to, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	for (size_t i = 14; i < size; i++)
		frame[i] = (uint8_t)i;
	network_deliver(&tap.network, frame, size);
	pass_time();
}

static uint16_t rx_length(unsigned n) { return (uint16_t)mem_read(mem, RX + 16 * n + 8, 2); }
static uint8_t rx_status(unsigned n) { return (uint8_t)mem_read(mem, RX + 16 * n + 12, 1); }

/* Puts descriptor n, and has it run when `go`. */
static void transmit(unsigned n, uint64_t low, uint32_t command, uint32_t status, bool go)
{
	mem_write(mem, TX + 16 * n, 8, low);
	mem_write(mem, TX + 16 * n + 8, 4, command);
	mem_write(mem, TX + 16 * n + 12, 4, status);
	if (go)
		set(TDT, n + 1);
}

static const uint8_t *sent(unsigned n, size_t *size)
{
	ck_assert_uint_lt(n, tap.sent->len);
	return g_bytes_get_data(tap.sent->pdata[n], size);
}

START_TEST(identity)
{
	ck_assert_uint_eq(pci_rig_read(bus, DEVFN, 0, 4), 0x100e8086);
	ck_assert_uint_eq(pci_rig_read(bus, DEVFN, 0xa, 2), 0x0200);
	ck_assert_uint_eq(reg(STATUS) & 2, 2);
	ck_assert_uint_eq(reg(RAL), 0xaa005452);
	ck_assert_uint_eq(reg(RAH), 0x8000ccbb);
}
END_TEST

/* The microwire protocol, word by word and on from one to the next. */
static void clock_eeprom(bool bit)
{
	uint32_t pins = 0x40 | 2 | (bit ? 4 : 0);
	set(EECD, pins);
	set(EECD, pins | 1);
}

START_TEST(eeprom_by_bits)
{
	uint16_t sum = 0;
	set(EECD, 0x40);
	ck_assert_uint_eq(reg(EECD) & 0x1c0, 0x1c0);
	set(EECD, 0x42);
	for (unsigned bits = 6u << 6, i = 9; i--;)
		clock_eeprom(bits >> i & 1);
	ck_assert_uint_eq(reg(EECD) & 8, 0);
	for (unsigned word = 0; word < 64; word++) {
		uint16_t value = 0;
		for (unsigned i = 0; i < 16; i++) {
			clock_eeprom(false);
			value = (uint16_t)(value << 1 | (reg(EECD) >> 3 & 1));
		}
		if (word < 3)
			ck_assert_uint_eq(value, mac[2 * word] | mac[2 * word + 1] << 8);
		set(EERD, word << 8 | 1);
		ck_assert_uint_eq(reg(EERD) >> 16, value);
		ck_assert_uint_eq(reg(EERD) & 0x10, 0x10);
		sum = (uint16_t)(sum + value);
	}
	ck_assert_uint_eq(sum, 0xbaba);
	set(EECD, 0);
	ck_assert_uint_eq(reg(EECD) & 0xc8, 8);
}
END_TEST

static uint16_t phy(unsigned n)
{
	set(MDIC, n << 16 | 1 << 21 | 2 << 26);
	ck_assert_uint_eq(reg(MDIC) >> 28, 1);
	return (uint16_t)reg(MDIC);
}

START_TEST(phy_registers)
{
	ck_assert_uint_eq(phy(2), 0x0141);
	ck_assert_uint_eq(phy(1) & 0x24, 0x24);
	set(MDIC, 0x1234 | 4u << 16 | 1 << 21 | 1 << 26);
	ck_assert_uint_eq(phy(4), 0x1234);
	set(MDIC, 2u << 16 | 2 << 21 | 2 << 26); /* nobody at address 2 */
	ck_assert_uint_eq(reg(MDIC) >> 28 & 4, 4);
	set(IMS, 0x200);
	set(MDIC, 2u << 16 | 1 << 21 | 2 << 26 | 1 << 29);
	ck_assert(irq());
	set(MDIC, 0x8000 | 1 << 21 | 1 << 26);
	ck_assert_uint_eq(phy(4), 0x0de1);
}
END_TEST

START_TEST(interrupts)
{
	set(ICS, 0x84);
	ck_assert(!irq());
	set(IMS, 0x80);
	ck_assert(irq());
	set(IMC, 0x80);
	ck_assert(!irq());
	set(IMS, 0x04);
	ck_assert(irq());
	ck_assert_uint_eq(reg(IMS), 4);
	ck_assert_uint_eq(reg(ICR), 0x84);
	ck_assert(!irq());
	ck_assert_uint_eq(reg(ICR), 0);
	set(ICS, 0x04);
	set(ICR, 0x04);
	ck_assert(!irq());
}
END_TEST

START_TEST(registers_by_ports)
{
	bus_write(bus, PORTS, 4, RAL);
	ck_assert_uint_eq(bus_read(bus, PORTS, 4), RAL);
	ck_assert_uint_eq(bus_read(bus, PORTS + 4, 4), 0xaa005452);
	bus_write(bus, PORTS + 4, 4, 0x12345678);
	ck_assert_uint_eq(reg(RAL), 0x12345678);
	bus_write(bus, PORTS, 4, 0xffffffff); /* outside of all registers */
	bus_write(bus, PORTS + 4, 4, 1);
	ck_assert_uint_eq(bus_read(bus, PORTS + 4, 4), 0);
	set(CTRL, 1u << 26);
	ck_assert_uint_eq(reg(RAL), 0xaa005452);
}
END_TEST

START_TEST(receives)
{
	open_receiver(0);
	set(IMS, 0x80);
	arrive(mac, 20, 0x0800);
	ck_assert(irq());
	ck_assert_uint_eq(rx_length(0), 64); /* padded, with FCS */
	ck_assert_uint_eq(rx_status(0), 7);
	ck_assert_mem_eq(ram + BUFFER, mac, 6);
	ck_assert_uint_eq(ram[BUFFER + 19], 19);
	ck_assert_uint_eq(ram[BUFFER + 20], 0);
	ck_assert_uint_eq(reg(RDH), 1);
	set(RCTL, 2 | 0x04000000); /* SECRC */
	arrive(mac, 1514, 0x0800);
	ck_assert_uint_eq(rx_length(1), 1514);
	ck_assert_uint_eq(reg(GPRC), 2);
	ck_assert_uint_eq(reg(GPRC), 0);
}
END_TEST

/* The FCS over a frame and itself leaves a constant (802.3, 3.2.9). */
START_TEST(check_sequence)
{
	open_receiver(0);
	arrive(mac, 100, 0x0800);
	uint32_t crc = 0xffffffff;
	for (unsigned i = 0; i < 104; i++)
		for (unsigned bit = 0, byte = ram[BUFFER + i]; bit < 8; bit++, byte >>= 1)
			crc = crc >> 1 ^ ((crc ^ byte) & 1 ? 0xedb88320u : 0);
	ck_assert_uint_eq(crc, 0xdebb20e3);
}
END_TEST

START_TEST(large_frames_take_several_buffers)
{
	open_receiver(0x20 | 3u << 16 | 0x04000000); /* LPE, 256 bytes, SECRC */
	arrive(mac, 600, 0x0800);
	ck_assert_uint_eq(reg(RDH), 3);
	ck_assert_uint_eq(rx_length(0), 256);
	ck_assert_uint_eq(rx_status(0), 1);
	ck_assert_uint_eq(rx_length(2), 88);
	ck_assert_uint_eq(rx_status(2) & 3, 3);
	ck_assert_uint_eq(ram[BUFFER + 2048], 0);
	ck_assert_uint_eq(ram[BUFFER + 2049], 1);
}
END_TEST

START_TEST(filters)
{
	static const uint8_t other[6] = { 0x52, 1, 2, 3, 4, 5 }, all[6] = { 255, 255, 255, 255, 255, 255 };
	static const uint8_t group[6] = { 0x01, 0, 0x5e, 0, 0, 0x01 };
	unsigned hash = (0x0100u >> 4) & 0xfff;
	open_receiver(0);
	arrive(other, 60, 0x0800);
	arrive(all, 60, 0x0800);
	arrive(group, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 0);
	set(RCTL, 2 | 0x8000);
	arrive(all, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 1);
	set(MTA + 4 * (hash >> 5), 1u << (hash & 31));
	arrive(group, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 2);
	ck_assert_uint_eq(rx_status(1) & 0x80, 0x80);
	set(RCTL, 2 | 8);
	arrive(other, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 3);
	set(RCTL, 2 | 0x10);
	set(MTA + 4 * (hash >> 5), 0);
	arrive(group, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 4);
	arrive(mac, 1600, 0x0800); /* too long without LPE */
	ck_assert_uint_eq(reg(RDH), 4);
}
END_TEST

START_TEST(vlan_tags)
{
	open_receiver(0x40000 | 0x04000000); /* VFE, SECRC */
	arrive(mac, 100, 0x8100); /* tag 0E0Fh: id E0Fh */
	ck_assert_uint_eq(reg(RDH), 0);
	set(VFTA + 4 * (0xe0f >> 5), 1u << (0xe0f & 31));
	arrive(mac, 100, 0x8100);
	ck_assert_uint_eq(reg(RDH), 1);
	ck_assert_uint_eq(rx_length(0), 100);
	set(CTRL, reg(CTRL) | 1u << 30); /* VME */
	arrive(mac, 100, 0x8100);
	ck_assert_uint_eq(rx_length(1), 96);
	ck_assert_uint_eq(rx_status(1) & 8, 8);
	ck_assert_uint_eq(mem_read(mem, RX + 16 + 14, 2), 0x0e0f);
	ck_assert_uint_eq(ram[BUFFER + 2048 + 12], 16);
}
END_TEST

START_TEST(waits_for_descriptors)
{
	open_receiver(0);
	set(RDT, 1);
	for (unsigned n = 0; n < 3; n++)
		arrive(mac, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 1);
	set(RDT, 4);
	pass_time();
	ck_assert_uint_eq(reg(RDH), 3);
	set(RDT, 3);
	for (unsigned n = 0; n < NETWORK_QUEUE + 50; n++)
		arrive(mac, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 3);
	set(RCTL, 0); /* off: all of them go */
	pass_time();
	set(RCTL, 2);
	set(RDT, 6);
	arrive(mac, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 4);
}
END_TEST

START_TEST(transmits)
{
	size_t size;
	open_transmitter();
	set(IMS, 1);
	for (unsigned i = 0; i < 30; i++)
		ram[PACKET + i] = (uint8_t)(i + 1);
	transmit(0, PACKET, 10 | 0x02u << 24, 0, false);
	transmit(1, PACKET + 10, 20 | 0x0bu << 24, 0, true);
	const uint8_t *frame = sent(0, &size);
	ck_assert_uint_eq(size, 60);
	ck_assert_uint_eq(frame[29], 30);
	ck_assert_uint_eq(frame[30], 0);
	ck_assert_uint_eq(mem_read(mem, TX + 12, 1), 0);
	ck_assert_uint_eq(mem_read(mem, TX + 16 + 12, 1), 1);
	ck_assert_uint_eq(reg(TDH), 2);
	ck_assert_uint_eq(reg(GPTC), 1);
	ck_assert(irq());
	ck_assert_uint_eq(reg(ICR), 3);
}
END_TEST

static uint16_t sum16(const uint8_t *bytes, size_t size, uint32_t sum)
{
	for (size_t i = 0; i < size; i++)
		sum += i & 1 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

START_TEST(legacy_checksum)
{
	size_t size;
	open_transmitter();
	for (unsigned i = 0; i < 100; i++)
		ram[PACKET + i] = (uint8_t)(i * 7);
	ram[PACKET + 40] = ram[PACKET + 41] = 0;
	transmit(0, PACKET, 100 | 40u << 16 | 0x07u << 24, 20u << 8, true);
	const uint8_t *frame = sent(0, &size);
	ck_assert_uint_eq(sum16(frame + 20, 80, 0), 0xffff);
}
END_TEST

/* An Ethernet, IPv4 and TCP header, with the pseudo header's sum but for the length. */
static unsigned put_tcp(uint32_t payload)
{
	static const uint8_t headers[54] = {
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 0,
		0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 6, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2,
		0x10, 0, 0, 80, 0x00, 0xff, 0xff, 0xf0, 0, 0, 0, 0, 0x50, 0x19, 0x20, 0, 0, 0, 0, 0,
	};
	memcpy(ram + PACKET, headers, sizeof headers);
	uint16_t pseudo = sum16(headers + 26, 8, 6);
	ram[PACKET + 50] = (uint8_t)(pseudo >> 8);
	ram[PACKET + 51] = (uint8_t)pseudo;
	for (uint32_t i = 0; i < payload; i++)
		ram[PACKET + 54 + i] = (uint8_t)(i ^ i >> 8);
	return (unsigned)(54 + payload);
}

START_TEST(segmentation)
{
	size_t size;
	open_transmitter();
	unsigned total = put_tcp(2500);
	uint64_t context = 14 | 24u << 8 | 33u << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40;
	transmit(0, context, 2500 | 0x27u << 24, 54u << 8 | 1000u << 16, false);
	transmit(1, PACKET, total | 1u << 20 | 0x27u << 24, 3u << 8, true);
	ck_assert_uint_eq(tap.sent->len, 3);
	for (unsigned n = 0; n < 3; n++) {
		const uint8_t *frame = sent(n, &size);
		unsigned payload = n < 2 ? 1000 : 500, offset = 1000 * n;
		ck_assert_uint_eq(size, 54 + payload);
		ck_assert_uint_eq((unsigned)frame[16] << 8 | frame[17], 40 + payload);
		ck_assert_uint_eq((unsigned)frame[18] << 8 | frame[19], 0x1234 + n);
		ck_assert_uint_eq((unsigned)frame[38] << 24 | frame[39] << 16 | frame[40] << 8 | frame[41], 0x00fffff0 + offset);
		ck_assert_uint_eq(frame[47], n < 2 ? 0x10 : 0x19);
		ck_assert_uint_eq(sum16(frame + 14, 20, 0), 0xffff);
		ck_assert_uint_eq(sum16(frame + 34, 20 + payload, sum16(frame + 26, 8, 6 + 20 + payload)), 0xffff);
		ck_assert_mem_eq(frame + 54, ram + PACKET + 54 + offset, payload);
	}
}
END_TEST

START_TEST(hostile_rings)
{
	open_transmitter();
	transmit(0, UINT64_MAX - 3, 0xffff | 0x03u << 24, 0, true); /* memory that is not there */
	ck_assert_uint_eq(reg(TDH), 1);
	transmit(1, PACKET, 0xfffff | 1u << 20 | 0x2bu << 24, 0, true); /* longer than any */
	ck_assert_uint_eq(reg(TDH), 2);
	transmit(2, UINT64_MAX, 0xfffff | 0x27u << 24, 255u << 8 | 1u << 16, false); /* headers past the end */
	transmit(3, PACKET, 100 | 1u << 20 | 0x27u << 24, 3u << 8, true);
	transmit(4, PACKET, 3 | 0x07u << 24, 200u << 8, true);
	ck_assert_uint_eq(reg(TDH), 5);
	unsigned before = tap.sent->len;
	set(TDT, 0xffff); /* outside of the ring */
	set(TDH, 0xfffe);
	set(TDT, 2);
	ck_assert_uint_eq(tap.sent->len, before);
	open_receiver(0);
	set(RDH, 0xff00);
	arrive(mac, 60, 0x0800);
	set(RDH, 0);
	set(RDBAL, 0xfffffff0);
	mem_write(mem, BASE + RDBAL + 4, 4, 0xffffffff);
	network_resume(&tap.network);
	pass_time();
	ck_assert_uint_eq(reg(RDH), 1);
}
END_TEST

START_TEST(state_survives)
{
	open_receiver(0x8000);
	open_transmitter();
	set(IMS, 0x80);
	arrive(mac, 60, 0x0800);
	struct snap *save = snap_new_save();
	size_t size;
	e1000_state(card, save);
	const void *data = snap_data(save, &size);
	e1000_reset(card);
	ck_assert(!irq());
	struct snap *load = snap_new_load(data, size);
	e1000_state(card, load);
	ck_assert_ptr_null(snap_error(load));
	ck_assert(irq());
	ck_assert_uint_eq(reg(RDH), 1);
	arrive(mac, 60, 0x0800);
	ck_assert_uint_eq(reg(RDH), 2);
	snap_free(load);
	snap_free(save);
}
END_TEST

Suite *suite_e1000(void);

Suite *suite_e1000(void)
{
	Suite *suite = suite_create("e1000");
	TCase *tcase = tcase_create("e1000");
	tcase_add_checked_fixture(tcase, start, stop);
	tcase_add_test(tcase, identity);
	tcase_add_test(tcase, eeprom_by_bits);
	tcase_add_test(tcase, phy_registers);
	tcase_add_test(tcase, interrupts);
	tcase_add_test(tcase, registers_by_ports);
	tcase_add_test(tcase, receives);
	tcase_add_test(tcase, check_sequence);
	tcase_add_test(tcase, large_frames_take_several_buffers);
	tcase_add_test(tcase, filters);
	tcase_add_test(tcase, vlan_tags);
	tcase_add_test(tcase, waits_for_descriptors);
	tcase_add_test(tcase, transmits);
	tcase_add_test(tcase, legacy_checksum);
	tcase_add_test(tcase, segmentation);
	tcase_add_test(tcase, hostile_rings);
	tcase_add_test(tcase, state_survives);
	suite_add_tcase(suite, tcase);
	return suite;
}
