/* The 93C46-compatible serial EEPROM: 64 words, read by bits through EECD or by words
 * through EERD. It is not written: commands other than READ do nothing. */
#include "devmodel/e1000_private.h"

#include <string.h>

#define EECD_SK   0x01u
#define EECD_CS   0x02u
#define EECD_DI   0x04u
#define EECD_DO   0x08u
#define EECD_FWE  0x30u
#define EECD_REQ  0x40u
#define EECD_GNT  0x80u
#define EECD_PRES 0x100u

#define EERD_START 0x01u
#define EERD_DONE  0x10u

#define COMMAND_BITS 9u  /* start, two of opcode, six of address */
#define OPCODE_READ  2u
#define CHECKSUM     0xbabau
#define CHECKSUM_AT  0x3fu

void e1000_eeprom_init(struct e1000_eeprom *eeprom, const uint8_t mac[6])
{
	/* Compatibility, initialization control and the IDs (5.6): as on a plain card. */
	static const struct { uint8_t at; uint16_t word; } words[] = {
		{ 0x0a, 0x4408 }, { 0x0b, 0x001e }, { 0x0c, 0x8086 }, { 0x0d, 0x100e }, { 0x0e, 0x8086 }, { 0x0f, 0x3040 },
		{ 0x21, 0x7863 }, { 0x2f, 0x0602 },
	};
	uint16_t sum = 0;
	memset(eeprom, 0, sizeof *eeprom);
	for (unsigned i = 0; i < 3; i++)
		eeprom->word[i] = (uint16_t)(mac[2 * i] | mac[2 * i + 1] << 8);
	for (unsigned i = 0; i < sizeof words / sizeof words[0]; i++)
		eeprom->word[words[i].at] = words[i].word;
	for (unsigned i = 0; i < CHECKSUM_AT; i++)
		sum = (uint16_t)(sum + eeprom->word[i]);
	eeprom->word[CHECKSUM_AT] = (uint16_t)(CHECKSUM - sum);
}

static void take_bit(struct e1000_eeprom *eeprom, bool bit)
{
	eeprom->input = (uint16_t)(eeprom->input << 1 | bit);
	if (!(eeprom->input >> (COMMAND_BITS - 1)))
		return;
	eeprom->reading = (eeprom->input >> 6 & 3) == OPCODE_READ;
	eeprom->address = eeprom->input & (E1000_EEPROM_WORDS - 1);
	eeprom->left = 0;
	eeprom->input = 0;
}

/* One word follows the other as long as CS is held. */
static void next_bit(struct e1000_eeprom *eeprom)
{
	if (eeprom->left > 1) {
		eeprom->left--;
		return;
	}
	if (eeprom->left)
		eeprom->address = (eeprom->address + 1) % E1000_EEPROM_WORDS;
	eeprom->left = 16;
}

static bool output(const struct e1000_eeprom *eeprom)
{
	if (!eeprom->reading)
		return true; /* ready */
	return eeprom->left && eeprom->word[eeprom->address] >> (eeprom->left - 1) & 1;
}

uint32_t e1000_eeprom_pins(struct e1000_eeprom *eeprom, uint32_t old, uint32_t new)
{
	uint32_t eecd = new & (EECD_SK | EECD_CS | EECD_DI | EECD_FWE | EECD_REQ);
	if (!(eecd & EECD_CS)) {
		eeprom->input = 0;
		eeprom->reading = false;
	} else if (eecd & ~old & EECD_SK) {
		if (eeprom->reading)
			next_bit(eeprom);
		else
			take_bit(eeprom, eecd & EECD_DI);
	}
	if (output(eeprom))
		eecd |= EECD_DO;
	if (eecd & EECD_REQ)
		eecd |= EECD_GNT;
	return eecd | EECD_PRES;
}

uint32_t e1000_eeprom_read(const struct e1000_eeprom *eeprom, uint32_t eerd)
{
	uint32_t address = eerd >> 8 & 0xff;
	if (!(eerd & EERD_START))
		return eerd & 0xff00u;
	return address << 8 | EERD_DONE | (uint32_t)eeprom->word[address % E1000_EEPROM_WORDS] << 16;
}
