#include "tests/diff/guest_rules.h"

#include <stdio.h>
#include <string.h>

enum { TSS_EFLAGS = 0x1424, RF = 0x10000 };

/* guest_record.gpr */
enum { REC_ESP = 3, REC_EDX = 5 };

static bool has_error(uint32_t vector)
{
	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
}

/* QEMU pushes EFLAGS with RF clear where a fault sets it (SDM vol. 3, 17.3.1.1);
 * PUSH of a segment register leaves the upper half of its slot alone or not
 * (vol. 2, PUSH). */
static void normalise(struct guest_record *record)
{
	record->stack[has_error(record->vector) ? 3 : 2] &= ~(uint32_t)RF;
	record->ds &= 0xffff;
	record->es &= 0xffff;
	record->fs &= 0xffff;
	record->gs &= 0xffff;
	for (unsigned i = 0; i < 15 && i < record->changes; i++)
		if (record->change[i].address == TSS_EFLAGS)
			record->change[i].value &= ~(uint32_t)RF;
}

static bool is_lar(const struct guest_case *guest)
{
	return guest->code[0] == 0x0f && guest->code[1] == 0x02;
}

static bool same(const struct guest_record *got, const struct guest_record *want)
{
	return !memcmp(got, want, sizeof *got);
}

bool guest_same(const struct guest_case *guest, const struct guest_record *emulator, const struct guest_record *qemu)
{
	struct guest_record got = *emulator, want = *qemu;
	normalise(&got);
	normalise(&want);
	/* The limit's bits 16-19 are undefined there (SDM vol. 2, LAR). */
	if (is_lar(guest) && !((got.gpr[REC_EDX] ^ want.gpr[REC_EDX]) & ~0xf0000u))
		want.gpr[REC_EDX] = got.gpr[REC_EDX];
	return same(&got, &want);
}

/* --- where QEMU is wrong: each looks at a normalised pair that differs -------------- */

static bool reads_or_writes(const struct guest_case *guest)
{
	const uint8_t *code = guest->code;
	if (guest->outer == GUEST_VIRTUAL)
		return code[0] == 0xa1 || code[0] == 0x36 || code[2] == 0xa1;
	return code[0] == 0x8e;
}

static bool ignores_limits(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	bool limit = got->vector == 13 || got->vector == 12 || got->vector == 8;
	return limit && reads_or_writes(guest) && (got->vector != want->vector || got->stack[1] != want->stack[1]);
}

static bool loads_null_task(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	bool ltr = guest->code[0] == 0x0f && guest->code[1] == 0 && guest->code[2] == 0xd8;
	return ltr && !(guest->gpr[CTX_RAX] & 0xfffc) && got->vector == 13 && want->vector != 13;
}

/* Only that the emulator has marked descriptors as accessed. */
static bool leaves_unaccessed(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	struct guest_record other = *want;
	other.changes = got->changes;
	memcpy(other.change, got->change, sizeof other.change);
	uint8_t code = guest->code[0];
	bool transfers = code == 0xcf || code == 0xcb || code == 0xea || code == 0x9a || code == 0xcd;
	for (unsigned i = 0; i < got->changes && i < 15; i++)
		if (got->change[i].address < GUEST_TABLES || !(got->change[i].value & 0x100))
			return false;
	return transfers && got->changes > want->changes && same(got, &other);
}

static bool reads_before_write(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	struct guest_record other = *want;
	other.changes = got->changes;
	memcpy(other.change, got->change, sizeof other.change);
	other.stack[0] |= 2;
	return guest->code[0] == 0x01 && got->vector == 14 && (got->stack[0] & 2) && same(got, &other);
}

static bool is_int1(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	return guest->code[0] == 0xf1 && got->vector == 1 && want->vector != 1;
}

static bool keeps_upper_halves(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	struct guest_record other = *want;
	unsigned set = 0;
	for (unsigned i = 0; i < 8; i++)
		set += got->gpr[i] >> 16 == 0xffff;
	for (unsigned i = 0; i < 8; i++)
		if ((got->gpr[i] >> 16 == 0xffff || i == REC_ESP) && (uint16_t)got->gpr[i] == (uint16_t)want->gpr[i])
			other.gpr[i] = got->gpr[i];
	/* Nor does it clear VM, and then finds no segments. */
	bool keeps_vm = guest->outer == GUEST_VIRTUAL && want->vector == 8;
	return set >= 6 && (got->msw & 8) && (keeps_vm || same(got, &other));
}

/* A fault of the new task: which instruction it names, and its stack when SS is at
 * fault itself. */
static bool faults_in_new_task(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	struct guest_record other = *want;
	(void)guest;
	other.stack[1] = got->stack[1];
	bool faulted = got->vector >= 10 && got->vector <= 13 && (got->msw & 8) && got->tr != 0x50;
	return faulted && (same(got, &other) || got->ss != 0x10 || want->ss != 0x10 || !want->vector);
}

static bool no_such_register(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	bool moves = guest->code[0] == 0x0f && (guest->code[1] == 0x20 || guest->code[1] == 0x22);
	return moves && got->vector == 6 && want->vector == 13;
}

/* CODE16 ends at FFFF, and the offsets of 32-bit gates lie above. */
static bool ignores_code_limit(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	uint8_t code = guest->code[0];
	bool transfers = code == 0xcf || code == 0xcb || code == 0xea || code == 0x9a || code == 0xcd;
	return transfers && got->vector == 13 && !got->stack[0] && got->stack[1] == guest->eip &&
	       (want->vector != 13 || want->stack[1] != guest->eip);
}

static const struct {
	const char *name, *reference;
	bool (*matches)(const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want);
} rules[] = {
	{ "limits and rights of data segments are not checked", "SDM vol. 3, 5.3 and 5.5", ignores_limits },
	{ "LTR takes a null selector", "SDM vol. 2, LTR: #GP(0)", loads_null_task },
	{ "far transfers leave the accessed bit", "SDM vol. 3, 3.4.5.1", leaves_unaccessed },
	{ "a page fault of a read-modify-write is one of the read", "SDM vol. 3, 4.7: the access causing it is a write", reads_before_write },
	{ "control registers that are not there", "SDM vol. 2, MOV: #UD; chips say so in ring 3 as well", no_such_register },
	{ "the limit of the code segment is not checked", "SDM vol. 2, CALL, INT: #GP(0)", ignores_code_limit },
	{ "INT1 is not known", "SDM vol. 2, INT1", is_int1 },
	{ "a 16-bit TSS leaves upper halves of registers and EFLAGS", "SDM vol. 3, 7.6: not defined; chips set them", keeps_upper_halves },
	{ "a fault in the new task names the old EIP", "SDM vol. 3, 7.3 and 6.15, interrupt 10", faults_in_new_task },
};

#define RULES (sizeof rules / sizeof rules[0])

static unsigned hits[RULES];

bool guest_rule(const struct guest_case *guest, const struct guest_record *emulator, const struct guest_record *qemu)
{
	struct guest_record got = *emulator, want = *qemu;
	normalise(&got);
	normalise(&want);
	for (unsigned i = 0; i < RULES; i++)
		if (rules[i].matches(guest, &got, &want)) {
			hits[i]++;
			return true;
		}
	return false;
}

void guest_rules_print(void)
{
	for (unsigned i = 0; i < RULES; i++)
		if (hits[i])
			printf("%u cases where QEMU is wrong: %s (%s)\n", hits[i], rules[i].name, rules[i].reference);
}
