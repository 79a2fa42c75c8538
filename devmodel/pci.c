#include "devmodel/pci.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "shared/log.h"

#define CONFIG_ADDRESS 0xcf8u
#define RESET_CONTROL  0xcf9u
#define CONFIG_DATA    0xcfcu
#define LAST_PORT      0xcffu

#define ADDRESS_ENABLE 0x80000000u
#define ADDRESS_BITS   0x80fffffcu /* the rest reads as zero */

#define ROM_ENABLE 1u

struct pci_function {
	struct pci_bus *bus;
	struct pci_identity identity;
	const struct pci_function_ops *ops;
	void *owner;
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t preset[PCI_CONFIG_SIZE];
	uint8_t writable[PCI_CONFIG_SIZE];
	struct {
		enum pci_bar_kind kind;
		uint32_t size;
		uint32_t mapped; /* 0: it is not */
	} bar[PCI_BARS];
	bool intx;
};

struct pci_bus {
	struct bus *ports;
	uint32_t config_address;
	struct pci_function *function[256];
	const struct bus_ops *cf9;
	void *cf9_owner;
	struct irq_line pirq[PCI_PIRQS];
	unsigned asserted[PCI_PIRQS]; /* how many functions pull the line */
};

uint8_t pci_get8(const struct pci_function *function, unsigned offset)
{
	return function->config[offset];
}

uint16_t pci_get16(const struct pci_function *function, unsigned offset)
{
	return (uint16_t)(pci_get8(function, offset) | pci_get8(function, offset + 1) << 8);
}

uint32_t pci_get32(const struct pci_function *function, unsigned offset)
{
	return pci_get16(function, offset) | (uint32_t)pci_get16(function, offset + 2) << 16;
}

void pci_set8(struct pci_function *function, unsigned offset, uint8_t value)
{
	function->config[offset] = value;
}

void pci_preset8(struct pci_function *function, unsigned offset, uint8_t value)
{
	function->preset[offset] = value;
	function->config[offset] = value;
}

void pci_preset16(struct pci_function *function, unsigned offset, uint16_t value)
{
	pci_preset8(function, offset, (uint8_t)value);
	pci_preset8(function, offset + 1, (uint8_t)(value >> 8));
}

void pci_preset32(struct pci_function *function, unsigned offset, uint32_t value)
{
	pci_preset16(function, offset, (uint16_t)value);
	pci_preset16(function, offset + 2, (uint16_t)(value >> 16));
}

void pci_writable8(struct pci_function *function, unsigned offset, uint8_t mask)
{
	function->writable[offset] = mask;
}

void pci_writable16(struct pci_function *function, unsigned offset, uint16_t mask)
{
	pci_writable8(function, offset, (uint8_t)mask);
	pci_writable8(function, offset + 1, (uint8_t)(mask >> 8));
}

void pci_writable32(struct pci_function *function, unsigned offset, uint32_t mask)
{
	pci_writable16(function, offset, (uint16_t)mask);
	pci_writable16(function, offset + 2, (uint16_t)(mask >> 16));
}

static unsigned bar_register(unsigned bar)
{
	return bar == PCI_ROM ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS + 4 * bar;
}

void pci_bar(struct pci_function *function, unsigned bar, enum pci_bar_kind kind, uint32_t size)
{
	static const uint32_t type_bits[] = { [PCI_BAR_IO] = 1, [PCI_BAR_PREFETCHABLE] = 8, [PCI_BAR_ROM] = 0 };
	uint32_t enable = kind == PCI_BAR_ROM ? ROM_ENABLE : 0;
	function->bar[bar].kind = kind;
	function->bar[bar].size = size;
	pci_preset32(function, bar_register(bar), type_bits[kind]);
	pci_writable32(function, bar_register(bar), ~(size - 1) | enable);
}

/* Where the BAR shall decode now; 0: nowhere. */
static uint32_t bar_address(const struct pci_function *function, unsigned bar)
{
	uint32_t value = pci_get32(function, bar_register(bar));
	uint32_t size = function->bar[bar].size;
	bool io = function->bar[bar].kind == PCI_BAR_IO;
	if (!(pci_get16(function, PCI_COMMAND) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return 0;
	if (bar == PCI_ROM && !(value & ROM_ENABLE))
		return 0;
	uint32_t base = value & ~(size - 1);
	uint64_t last = (uint64_t)base + size - 1;
	return last < (io ? 0xffffu : 0xffffffffu) ? base : 0;
}

static void unmap_bar(struct pci_function *function, unsigned bar)
{
	if (function->bar[bar].mapped && function->ops->unmap)
		function->ops->unmap(function->owner, bar);
	function->bar[bar].mapped = 0;
}

static void map_bar(struct pci_function *function, unsigned bar, uint32_t address)
{
	function->bar[bar].mapped = address;
	if (address && function->ops->map)
		function->ops->map(function->owner, bar, address);
}

static void update_bars(struct pci_function *function)
{
	for (unsigned bar = 0; bar < PCI_BARS; bar++) {
		if (function->bar[bar].kind == PCI_BAR_NONE)
			continue;
		uint32_t address = bar_address(function, bar);
		if (address == function->bar[bar].mapped)
			continue;
		unmap_bar(function, bar);
		map_bar(function, bar, address);
	}
}

static void config_changed(struct pci_function *function, unsigned offset, unsigned size)
{
	update_bars(function);
	if (function->ops->config_changed)
		function->ops->config_changed(function->owner, offset, size);
}

static struct pci_function *addressed(const struct pci_bus *bus)
{
	uint32_t address = bus->config_address;
	if (!(address & ADDRESS_ENABLE) || address & 0x00ff0000)
		return NULL;
	return bus->function[(address >> 8) & 0xff];
}

static uint32_t data_read(struct pci_bus *bus, unsigned lane, unsigned size)
{
	const struct pci_function *function = addressed(bus);
	uint32_t value = 0;
	for (unsigned n = 0; n < size; n++) {
		uint8_t byte = 0xff;
		if (function && lane + n < 4)
			byte = function->config[(bus->config_address & 0xfc) + lane + n];
		value |= (uint32_t)byte << (8 * n);
	}
	return value;
}

static void data_write(struct pci_bus *bus, unsigned lane, unsigned size, uint32_t value)
{
	struct pci_function *function = addressed(bus);
	if (!function)
		return;
	unsigned offset = (bus->config_address & 0xfc) + lane;
	size = MIN(size, 4 - lane);
	for (unsigned n = 0; n < size; n++) {
		uint8_t mask = function->writable[offset + n];
		uint8_t *byte = &function->config[offset + n];
		*byte = (uint8_t)((*byte & ~mask) | ((value >> (8 * n)) & mask));
	}
	config_changed(function, offset, size);
}

static uint32_t ports_read(void *owner, uint16_t port, unsigned size)
{
	struct pci_bus *bus = owner;
	if (port >= CONFIG_DATA)
		return data_read(bus, port - CONFIG_DATA, size);
	if (port == CONFIG_ADDRESS && size == 4)
		return bus->config_address;
	if (port == RESET_CONTROL && size == 1 && bus->cf9)
		return bus->cf9->read(bus->cf9_owner, port, size);
	return 0xffffffff;
}

static void ports_write(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct pci_bus *bus = owner;
	if (port >= CONFIG_DATA)
		data_write(bus, port - CONFIG_DATA, size, value);
	else if (port == CONFIG_ADDRESS && size == 4)
		bus->config_address = value & ADDRESS_BITS;
	else if (port == RESET_CONTROL && size == 1 && bus->cf9)
		bus->cf9->write(bus->cf9_owner, port, size, value);
	else
		guest_error("pci", "%u-byte write to port %Xh", size, port);
}

static const struct bus_ops ports_ops = {
	.name = "pci", .max_size = 4, .read = ports_read, .write = ports_write,
};

struct pci_bus *pci_bus_new(struct bus *ports)
{
	struct pci_bus *bus = g_new0(struct pci_bus, 1);
	bus->ports = ports;
	int error = bus_claim(ports, CONFIG_ADDRESS, LAST_PORT, &ports_ops, bus);
	if (error) {
		g_free(bus);
		errno = -error;
		return NULL;
	}
	return bus;
}

void pci_bus_free(struct pci_bus *bus)
{
	if (!bus)
		return;
	bus_release(bus->ports, &ports_ops, bus);
	for (unsigned n = 0; n < G_N_ELEMENTS(bus->function); n++)
		g_free(bus->function[n]);
	g_free(bus);
}

void pci_bus_reset(struct pci_bus *bus)
{
	bus->config_address = 0;
	for (unsigned n = 0; n < G_N_ELEMENTS(bus->function); n++) {
		struct pci_function *function = bus->function[n];
		if (!function)
			continue;
		memcpy(function->config, function->preset, PCI_CONFIG_SIZE);
		config_changed(function, 0, PCI_CONFIG_SIZE);
	}
}

void pci_bus_connect_cf9(struct pci_bus *bus, const struct bus_ops *ops, void *owner)
{
	bus->cf9 = ops;
	bus->cf9_owner = owner;
}

void pci_bus_connect_pirq(struct pci_bus *bus, unsigned n, struct irq_line line)
{
	bus->pirq[n] = line;
}

unsigned pci_pirq_of(uint8_t devfn, unsigned pin)
{
	unsigned device = devfn >> 3;
	return (device - 1 + pin - 1) % PCI_PIRQS;
}

static void set_intx(void *owner, unsigned n, bool level)
{
	struct pci_function *function = owner;
	struct pci_bus *bus = function->bus;
	if (level == function->intx)
		return;
	function->intx = level;
	bus->asserted[n] += level ? 1 : -1u;
	irq_set(&bus->pirq[n], bus->asserted[n] != 0);
}

struct irq_line pci_intx(struct pci_function *function)
{
	unsigned pin = function->identity.interrupt_pin;
	if (!pin)
		return (struct irq_line){ 0 };
	return (struct irq_line){ set_intx, function, pci_pirq_of(function->identity.devfn, pin) };
}

static void fill_header(struct pci_function *function)
{
	const struct pci_identity *identity = &function->identity;
	pci_preset16(function, PCI_VENDOR_ID, identity->vendor_id);
	pci_preset16(function, PCI_DEVICE_ID, identity->device_id);
	pci_preset32(function, PCI_REVISION_ID, identity->class_code << 8 | identity->revision_id);
	pci_preset8(function, PCI_HEADER_TYPE, identity->multifunction ? 0x80 : 0);
	pci_preset16(function, PCI_SUBSYSTEM_VENDOR_ID, identity->subsystem_vendor_id);
	pci_preset16(function, PCI_SUBSYSTEM_ID, identity->subsystem_id);
	pci_preset8(function, PCI_INTERRUPT_PIN, identity->interrupt_pin);
	pci_writable16(function, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_writable8(function, PCI_CACHE_LINE_SIZE, 0xff);
	pci_writable8(function, PCI_LATENCY_TIMER, 0xff);
	if (identity->interrupt_pin)
		pci_writable8(function, PCI_INTERRUPT_LINE, 0xff);
}

struct pci_function *pci_function_new(struct pci_bus *bus, const struct pci_identity *identity,
                                      const struct pci_function_ops *ops, void *owner)
{
	g_assert(!bus->function[identity->devfn]);
	struct pci_function *function = g_new0(struct pci_function, 1);
	function->bus = bus;
	function->identity = *identity;
	function->ops = ops;
	function->owner = owner;
	fill_header(function);
	bus->function[identity->devfn] = function;
	return function;
}

static void function_state(struct pci_function *function, struct snap *snap)
{
	uint8_t config[PCI_CONFIG_SIZE];
	bool intx = function->intx;
	memcpy(config, function->config, sizeof config);
	snap_section(snap, function->identity.name, 1);
	snap_bytes(snap, "config", config, sizeof config);
	snap_bool(snap, "intx", &intx);
	if (!snap_is_loading(snap))
		return;
	struct irq_line line = pci_intx(function);
	irq_set(&line, intx);
	for (unsigned n = 0; n < PCI_CONFIG_SIZE; n++) {
		uint8_t mask = function->writable[n];
		function->config[n] = (uint8_t)((function->config[n] & ~mask) | (config[n] & mask));
	}
	config_changed(function, 0, PCI_CONFIG_SIZE);
}

void pci_bus_state(struct pci_bus *bus, struct snap *snap)
{
	snap_section(snap, "pci", 1);
	snap_u32(snap, "config_address", &bus->config_address);
	bus->config_address &= ADDRESS_BITS;
	for (unsigned n = 0; n < G_N_ELEMENTS(bus->function); n++)
		if (bus->function[n])
			function_state(bus->function[n], snap);
}
