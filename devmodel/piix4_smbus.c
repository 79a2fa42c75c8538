#include "devmodel/piix4_smbus.h"

#include <glib.h>
#include <string.h>

#include "shared/log.h"

enum {
	SMBHSTSTS = 0x0, SMBSLVSTS = 0x1, SMBHSTCNT = 0x2, SMBBLKDAT = 0x7, SMBSLVDAT = 0xc,
	PORTS = 16,
};

#define HSTSTS_DEV_ERR 0x04u
#define HSTSTS_FAILED  0x10u
#define HSTSTS_EVENTS  0x1eu /* INTER, DEV_ERR, BUS_ERR, FAILED: cleared by 1 */
#define SLVSTS_EVENTS  0x3cu

#define HSTCNT_INTEREN 0x01u
#define HSTCNT_KILL    0x02u
#define HSTCNT_START   0x40u

#define BLOCK_SIZE 32u

struct piix4_smbus {
	struct bus *ports;
	struct irq_line irq;
	uint16_t base;
	uint8_t reg[PORTS];
	uint8_t block[BLOCK_SIZE];
	uint8_t block_index;
};

static void update_irq(struct piix4_smbus *smbus)
{
	irq_set(&smbus->irq, smbus->reg[SMBHSTCNT] & HSTCNT_INTEREN && smbus->reg[SMBHSTSTS] & HSTSTS_EVENTS);
}

static uint8_t *next_block_byte(struct piix4_smbus *smbus)
{
	uint8_t *byte = &smbus->block[smbus->block_index];
	smbus->block_index = (smbus->block_index + 1) % BLOCK_SIZE;
	return byte;
}

static uint32_t read_register(void *owner, uint16_t port, unsigned size)
{
	(void)size;
	struct piix4_smbus *smbus = owner;
	unsigned n = (port - smbus->base) % PORTS;
	if (n == SMBHSTCNT)
		smbus->block_index = 0;
	return n == SMBBLKDAT ? *next_block_byte(smbus) : smbus->reg[n];
}

static void write_control(struct piix4_smbus *smbus, uint8_t value)
{
	/* START reads as 0, and nobody answers. */
	smbus->reg[SMBHSTCNT] = value & (uint8_t)~HSTCNT_START;
	if (value & HSTCNT_KILL)
		smbus->reg[SMBHSTSTS] |= HSTSTS_FAILED;
	else if (value & HSTCNT_START)
		smbus->reg[SMBHSTSTS] |= HSTSTS_DEV_ERR;
}

static void write_register(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	(void)size;
	struct piix4_smbus *smbus = owner;
	unsigned n = (port - smbus->base) % PORTS;
	if (n == SMBHSTSTS)
		smbus->reg[n] &= (uint8_t)~(value & HSTSTS_EVENTS);
	else if (n == SMBSLVSTS)
		smbus->reg[n] &= (uint8_t)~(value & SLVSTS_EVENTS);
	else if (n == SMBHSTCNT)
		write_control(smbus, (uint8_t)value);
	else if (n == SMBBLKDAT)
		*next_block_byte(smbus) = (uint8_t)value;
	else if (n < SMBSLVDAT)
		smbus->reg[n] = (uint8_t)value;
	else
		guest_error("piix4-smbus", "write of %02Xh to read-only register %u", value, n);
	update_irq(smbus);
}

static const struct bus_ops ops = {
	.name = "piix4-smbus", .max_size = 1, .read = read_register, .write = write_register,
};

struct piix4_smbus *piix4_smbus_new(struct bus *ports, struct irq_line irq)
{
	struct piix4_smbus *smbus = g_new0(struct piix4_smbus, 1);
	smbus->ports = ports;
	smbus->irq = irq;
	return smbus;
}

void piix4_smbus_reset(struct piix4_smbus *smbus)
{
	memset(smbus->reg, 0, sizeof smbus->reg);
	memset(smbus->block, 0, sizeof smbus->block);
	smbus->block_index = 0;
	update_irq(smbus);
}

void piix4_smbus_state(struct piix4_smbus *smbus, struct snap *snap)
{
	snap_section(snap, "piix4-smbus", 1);
	snap_bytes(snap, "registers", smbus->reg, sizeof smbus->reg);
	snap_bytes(snap, "block", smbus->block, sizeof smbus->block);
	snap_u8(snap, "block_index", &smbus->block_index);
	smbus->block_index %= BLOCK_SIZE;
	if (snap_is_loading(snap))
		update_irq(smbus);
}

void piix4_smbus_free(struct piix4_smbus *smbus)
{
	if (!smbus)
		return;
	piix4_smbus_map(smbus, 0);
	g_free(smbus);
}

void piix4_smbus_map(struct piix4_smbus *smbus, uint16_t base)
{
	if (base == smbus->base)
		return;
	bus_release(smbus->ports, &ops, smbus);
	smbus->base = base;
	if (base && bus_claim(smbus->ports, base, (uint16_t)(base + PORTS - 1), &ops, smbus))
		guest_error("piix4-smbus", "no room for the ports at %04Xh", base);
}
