#include "devmodel/piix4_pm.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "devmodel/piix4_smbus.h"
#include "shared/log.h"

/* Configuration space. */
enum {
	PMBASE = 0x40, FIRST_STORED = 0x44, LAST_STORED = 0x7f, DEVACTB = 0x58, PMREGMISC = 0x80,
	SMBBA = 0x90, SMBHSTCFG = 0xd2, LAST_SMB = 0xd5,
};

#define DEVACTB_APMC_EN 0x02000000u
#define PMREGMISC_PMIOSE 0x01u
#define SMBHSTCFG_HST_EN 0x01u
#define SMBHSTCFG_INTRSEL 0x0eu
#define SMBHSTCFG_IRQ9    0x08u

/* Ports from PMBASE. */
enum {
	PMSTS = 0x00, PMEN = 0x02, PMCNTRL = 0x04, PMTMR = 0x08, GPSTS = 0x0c, GPEN = 0x0e, PCNTRL = 0x10,
	GLBSTS = 0x18, DEVSTS = 0x1c, GLBEN = 0x20, GLBCTL = 0x28, DEVCTL = 0x2c, GPOREG = 0x34, PM_PORTS = 0x40,
};

#define PMSTS_TMROF  0x0001u /* the same bits enable in PMEN */
#define PMSTS_GBL    0x0020u
#define PMSTS_PWRBTN 0x0100u
#define PMSTS_RTC    0x0400u
#define PMSTS_RSM    0x8000u
#define PMSTS_EVENTS (PMSTS_TMROF | PMSTS_GBL | PMSTS_PWRBTN | PMSTS_RTC)
#define PMCNTRL_SCI_EN  0x0001u
#define PMCNTRL_GBL_RLS 0x0004u
#define PMCNTRL_SUS_TYP_SHIFT 10
#define PMCNTRL_SUS_EN  0x2000u
#define GLBSTS_BIOS 0x0001u
#define GLBSTS_APM  0x0020u
#define GLBEN_BIOS  0x0002u
#define GLBCTL_SMI_EN   0x0001u
#define GLBCTL_BIOS_RLS 0x0002u

#define TIMER_MASK    0x00ffffffu
#define TIMER_OVERFLOW (1u << 23) /* TMROF_STS with each change of this bit */

#define GPE_BASE 0xafe0u
enum { GPE_STS = 0, GPE_EN = 2, GPE_PORTS = 4 };

#define APM_BASE 0xb2u
enum { APMC, APMS, APM_PORTS };

#define APMC_ACPI_DISABLE 0xf0u
#define APMC_ACPI_ENABLE  0xf1u

#define BYTES16(value) (value) & 0xff, (value) >> 8
#define BYTES32(value) BYTES16((value) & 0xffffu), BYTES16((value) >> 16)

/* Which bits of each port are stored, and which a 1 clears. */
struct port_masks {
	uint8_t stored[PM_PORTS], cleared[PM_PORTS];
};

struct piix4_pm {
	struct piix4_pm_config config;
	struct pci_function *function;
	struct piix4_smbus *smbus;
	struct clock_timer *overflow_timer;
	uint16_t base;            /* where the PM ports are claimed; 0: nowhere */
	uint8_t reg[PM_PORTS];
	uint8_t gpe[GPE_PORTS];
	uint8_t apm[APM_PORTS];
	uint64_t next_overflow;   /* tick of the PM timer */
	bool smbus_irq;
};

static uint16_t reg16(const struct piix4_pm *pm, unsigned offset)
{
	return (uint16_t)(pm->reg[offset] | pm->reg[offset + 1] << 8);
}

static void set_bits(struct piix4_pm *pm, unsigned offset, uint16_t bits)
{
	pm->reg[offset] |= (uint8_t)bits;
	pm->reg[offset + 1] |= (uint8_t)(bits >> 8);
}

static uint64_t timer_ticks(struct piix4_pm *pm)
{
	return clock_ns_to_ticks(clock_now(pm->config.clock), PIIX4_PM_HZ);
}

/* Brings TMROF_STS up to the present. */
static void latch_overflow(struct piix4_pm *pm)
{
	uint64_t now = timer_ticks(pm);
	if (now < pm->next_overflow)
		return;
	set_bits(pm, PMSTS, PMSTS_TMROF);
	pm->next_overflow = (now / TIMER_OVERFLOW + 1) * TIMER_OVERFLOW;
}

static bool acpi_event(const struct piix4_pm *pm)
{
	bool gpe = (pm->gpe[GPE_STS] & pm->gpe[GPE_EN]) || (pm->gpe[GPE_STS + 1] & pm->gpe[GPE_EN + 1]);
	bool fixed = reg16(pm, PMSTS) & reg16(pm, PMEN) & PMSTS_EVENTS;
	return reg16(pm, PMCNTRL) & PMCNTRL_SCI_EN && (gpe || fixed);
}

static bool smbus_event(const struct piix4_pm *pm)
{
	return pm->smbus_irq && (pci_get8(pm->function, SMBHSTCFG) & SMBHSTCFG_INTRSEL) == SMBHSTCFG_IRQ9;
}

static void update_sci(struct piix4_pm *pm)
{
	if (reg16(pm, PMEN) & PMSTS_TMROF)
		clock_timer_set(pm->overflow_timer, clock_ticks_to_ns(pm->next_overflow, PIIX4_PM_HZ));
	else
		clock_timer_stop(pm->overflow_timer);
	irq_set(&pm->config.sci, acpi_event(pm) || smbus_event(pm));
}

static void overflow(void *owner)
{
	struct piix4_pm *pm = owner;
	latch_overflow(pm);
	update_sci(pm);
}

static void set_smbus_irq(void *owner, unsigned n, bool level)
{
	(void)n;
	struct piix4_pm *pm = owner;
	pm->smbus_irq = level;
	update_sci(pm);
}

void piix4_pm_press_power_button(struct piix4_pm *pm)
{
	set_bits(pm, PMSTS, PMSTS_PWRBTN);
	update_sci(pm);
}

static void raise_smi(struct piix4_pm *pm)
{
	if (!(reg16(pm, GLBCTL) & GLBCTL_SMI_EN))
		return;
	pm->config.pins->smi = true;
	cpu_pins_attend(pm->config.pins);
}

static void suspend(struct piix4_pm *pm, uint16_t control)
{
	unsigned type = control >> PMCNTRL_SUS_TYP_SHIFT & 7;
	if (!type) {
		pm->config.power_off(pm->config.owner);
		return;
	}
	guest_error("piix4-pm", "suspend type %u wakes at once", type);
	set_bits(pm, PMSTS, PMSTS_RSM);
}

/* `value` has the bits where the register has them, and zeros around. */
static void act_on_write(struct piix4_pm *pm, unsigned offset, uint16_t value)
{
	if (offset == PMCNTRL && value & PMCNTRL_GBL_RLS) {
		set_bits(pm, GLBSTS, GLBSTS_BIOS);
		if (reg16(pm, GLBEN) & GLBEN_BIOS)
			raise_smi(pm);
	}
	if (offset == PMCNTRL && value & PMCNTRL_SUS_EN)
		suspend(pm, value);
	if (offset == GLBCTL && value & GLBCTL_BIOS_RLS)
		set_bits(pm, PMSTS, PMSTS_GBL);
}

static void write_pm_byte(struct piix4_pm *pm, unsigned offset, uint8_t value)
{
	static const struct port_masks masks = {
		.stored = {
			[PMEN] = BYTES16(0x0521), [PMCNTRL] = BYTES16(0x1c03), [GPEN] = BYTES16(0x0f01),
			[PCNTRL] = BYTES32(0x00023e1eu), [GLBEN] = BYTES16(0x8d1f), [GLBCTL] = BYTES32(0x0701ff05u),
			[DEVCTL] = BYTES32(0x0fffffffu), [GPOREG] = BYTES32(0xffffffffu),
		},
		.cleared = {
			[PMSTS] = BYTES16(0x8d31), [GPSTS] = BYTES16(0x0f81), [GLBSTS] = BYTES16(0x0d27),
			[DEVSTS] = BYTES32(0x3fff0fffu),
		},
	};
	uint8_t stored = masks.stored[offset];
	uint8_t kept = pm->reg[offset] & (uint8_t)~(stored | (value & masks.cleared[offset]));
	pm->reg[offset] = kept | (value & stored);
	act_on_write(pm, offset & ~1u, (uint16_t)(value << (offset & 1) * 8));
}

static uint32_t read_pm(void *owner, uint16_t port, unsigned size)
{
	struct piix4_pm *pm = owner;
	unsigned offset = port - pm->base;
	latch_overflow(pm);
	uint32_t timer = timer_ticks(pm) & TIMER_MASK;
	uint32_t value = 0;
	for (unsigned n = 0; n < size; n++, offset++) {
		uint8_t byte = 0xff;
		if (offset >= PMTMR && offset < PMTMR + 4)
			byte = (uint8_t)(timer >> 8 * (offset - PMTMR));
		else if (offset < PM_PORTS)
			byte = pm->reg[offset];
		value |= (uint32_t)byte << 8 * n;
	}
	return value;
}

static void write_pm(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct piix4_pm *pm = owner;
	unsigned offset = port - pm->base;
	latch_overflow(pm);
	for (unsigned n = 0; n < size && offset + n < PM_PORTS; n++)
		write_pm_byte(pm, offset + n, (uint8_t)(value >> 8 * n));
	update_sci(pm);
}

static uint32_t read_gpe(void *owner, uint16_t port, unsigned size)
{
	(void)size;
	return ((struct piix4_pm *)owner)->gpe[port - GPE_BASE];
}

static void write_gpe(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)size;
	struct piix4_pm *pm = owner;
	unsigned offset = port - GPE_BASE;
	if (offset < GPE_EN)
		pm->gpe[offset] &= (uint8_t)~value;
	else
		pm->gpe[offset] = (uint8_t)value;
	update_sci(pm);
}

static void write_apmc(struct piix4_pm *pm, uint8_t value)
{
	if (reg16(pm, GLBCTL) & GLBCTL_SMI_EN) {
		if (pci_get32(pm->function, DEVACTB) & DEVACTB_APMC_EN) {
			set_bits(pm, GLBSTS, GLBSTS_APM);
			raise_smi(pm);
		}
		return;
	}
	if (value == APMC_ACPI_ENABLE)
		pm->reg[PMCNTRL] |= PMCNTRL_SCI_EN;
	else if (value == APMC_ACPI_DISABLE)
		pm->reg[PMCNTRL] &= (uint8_t)~PMCNTRL_SCI_EN;
	update_sci(pm);
}

static uint32_t read_apm(void *owner, uint16_t port, unsigned size)
{
	(void)size;
	return ((struct piix4_pm *)owner)->apm[port - APM_BASE];
}

static void write_apm(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)size;
	struct piix4_pm *pm = owner;
	pm->apm[port - APM_BASE] = (uint8_t)value;
	if (port == APM_BASE + APMC)
		write_apmc(pm, (uint8_t)value);
}

static const struct bus_ops pm_ops = { .name = "piix4-pm", .max_size = 4, .read = read_pm, .write = write_pm };
static const struct bus_ops gpe_ops = { .name = "piix4-gpe", .max_size = 1, .read = read_gpe, .write = write_gpe };
static const struct bus_ops apm_ops = { .name = "piix4-apm", .max_size = 1, .read = read_apm, .write = write_apm };

static void place_ports(struct piix4_pm *pm)
{
	bool on = pci_get8(pm->function, PMREGMISC) & PMREGMISC_PMIOSE;
	uint16_t base = on ? pci_get16(pm->function, PMBASE) & 0xffc0 : 0;
	if (base == pm->base)
		return;
	bus_release(pm->config.ports, &pm_ops, pm);
	pm->base = base;
	if (base && bus_claim(pm->config.ports, base, (uint16_t)(base + PM_PORTS - 1), &pm_ops, pm))
		guest_error("piix4-pm", "no room for the ports at %04Xh", base);
}

static void config_changed(void *owner, unsigned offset, unsigned size)
{
	(void)offset;
	(void)size;
	struct piix4_pm *pm = owner;
	place_ports(pm);
	bool smbus_on = pci_get8(pm->function, SMBHSTCFG) & SMBHSTCFG_HST_EN;
	piix4_smbus_map(pm->smbus, smbus_on ? pci_get16(pm->function, SMBBA) & 0xfff0 : 0);
	update_sci(pm);
}

static void declare_registers(struct pci_function *function)
{
	pci_preset16(function, PCI_STATUS, 0x0280);
	pci_writable16(function, PCI_COMMAND, PCI_COMMAND_IO);
	pci_writable8(function, PCI_CACHE_LINE_SIZE, 0);
	pci_preset8(function, PCI_INTERRUPT_LINE, 9);
	for (unsigned offset = FIRST_STORED; offset <= LAST_STORED; offset++)
		pci_writable8(function, offset, 0xff);
	pci_preset32(function, DEVACTB, DEVACTB_APMC_EN);
	pci_preset32(function, PMBASE, 1);
	pci_writable32(function, PMBASE, 0xffc0);
	pci_writable8(function, PMREGMISC, PMREGMISC_PMIOSE);
	pci_preset32(function, SMBBA, 1);
	pci_writable32(function, SMBBA, 0xfff0);
	pci_writable8(function, SMBHSTCFG, SMBHSTCFG_HST_EN | SMBHSTCFG_INTRSEL);
	for (unsigned offset = SMBHSTCFG + 1; offset <= LAST_SMB; offset++)
		pci_writable8(function, offset, 0xff);
}

static void make_function(struct piix4_pm *pm)
{
	static const struct pci_identity identity = {
		.name = "piix4-pm", .devfn = PCI_DEVFN(1, 3), .vendor_id = 0x8086, .device_id = 0x7113,
		.revision_id = 3, .class_code = 0x068000, .subsystem_vendor_id = 0x1af4, .subsystem_id = 0x1100,
		.interrupt_pin = 1,
	};
	static const struct pci_function_ops ops = { .config_changed = config_changed };
	pm->function = pci_function_new(pm->config.pci, &identity, &ops, pm);
	declare_registers(pm->function);
}

struct piix4_pm *piix4_pm_new(const struct piix4_pm_config *config)
{
	struct piix4_pm *pm = g_new0(struct piix4_pm, 1);
	pm->config = *config;
	int error = bus_claim(config->ports, GPE_BASE, GPE_BASE + GPE_PORTS - 1, &gpe_ops, pm);
	if (!error)
		error = bus_claim(config->ports, APM_BASE, APM_BASE + APM_PORTS - 1, &apm_ops, pm);
	if (error) {
		bus_release(config->ports, &gpe_ops, pm);
		g_free(pm);
		errno = -error;
		return NULL;
	}
	make_function(pm);
	pm->overflow_timer = clock_timer_new(config->clock, overflow, pm);
	pm->next_overflow = (timer_ticks(pm) / TIMER_OVERFLOW + 1) * TIMER_OVERFLOW;
	pm->smbus = piix4_smbus_new(config->ports, (struct irq_line){ set_smbus_irq, pm, 0 });
	return pm;
}

void piix4_pm_reset(struct piix4_pm *pm)
{
	memset(pm->reg, 0, sizeof pm->reg);
	memset(pm->gpe, 0, sizeof pm->gpe);
	memset(pm->apm, 0, sizeof pm->apm);
	piix4_smbus_reset(pm->smbus);
	update_sci(pm);
}

void piix4_pm_state(struct piix4_pm *pm, struct snap *snap)
{
	snap_section(snap, "piix4-pm-io", 1);
	snap_bytes(snap, "registers", pm->reg, sizeof pm->reg);
	snap_bytes(snap, "gpe", pm->gpe, sizeof pm->gpe);
	snap_bytes(snap, "apm", pm->apm, sizeof pm->apm);
	snap_u64(snap, "next_overflow", &pm->next_overflow);
	piix4_smbus_state(pm->smbus, snap);
	if (snap_is_loading(snap))
		update_sci(pm);
}

void piix4_pm_free(struct piix4_pm *pm)
{
	if (!pm)
		return;
	bus_release(pm->config.ports, &pm_ops, pm);
	bus_release(pm->config.ports, &gpe_ops, pm);
	bus_release(pm->config.ports, &apm_ops, pm);
	piix4_smbus_free(pm->smbus);
	clock_timer_free(pm->overflow_timer);
	g_free(pm);
}
