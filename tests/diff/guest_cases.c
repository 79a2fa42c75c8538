#include "tests/diff/guest_cases.h"

#include <string.h>

enum {
	GDT = 0x1000, LDT = 0x1200, TSS = 0x1400, TSS32 = 0x1600, TSS16 = 0x1700, TSS_DF = 0x1800,
	IDT = 0x2000, PAGES = 0x4000, TABLE = 0x5000,
	CODE = 0x10000, DATA = 0x20000, HOLE = 0x21000, STACK0 = 0x30000, STACK3 = 0x38000, STACK_DF = 0x6e000,
	SEL_CODE0 = 0x08, SEL_DATA0 = 0x10, SEL_CODE3 = 0x1b, SEL_DATA3 = 0x23, SEL_CODE16 = 0x28,
	SEL_CONFORMING = 0x38, SEL_LDT = 0x48, SEL_TSS = 0x50, SEL_TSS_DF = 0x58, SEL_TSS32 = 0x60,
	SEL_TSS16 = 0x68, SEL_SLOT = 0x78, SEL_SLOT2 = 0x80, SEL_LOCAL = 0x0c,
	INT_END = 0x40, INT_SLOT = 0x30, AFTER = CODE + 0x40,
	CR0_PE = 0x11, CR0_WP = 0x10000, CR0_PG = 0x80000000u, CR0_NE = 0x20,
};

/* --- tables ---------------------------------------------------------------------------- */

static void put32(uint8_t *tables, uint32_t at, uint32_t value)
{
	memcpy(tables + at - GUEST_TABLES, &value, 4);
}

struct descriptor {
	uint32_t low, high;
};

/* `access` as in struct ctx_seg. */
static struct descriptor descriptor(uint32_t base, uint32_t limit, uint32_t access)
{
	return (struct descriptor){
		base << 16 | (limit & 0xffff),
		(base & 0xff000000u) | (limit & 0xf0000) | (access & 0xf0ff) << 8 | (base >> 16 & 0xff),
	};
}

static struct descriptor gate(uint32_t selector, uint32_t offset, uint32_t access, uint32_t count)
{
	return (struct descriptor){ selector << 16 | (offset & 0xffff), (offset & 0xffff0000u) | access << 8 | count };
}

static void put_descriptor(uint8_t *tables, uint32_t at, struct descriptor value)
{
	put32(tables, at, value.low);
	put32(tables, at + 4, value.high);
}

static void put_segments(uint8_t *tables)
{
	static const struct {
		uint32_t selector, base, limit, access;
	} rows[] = {
		{ SEL_CODE0, 0, 0xfffff, 0xc09b }, { SEL_DATA0, 0, 0xfffff, 0xc093 },
		{ SEL_CODE3 - 3, 0, 0xfffff, 0xc0fb }, { SEL_DATA3 - 3, 0, 0xfffff, 0xc0f3 },
		{ SEL_CODE16, CODE, 0xffff, 0x009b }, { 0x30, DATA, 0xfff, 0x4093 },
		{ SEL_CONFORMING, 0, 0xfffff, 0xc09f }, { 0x40, CODE, 0xffff, 0x00fb },
		{ SEL_LDT, LDT, 0xff, 0x82 }, { SEL_TSS, TSS, 0xff, 0x89 }, { SEL_TSS_DF, TSS_DF, 0x67, 0x89 },
		{ SEL_TSS32, TSS32, 0x67, 0x89 }, { SEL_TSS16, TSS16, 0x2b, 0x81 },
	};
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
		put_descriptor(tables, GDT + rows[i].selector, descriptor(rows[i].base, rows[i].limit, rows[i].access));
}

/* A 32-bit TSS (SDM vol. 3, figure 7-2). */
static void put_tss32(uint8_t *tables, uint32_t at, uint32_t eip, uint32_t esp)
{
	put32(tables, at + 0x04, STACK0);
	put32(tables, at + 0x08, SEL_DATA0);
	put32(tables, at + 0x1c, PAGES);
	put32(tables, at + 0x20, eip);
	put32(tables, at + 0x24, 2);
	for (unsigned i = 0; i < 8; i++)
		put32(tables, at + 0x28 + i * 4, 0x11110000 * i + at);
	put32(tables, at + 0x38, esp);
	for (unsigned i = 0; i < 6; i++)
		put32(tables, at + 0x48 + i * 4, i == 1 ? SEL_CODE0 : SEL_DATA0);
	put32(tables, at + 0x60, SEL_LDT);
	put32(tables, at + 0x64, 0x680000);
}

/* A 16-bit one (figure 7-10): words. */
static void put_tss16(uint8_t *tables)
{
	static const uint16_t words[] = {
		0, 0xff00, SEL_DATA0, 0, 0, 0, 0, 0x48, 2, 1, 2, 3, 4, 0xfe00, 6, 7, 8,
		SEL_DATA0, SEL_CODE16, SEL_DATA0, SEL_DATA0, SEL_LDT,
	};
	memcpy(tables + TSS16 - GUEST_TABLES, words, sizeof words);
}

static void put_gates(uint8_t *tables)
{
	for (uint32_t i = 0; i < 256; i++)
		put_descriptor(tables, IDT + i * 8, gate(SEL_CODE0, GUEST_STUBS + i * 16, i == INT_END ? 0xee : 0x8e, 0));
	put_descriptor(tables, IDT + 8 * 8, gate(SEL_TSS_DF, 0, 0x85, 0));
}

static void put_pages(uint8_t *tables)
{
	put32(tables, PAGES, TABLE | 7);
	for (uint32_t i = 0; i < 1024; i++) {
		bool user = i == CODE >> 12 || i == DATA >> 12 || i == HOLE >> 12 || i == STACK3 >> 12 || i == (STACK3 >> 12) - 1;
		put32(tables, TABLE + i * 4, i << 12 | (user ? 0x67 : 0x63));
	}
}

void guest_template(uint8_t *tables)
{
	memset(tables, 0, GUEST_TABLES_SIZE);
	put_segments(tables);
	put_descriptor(tables, LDT + (SEL_LOCAL & ~7u), descriptor(DATA, 0xfff, 0x4093));
	put_tss32(tables, TSS, 0, 0);
	put_tss32(tables, TSS32, AFTER, STACK0 - 0x80);
	put_tss32(tables, TSS_DF, GUEST_STUBS + 8 * 16, STACK_DF);
	put_tss16(tables);
	put_gates(tables);
	put_pages(tables);
}

/* --- cases ------------------------------------------------------------------------------- */

struct builder {
	struct guest_case *guest;
	struct random *random;
	unsigned used; /* bytes of code */
};

static void emit(struct builder *builder, const char *bytes, unsigned count)
{
	memcpy(builder->guest->code + builder->used, bytes, count);
	builder->used += count;
}

#define EMIT(builder, text) emit(builder, text, sizeof(text) - 1)

static void emit_value(struct builder *builder, uint32_t value, unsigned size)
{
	memcpy(builder->guest->code + builder->used, &value, size);
	builder->used += size;
}

static void poke(struct builder *builder, uint32_t address, uint32_t value)
{
	struct guest_case *guest = builder->guest;
	guest->poke[guest->poke_count].address = address;
	guest->poke[guest->poke_count++].value = value;
}

static void poke_descriptor(struct builder *builder, uint32_t at, struct descriptor value)
{
	poke(builder, at, value.low);
	poke(builder, at + 4, value.high);
}

static uint32_t pick(struct builder *builder, const uint32_t *from, unsigned count)
{
	return from[random_below(builder->random, count)];
}

#define PICK(builder, ...)                                                          \
	pick(builder, (const uint32_t[]){ __VA_ARGS__ },                            \
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static bool chance(struct builder *builder, uint32_t one_in) { return random_chance(builder->random, one_in); }

static void enter_ring3(struct guest_case *guest)
{
	guest->outer = GUEST_OUTER;
	guest->cs = SEL_CODE3;
	guest->ss = guest->ds = guest->es = guest->fs = guest->gs = SEL_DATA3;
	guest->gpr[CTX_RSP] = STACK3 - 0x40;
}

static void enter_virtual(struct guest_case *guest)
{
	guest->outer = GUEST_VIRTUAL;
	guest->eflags |= CTX_EFLAGS_VM;
	guest->cs = CODE >> 4;
	guest->eip = 0;
	guest->ss = 0x2800; /* the stack reaches up to 38000 */
	guest->gpr[CTX_RSP] = 0xffc0;
	guest->ds = guest->es = guest->fs = guest->gs = DATA >> 4;
}

static void enter_any_ring(struct builder *builder)
{
	if (chance(builder, 2))
		enter_ring3(builder->guest);
}

static void start(struct builder *builder)
{
	struct guest_case *guest = builder->guest;
	for (unsigned i = 0; i < 8; i++)
		guest->gpr[i] = random_value(builder->random);
	guest->gpr[CTX_RSP] = STACK0 - 0x40;
	guest->eip = CODE;
	guest->eflags = (random_next(builder->random) & 0x8d5) | CTX_EFLAGS_R1;
	guest->cs = SEL_CODE0;
	guest->ss = guest->ds = guest->es = guest->fs = guest->gs = SEL_DATA0;
	guest->cr0 = CR0_PE | CR0_NE;
	guest->cr4 = 0x600; /* SSE */
}

/* A descriptor of any type where the case's selectors point. Data segments are
 * 32-bit: the handlers use the stack as it comes. */
static struct descriptor any_descriptor(struct builder *builder)
{
	uint32_t access = random_next(builder->random) & 0x7f;
	bool is_code = (access & 0x18) == 0x18;
	if (!chance(builder, 8))
		access |= 0x80;
	if (access & 0x10)
		return descriptor(is_code ? 0 : chance(builder, 2) ? 0 : DATA, is_code ? 0xfffff : 0xffff, access | 0xc000);
	switch (access & 15) {
	case 4: case 12: case 6: case 7: case 14: case 15:
		return gate(PICK(builder, SEL_CODE0, SEL_CODE3, SEL_CONFORMING, SEL_CODE16, SEL_DATA0, 0),
		            access & 8 ? AFTER : 0x40, access, chance(builder, 2) ? 0 : random_below(builder->random, 4));
	case 5:
		return gate(PICK(builder, SEL_TSS32, SEL_TSS16, SEL_TSS, SEL_DATA0), 0, access, 0);
	case 2:
		return descriptor(LDT, 0xff, access);
	default:
		return descriptor(access & 8 ? TSS32 : TSS16, PICK(builder, 0x67, 0x66, 0x2b, 0x2a), access);
	}
}

/* A selector for the slot, mostly, which gets a descriptor. */
static uint32_t any_selector(struct builder *builder)
{
	uint32_t rpl = chance(builder, 2) ? builder->guest->cs & 3 : random_below(builder->random, 4);
	poke_descriptor(builder, GDT + SEL_SLOT, any_descriptor(builder));
	if (!chance(builder, 4))
		return SEL_SLOT | rpl;
	return PICK(builder, 0, 3, SEL_DATA0, SEL_CODE0, SEL_CODE3, SEL_DATA3, SEL_LOCAL, 0x1f8, 0x200, 0x104, SEL_TSS, SEL_LDT) | rpl;
}

static void make_segment_load(struct builder *builder)
{
	static const uint8_t prefixes[6] = { 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65 };
	unsigned sreg = PICK(builder, 0, 2, 3, 4, 5);
	enter_any_ring(builder);
	builder->guest->gpr[CTX_RAX] = any_selector(builder);
	EMIT(builder, "\x8e");
	emit_value(builder, 0xc0 | sreg << 3, 1);
	if (sreg == 2)
		return;
	emit_value(builder, prefixes[sreg], 1);
	if (chance(builder, 2))
		EMIT(builder, "\x8b\x15");
	else
		EMIT(builder, "\x89\x15");
	emit_value(builder, PICK(builder, 0, 0x10, 0xffc, 0xfff, DATA), 4);
}

static void make_load_far(struct builder *builder)
{
	enter_any_ring(builder);
	poke(builder, DATA, random_value(builder->random));
	poke(builder, DATA + 4, any_selector(builder));
	emit_value(builder, PICK(builder, 0x15c4, 0x15c5), 2);
	emit_value(builder, DATA, 4);
}

static void make_look(struct builder *builder)
{
	enter_any_ring(builder);
	builder->guest->gpr[CTX_RAX] = any_selector(builder);
	emit_value(builder, PICK(builder, 0xd0020f, 0xd0030f, 0xe0000f, 0xe8000f), 3); /* lar lsl verr verw */
	EMIT(builder, "\x63\xd8"); /* arpl ax, bx */
}

static void make_far_transfer(struct builder *builder)
{
	enter_any_ring(builder);
	uint32_t selector = any_selector(builder);
	emit_value(builder, PICK(builder, 0xea, 0x9a), 1);
	emit_value(builder, AFTER, 4);
	emit_value(builder, selector, 2);
}

static void make_far_return(struct builder *builder)
{
	enter_any_ring(builder);
	uint32_t sp = builder->guest->gpr[CTX_RSP];
	bool interrupt = chance(builder, 2);
	uint32_t flags = (random_next(builder->random) & 0x7ed5) | CTX_EFLAGS_R1, at = sp;
	flags &= chance(builder, 4) ? ~0u : ~(uint32_t)CTX_EFLAGS_NT;
	poke(builder, at, AFTER);
	poke(builder, at += 4, any_selector(builder));
	if (interrupt)
		poke(builder, at += 4, flags & ~(uint32_t)CTX_EFLAGS_TF);
	poke(builder, at += 4, STACK3 - 0x80);
	poke(builder, at + 4, PICK(builder, SEL_DATA3, SEL_DATA0, SEL_SLOT2 | 3, 0, SEL_CODE3, SEL_DATA3 & ~3u));
	poke_descriptor(builder, GDT + SEL_SLOT2, descriptor(0, 0xfffff, 0xc000 | (random_next(builder->random) & 0xff)));
	if (chance(builder, 3))
		builder->guest->eflags |= CTX_EFLAGS_IOPL;
	if (interrupt)
		EMIT(builder, "\xcf");
	else
		EMIT(builder, "\xcb");
}

/* Into virtual-8086 mode by IRET. */
static void make_return_virtual(struct builder *builder)
{
	static const uint32_t frame[] = { 0x40, CODE >> 4, 0x23002, 0xffc0, 0x2800, DATA >> 4, 1, 2, 3 };
	uint32_t sp = builder->guest->gpr[CTX_RSP];
	for (unsigned i = 0; i < 9; i++)
		poke(builder, sp - 0x20 + i * 4, frame[i]);
	builder->guest->gpr[CTX_RSP] = sp - 0x20;
	EMIT(builder, "\xcf");
}

static void make_interrupt(struct builder *builder)
{
	if (chance(builder, 3)) {
		enter_virtual(builder->guest);
		builder->guest->eflags |= chance(builder, 3) ? 0u : CTX_EFLAGS_IOPL;
	} else {
		enter_any_ring(builder);
	}
	poke_descriptor(builder, IDT + INT_SLOT * 8, any_descriptor(builder));
	EMIT(builder, "\xcd\x30");
}

/* What only ring 0 may do, and some that tell what it did. */
static void make_privileged(struct builder *builder)
{
	static const struct {
		const char *bytes;
		unsigned count;
	} codes[] = {
#define CODE_ROW(text) { text, sizeof(text) - 1 }
		CODE_ROW("\x0f\x01\x15\x00\x00\x02\x00"), CODE_ROW("\x0f\x01\x1d\x00\x00\x02\x00"), /* lgdt lidt [20000] */
		CODE_ROW("\x0f\x01\x05\x10\x00\x02\x00"), CODE_ROW("\x0f\x01\x0d\x10\x00\x02\x00"), /* sgdt sidt */
		CODE_ROW("\x66\x0f\x01\x05\x10\x00\x02\x00"),
		CODE_ROW("\x0f\x01\xf0\x0f\x01\xe3"), CODE_ROW("\x0f\x01\xe0"),                     /* lmsw ax, smsw */
		CODE_ROW("\x0f\x06"), CODE_ROW("\xf4"), CODE_ROW("\xfa"), CODE_ROW("\xfb\x9c\x58\xfa"),
		CODE_ROW("\x0f\x20\xc0"), CODE_ROW("\x0f\x20\xd0"), CODE_ROW("\x0f\x20\xd8"), CODE_ROW("\x0f\x20\xe0"),
		CODE_ROW("\x0f\x22\xd0\x0f\x20\xd1"), CODE_ROW("\x0f\x20\xc8"), CODE_ROW("\x0f\x22\xe0\x0f\x20\xe1"),
		CODE_ROW("\x0f\x23\xc0\x0f\x21\xc2"), CODE_ROW("\x0f\x21\xf2"), CODE_ROW("\x0f\x21\xfa"),
		CODE_ROW("\x0f\x08"), CODE_ROW("\x0f\x09"), CODE_ROW("\x0f\x01\x3d\x00\x00\x02\x00"), /* invd wbinvd invlpg */
		CODE_ROW("\x0f\x00\xc8"), CODE_ROW("\x0f\x00\xc0"), CODE_ROW("\x66\x0f\x00\x0d\x20\x00\x02\x00"), /* str sldt */
		CODE_ROW("\x0f\xaa"), CODE_ROW("\x0f\x35"), CODE_ROW("\x9c\x59\x9d"), CODE_ROW("\xf1"), CODE_ROW("\xcc"), CODE_ROW("\xce"),
		CODE_ROW("\x9c\x81\x04\x24\x00\x30\x04\x00\x9d\x9c\x58"), CODE_ROW("\x1e\x07\x0f\xa0\x0f\xa9"),
#undef CODE_ROW
	};
	unsigned i = random_below(builder->random, sizeof codes / sizeof codes[0]);
	enter_any_ring(builder);
	if (codes[i].bytes[0] == '\xf4')
		enter_ring3(builder->guest); /* nothing would wake ring 0 */
	if (chance(builder, 4))
		builder->guest->eflags |= CTX_EFLAGS_IOPL;
	builder->guest->gpr[CTX_RAX] = PICK(builder, CR0_PE, 1, 0x3f, 0, 0x610);
	poke(builder, DATA, 0x10000000 | 0x1ff);
	poke(builder, DATA + 4, 0);
	emit(builder, codes[i].bytes, codes[i].count);
}

/* Rows that would tell of the machine: only how they fault, or nothing of what
 * they give. */
static void make_machine_row(struct builder *builder)
{
	static const struct {
		const char *bytes;
		unsigned count;
	} codes[] = {
#define CODE_ROW(text) { text, sizeof(text) - 1 }
		CODE_ROW("\x0f\xa2\x31\xc0\x31\xdb\x31\xc9\x31\xd2"), CODE_ROW("\x0f\x31\x31\xc0\x31\xd2"),
		CODE_ROW("\x0f\x34"), CODE_ROW("\x0f\x32"), CODE_ROW("\x0f\x30"), CODE_ROW("\x0f\x33"),
		CODE_ROW("\xdb\xe3\xd9\xe8\xd9\xeb\xde\xc1\xdd\x1d\x30\x00\x02\x00\x9b\xdf\xe0"),
		CODE_ROW("\x0f\x28\x05\x00\x00\x02\x00\x0f\x57\xc9\x0f\x14\xc1\x0f\x11\x05\x30\x00\x02\x00"),
#undef CODE_ROW
	};
	unsigned i = random_below(builder->random, sizeof codes / sizeof codes[0]);
	bool faults = i >= 2 && i <= 5;
	if (faults)
		enter_ring3(builder->guest);
	builder->guest->gpr[CTX_RAX] = 0;
	builder->guest->gpr[CTX_RCX] = 0;
	builder->guest->cr4 |= chance(builder, 2) ? CTX_CR4_TSD : 0u;
	if (!faults)
		enter_any_ring(builder);
	emit(builder, codes[i].bytes, codes[i].count);
}

static void make_paging(struct builder *builder)
{
	struct guest_case *guest = builder->guest;
	uint32_t bits = random_next(builder->random) & 7;
	guest->cr0 |= CR0_PG | (chance(builder, 2) ? CR0_WP : 0u);
	enter_any_ring(builder);
	poke(builder, TABLE + (HOLE >> 12) * 4, HOLE | bits);
	if (chance(builder, 4))
		poke(builder, PAGES, TABLE | 1 | (random_next(builder->random) & 6));
	if (chance(builder, 8))
		poke(builder, TABLE + (CODE >> 12) * 4, CODE | 1 | (random_next(builder->random) & 6));
	switch (random_below(builder->random, 6)) {
	case 0: EMIT(builder, "\xa1\x00\x10\x02\x00"); break;
	case 1: EMIT(builder, "\xa3\x00\x10\x02\x00"); break;
	case 2: EMIT(builder, "\x01\x05\x20\x10\x02\x00"); break;
	case 3: EMIT(builder, "\xa1\xfe\x0f\x02\x00"); break;
	case 4: EMIT(builder, "\x89\x15\xfd\x0f\x02\x00"); break;
	default: EMIT(builder, "\x8f\x05\x40\x10\x02\x00"); break;
	}
}

static void make_system_load(struct builder *builder)
{
	if (chance(builder, 4))
		enter_ring3(builder->guest);
	builder->guest->gpr[CTX_RAX] = any_selector(builder);
	emit_value(builder, PICK(builder, 0xd0000f, 0xd8000f), 3); /* lldt ltr */
}

static void make_ports(struct builder *builder)
{
	enter_any_ring(builder);
	if (chance(builder, 3))
		enter_virtual(builder->guest);
	builder->guest->eflags |= random_below(builder->random, 4) << 12;
	builder->guest->gpr[CTX_RDX] = 0x2d0 + random_below(builder->random, 64);
	poke(builder, TSS + 0x64, PICK(builder, 0x680000, 0x700000, 0xa00000, 0xff0000, 0x1000000));
	poke(builder, TSS + 0xc0, random_next(builder->random) & random_next(builder->random));
	poke(builder, TSS + 0xc4, random_next(builder->random) & random_next(builder->random));
	emit_value(builder, PICK(builder, 0xec, 0xed, 0xee, 0xef), 1);
	EMIT(builder, "\x31\xc0"); /* what was read is the board's */
}

static void make_task(struct builder *builder)
{
	struct guest_case *guest = builder->guest;
	uint32_t target = PICK(builder, SEL_TSS32, SEL_TSS16);
	if (chance(builder, 3))
		poke(builder, TSS32 + PICK(builder, 0x48, 0x4c, 0x50, 0x54, 0x58, 0x5c, 0x60), PICK(builder, 0, SEL_CODE0, SEL_DATA3, SEL_CODE3, 0x200, SEL_TSS));
	if (chance(builder, 4))
		poke(builder, TSS32 + 0x24, 2 | (random_next(builder->random) & 0x7cd5));
	if (chance(builder, 4)) {
		guest->eflags |= CTX_EFLAGS_NT;
		poke(builder, TSS, target);
		poke(builder, GDT + target + 4, 0x8b00 | (target == SEL_TSS16 ? 0x8300u : 0x8b00u));
		EMIT(builder, "\xcf");
		return;
	}
	emit_value(builder, PICK(builder, 0xea, 0x9a), 1);
	emit_value(builder, 0, 4);
	emit_value(builder, target, 2);
}

static void make_virtual(struct builder *builder)
{
	static const struct {
		const char *bytes;
		unsigned count;
	} codes[] = {
#define CODE_ROW(text) { text, sizeof(text) - 1 }
		CODE_ROW("\xfa\x9c\x58"), CODE_ROW("\xfb\x9c\x58"), CODE_ROW("\x9c\x58"), CODE_ROW("\x66\x9c\x66\x58"), CODE_ROW("\x9d\x9c\x58"),
		CODE_ROW("\x66\x9d\x66\x9c"), CODE_ROW("\xcf"), CODE_ROW("\xf4"), CODE_ROW("\x0f\x06"), CODE_ROW("\x0f\x00\xc8"),
		CODE_ROW("\x63\xc8"), CODE_ROW("\x0f\x02\xc1"), CODE_ROW("\x0f\x20\xc0"), CODE_ROW("\x0f\x01\xe0"), CODE_ROW("\x8e\xd8\xa1\x10\x00"),
		CODE_ROW("\xa1\xff\xff"), CODE_ROW("\x36\xa1\xff\xff"), CODE_ROW("\xcc"), CODE_ROW("\xce"), CODE_ROW("\xf0\x90"), CODE_ROW("\x0f\x0b"),
#undef CODE_ROW
	};
	unsigned i = random_below(builder->random, sizeof codes / sizeof codes[0]);
	enter_virtual(builder->guest);
	builder->guest->eflags |= chance(builder, 2) ? 0u : CTX_EFLAGS_IOPL;
	builder->guest->gpr[CTX_RAX] = DATA >> 4;
	poke(builder, STACK3 - 0x40, CODE >> 4 << 16 | 0x40);
	poke(builder, STACK3 - 0x3c, random_next(builder->random) & 0x4ed5);
	emit(builder, codes[i].bytes, codes[i].count);
}

static const struct {
	const char *name;
	void (*make)(struct builder *builder);
} kinds[] = {
	{ "segment load", make_segment_load }, { "far pointer", make_load_far }, { "LAR, LSL, VERR, VERW, ARPL", make_look },
	{ "far transfer", make_far_transfer }, { "far return", make_far_return }, { "IRET to virtual-8086 mode", make_return_virtual },
	{ "interrupt gate", make_interrupt }, { "privileged", make_privileged }, { "machine row", make_machine_row },
	{ "paging", make_paging }, { "LLDT, LTR", make_system_load }, { "ports", make_ports },
	{ "task switch", make_task }, { "virtual-8086 mode", make_virtual },
};

#define KINDS (sizeof kinds / sizeof kinds[0])

const char *guest_kind_name(uint32_t kind) { return kind < KINDS ? kinds[kind].name : "unknown"; }

void guest_case_make(struct guest_case *guest, struct random *random)
{
	struct builder builder = { guest, random, 0 };
	memset(guest, 0, sizeof *guest);
	start(&builder);
	guest->kind = random_below(random, KINDS);
	kinds[guest->kind].make(&builder);
	EMIT(&builder, "\xcd\x40");
}
