#include "devmodel/pc.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "devmodel/a20.h"
#include "devmodel/coprocessor.h"
#include "devmodel/debug_port.h"
#include "devmodel/e1000.h"
#include "devmodel/exit_port.h"
#include "devmodel/fw_cfg.h"
#include "devmodel/i440fx.h"
#include "devmodel/i8042.h"
#include "devmodel/i82077.h"
#include "devmodel/i8237.h"
#include "devmodel/i8254.h"
#include "devmodel/i8259.h"
#include "devmodel/mc146818.h"
#include "devmodel/ns16550.h"
#include "devmodel/parallel.h"
#include "devmodel/pc_setup.h"
#include "devmodel/pc_virtio.h"
#include "devmodel/pci.h"
#include "devmodel/pci_vga.h"
#include "devmodel/piix3.h"
#include "devmodel/piix4_pm.h"
#include "devmodel/port61.h"
#include "devmodel/port92.h"
#include "devmodel/post_port.h"
#include "devmodel/ps2_keyboard.h"
#include "devmodel/ps2_mouse.h"

#define BIOS_BLOCK     (64u << 10)
#define BIOS_LOW_SIZE  (128u << 10) /* of its end, shown below 1 MiB */
#define BIOS_LOW_END   (1u << 20)
#define CLOCK_LAST     (1ull << 62) /* of a state: 146 years, and sums do not overflow */

struct pc {
	struct cpu_pins pins;
	struct ctx *ctx;
	uint32_t cpu_signature;
	struct clock *clock;
	struct bus *bus;
	struct mem *mem;
	struct mem_store *ram;

	struct pci_bus *pci;
	struct i440fx *host;
	struct piix3 *isa;
	struct piix3_ide *pci_ide;
	struct piix4_pm *pm;
	struct pci_vga *pci_vga;

	struct i8259 *pic;
	struct i8254 *pit;
	struct port61 *port61;
	struct mc146818 *rtc;
	struct i8237 *dma;
	struct coprocessor *coprocessor;
	struct a20 *a20;
	struct port92 *port92;
	struct i8042 *kbc;
	struct ps2_keyboard *keyboard;
	struct ps2_mouse *mouse;
	struct ide *ide;
	struct i82077 *fdc;
	struct vga *vga;
	struct e1000 *nic;
	struct pc_virtio *virtio;
	struct ns16550 *serial[PC_SERIAL];
	struct parallel *parallel;
	struct fw_cfg *fw_cfg;
	struct post_port *post;
	struct debug_port *debug;
	struct exit_port *exit;
	bool nmi_source, nmi_masked;
	bool powered_off;
};

/* --- wires that pass through the board's own logic ---------------------------- */

/* Port 70h bit 7 stands between the NMI sources and the CPU, which wants an edge:
 * taking the mask off a source that waits is one. */
enum { NMI_SOURCE, NMI_MASKED };

static void set_nmi(void *owner, unsigned n, bool level)
{
	struct pc *pc = owner;
	bool was = pc->nmi_source && !pc->nmi_masked;
	*(n == NMI_MASKED ? &pc->nmi_masked : &pc->nmi_source) = level;
	if (was || !pc->nmi_source || pc->nmi_masked)
		return;
	pc->pins.nmi = true;
	cpu_pins_attend(&pc->pins);
}

static void power_off(void *owner)
{
	struct pc *pc = owner;
	pc->powered_off = true;
	pc->pins.stop = true;
	cpu_pins_attend(&pc->pins);
}

static struct irq_line irq(struct pc *pc, unsigned n)
{
	return piix3_isa_line(pc->isa, n);
}

static struct irq_line irq_by_number(void *owner, unsigned n)
{
	return irq(owner, n);
}

/* --- the wiring ----------------------------------------------------------------- */

static bool fit_rom(struct pc *pc, const struct pc_config *config)
{
	size_t size = config->bios_size, low = MIN(size, BIOS_LOW_SIZE);
	unsigned flags = MEM_REGION_READS | MEM_REGION_ROM;
	struct mem_store *store = mem_store_new(pc->mem, "bios", size);
	if (!store)
		return false;
	memcpy(mem_store_data(store), config->bios, size);
	struct mem_region *high = mem_region_new(pc->mem, "bios", MEM_PRIORITY_ROM, flags, store, 0, size);
	struct mem_region *alias = mem_region_new(pc->mem, "bios low", MEM_PRIORITY_ROM, flags, store, size - low, low);
	return high && alias && !mem_region_enable(high, MEM_SPACE - size) &&
	       !mem_region_enable(alias, BIOS_LOW_END - low);
}

static bool fit_memory(struct pc *pc, const struct pc_config *config)
{
	return (pc->bus = bus_new()) &&
	       (pc->mem = mem_new()) &&
	       (pc->ram = mem_store_new(pc->mem, "ram", config->ram_size)) &&
	       fit_rom(pc, config) &&
	       (pc->a20 = a20_new(pc->mem));
}

static bool fit_chip_set(struct pc *pc)
{
	return (pc->pic = i8259_new(pc->bus, &pc->pins)) &&
	       (pc->pci = pci_bus_new(pc->bus)) &&
	       (pc->host = i440fx_new(pc->pci, pc->mem, pc->ram)) &&
	       (pc->isa = piix3_new(pc->pci, pc->pic, &pc->pins)) &&
	       (pc->pm = piix4_pm_new(&(struct piix4_pm_config){
			.pci = pc->pci, .ports = pc->bus, .clock = pc->clock, .pins = &pc->pins,
			.sci = irq(pc, 9), .power_off = power_off, .owner = pc }));
}

static bool fit_at_chips(struct pc *pc, const struct pc_config *config)
{
	if (!(pc->pit = i8254_new(pc->bus, 0x40, irq(pc, 0), pc->clock)) ||
	    !(pc->rtc = mc146818_new(pc->bus, irq(pc, 8), pc->clock, config->rtc_start)) ||
	    !(pc->port61 = port61_new(pc->bus, pc->pit, pc->clock)))
		return false;
	port61_connect_nmi(pc->port61, (struct irq_line){ set_nmi, pc, NMI_SOURCE });
	mc146818_connect_nmi_mask(pc->rtc, (struct irq_line){ set_nmi, pc, NMI_MASKED });
	return (pc->dma = i8237_new(pc->bus, pc->mem)) &&
	       (pc->post = post_port_new(pc->bus)) &&
	       (pc->coprocessor = coprocessor_new(pc->bus, &pc->pins, irq(pc, 13)));
}

static bool fit_input(struct pc *pc)
{
	return (pc->port92 = port92_new(pc->bus, &pc->pins, a20_line(pc->a20, A20_PORT92))) &&
	       (pc->kbc = i8042_new(pc->bus, pc->clock, irq(pc, 1), irq(pc, 12), &pc->pins,
	                            a20_line(pc->a20, A20_KEYBOARD))) &&
	       (pc->keyboard = ps2_keyboard_new(pc->kbc)) &&
	       (pc->mouse = ps2_mouse_new(pc->kbc, pc->clock));
}

static bool fit_storage(struct pc *pc)
{
	return (pc->ide = ide_new(pc->bus, pc->mem, irq(pc, 14), irq(pc, 15), pc->clock)) &&
	       (pc->pci_ide = piix3_ide_new(pc->pci, pc->ide)) &&
	       (pc->fdc = i82077_new(pc->bus, pc->dma, irq(pc, 6), pc->clock));
}

static bool fit_display(struct pc *pc, const struct pc_config *config)
{
	return (pc->vga = vga_new(pc->bus, pc->mem, pc->clock)) &&
	       (pc->pci_vga = pci_vga_new(pc->pci, pc->mem, pc->vga, config->vgabios, config->vgabios_size));
}

static bool fit_network(struct pc *pc, const struct pc_config *config)
{
	struct e1000_config card = {
		.pci = pc->pci, .ports = pc->bus, .mem = pc->mem, .devfn = PCI_DEVFN(3, 0),
		.rom = config->nic_rom, .rom_size = config->nic_rom_size, .network = config->network,
	};
	memcpy(card.mac, config->mac, sizeof card.mac);
	return !config->nic || (pc->nic = e1000_new(&card));
}

static const struct pc_device com[PC_SERIAL] = { { 0x3f8, 4 }, { 0x2f8, 3 } };

static bool fit_ports(struct pc *pc, const struct pc_config *config)
{
	for (unsigned n = 0; n < PC_SERIAL; n++)
		if (config->serial[n] &&
		    !(pc->serial[n] = ns16550_new(pc->bus, (uint16_t)com[n].base, irq(pc, com[n].irq), pc->clock, config->serial[n])))
			return false;
	if (config->parallel && !(pc->parallel = parallel_new(pc->bus, 0x378, irq(pc, 7), pc->clock, config->parallel)))
		return false;
	if (config->debug && !(pc->debug = debug_port_new(pc->bus, config->debug_port, config->debug)))
		return false;
	if (config->exit_port && !(pc->exit = exit_port_new(pc->bus, config->exit_port, &pc->pins)))
		return false;
	return (pc->fw_cfg = fw_cfg_new(pc->bus, pc->mem));
}

/* --- building -------------------------------------------------------------------- */

static char *config_problem(const struct pc_config *config)
{
	if (config->ram_size < PC_RAM_MIN || config->ram_size > PC_RAM_MAX || config->ram_size % PC_RAM_MIN)
		return g_strdup_printf("RAM of %" G_GUINT64_FORMAT " bytes: must be whole MiB, 1 to %u of them, as the "
		                       "PCI hole begins behind them", config->ram_size, (unsigned)(PC_RAM_MAX >> 20));
	if (!config->bios_size || config->bios_size % BIOS_BLOCK || config->bios_size > PC_BIOS_MAX)
		return g_strdup_printf("BIOS of %zu bytes: must be a multiple of 64 KiB, at most 16 MiB",
		                       config->bios_size);
	if (config->vgabios_size > PCI_VGA_ROM_MAX)
		return g_strdup_printf("VGA BIOS of %zu bytes: must be at most %u", config->vgabios_size,
		                       PCI_VGA_ROM_MAX);
	if (config->nic_rom_size > E1000_ROM_MAX)
		return g_strdup_printf("option ROM of %zu bytes for the network card: must be at most %u", config->nic_rom_size, E1000_ROM_MAX);
	if (config->boot[G_N_ELEMENTS(config->boot) - 1] != PC_BOOT_END)
		return g_strdup("boot order: names more than four kinds of devices");
	return NULL;
}

/* From here on the chips own the media. */
static char *attach_media(struct pc *pc, struct pc_config *config)
{
	for (unsigned slot = 0; slot < PC_DISKS; slot++) {
		struct pc_drive *drive = &config->drive[slot];
		if (drive->kind == PC_DRIVE_DISK)
			ide_attach_disk(pc->ide, slot / IDE_DRIVES, slot % IDE_DRIVES, drive->blk);
		else if (drive->kind == PC_DRIVE_CDROM)
			ide_attach_cdrom(pc->ide, slot / IDE_DRIVES, slot % IDE_DRIVES, drive->blk);
		if (drive->kind != PC_DRIVE_NONE)
			drive->blk = NULL;
	}
	for (unsigned n = 0; n < PC_FLOPPIES; n++) {
		if (!config->floppy[n])
			continue;
		const char *problem = i82077_insert(pc->fdc, n, config->floppy[n]);
		if (problem)
			return g_strdup_printf("floppy %c: %s", "AB"[n], problem);
		config->floppy[n] = NULL;
	}
	if (!(pc->virtio = pc_virtio_new(config, pc->mem, irq_by_number, pc)))
		return g_strdup_printf("the virtio devices: %s", g_strerror(errno));
	return NULL;
}

static void free_media(struct pc_config *config)
{
	for (unsigned slot = 0; slot < PC_DISKS; slot++)
		blk_free(config->drive[slot].blk);
	for (unsigned n = 0; n < PC_FLOPPIES; n++)
		blk_free(config->floppy[n]);
	for (unsigned n = 0; n < PC_VIRTIO_DISKS; n++)
		blk_free(config->virtio_disk[n]);
}

static char *build(struct pc *pc, const struct pc_config *config)
{
	char *problem = config_problem(config);
	if (problem)
		return problem;
	errno = 0;
	if (!fit_memory(pc, config))
		return g_strdup_printf("%u MiB of RAM for the machine: %s; less may do",
		                       (unsigned)(config->ram_size >> 20), g_strerror(errno));
	bool fits = fit_chip_set(pc) && fit_at_chips(pc, config) && fit_input(pc) && fit_storage(pc) &&
	            fit_display(pc, config) && fit_network(pc, config) && fit_ports(pc, config);
	if (!fits)
		return g_strdup_printf("the machine's chips: %s", g_strerror(errno));
	return NULL;
}

struct pc *pc_new(const struct pc_config *config, char **error)
{
	struct pc *pc = g_new0(struct pc, 1);
	struct pc_config media = *config;
	pc->clock = config->clock;
	pc->cpu_signature = config->cpu_signature;
	pc->ctx = g_aligned_alloc0(1, sizeof *pc->ctx, CTX_SIZE);
	char *problem = build(pc, config);
	if (!problem)
		problem = attach_media(pc, &media);
	free_media(&media);
	if (problem) {
		pc_free(pc);
		if (error)
			*error = problem;
		else
			g_free(problem);
		return NULL;
	}
	pc_setup_cmos(pc->rtc, config, pc->ide, pc->fdc);
	pc_setup_fw_cfg(pc->fw_cfg, config);
	pc_reset(pc);
	return pc;
}

void pc_free(struct pc *pc)
{
	if (!pc)
		return;
	fw_cfg_free(pc->fw_cfg);
	exit_port_free(pc->exit);
	debug_port_free(pc->debug);
	parallel_free(pc->parallel);
	for (unsigned n = 0; n < PC_SERIAL; n++)
		ns16550_free(pc->serial[n]);
	pc_virtio_free(pc->virtio);
	e1000_free(pc->nic);
	pci_vga_free(pc->pci_vga);
	vga_free(pc->vga);
	i82077_free(pc->fdc);
	piix3_ide_free(pc->pci_ide);
	ide_free(pc->ide);
	ps2_mouse_free(pc->mouse);
	ps2_keyboard_free(pc->keyboard);
	i8042_free(pc->kbc);
	port92_free(pc->port92);
	coprocessor_free(pc->coprocessor);
	post_port_free(pc->post);
	i8237_free(pc->dma);
	port61_free(pc->port61);
	mc146818_free(pc->rtc);
	i8254_free(pc->pit);
	piix4_pm_free(pc->pm);
	piix3_free(pc->isa);
	i440fx_free(pc->host);
	pci_bus_free(pc->pci);
	i8259_free(pc->pic);
	a20_free(pc->a20);
	mem_free(pc->mem);
	bus_free(pc->bus);
	g_aligned_free(pc->ctx);
	g_free(pc);
}

/* --- reset and state ------------------------------------------------------------ */

static void reset_chips(struct pc *pc)
{
	i440fx_set_smm(pc->host, false);
	pci_bus_reset(pc->pci);
	piix3_reset(pc->isa);
	piix4_pm_reset(pc->pm);
	i8254_reset(pc->pit);
	port61_reset(pc->port61);
	mc146818_reset(pc->rtc);
	i8237_reset(pc->dma);
	post_port_reset(pc->post);
	coprocessor_reset(pc->coprocessor);
	port92_reset(pc->port92);
	i8042_reset(pc->kbc);
	ps2_keyboard_reset(pc->keyboard);
	ps2_mouse_reset(pc->mouse);
	ide_reset(pc->ide);
	i82077_reset(pc->fdc);
	vga_reset(pc->vga);
	if (pc->nic)
		e1000_reset(pc->nic);
	pc_virtio_reset(pc->virtio);
	for (unsigned n = 0; n < PC_SERIAL; n++)
		if (pc->serial[n])
			ns16550_reset(pc->serial[n]);
	if (pc->parallel)
		parallel_reset(pc->parallel);
	fw_cfg_reset(pc->fw_cfg);
	i8259_reset(pc->pic); /* last, so that lines which fall above leave no trace */
}

void pc_reset(struct pc *pc)
{
	reset_chips(pc);
	pc->pins.nmi = pc->pins.smi = pc->pins.init = pc->pins.reset = false;
	pc->powered_off = false;
	ctx_reset(pc->ctx, pc->cpu_signature);
	cpu_pins_attend(&pc->pins);
}

static void clock_state(struct pc *pc, struct snap *snap)
{
	uint64_t now = clock_now(pc->clock);
	snap_section(snap, "clock", 1);
	snap_u64(snap, "now", &now);
	if (now > CLOCK_LAST)
		snap_fail(snap, "%llu ns: later than any machine gets", (unsigned long long)now);
	else if (snap_is_loading(snap))
		clock_set_now(pc->clock, now);
}

/* The page without what belongs to this run of the host: the request, and what a
 * debugger asked for. */
static void take_page(struct ctx *to, const struct ctx *from)
{
	*to = *from;
	to->request_type = CTX_NONE;
	to->request_state = CTX_IDLE;
	to->stop_detail = to->timed = 0;
	to->blocks_run = to->insns_run = to->limit_insns = to->limit_blocks = 0;
	to->io_address = to->io_data = to->io_size = to->io_is_write = 0;
	to->ns_load = to->ns_run = to->ns_exit = to->ns_save = 0;
	to->tlb_kept = 0;
	memset(&to->debug, 0, sizeof to->debug);
}

static void cpu_state(struct pc *pc, struct snap *snap)
{
	struct ctx *page = g_aligned_alloc0(1, sizeof *page, CTX_SIZE);
	take_page(page, pc->ctx);
	snap_section(snap, "cpu", 1);
	snap_bytes(snap, "page", page, sizeof *page);
	snap_bool(snap, "nmi", &pc->pins.nmi);
	snap_bool(snap, "smi", &pc->pins.smi);
	snap_bool(snap, "init", &pc->pins.init);
	snap_bool(snap, "reset", &pc->pins.reset);
	const char *problem = ctx_check(page);
	if (problem)
		snap_fail(snap, "context page: %s", problem);
	else if (snap_is_loading(snap)) {
		page->debug = pc->ctx->debug;
		page->tlb_kept = 0;
		*pc->ctx = *page;
	}
	g_aligned_free(page);
}

static void ram_state(struct pc *pc, struct snap *snap)
{
	snap_section(snap, "ram", 1);
	mem_store_state(pc->ram, snap);
	if (!snap_is_loading(snap))
		return;
	/* Whatever was decoded from here is another now. */
	for (unsigned n = 0; n < MEM_LISTENERS; n++)
		if (pc->mem->listener[n].map_changed)
			pc->mem->listener[n].map_changed(pc->mem->listener[n].owner, 0, MEM_SPACE);
}

static void port_chips_state(struct pc *pc, struct snap *snap)
{
	for (unsigned n = 0; n < PC_SERIAL; n++)
		if (pc->serial[n])
			ns16550_state(pc->serial[n], snap);
	if (pc->parallel)
		parallel_state(pc->parallel, snap);
	fw_cfg_state(pc->fw_cfg, snap);
	post_port_state(pc->post, snap);
}

void pc_state(struct pc *pc, struct snap *snap)
{
	clock_state(pc, snap);
	cpu_state(pc, snap);
	bool nmi = pc->pins.nmi;
	ram_state(pc, snap);
	pci_bus_state(pc->pci, snap);
	piix3_state(pc->isa, snap);
	piix4_pm_state(pc->pm, snap);
	i8254_state(pc->pit, snap);
	port61_state(pc->port61, snap);
	mc146818_state(pc->rtc, snap);
	i8237_state(pc->dma, snap);
	coprocessor_state(pc->coprocessor, snap);
	port92_state(pc->port92, snap);
	i8042_state(pc->kbc, snap);
	ps2_keyboard_state(pc->keyboard, snap);
	ps2_mouse_state(pc->mouse, snap);
	a20_state(pc->a20, snap);
	ide_state(pc->ide, snap);
	i82077_state(pc->fdc, snap);
	vga_state(pc->vga, snap);
	if (pc->nic)
		e1000_state(pc->nic, snap);
	pc_virtio_state(pc->virtio, snap);
	port_chips_state(pc, snap);
	i8259_state(pc->pic, snap); /* last: the devices above have driven its inputs */
	if (snap_is_loading(snap)) {
		pc->pins.nmi = nmi; /* whether the edge that port 61h has seen is taken, it cannot know */
		i440fx_set_smm(pc->host, pc->ctx->smm);
		cpu_pins_attend(&pc->pins);
	}
}

/* --- accessors ------------------------------------------------------------------- */

struct ctx *pc_ctx(struct pc *pc)
{
	return pc->ctx;
}

struct cpu_pins *pc_pins(struct pc *pc)
{
	return &pc->pins;
}

struct mem *pc_mem(struct pc *pc)
{
	return pc->mem;
}

struct bus *pc_bus(struct pc *pc)
{
	return pc->bus;
}

struct clock *pc_clock(struct pc *pc)
{
	return pc->clock;
}

struct vga *pc_vga(struct pc *pc)
{
	return pc->vga;
}

struct ps2_keyboard *pc_keyboard(struct pc *pc)
{
	return pc->keyboard;
}

struct ps2_mouse *pc_mouse(struct pc *pc)
{
	return pc->mouse;
}

struct ide *pc_ide(struct pc *pc)
{
	return pc->ide;
}

struct i82077 *pc_fdc(struct pc *pc)
{
	return pc->fdc;
}

void pc_set_smm(struct pc *pc, bool smm)
{
	i440fx_set_smm(pc->host, smm);
}

void pc_press_power_button(struct pc *pc)
{
	piix4_pm_press_power_button(pc->pm);
}

void pc_press_nmi_button(struct pc *pc)
{
	struct irq_line iochk = port61_line(pc->port61, PORT61_IOCHK);
	irq_set(&iochk, true);
	irq_set(&iochk, false);
}

bool pc_speaker(struct pc *pc)
{
	return port61_speaker(pc->port61);
}

uint8_t pc_post_code(const struct pc *pc)
{
	return post_port_value(pc->post);
}

unsigned pc_devices(const struct pc_config *config, struct pc_device device[PC_DEVICES])
{
	/* Timer, keyboard, real-time clock, mouse, floppy and IDE controllers. */
	static const struct pc_device always[] = { { 0x40, 0 }, { 0x60, 1 }, { 0x70, 8 }, { 0x60, 12 }, { 0x3f0, 6 }, { 0x1f0, 14 }, { 0x170, 15 } };
	unsigned count = 0;
	for (; count < G_N_ELEMENTS(always); count++)
		device[count] = always[count];
	for (unsigned n = 0; n < PC_SERIAL; n++)
		if (config->serial[n])
			device[count++] = com[n];
	return count + pc_virtio_devices(config, device + count);
}

enum pc_end pc_end(const struct pc *pc, int *status)
{
	if (pc->powered_off)
		return PC_POWERED_OFF;
	if (pc->exit && exit_port_status(pc->exit, status))
		return PC_EXITED;
	return PC_RUNNING;
}
