#include "tests/unit/emu_rig.h"

#include <glib.h>
#include <string.h>

static struct rig *rig_new(enum emu_cpu cpu)
{
	struct rig *rig = g_new0(struct rig, 1);
	rig->machine = machine_new(RIG_RAM, cpu, EMU_JIT_OFF);
	rig->ctx = &rig->machine->ctx;
	rig->ram = mem_store_data(rig->machine->ram);
	rig->at = RIG_CODE;
	for (unsigned vector = 0; vector < 256; vector++)
		rig->ram[rig_handler(vector)] = 0xf4;
	return rig;
}

void rig_free(struct rig *rig)
{
	machine_free(rig->machine);
	g_free(rig);
}

uint32_t rig_handler(unsigned vector) { return RIG_HANDLERS + 16 * vector; }

void rig_put(struct rig *rig, uint32_t address, const void *bytes, size_t size)
{
	ck_assert_uint_eq(mem_write_bytes(rig->machine->mem, address, bytes, size), size);
	rig->at = address + (uint32_t)size;
}

uint32_t rig_get(const struct rig *rig, uint32_t address, unsigned size)
{
	return (uint32_t)mem_read(rig->machine->mem, address, size);
}

void rig_set(struct rig *rig, uint32_t address, unsigned size, uint32_t value)
{
	mem_write(rig->machine->mem, address, size, value);
}

/* --- running ------------------------------------------------------------------- */

static unsigned halted_where(const struct rig *rig)
{
	uint32_t linear = (uint32_t)(rig->ctx->seg[CTX_CS].base + rig->ctx->rip) - 1 - RIG_HANDLERS;
	return linear < 16 * 256 && !(linear & 15) ? linear / 16 : RIG_HALTED;
}

unsigned rig_run(struct rig *rig)
{
	rig->ctx->halted = 0;
	switch (machine_run(rig->machine, 20000)) {
	case STOP_HALT: return halted_where(rig);
	case STOP_SHUTDOWN: return RIG_SHUTDOWN;
	case STOP_BUDGET: return RIG_BUDGET;
	default: return RIG_OTHER;
	}
}

enum stop_reason rig_step(struct rig *rig, unsigned insns)
{
	return machine_run(rig->machine, insns);
}

static uint32_t stack_linear(const struct rig *rig, unsigned size, unsigned n)
{
	const struct ctx_seg *ss = &rig->ctx->seg[CTX_SS];
	uint32_t mask = ss->access & CTX_SEG_DB ? 0xffffffffu : 0xffff;
	return (uint32_t)ss->base + ((rig->ctx->gpr[CTX_RSP].e + size * n) & mask);
}

uint32_t rig_frame32(const struct rig *rig, unsigned n) { return rig_get(rig, stack_linear(rig, 4, n), 4); }
uint32_t rig_frame16(const struct rig *rig, unsigned n) { return rig_get(rig, stack_linear(rig, 2, n), 2); }

Suite *rig_suite(const char *name, SFun start, SFun stop, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	tcase_add_checked_fixture(tcase, start, stop);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return suite;
}

/* --- real mode ------------------------------------------------------------------- */

struct rig *rig_new_real(enum emu_cpu cpu)
{
	struct rig *rig = rig_new(cpu);
	for (unsigned vector = 0; vector < 256; vector++)
		rig_set(rig, RIG_IVT + 4 * vector, 4, (RIG_HANDLERS >> 4) << 16 | 16 * vector);
	machine_set_real(rig->machine, CTX_CS, RIG_CODE >> 4);
	machine_set_real(rig->machine, CTX_DS, RIG_DATA >> 4);
	machine_set_real(rig->machine, CTX_ES, RIG_DATA >> 4);
	machine_set_real(rig->machine, CTX_SS, RIG_DATA >> 4);
	machine_set_real(rig->machine, CTX_FS, 0);
	machine_set_real(rig->machine, CTX_GS, 0);
	rig->ctx->rip = 0;
	rig->ctx->gpr[CTX_RSP].e = 0xf000;
	rig->ctx->idtr.limit = 0x3ff;
	return rig;
}

/* --- tables -------------------------------------------------------------------------- */

static uint32_t descriptor_at(uint16_t selector)
{
	return (selector & 4 ? RIG_LDT : RIG_GDT) + (selector & 0xfff8u);
}

void rig_descriptor(struct rig *rig, uint16_t selector, uint32_t base, uint32_t limit, uint32_t access)
{
	uint32_t at = descriptor_at(selector);
	rig_set(rig, at, 4, (limit & 0xffff) | base << 16);
	rig_set(rig, at + 4, 4, (base & 0xff000000) | (base >> 16 & 0xff) | (limit & 0xf0000) | (access & 0xf0ff) << 8);
}

uint8_t rig_access(const struct rig *rig, uint16_t selector)
{
	return (uint8_t)rig_get(rig, descriptor_at(selector) + 5, 1);
}

static void gate_at(struct rig *rig, uint32_t at, uint8_t access, uint16_t target, uint32_t offset, unsigned parameters)
{
	rig_set(rig, at, 4, (offset & 0xffff) | (uint32_t)target << 16);
	rig_set(rig, at + 4, 4, (offset & 0xffff0000) | (uint32_t)access << 8 | parameters);
}

void rig_gate(struct rig *rig, uint16_t selector, uint8_t access, uint16_t target, uint32_t offset, unsigned parameters)
{
	gate_at(rig, descriptor_at(selector), access, target, offset, parameters);
}

void rig_idt(struct rig *rig, unsigned vector, uint8_t access, uint16_t target, uint32_t offset)
{
	gate_at(rig, RIG_IDT + 8 * vector, access, target, offset, 0);
}

void rig_load(struct rig *rig, enum ctx_sreg sreg, uint16_t selector)
{
	uint32_t at = descriptor_at(selector), low = rig_get(rig, at, 4), high = rig_get(rig, at + 4, 4);
	struct ctx_seg *seg = &rig->ctx->seg[sreg];
	uint32_t limit = (low & 0xffff) | (high & 0xf0000);
	memset(seg, 0, sizeof *seg);
	seg->selector = selector;
	seg->base = low >> 16 | (high & 0xff) << 16 | (high & 0xff000000);
	seg->limit = high & 0x800000 ? limit << 12 | 0xfff : limit;
	seg->access = high >> 8 & 0xf0ff;
}

static void load_all(struct rig *rig, uint16_t code, uint16_t data)
{
	static const enum ctx_sreg sregs[] = { CTX_ES, CTX_SS, CTX_DS, CTX_FS, CTX_GS };
	rig_load(rig, CTX_CS, code);
	for (unsigned i = 0; i < G_N_ELEMENTS(sregs); i++)
		rig_load(rig, sregs[i], data);
}

void rig_ring3(struct rig *rig)
{
	load_all(rig, SEL_CODE3, SEL_DATA3);
	rig->ctx->gpr[CTX_RSP].e = RIG_STACK3;
}

void rig_vm86(struct rig *rig, unsigned iopl)
{
	static const uint16_t selectors[] = { RIG_DATA >> 4, RIG_CODE >> 4, RIG_DATA >> 4, RIG_DATA >> 4, 0, 0 };
	rig->ctx->rflags = CTX_EFLAGS_R1 | CTX_EFLAGS_VM | iopl << 12;
	for (unsigned sreg = CTX_ES; sreg <= CTX_GS; sreg++) {
		struct ctx_seg *seg = &rig->ctx->seg[sreg];
		memset(seg, 0, sizeof *seg);
		seg->selector = selectors[sreg];
		seg->base = (uint32_t)selectors[sreg] << 4;
		seg->limit = 0xffff;
		seg->access = 0xf3 | CTX_SEG_REAL;
	}
	rig->ctx->rip = 0;
	rig->ctx->gpr[CTX_RSP].e = 0xf000;
}

static void make_gdt(struct rig *rig)
{
	rig_descriptor(rig, SEL_CODE0, 0, 0xfffff, ACC_CODE32);
	rig_descriptor(rig, SEL_DATA0, 0, 0xfffff, ACC_DATA32);
	rig_descriptor(rig, SEL_CODE3 & ~3, 0, 0xfffff, ACC_CODE32 | ACC_DPL3);
	rig_descriptor(rig, SEL_DATA3 & ~3, 0, 0xfffff, ACC_DATA32 | ACC_DPL3);
	rig_descriptor(rig, SEL_TSS, RIG_TSS, 0x67, ACC_TSS32 | 2);
	rig_descriptor(rig, SEL_CODE16, 0, 0xffff, ACC_CODE16);
	rig_descriptor(rig, SEL_DATA16, 0, 0xffff, ACC_DATA16);
	rig_descriptor(rig, SEL_LDT, RIG_LDT, 0x1f, ACC_LDT);
	rig_descriptor(rig, SEL_TSS2, RIG_TSS2, 0x67, ACC_TSS32);
	rig_descriptor(rig, SEL_TSS3, RIG_TSS3, 0x67, ACC_TSS32);
	rig->ctx->gdtr.base = RIG_GDT;
	rig->ctx->gdtr.limit = 0x7f;
}

static void make_idt(struct rig *rig)
{
	for (unsigned vector = 0; vector < 256; vector++)
		rig_idt(rig, vector, vector < 0x20 ? GATE_INT32 : GATE_INT32 | ACC_DPL3, SEL_CODE0, rig_handler(vector));
	rig->ctx->idtr.base = RIG_IDT;
	rig->ctx->idtr.limit = 0x7ff;
}

struct rig *rig_new_protected(enum emu_cpu cpu)
{
	struct rig *rig = rig_new(cpu);
	make_gdt(rig);
	make_idt(rig);
	rig_tss32(rig, RIG_TSS, 0, 0);
	rig->ctx->cr0 = CTX_CR0_PE | CTX_CR0_ET;
	load_all(rig, SEL_CODE0, SEL_DATA0);
	rig_load(rig, CTX_LDTR, SEL_LDT);
	rig_load(rig, CTX_TR, SEL_TSS);
	rig->ctx->rip = RIG_CODE;
	rig->ctx->gpr[CTX_RSP].e = RIG_STACK0;
	return rig;
}

/* SDM vol. 3, figure 7-2. */
void rig_tss32(struct rig *rig, uint32_t base, uint32_t eip, uint32_t eflags)
{
	memset(rig->ram + base, 0, 0x68);
	for (unsigned ring = 0; ring < 3; ring++) {
		rig_set(rig, base + 4 + 8 * ring, 4, RIG_STACK0 - 0x2000 * ring);
		rig_set(rig, base + 8 + 8 * ring, 4, SEL_DATA0);
	}
	rig_set(rig, base + 0x1c, 4, (uint32_t)rig->ctx->cr3);
	rig_set(rig, base + 0x20, 4, eip);
	rig_set(rig, base + 0x24, 4, eflags | 2);
	for (unsigned i = 0; i < 8; i++)
		rig_set(rig, base + 0x28 + 4 * i, 4, 0x11111111 * (i + 1));
	rig_set(rig, base + 0x28 + 4 * CTX_RSP, 4, RIG_STACK0 - 0x1000);
	for (unsigned i = 0; i < 6; i++)
		rig_set(rig, base + 0x48 + 4 * i, 4, i == CTX_CS ? SEL_CODE0 : SEL_DATA0);
	rig_set(rig, base + 0x66, 2, 0x68);
}

/* SDM vol. 3, figure 7-10. */
void rig_tss16(struct rig *rig, uint32_t base, uint16_t ip, uint16_t flags)
{
	memset(rig->ram + base, 0, 0x2c);
	for (unsigned ring = 0; ring < 3; ring++) {
		rig_set(rig, base + 2 + 4 * ring, 2, 0xe000 - 0x100 * ring);
		rig_set(rig, base + 4 + 4 * ring, 2, SEL_DATA16);
	}
	rig_set(rig, base + 0x0e, 2, ip);
	rig_set(rig, base + 0x10, 2, flags | 2u);
	for (unsigned i = 0; i < 8; i++)
		rig_set(rig, base + 0x12 + 2 * i, 2, 0x1111 * (i + 1));
	rig_set(rig, base + 0x12 + 2 * CTX_RSP, 2, 0xd000);
	for (unsigned i = 0; i < 4; i++)
		rig_set(rig, base + 0x22 + 2 * i, 2, i == CTX_CS ? SEL_CODE16 : SEL_DATA16);
}

/* --- paging ------------------------------------------------------------------------------ */

uint32_t rig_pte(uint32_t linear) { return RIG_PAGES + 0x1000 + (linear >> 12) * 4; }

void rig_map(struct rig *rig, uint32_t linear, uint32_t entry) { rig_set(rig, rig_pte(linear), 4, entry); }

void rig_paging(struct rig *rig)
{
	for (uint32_t linear = 0; linear < RIG_RAM; linear += 0x1000)
		rig_map(rig, linear, linear | PTE_P | PTE_W | PTE_U);
	for (unsigned i = 0; i < RIG_RAM >> 22; i++)
		rig_set(rig, RIG_PAGES + 4 * i, 4, (RIG_PAGES + 0x1000 * (i + 1)) | PTE_P | PTE_W | PTE_U);
	rig->ctx->cr3 = RIG_PAGES;
	rig->ctx->cr0 |= CTX_CR0_PG;
	rig_set(rig, RIG_TSS + 0x1c, 4, RIG_PAGES);
}

/* --- pins ----------------------------------------------------------------------------------- */

static uint8_t acknowledge(void *owner)
{
	struct rig *rig = owner;
	rig->machine->pins.intr = false;
	return rig->vector;
}

void rig_interrupt(struct rig *rig, uint8_t vector)
{
	struct cpu_pins *pins = &rig->machine->pins;
	rig->vector = vector;
	pins->acknowledge = acknowledge;
	pins->owner = rig;
	pins->intr = true;
	cpu_pins_attend(pins);
}

void rig_nmi(struct rig *rig)
{
	rig->machine->pins.nmi = true;
	cpu_pins_attend(&rig->machine->pins);
}

void rig_smi(struct rig *rig)
{
	rig->machine->pins.smi = true;
	cpu_pins_attend(&rig->machine->pins);
}

void rig_ck_frame16(const struct rig *rig, uint16_t ip, uint16_t flags_mask, uint16_t flags)
{
	ck_assert_uint_eq(rig_frame16(rig, 0), ip);
	ck_assert_uint_eq(rig_frame16(rig, 1), RIG_CODE >> 4);
	ck_assert_uint_eq(rig_frame16(rig, 2) & flags_mask, flags);
}

void rig_ck_real_fault(struct rig *rig, unsigned vector, uint16_t ip)
{
	uint16_t sp = rig->ctx->gpr[CTX_RSP].x;
	ck_assert_uint_eq(rig_run(rig), vector);
	ck_assert_uint_eq(rig->ctx->gpr[CTX_RSP].x, (uint16_t)(sp - 6));
	rig_ck_frame16(rig, ip, 0, 0);
}
