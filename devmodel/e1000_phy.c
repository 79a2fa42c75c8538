/* The PHY behind MDIC: address 1, its link always at 1000 Mbit/s, full duplex. */
#include "devmodel/e1000_private.h"

#include <string.h>

#define MDIC_READY 0x10000000u
#define MDIC_INT   0x20000000u
#define MDIC_ERROR 0x40000000u
#define MDIC_WRITE 1u
#define MDIC_READ  2u
#define PHY_ADDRESS 1u

enum { BMCR = 0, BMSR = 1, ANLPAR = 5, GBCR_STATUS = 10, SPECIFIC_STATUS = 17 };

#define BMCR_RESET   0x8000u
#define BMCR_RESTART 0x0200u
#define BMSR_LINK    0x0004u
#define BMSR_DONE    0x0020u
#define STATUS_LINK  0x0400u
#define STATUS_RESOLVED 0x0800u

void e1000_phy_reset(struct e1000 *card)
{
	static const uint16_t values[] = {
		0x1140, 0x7949, 0x0141, 0x0c24, 0x0de1, 0x0000, 0x0000, 0x2001, 0x0000, 0x0e00, 0x0000, [15] = 0x3000, 0x0360, 0xa000, [20] = 0x0d60,
	};
	memset(card->phy, 0, sizeof card->phy);
	memcpy(card->phy, values, sizeof values);
	if (!card->network)
		return;
	card->phy[BMSR] |= BMSR_LINK | BMSR_DONE;
	card->phy[ANLPAR] = 0x45e1;
	card->phy[GBCR_STATUS] = 0x7c00;
	card->phy[SPECIFIC_STATUS] |= STATUS_LINK | STATUS_RESOLVED;
}

static void write_phy(struct e1000 *card, unsigned n, uint16_t value)
{
	static const uint16_t writable[32] = { [0] = 0x3dc0, [4] = 0xffff, [7] = 0xffff, [9] = 0xff00, [16] = 0xffff, [18] = 0xffff, [20] = 0xffff, [24] = 0xffff, [26] = 0xffff, [29] = 0xffff, [30] = 0xffff };
	if (n == BMCR && (value & BMCR_RESET)) {
		e1000_phy_reset(card);
		return;
	}
	card->phy[n] = (uint16_t)((card->phy[n] & ~writable[n]) | (value & writable[n]));
	/* Negotiation is over at once. */
	if (n == BMCR && (value & BMCR_RESTART) && card->network)
		e1000_raise(card, ICR_LSC);
}

uint32_t e1000_phy_access(struct e1000 *card, uint32_t mdic)
{
	unsigned n = mdic >> 16 & 31, operation = mdic >> 26 & 3;
	uint32_t result = (mdic & ~(MDIC_READY | MDIC_ERROR)) | MDIC_READY;
	if ((mdic >> 21 & 31) != PHY_ADDRESS || (operation != MDIC_READ && operation != MDIC_WRITE))
		result |= MDIC_ERROR;
	else if (operation == MDIC_READ)
		result = (result & ~0xffffu) | card->phy[n];
	else
		write_phy(card, n, (uint16_t)mdic);
	if (mdic & MDIC_INT)
		e1000_raise(card, ICR_MDAC);
	return result;
}
