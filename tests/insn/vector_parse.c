/* Takes the 16-bit instruction of a test apart; independent of emu/decode.c. */
#include "tests/insn/vector.h"

#include <string.h>

static bool take_prefix(struct vector *vector, uint8_t byte)
{
	static const uint8_t segments[4] = { MOO_ES, MOO_CS, MOO_SS, MOO_DS };
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		vector->segment = segments[byte >> 3 & 3];
		return true;
	case 0xf0:
		vector->lock = true;
		return true;
	case 0xf1: /* LOCK's double on the 8086 */
		return vector->chip == CHIP_8086;
	case 0xf2: case 0xf3:
		vector->repeat = byte;
		return true;
	default:
		return false;
	}
}

static bool takes_modrm(uint8_t opcode)
{
	return (opcode < 0x40 && (opcode & 7) < 4) || opcode == 0x62 || opcode == 0x63 || opcode == 0x69 ||
	       opcode == 0x6b || (opcode >= 0x80 && opcode <= 0x8f) || (opcode & 0xfe) == 0xc0 ||
	       (opcode >= 0xc4 && opcode <= 0xc7) || (opcode >= 0xd0 && opcode <= 0xd3) ||
	       (opcode >= 0xd8 && opcode <= 0xdf) || (opcode & 0xfe) == 0xf6 || (opcode & 0xfe) == 0xfe;
}

static uint16_t displacement(const uint8_t *at, const uint8_t *end, unsigned mod)
{
	if (at < end && mod == 1)
		return (uint16_t)(int8_t)at[0];
	if (end - at < 2)
		return 0;
	unsigned word = at[0] | (unsigned)at[1] << 8;
	return (uint16_t)word;
}

static void take_address(struct vector *vector, const uint8_t *at, const uint8_t *end)
{
	const uint16_t *reg = vector->test->initial.reg;
	unsigned mod = vector->modrm >> 6, rm = vector->modrm & 7;
	const uint16_t bases[8] = {
		(uint16_t)(reg[MOO_BX] + reg[MOO_SI]), (uint16_t)(reg[MOO_BX] + reg[MOO_DI]),
		(uint16_t)(reg[MOO_BP] + reg[MOO_SI]), (uint16_t)(reg[MOO_BP] + reg[MOO_DI]),
		reg[MOO_SI], reg[MOO_DI], reg[MOO_BP], reg[MOO_BX],
	};
	bool direct = mod == 0 && rm == 6;
	vector->is_memory = true;
	vector->offset = direct ? 0 : bases[rm];
	if (mod || direct)
		vector->offset = (uint16_t)(vector->offset + displacement(at, end, mod));
	if (vector->segment == VECTOR_NO_SEGMENT)
		vector->segment = !direct && (rm == 2 || rm == 3 || rm == 6) ? MOO_SS : MOO_DS;
}

/* MOV between the accumulator and memory. */
static void take_direct(struct vector *vector, const uint8_t *at, const uint8_t *end)
{
	vector->is_memory = true;
	vector->offset = displacement(at, end, 2);
	vector->size = vector->opcode & 1 ? 2 : 1;
	if (vector->segment == VECTOR_NO_SEGMENT)
		vector->segment = MOO_DS;
}

/* SDM vol. 2, tables; 16-bit images of the environment and state. */
static unsigned escape_size(const struct vector *vector)
{
	static const uint8_t sizes[8][8] = {
		{ 4, 4, 4, 4, 4, 4, 4, 4 }, { 4, 0, 4, 4, 14, 2, 14, 2 },
		{ 4, 4, 4, 4, 4, 4, 4, 4 }, { 4, 4, 4, 4, 0, 10, 0, 10 },
		{ 8, 8, 8, 8, 8, 8, 8, 8 }, { 8, 8, 8, 8, 94, 0, 94, 2 },
		{ 2, 2, 2, 2, 2, 2, 2, 2 }, { 2, 2, 2, 2, 10, 8, 10, 8 },
	};
	return sizes[vector->opcode & 7][vector->reg];
}

/* Bytes of the memory operand. */
static unsigned operand_size(const struct vector *vector)
{
	switch (vector->opcode) {
	case 0x62: case 0xc4: case 0xc5:
		return 4;
	case 0x8c: case 0x8e: case 0x8f: case 0x69: case 0x6b: case 0x63:
		return 2;
	case 0x8d:
		return 0;
	case 0xff:
		return vector->reg == 3 || vector->reg == 5 ? 4 : 2;
	default:
		if ((vector->opcode & 0xf8) == 0xd8)
			return escape_size(vector);
		return vector->opcode & 1 ? 2 : 1;
	}
}

static unsigned displacement_length(const struct vector *vector)
{
	unsigned mod = vector->modrm >> 6;
	return mod == 3 ? 0 : mod ? mod : (vector->modrm & 7) == 6 ? 2 : 0;
}

static unsigned immediate_length(const struct vector *vector)
{
	uint8_t opcode = vector->opcode;
	unsigned wide = opcode & 1 ? 2 : 1;
	switch (opcode) {
	case 0x69: case 0x81: case 0x68: case 0xc2: case 0xca: case 0xe8: case 0xe9:
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		return 2;
	case 0x6a: case 0x6b: case 0x80: case 0x82: case 0x83: case 0xc0: case 0xc1:
	case 0xcd: case 0xd4: case 0xd5: case 0xeb:
		return 1;
	case 0x9a: case 0xea: return 4;
	case 0xc8: return 3;
	case 0xc6: case 0xc7: case 0xa8: case 0xa9: return wide;
	case 0xf6: case 0xf7: return vector->reg < 2 ? wide : 0;
	default:
		break;
	}
	if (opcode < 0x40 && (opcode & 6) == 4)
		return wide;
	if ((opcode & 0xf0) == 0x70 || (opcode & 0xf8) == 0xe0)
		return 1;
	return (opcode & 0xf0) == 0xb0 ? 1 + (opcode >> 3 & 1) : 0;
}

void vector_parse(struct vector *vector, const struct moo_test *test, enum chip chip)
{
	const uint8_t *at = test->bytes->data, *end = at + test->bytes->len;
	memset(vector, 0, sizeof *vector);
	vector->test = test;
	vector->chip = chip;
	vector->segment = VECTOR_NO_SEGMENT;
	while (at < end && take_prefix(vector, *at))
		at++;
	vector->prefixes = (unsigned)(at - test->bytes->data);
	vector->opcode = at < end ? *at++ : 0x90;
	vector->has_modrm = takes_modrm(vector->opcode) && at < end;
	vector->length = vector->prefixes + 1;
	if (vector->has_modrm) {
		vector->modrm = *at++;
		vector->reg = vector->modrm >> 3 & 7;
		vector->length += 1 + displacement_length(vector);
		vector->size = operand_size(vector);
		if (vector->modrm < 0xc0)
			take_address(vector, at, end);
	}
	if ((vector->opcode & 0xfc) == 0xa0)
		take_direct(vector, at, end);
	vector->length += immediate_length(vector);
}

uint32_t vector_address(const struct vector *vector, uint16_t selector, uint16_t offset)
{
	uint32_t address = ((uint32_t)selector << 4) + offset;
	return vector->chip == CHIP_8086 ? address & 0xfffff : address;
}

uint8_t vector_byte(const struct vector *vector, uint32_t address)
{
	const GArray *ram = vector->test->initial.ram;
	for (guint i = 0; i < ram->len; i++)
		if (g_array_index(ram, struct moo_byte, i).address == address)
			return g_array_index(ram, struct moo_byte, i).value;
	return 0;
}
