#include "devmodel/e1000.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "devmodel/e1000_private.h"
#include "shared/log.h"

#define BAR_MMIO  0u
#define BAR_IO    1u
#define MMIO_SIZE (128u << 10)
#define IO_SIZE   64u
#define IOADDR    0u
#define IODATA    4u

/* What software may write; registers that are not listed read as zero and ignore
 * writes. Those with a meaning beyond their contents are in write_register(). */
static const struct register_row {
	uint16_t first, count;
	uint32_t writable, reset;
} rows[] = {
	{ CTRL, 1, 0xf9fff9fbu, 0x00000a49 },
	{ STATUS, 1, 0, 0x00000281 }, /* full duplex, 1000 Mbit/s */
	{ EECD, 1, 0xffffffff, 0x00000100 },
	{ EERD, 1, 0xffffffff, 0 },
	{ CTRL_EXT, 1, 0xffffffff, 0 },
	{ MDIC, 1, 0xffffffff, 0 },
	{ FCAL, 1, 0xffffffff, 0x00c28001 }, { FCAH, 1, 0xffff, 0x0100 }, { FCT, 1, 0xffff, 0x8808 },
	{ VET, 1, 0xffff, 0x8100 },
	{ ICR, 1, 0, 0 }, { ITR, 1, 0xffff, 0 }, { IMS, 1, 0, 0 },
	{ RCTL, 1, 0x06fff3feu | RCTL_BAM, 0 },
	{ FCTTV, 1, 0xffff, 0 }, { TXCW, 1, 0xc000ffff, 0 }, { RXCW, 1, 0, 0 },
	{ TCTL, 1, 0x01fffffau, 0 }, { TIPG, 1, 0x3fffffff, 0 }, { AIFS, 1, 0xffff, 0 },
	{ LEDCTL, 1, 0xffffffff, 0x07068302 }, { PBA, 1, 0xffff, 0x00100030 },
	{ FCRTL, 1, 0x8000fff8u, 0 }, { FCRTH, 1, 0xfff8, 0 },
	{ RDBAL, 1, 0xfffffff0, 0 }, { RDBAH, 1, 0xffffffff, 0 }, { RDLEN, 1, 0xfff80, 0 },
	{ RDH, 1, 0xffff, 0 }, { RDT, 1, 0xffff, 0 }, { RDTR, 1, 0xffff, 0 }, { RXDCTL, 1, 0x013f3f3f, 0 },
	{ RADV, 1, 0xffff, 0 }, { RSRPD, 1, 0xfff, 0 }, { TXDMAC, 1, 1, 0 },
	{ TDBAL, 1, 0xfffffff0, 0 }, { TDBAH, 1, 0xffffffff, 0 }, { TDLEN, 1, 0xfff80, 0 },
	{ TDH, 1, 0xffff, 0 }, { TDT, 1, 0xffff, 0 }, { TIDV, 1, 0xffff, 0 }, { TXDCTL, 1, 0xff3f3f3f, 0 },
	{ TADV, 1, 0xffff, 0 }, { TSPMT, 1, 0xffffffff, 0x01000400 },
	{ STATISTICS, (STATISTICS_END - STATISTICS) / 4, 0, 0 },
	{ RXCSUM, 1, 0x3ff, 0 }, { MTA, 128, 0xffffffff, 0 }, { RAL, 32, 0xffffffff, 0 }, { VFTA, 128, 0xffffffff, 0 },
	{ WUC, 1, 0, 0 }, { MANC, 1, 0, 0 },
};

static const struct register_row *find_row(uint64_t offset)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		if (offset >= rows[i].first && offset < rows[i].first + 4u * rows[i].count)
			return &rows[i];
	return NULL;
}

static bool is_statistic(uint64_t offset)
{
	return offset >= STATISTICS && offset < STATISTICS_END;
}

/* --- interrupts and statistics -------------------------------------------------------------- */

static void update_irq(struct e1000 *card)
{
	irq_set(&card->intx, *e1000_reg(card, ICR) & *e1000_reg(card, IMS));
}

void e1000_raise(struct e1000 *card, uint32_t causes)
{
	*e1000_reg(card, ICR) |= causes;
	update_irq(card);
}

void e1000_count(struct e1000 *card, unsigned offset, uint32_t by)
{
	uint32_t *counter = e1000_reg(card, offset);
	*counter = by > UINT32_MAX - *counter ? UINT32_MAX : *counter + by;
}

void e1000_count64(struct e1000 *card, unsigned offset, uint32_t by)
{
	uint32_t *low = e1000_reg(card, offset), *high = e1000_reg(card, offset + 4);
	uint64_t sum = ((uint64_t)*high << 32 | *low) + by;
	*low = (uint32_t)sum;
	*high = (uint32_t)(sum >> 32);
}

/* --- registers -------------------------------------------------------------------------------- */

static void load_address(struct e1000 *card)
{
	const uint16_t *word = card->eeprom.word;
	*e1000_reg(card, RAL) = word[0] | (uint32_t)word[1] << 16;
	*e1000_reg(card, RAH) = word[2] | RAH_AV;
}

/* CTRL.RST: all but the PCI configuration. */
static void reset_card(struct e1000 *card)
{
	memset(card->reg, 0, sizeof card->reg);
	for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
		*e1000_reg(card, rows[i].first) = rows[i].reset;
	memset(&card->context, 0, sizeof card->context);
	card->packet_size = 0;
	card->packet_options = 0;
	card->packet_too_long = false;
	card->io_address = 0;
	card->eeprom.reading = false;
	card->eeprom.input = 0;
	card->eeprom.left = 0;
	if (card->network) {
		*e1000_reg(card, STATUS) |= STATUS_LU;
		network_forget(card->network);
	}
	load_address(card);
	update_irq(card);
}

static uint32_t read_register(struct e1000 *card, uint64_t offset)
{
	if (!find_row(offset & ~3ull)) {
		guest_error("e1000", "read of register %05Xh", (unsigned)offset);
		return 0;
	}
	uint32_t *reg = e1000_reg(card, (unsigned)offset), value = *reg;
	if (offset == ICR || is_statistic(offset))
		*reg = 0;
	if (offset == ICR)
		update_irq(card);
	return value;
}

static void write_control(struct e1000 *card, uint32_t value)
{
	if (value & CTRL_PHY_RST)
		e1000_phy_reset(card);
	if (value & CTRL_RST)
		reset_card(card);
	else
		*e1000_reg(card, CTRL) = value & 0x79fff9fbu;
}

static void resume(struct e1000 *card)
{
	if (card->network)
		network_resume(card->network);
}

static void write_plain(struct e1000 *card, uint64_t offset, uint32_t value)
{
	const struct register_row *row = find_row(offset);
	if (!row || !row->writable) {
		guest_error("e1000", "write of %08Xh to register %05Xh", value, (unsigned)offset);
		return;
	}
	*e1000_reg(card, (unsigned)offset) = value & row->writable;
}

static void write_register(struct e1000 *card, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case CTRL:
		write_control(card, value);
		return;
	case EECD:
		*e1000_reg(card, EECD) = e1000_eeprom_pins(&card->eeprom, *e1000_reg(card, EECD), value);
		return;
	case EERD:
		*e1000_reg(card, EERD) = e1000_eeprom_read(&card->eeprom, value);
		return;
	case MDIC:
		*e1000_reg(card, MDIC) = e1000_phy_access(card, value);
		return;
	case ICR:
		*e1000_reg(card, ICR) &= ~value;
		break;
	case ICS:
		*e1000_reg(card, ICR) |= value;
		break;
	case IMS:
		*e1000_reg(card, IMS) |= value;
		break;
	case IMC:
		*e1000_reg(card, IMS) &= ~value;
		break;
	default:
		write_plain(card, offset, value);
	}
	update_irq(card);
	if (offset == TDT || offset == TCTL)
		e1000_transmit(card);
	if (offset == RDT || offset == RCTL)
		resume(card);
}

/* --- the ways to the registers ------------------------------------------------------------------ */

/* Registers are 32 bits wide; software reads and writes them so (13.1). */
static uint64_t mmio_read(void *owner, uint64_t offset, unsigned size)
{
	uint32_t value = read_register(owner, offset & ~3ull);
	return value >> 8 * (offset & 3) & (size == 4 ? 0xffffffffu : (1u << 8 * size) - 1);
}

static void mmio_write(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	if (size == 4 && !(offset & 3))
		write_register(owner, offset, (uint32_t)value);
	else
		guest_error("e1000", "write of %u bytes to register %05Xh", size, (unsigned)offset);
}

static const struct mem_mmio_ops mmio_ops = { .name = "e1000", .max_size = 4, .read = mmio_read, .write = mmio_write };

static uint32_t io_read(void *owner, uint16_t port, unsigned size)
{
	struct e1000 *card = owner;
	(void)size;
	switch (port % IO_SIZE) {
	case IOADDR: return card->io_address;
	case IODATA: return read_register(card, card->io_address);
	default: return 0;
	}
}

static void io_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct e1000 *card = owner;
	if (size == 4 && port % IO_SIZE == IOADDR)
		card->io_address = value & (MMIO_SIZE - 4);
	else if (size == 4 && port % IO_SIZE == IODATA)
		write_register(card, card->io_address, value);
}

static const struct bus_ops io_ops = { .name = "e1000", .max_size = 4, .read = io_read, .write = io_write };

static void map(void *owner, unsigned bar, uint32_t address)
{
	struct e1000 *card = owner;
	if (bar != BAR_IO)
		mem_region_enable(card->region[bar], address);
	else if (bus_claim(card->ports, (uint16_t)address, (uint16_t)(address + IO_SIZE - 1), &io_ops, card))
		guest_error("e1000", "no room for the ports at %04Xh", address);
}

static void unmap(void *owner, unsigned bar)
{
	struct e1000 *card = owner;
	if (bar != BAR_IO)
		mem_region_disable(card->region[bar]);
	else
		bus_release(card->ports, &io_ops, card);
}

/* --- making one ---------------------------------------------------------------------------------- */

static struct mem_region *make_rom(struct mem *mem, const void *rom, size_t size, uint32_t bar_size)
{
	struct mem_store *store = mem_store_new(mem, "e1000 rom", bar_size);
	if (!store)
		return NULL;
	memcpy(mem_store_data(store), rom, size);
	return mem_region_new(mem, "e1000 rom", MEM_PRIORITY_BAR, MEM_REGION_READS | MEM_REGION_ROM, store, 0, bar_size);
}

static bool fit(struct e1000 *card, const struct e1000_config *config)
{
	const struct pci_identity identity = {
		.name = "e1000", .devfn = config->devfn, .vendor_id = 0x8086, .device_id = 0x100e, .revision_id = 3,
		.class_code = 0x020000, .subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100, .interrupt_pin = 1,
	};
	static const struct pci_function_ops ops = { .map = map, .unmap = unmap };
	uint32_t rom_size = 64u << 10;
	while (rom_size < config->rom_size)
		rom_size *= 2;
	if (!(card->region[BAR_MMIO] = mem_region_new_mmio(card->mem, MEM_PRIORITY_BAR, MMIO_SIZE, &mmio_ops, card)))
		return false;
	if (config->rom_size && !(card->region[PCI_ROM] = make_rom(card->mem, config->rom, config->rom_size, rom_size)))
		return false;
	if (!(card->pci = pci_function_new(config->pci, &identity, &ops, card)))
		return false;
	pci_bar(card->pci, BAR_MMIO, PCI_BAR_MEMORY, MMIO_SIZE);
	pci_bar(card->pci, BAR_IO, PCI_BAR_IO, IO_SIZE);
	if (config->rom_size)
		pci_bar(card->pci, PCI_ROM, PCI_BAR_ROM, rom_size);
	card->intx = pci_intx(card->pci);
	return true;
}

struct e1000 *e1000_new(const struct e1000_config *config)
{
	if (config->rom_size > E1000_ROM_MAX) {
		errno = EFBIG;
		return NULL;
	}
	struct e1000 *card = g_new0(struct e1000, 1);
	card->ports = config->ports;
	card->mem = config->mem;
	card->network = config->network;
	if (!fit(card, config)) {
		int error = errno;
		g_free(card);
		errno = error;
		return NULL;
	}
	e1000_eeprom_init(&card->eeprom, config->mac);
	if (card->network)
		network_connect(card->network, &(struct network_card){ e1000_has_room, e1000_receive, card });
	e1000_reset(card);
	return card;
}

void e1000_reset(struct e1000 *card)
{
	e1000_phy_reset(card);
	reset_card(card);
}

void e1000_free(struct e1000 *card)
{
	if (!card)
		return;
	if (card->network)
		network_connect(card->network, &(struct network_card){ 0 });
	bus_release(card->ports, &io_ops, card);
	g_free(card);
}

static void context_state(struct e1000_context *context, struct snap *snap)
{
	snap_u8(snap, "ipcss", &context->ipcss);
	snap_u8(snap, "ipcso", &context->ipcso);
	snap_u16(snap, "ipcse", &context->ipcse);
	snap_u8(snap, "tucss", &context->tucss);
	snap_u8(snap, "tucso", &context->tucso);
	snap_u16(snap, "tucse", &context->tucse);
	snap_u8(snap, "header", &context->header);
	snap_u8(snap, "command", &context->command);
	snap_u16(snap, "mss", &context->mss);
	snap_u32(snap, "payload", &context->payload);
}

void e1000_state(struct e1000 *card, struct snap *snap)
{
	snap_section(snap, "e1000", 1);
	snap_bytes(snap, "registers", card->reg, sizeof card->reg);
	snap_u32(snap, "io_address", &card->io_address);
	snap_bytes(snap, "eeprom", card->eeprom.word, sizeof card->eeprom.word);
	snap_u16(snap, "eeprom_input", &card->eeprom.input);
	snap_u8(snap, "eeprom_address", &card->eeprom.address);
	snap_u8(snap, "eeprom_left", &card->eeprom.left);
	snap_bool(snap, "eeprom_reading", &card->eeprom.reading);
	snap_bytes(snap, "phy", card->phy, sizeof card->phy);
	context_state(&card->context, snap);
	snap_u32(snap, "packet_size", &card->packet_size);
	snap_u8(snap, "packet_options", &card->packet_options);
	snap_bool(snap, "packet_too_long", &card->packet_too_long);
	snap_bytes(snap, "packet", card->packet, sizeof card->packet);
	if (!snap_is_loading(snap))
		return;
	if (card->eeprom.address >= E1000_EEPROM_WORDS || card->eeprom.left > 16 || card->packet_size > E1000_FRAME_MAX)
		snap_fail(snap, "e1000: EEPROM word %u, bit %u, packet of %u bytes", card->eeprom.address, card->eeprom.left, card->packet_size);
	card->eeprom.address %= E1000_EEPROM_WORDS;
	card->eeprom.left = MIN(card->eeprom.left, 16);
	card->packet_size = MIN(card->packet_size, E1000_FRAME_MAX);
	card->io_address &= MMIO_SIZE - 4;
	if (card->network)
		network_forget(card->network);
	update_irq(card);
}
