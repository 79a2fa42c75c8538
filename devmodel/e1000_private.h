/* What the files of the 82540EM share. Register names are the manual's. */
#ifndef V2E_DEVMODEL_E1000_PRIVATE_H
#define V2E_DEVMODEL_E1000_PRIVATE_H

#include <stdbool.h>

#include "devmodel/e1000.h"

/* Offsets of registers (chapter 13). */
enum {
	CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014, CTRL_EXT = 0x0018, MDIC = 0x0020,
	FCAL = 0x0028, FCAH = 0x002c, FCT = 0x0030, VET = 0x0038, ICR = 0x00c0, ITR = 0x00c4, ICS = 0x00c8,
	IMS = 0x00d0, IMC = 0x00d8, RCTL = 0x0100, FCTTV = 0x0170, TXCW = 0x0178, RXCW = 0x0180, TCTL = 0x0400,
	TIPG = 0x0410, AIFS = 0x0458, LEDCTL = 0x0e00, PBA = 0x1000, FCRTL = 0x2160, FCRTH = 0x2168,
	RDBAL = 0x2800, RDBAH = 0x2804, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, RDTR = 0x2820,
	RXDCTL = 0x2828, RADV = 0x282c, RSRPD = 0x2c00, TXDMAC = 0x3000, TDBAL = 0x3800, TDBAH = 0x3804,
	TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, TIDV = 0x3820, TXDCTL = 0x3828, TADV = 0x382c,
	TSPMT = 0x3830, STATISTICS = 0x4000, MPC = 0x4010, GPRC = 0x4074, BPRC = 0x4078, MPRC = 0x407c,
	GPTC = 0x4080, GORCL = 0x4088, GOTCL = 0x4090, ROC = 0x40ac, TORL = 0x40c0, TOTL = 0x40c8, TPR = 0x40d0,
	TPT = 0x40d4, MPTC = 0x40f0, BPTC = 0x40f4, STATISTICS_END = 0x4128, RXCSUM = 0x5000, MTA = 0x5200,
	RAL = 0x5400, RAH = 0x5404, VFTA = 0x5600, WUC = 0x5800, MANC = 0x5820, E1000_REGISTERS_END = 0x6000,
};

#define CTRL_RST       0x04000000u
#define CTRL_VME       0x40000000u
#define CTRL_PHY_RST   0x80000000u
#define STATUS_LU      0x00000002u
#define ICR_TXDW       0x00000001u
#define ICR_TXQE       0x00000002u
#define ICR_LSC        0x00000004u
#define ICR_RXDMT0     0x00000010u
#define ICR_RXO        0x00000040u
#define ICR_RXT0       0x00000080u
#define ICR_MDAC       0x00000200u
#define RCTL_EN        0x00000002u
#define RCTL_UPE       0x00000008u
#define RCTL_MPE       0x00000010u
#define RCTL_LPE       0x00000020u
#define RCTL_BAM       0x00008000u
#define RCTL_VFE       0x00040000u
#define RCTL_BSEX      0x02000000u
#define RCTL_SECRC     0x04000000u
#define TCTL_EN        0x00000002u
#define TCTL_PSP       0x00000008u
#define RAH_AV         0x80000000u

#define E1000_DESCRIPTOR_SIZE 16u
#define E1000_FCS_SIZE        4u
#define E1000_EEPROM_WORDS    64u
#define E1000_FRAME_MAX       (64u << 10)

/* A microwire EEPROM behind EECD (5.3). */
struct e1000_eeprom {
	uint16_t word[E1000_EEPROM_WORDS];
	uint16_t input;  /* bits shifted in so far, with the start bit on top */
	uint8_t address;
	uint8_t left;    /* bits of the present word still to come; 0 with `reading`: the dummy bit */
	bool reading;
};

/* What the last context descriptor said (3.3.6). */
struct e1000_context {
	uint8_t ipcss, ipcso, tucss, tucso, header, command;
	uint16_t ipcse, tucse, mss;
	uint32_t payload;
};

struct e1000 {
	struct pci_function *pci;
	struct bus *ports;
	struct mem *mem;
	struct mem_region *region[PCI_BARS];
	struct irq_line intx;
	struct network *network;
	uint32_t reg[E1000_REGISTERS_END / 4];
	uint32_t io_address; /* IOADDR */
	struct e1000_eeprom eeprom;
	uint16_t phy[32];
	/* The packet that descriptors are adding to. */
	struct e1000_context context;
	uint32_t packet_size;
	uint8_t packet_options; /* POPTS of its first data descriptor */
	bool packet_too_long;
	uint8_t packet[E1000_FRAME_MAX + 4]; /* and a VLAN tag */
};

static inline uint32_t *e1000_reg(struct e1000 *card, unsigned offset)
{
	return &card->reg[offset / 4];
}

/* Sets bits of ICR; INTx# follows ICR & IMS. */
void e1000_raise(struct e1000 *card, uint32_t causes);
/* A statistics register of 32 bits stops at its end, a pair of 64 wraps. */
void e1000_count(struct e1000 *card, unsigned offset, uint32_t by);
void e1000_count64(struct e1000 *card, unsigned offset, uint32_t by);

/* e1000_eeprom.c: MAC address and checksum; EECD's pins; a word for EERD. */
void e1000_eeprom_init(struct e1000_eeprom *eeprom, const uint8_t mac[6]);
uint32_t e1000_eeprom_pins(struct e1000_eeprom *eeprom, uint32_t old, uint32_t new);
uint32_t e1000_eeprom_read(const struct e1000_eeprom *eeprom, uint32_t eerd);

/* e1000_phy.c */
void e1000_phy_reset(struct e1000 *card);
uint32_t e1000_phy_access(struct e1000 *card, uint32_t mdic);

/* e1000_receive.c */
bool e1000_has_room(void *owner, size_t size);
void e1000_receive(void *owner, const uint8_t *frame, size_t size);

/* e1000_transmit.c: runs through the ring from TDH to TDT. */
void e1000_transmit(struct e1000 *card);

/* The number of descriptors of a ring, and the address of number n. */
static inline uint32_t e1000_ring_size(struct e1000 *card, unsigned base)
{
	return *e1000_reg(card, base + RDLEN - RDBAL) / E1000_DESCRIPTOR_SIZE;
}

static inline uint64_t e1000_ring_address(struct e1000 *card, unsigned base, uint32_t n)
{
	uint64_t start = *e1000_reg(card, base) | (uint64_t)*e1000_reg(card, base + 4) << 32;
	return start + (uint64_t)n * E1000_DESCRIPTOR_SIZE;
}

#endif
