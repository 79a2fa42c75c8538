#include "devmodel/piix3.h"

#include <glib.h>

enum { IDETIM_PRIMARY = 0x40, IDETIM_SECONDARY = 0x42, SIDETIM = 0x44 };

#define IDETIM_IDE_DECODE 0x8000u

#define BMIBA      4u /* the BAR, at 20h */
#define BMIBA_SIZE 16u

struct piix3_ide {
	struct pci_function *function;
	struct ide *ide;
};

static bool channel_decoded(const struct piix3_ide *function, unsigned idetim)
{
	return pci_get16(function->function, PCI_COMMAND) & PCI_COMMAND_IO &&
	       pci_get16(function->function, idetim) & IDETIM_IDE_DECODE;
}

static void config_changed(void *owner, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	struct piix3_ide *function = owner;
	ide_set_channel_enabled(function->ide, 0, channel_decoded(function, IDETIM_PRIMARY));
	ide_set_channel_enabled(function->ide, 1, channel_decoded(function, IDETIM_SECONDARY));
}

static void map(void *owner, unsigned bar, uint32_t address)
{
	(void)bar;
	ide_set_bmdma_base(((struct piix3_ide *)owner)->ide, (uint16_t)address);
}

static void unmap(void *owner, unsigned bar)
{
	map(owner, bar, 0);
}

struct piix3_ide *piix3_ide_new(struct pci_bus *bus, struct ide *ide)
{
	static const struct pci_identity identity = {
		.name = "piix3-ide", .devfn = PCI_DEVFN(1, 1), .vendor_id = 0x8086, .device_id = 0x7010,
		/* Programming interface 80h: bus master, both channels at the AT's ports. */
		.class_code = 0x010180, .subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100,
	};
	static const struct pci_function_ops ops = { config_changed, map, unmap };
	struct piix3_ide *function = g_new0(struct piix3_ide, 1);
	function->ide = ide;
	function->function = pci_function_new(bus, &identity, &ops, function);
	pci_preset16(function->function, PCI_STATUS, 0x0280);
	pci_writable8(function->function, PCI_CACHE_LINE_SIZE, 0);
	pci_writable8(function->function, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
	pci_writable16(function->function, IDETIM_PRIMARY, 0xf3ff);
	pci_writable16(function->function, IDETIM_SECONDARY, 0xf3ff);
	pci_writable8(function->function, SIDETIM, 0xff);
	pci_bar(function->function, BMIBA, PCI_BAR_IO, BMIBA_SIZE);
	config_changed(function, 0, PCI_CONFIG_SIZE);
	return function;
}

void piix3_ide_free(struct piix3_ide *function)
{
	g_free(function);
}
