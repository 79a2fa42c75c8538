#include "devmodel/cd_sector.h"

#include <string.h>

#define FRAMES_PER_SECOND 75u
#define PREGAP            150u

#define EDC_POLYNOMIAL 0xd8018001u /* reversed */
#define ECC_P          2076u
#define ECC_Q          2248u

void cd_sector_msf(uint32_t block, uint8_t msf[3])
{
	uint32_t frames = block + PREGAP;

	msf[0] = (uint8_t)(frames / (60 * FRAMES_PER_SECOND));
	msf[1] = (uint8_t)(frames / FRAMES_PER_SECOND % 60);
	msf[2] = (uint8_t)(frames % FRAMES_PER_SECOND);
}

static uint32_t edc(const uint8_t *bytes, unsigned size)
{
	uint32_t value = 0;

	while (size--) {
		value ^= *bytes++;
		for (unsigned bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? EDC_POLYNOMIAL : 0);
	}
	return value;
}

/* GF(2^8) with x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t times_alpha(uint8_t value)
{
	return (uint8_t)(value << 1 ^ (value & 0x80 ? 0x1d : 0));
}

/* 1 / (alpha + 1) * value: alpha + 1 is alpha^25, so its inverse is alpha^230. */
static uint8_t divide_by_alpha_plus_1(uint8_t value)
{
	for (unsigned i = 0; i < 230; i++)
		value = times_alpha(value);
	return value;
}

/* The two parity bytes of a code word: `count` bytes from `start`, `step` apart,
 * wrapping at `wrap`; all offsets from the header. They make both the sum and the
 * sum weighted with the powers of alpha vanish. */
static void parity(uint8_t *from_header, unsigned start, unsigned step, unsigned count, unsigned wrap,
                   uint8_t *first, uint8_t *second)
{
	uint8_t weighted = 0, sum = 0;
	unsigned at = start;

	for (unsigned i = 0; i < count; i++) {
		weighted = times_alpha(weighted ^ from_header[at]);
		sum ^= from_header[at];
		at += step;
		if (at >= wrap)
			at -= wrap;
	}
	*first = divide_by_alpha_plus_1((uint8_t)(times_alpha(weighted) ^ sum));
	*second = *first ^ sum;
}

static void put_parities(uint8_t *sector)
{
	uint8_t *header = sector + CD_SECTOR_HEADER;

	for (unsigned column = 0; column < 86; column++)
		parity(header, column, 86, 24, 86 * 24, sector + ECC_P + column, sector + ECC_P + 86 + column);
	for (unsigned i = 0; i < 52; i++) {
		unsigned diagonal = i / 2, byte = i % 2;
		parity(header, diagonal * 86 + byte, 88, 43, 86 * 26, sector + ECC_Q + i, sector + ECC_Q + 52 + i);
	}
}

static uint8_t to_bcd(uint8_t value)
{
	return (uint8_t)(value / 10 << 4 | value % 10);
}

void cd_sector_complete(uint8_t sector[CD_SECTOR_SIZE], uint32_t block)
{
	uint8_t msf[3];

	memset(sector, 0xff, CD_SECTOR_HEADER);
	sector[0] = sector[11] = 0;
	cd_sector_msf(block, msf);
	for (unsigned i = 0; i < 3; i++)
		sector[CD_SECTOR_HEADER + i] = to_bcd(msf[i]);
	sector[CD_SECTOR_HEADER + 3] = 1; /* mode */
	memset(sector + CD_SECTOR_EDC, 0, CD_SECTOR_SIZE - CD_SECTOR_EDC);
	uint32_t check = edc(sector, CD_SECTOR_EDC);
	for (unsigned i = 0; i < 4; i++)
		sector[CD_SECTOR_EDC + i] = (uint8_t)(check >> 8 * i);
	put_parities(sector);
}
