#include "devmodel/pci_vga.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#define BAR_LFB  0u
#define BAR_MMIO 2u

#define ROM_ALIGN (64u << 10)

struct pci_vga {
	struct mem_region *region[PCI_BARS];
};

static void map(void *owner, unsigned bar, uint32_t address)
{
	mem_region_enable(((struct pci_vga *)owner)->region[bar], address);
}

static void unmap(void *owner, unsigned bar)
{
	mem_region_disable(((struct pci_vga *)owner)->region[bar]);
}

static uint32_t rom_bar_size(size_t size)
{
	uint32_t bar = ROM_ALIGN;
	while (bar < size)
		bar *= 2;
	return bar;
}

static struct mem_region *make_rom(struct mem *mem, const void *rom, size_t size)
{
	uint32_t bar_size = rom_bar_size(size);
	struct mem_store *store = mem_store_new(mem, "vga rom", bar_size);
	if (!store)
		return NULL;
	memcpy(mem_store_data(store), rom, size);
	return mem_region_new(mem, "vga rom", MEM_PRIORITY_BAR, MEM_REGION_READS | MEM_REGION_ROM, store, 0, bar_size);
}

struct pci_vga *pci_vga_new(struct pci_bus *bus, struct mem *mem, struct vga *vga, const void *rom, size_t size)
{
	static const struct pci_identity identity = {
		.name = "pci-vga", .devfn = PCI_DEVFN(2, 0), .vendor_id = 0x1234, .device_id = 0x1111,
		.revision_id = 2, .class_code = 0x030000, .subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100,
	};
	static const struct pci_function_ops ops = { .map = map, .unmap = unmap };
	if (size > PCI_VGA_ROM_MAX) {
		errno = EFBIG;
		return NULL;
	}
	struct pci_vga *function = g_new0(struct pci_vga, 1);
	function->region[BAR_LFB] = vga_lfb(vga);
	function->region[BAR_MMIO] = vga_mmio(vga);
	if (size) {
		function->region[PCI_ROM] = make_rom(mem, rom, size);
		if (!function->region[PCI_ROM]) {
			int error = errno;
			g_free(function);
			errno = error;
			return NULL;
		}
	}
	struct pci_function *pci = pci_function_new(bus, &identity, &ops, function);
	pci_bar(pci, BAR_LFB, PCI_BAR_PREFETCHABLE, VGA_VRAM_SIZE);
	pci_bar(pci, BAR_MMIO, PCI_BAR_MEMORY, VGA_MMIO_SIZE);
	if (size)
		pci_bar(pci, PCI_ROM, PCI_BAR_ROM, rom_bar_size(size));
	return function;
}

void pci_vga_free(struct pci_vga *function)
{
	g_free(function);
}
