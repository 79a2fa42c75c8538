#include "devmodel/i440fx.h"

#include <errno.h>

#include <glib.h>

enum {
	PAM0 = 0x59, PAM6 = 0x5f, SMRAM = 0x72,
	/* Stored only: PMCCFG-DRAMT, DRB0-7, MTT and CLT, ERRCMD, TRC. */
	FIRST_STORED = 0x50, DRB0 = 0x60, DRB7 = 0x67, MTT = 0x70, ERRCMD = 0x90, TRC = 0x93,
};

#define PAM_RE 1u
#define PAM_WE 2u

#define SMRAM_C_BASE_SEG 0x02u /* the only value there is: A0000h */
#define SMRAM_G_SMRAME   0x08u
#define SMRAM_D_LCK      0x10u
#define SMRAM_D_CLS      0x20u
#define SMRAM_D_OPEN     0x40u

#define PAM_SEGMENTS 13u

#define KIB 1024u
#define LOW_RAM_SIZE  (640 * KIB)
#define SMRAM_BASE    (640 * KIB)
#define SMRAM_SIZE    (128 * KIB)
#define HIGH_RAM_BASE (1024 * KIB)

/* One attribute nibble each, in the order of the addresses. */
static const struct {
	uint8_t offset, shift;
	uint32_t address, size;
} pam_segment[PAM_SEGMENTS] = {
	{ 0x5a, 0, 0xc0000, 16 * KIB }, { 0x5a, 4, 0xc4000, 16 * KIB },
	{ 0x5b, 0, 0xc8000, 16 * KIB }, { 0x5b, 4, 0xcc000, 16 * KIB },
	{ 0x5c, 0, 0xd0000, 16 * KIB }, { 0x5c, 4, 0xd4000, 16 * KIB },
	{ 0x5d, 0, 0xd8000, 16 * KIB }, { 0x5d, 4, 0xdc000, 16 * KIB },
	{ 0x5e, 0, 0xe0000, 16 * KIB }, { 0x5e, 4, 0xe4000, 16 * KIB },
	{ 0x5f, 0, 0xe8000, 16 * KIB }, { 0x5f, 4, 0xec000, 16 * KIB },
	{ 0x59, 4, 0xf0000, 64 * KIB },
};

struct i440fx {
	struct pci_function *function;
	struct mem_region *pam[PAM_SEGMENTS];
	uint8_t pam_shown[PAM_SEGMENTS]; /* PAM_RE, PAM_WE as the map has them */
	struct mem_region *smram;
	bool smram_shown;
	uint8_t locked_smram; /* 0 while D_LCK is clear */
	bool smm;
};

static void show_segment(struct i440fx *host, unsigned n)
{
	static const unsigned flags[] = {
		[0] = 0,
		[PAM_RE] = MEM_REGION_READS | MEM_REGION_ROM,
		[PAM_WE] = MEM_REGION_WRITES,
		[PAM_RE | PAM_WE] = MEM_REGION_READS | MEM_REGION_WRITES,
	};
	uint8_t wanted = (pci_get8(host->function, pam_segment[n].offset) >> pam_segment[n].shift) & (PAM_RE | PAM_WE);
	if (wanted == host->pam_shown[n])
		return;
	if (!wanted)
		mem_region_disable(host->pam[n]);
	else
		mem_region_set_flags(host->pam[n], flags[wanted]);
	if (wanted && !host->pam_shown[n])
		mem_region_enable(host->pam[n], pam_segment[n].address);
	host->pam_shown[n] = wanted;
}

static void show_smram(struct i440fx *host)
{
	uint8_t smram = pci_get8(host->function, SMRAM);
	bool wanted = smram & SMRAM_D_OPEN || (host->smm && smram & SMRAM_G_SMRAME);
	if (wanted == host->smram_shown)
		return;
	if (wanted)
		mem_region_enable(host->smram, SMRAM_BASE);
	else
		mem_region_disable(host->smram);
	host->smram_shown = wanted;
}

/* D_LCK closes the space and keeps all but D_CLS as it is until reset. */
static void keep_lock(struct i440fx *host, bool by_guest)
{
	uint8_t smram = pci_get8(host->function, SMRAM);
	if (by_guest && host->locked_smram)
		smram = (host->locked_smram & (uint8_t)~SMRAM_D_CLS) | (smram & SMRAM_D_CLS);
	if (smram & SMRAM_D_LCK)
		smram &= (uint8_t)~SMRAM_D_OPEN;
	host->locked_smram = smram & SMRAM_D_LCK ? smram : 0;
	pci_set8(host->function, SMRAM, smram);
}

static bool touches(unsigned offset, unsigned size, unsigned first, unsigned last)
{
	return offset <= last && offset + size > first;
}

static void config_changed(void *owner, unsigned offset, unsigned size)
{
	struct i440fx *host = owner;
	if (touches(offset, size, PAM0, PAM6))
		for (unsigned n = 0; n < PAM_SEGMENTS; n++)
			show_segment(host, n);
	if (touches(offset, size, SMRAM, SMRAM)) {
		keep_lock(host, size < PCI_CONFIG_SIZE);
		show_smram(host);
	}
}

void i440fx_set_smm(struct i440fx *host, bool smm)
{
	host->smm = smm;
	show_smram(host);
}

static void declare_registers(struct pci_function *function)
{
	pci_preset16(function, PCI_COMMAND, 0x0006);
	pci_preset16(function, PCI_STATUS, 0x0280);
	pci_writable16(function, PCI_COMMAND, 0);
	for (unsigned offset = FIRST_STORED; offset < PAM0; offset++)
		pci_writable8(function, offset, 0xff);
	pci_writable8(function, PAM0, 0x30);
	for (unsigned offset = PAM0 + 1; offset <= PAM6; offset++)
		pci_writable8(function, offset, 0x33);
	for (unsigned offset = DRB0; offset <= DRB7; offset++) {
		pci_preset8(function, offset, 0x01);
		pci_writable8(function, offset, 0xff);
	}
	pci_writable16(function, MTT, 0xffff);
	pci_writable8(function, ERRCMD, 0xff);
	pci_writable8(function, TRC, 0x07);
	pci_preset8(function, SMRAM, SMRAM_C_BASE_SEG);
	pci_writable8(function, SMRAM, SMRAM_D_OPEN | SMRAM_D_CLS | SMRAM_D_LCK | SMRAM_G_SMRAME);
}

static struct mem_region *ram_region(struct mem *mem, struct mem_store *ram, uint64_t address, uint64_t size)
{
	struct mem_region *region = mem_region_new(mem, "ram", MEM_PRIORITY_RAM,
	                                           MEM_REGION_READS | MEM_REGION_WRITES, ram, address, size);
	if (region)
		mem_region_enable(region, address);
	return region;
}

static bool make_regions(struct i440fx *host, struct mem *mem, struct mem_store *ram)
{
	uint64_t size = mem_store_size(ram);
	if (!ram_region(mem, ram, 0, LOW_RAM_SIZE))
		return false;
	if (size > HIGH_RAM_BASE && !ram_region(mem, ram, HIGH_RAM_BASE, size - HIGH_RAM_BASE))
		return false;
	for (unsigned n = 0; n < PAM_SEGMENTS; n++) {
		host->pam[n] = mem_region_new(mem, "pam", MEM_PRIORITY_PAM, MEM_REGION_READS | MEM_REGION_WRITES, ram,
		                              pam_segment[n].address, pam_segment[n].size);
		if (!host->pam[n])
			return false;
	}
	host->smram = mem_region_new(mem, "smram", MEM_PRIORITY_SMRAM, MEM_REGION_READS | MEM_REGION_WRITES, ram,
	                             SMRAM_BASE, SMRAM_SIZE);
	return host->smram;
}

struct i440fx *i440fx_new(struct pci_bus *bus, struct mem *mem, struct mem_store *ram)
{
	static const struct pci_identity identity = {
		.name = "i440fx", .devfn = PCI_DEVFN(0, 0), .vendor_id = 0x8086, .device_id = 0x1237,
		.revision_id = 2, .class_code = 0x060000,
		/* The firmware knows the board by this pair. */
		.subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100,
	};
	static const struct pci_function_ops ops = { .config_changed = config_changed };
	if (mem_store_size(ram) < HIGH_RAM_BASE) {
		errno = EINVAL;
		return NULL;
	}
	struct i440fx *host = g_new0(struct i440fx, 1);
	if (!make_regions(host, mem, ram)) {
		int error = errno;
		g_free(host);
		errno = error;
		return NULL;
	}
	host->function = pci_function_new(bus, &identity, &ops, host);
	declare_registers(host->function);
	return host;
}

void i440fx_free(struct i440fx *host)
{
	g_free(host);
}
