#include "devmodel/vga.h"

#include <errno.h>

#include "devmodel/vga_internal.h"

#define WINDOW_ADDRESS 0xa0000u
#define WINDOW_SIZE    0x20000u

static int create_regions(struct vga *vga, struct mem *mem)
{
	vga->store = mem_store_new(mem, "vga.vram", VGA_VRAM_SIZE);
	if (!vga->store)
		return -errno;
	vga->vram = mem_store_data(vga->store);
	vga->lfb_region = mem_region_new(mem, "vga.lfb", MEM_PRIORITY_BAR,
	                                 MEM_REGION_READS | MEM_REGION_WRITES, vga->store, 0, VGA_VRAM_SIZE);
	vga->mmio_region = mem_region_new_mmio(mem, MEM_PRIORITY_BAR, VGA_MMIO_SIZE, &vga_mmio_ops, vga);
	vga->window_region = mem_region_new_mmio(mem, MEM_PRIORITY_VGA, WINDOW_SIZE, &vga_mem_ops, vga);
	if (!vga->lfb_region || !vga->mmio_region || !vga->window_region)
		return -ENOSPC;
	return mem_region_enable(vga->window_region, WINDOW_ADDRESS);
}

static int claim_ports(struct vga *vga)
{
	int error = vga_regs_claim(vga);
	return error ? error : vga_dispi_claim(vga);
}

struct vga *vga_new(struct bus *bus, struct mem *mem, struct clock *clock)
{
	struct vga *vga = g_new0(struct vga, 1);
	vga->bus = bus;
	vga->clock = clock;
	int error = create_regions(vga, mem);
	if (!error)
		error = claim_ports(vga);
	if (error) {
		vga_free(vga);
		errno = -error;
		return NULL;
	}
	vga_reset(vga);
	return vga;
}

void vga_free(struct vga *vga)
{
	if (!vga)
		return;
	/* The map keeps regions for good; they must not call us any more. */
	struct mem_region *regions[] = { vga->window_region, vga->lfb_region, vga->mmio_region };
	for (size_t i = 0; i < G_N_ELEMENTS(regions); i++)
		if (regions[i])
			mem_region_disable(regions[i]);
	vga_regs_release(vga);
	vga_dispi_release(vga);
	g_free(vga);
}

void vga_reset(struct vga *vga)
{
	vga->window.latch = 0;
	vga_dac_reset(vga);
	vga_dispi_reset(vga);
	vga_regs_reset(vga);
	vga_mem_update(vga);
	vga_timing_update(vga);
}

struct mem_region *vga_lfb(struct vga *vga)
{
	return vga->lfb_region;
}

struct mem_region *vga_mmio(struct vga *vga)
{
	return vga->mmio_region;
}

void vga_state(struct vga *vga, struct snap *snap)
{
	snap_section(snap, "vga", 2);
	vga_regs_state(vga, snap);
	vga_dac_state(vga, snap);
	vga_dispi_state(vga, snap);
	snap_u32(snap, "latch", &vga->window.latch);
	mem_store_state(vga->store, snap);
	vga_mem_update(vga);
	vga_timing_update(vga);
}
