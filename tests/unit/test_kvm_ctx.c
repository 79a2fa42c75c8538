#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hv/kvm_private.h"

static struct ctx page, back;
static struct kvm_regs regs;
static struct kvm_sregs sregs;
static struct kvm_vcpu_events events;
static const struct kvm_ctx_quirks no_quirks = { .tr_not_busy = false };

/* A page in which no two fields are the same. */
static void fill(void)
{
	ctx_reset(&page, 0);
	uint64_t value = 0x1100;
	for (unsigned n = 0; n < CTX_GPRS; n++)
		page.gpr[n].r = value += 0x0101;
	page.rip = value += 0x0101;
	page.rflags = CTX_EFLAGS_R1 | CTX_EFLAGS_IF | CTX_EFLAGS_CF;
	for (unsigned n = 0; n < CTX_SREGS; n++) {
		value += 0x10000;
		page.seg[n] = (struct ctx_seg){
			.base = value, .limit = (uint32_t)value + 0x1000, .selector = (uint16_t)(8 * n + 8),
			.access = CTX_SEG_P | CTX_SEG_S | 3,
		};
	}
	page.seg[CTX_CS].access = CTX_SEG_P | CTX_SEG_S | 11 | CTX_SEG_DB | CTX_SEG_G | CTX_SEG_DPL;
	page.seg[CTX_FS].access = CTX_SEG_UNUSABLE;
	page.seg[CTX_GS].access |= CTX_SEG_AVL | CTX_SEG_L;
	page.seg[CTX_LDTR].access = CTX_SEG_P | 2;
	page.seg[CTX_TR].access = CTX_SEG_P | 11;
	page.gdtr = (struct ctx_table){ .base = value += 0x10000, .limit = 0x1234 };
	page.idtr = (struct ctx_table){ .base = value += 0x10000, .limit = 0x2345 };
	page.cr0 = CTX_CR0_PE | CTX_CR0_ET | CTX_CR0_NE;
	page.cr2 = value += 0x10000;
	page.cr3 = value += 0x10000;
	page.cr4 = CTX_CR4_PSE;
	page.cr8 = 5;
	page.efer = CTX_EFER_LME;
}

static void there_and_back(const struct kvm_ctx_quirks *quirks)
{
	kvm_ctx_to_regs(&page, &regs);
	kvm_ctx_to_sregs(&page, &sregs, quirks);
	kvm_ctx_to_events(&page, &events);
	ctx_reset(&back, 0);
	kvm_ctx_from_regs(&back, &regs);
	kvm_ctx_from_sregs(&back, &sregs);
	kvm_ctx_from_events(&back, &events);
}

static void check_same(void)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	unsigned found = ctx_diff(&page, &back, out);
	fclose(out);
	ck_assert_msg(!found, "%s", text);
	free(text);
}

static void setup(void)
{
	memset(&regs, 0xee, sizeof regs);
	memset(&sregs, 0, sizeof sregs);
	memset(&events, 0xee, sizeof events);
	fill();
}

START_TEST(protected_mode_is_identity)
{
	there_and_back(&no_quirks);
	check_same();
}
END_TEST

START_TEST(reset_state_is_identity)
{
	ctx_reset(&page, 0x633);
	/* Selector 0 says nothing about the mode in which it was loaded. */
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		page.seg[n].access &= ~CTX_SEG_REAL;
	there_and_back(&no_quirks);
	check_same();
}
END_TEST

START_TEST(long_mode_is_identity)
{
	page.cr0 |= CTX_CR0_PG;
	page.cr4 |= CTX_CR4_PAE;
	page.efer |= CTX_EFER_LMA;
	page.rip = 0xffffffff81000000;
	page.seg[CTX_GS].base = 0xffff888000000000;
	page.seg[CTX_CS].access = CTX_SEG_P | CTX_SEG_S | 11 | CTX_SEG_L | CTX_SEG_G;
	there_and_back(&no_quirks);
	check_same();
	ck_assert_int_eq(kvm_ctx_mode(&back), HV_MODE_PM64);
}
END_TEST

START_TEST(fields_of_a_segment)
{
	there_and_back(&no_quirks);
	ck_assert_uint_eq(sregs.cs.type, 11);
	ck_assert_uint_eq(sregs.cs.s, 1);
	ck_assert_uint_eq(sregs.cs.dpl, 3);
	ck_assert_uint_eq(sregs.cs.present, 1);
	ck_assert_uint_eq(sregs.cs.db, 1);
	ck_assert_uint_eq(sregs.cs.g, 1);
	ck_assert_uint_eq(sregs.cs.l, 0);
	ck_assert_uint_eq(sregs.cs.unusable, 0);
	ck_assert_uint_eq(sregs.fs.unusable, 1);
	ck_assert_uint_eq(sregs.fs.present, 0);
	ck_assert_uint_eq(sregs.gs.avl, 1);
	ck_assert_uint_eq(sregs.gs.l, 1);
	ck_assert_uint_eq(sregs.tr.s, 0);
	ck_assert_uint_eq(sregs.tr.type, 11);
	ck_assert_uint_eq(sregs.ldt.type, 2);
	ck_assert_uint_eq(sregs.gdt.limit, 0x1234);
	ck_assert_uint_eq(sregs.idt.limit, 0x2345);
	ck_assert_uint_eq(regs.rdi, page.gpr[CTX_RDI].r);
	ck_assert_uint_eq(regs.rbx, page.gpr[CTX_RBX].r);
}
END_TEST

START_TEST(tr_for_emulated_svm)
{
	const struct kvm_ctx_quirks quirks = { .tr_not_busy = true };
	there_and_back(&quirks);
	ck_assert_uint_eq(sregs.tr.type, 9);
	check_same();
	page.seg[CTX_TR].access = CTX_SEG_P | 3; /* of a 286 */
	there_and_back(&quirks);
	ck_assert_uint_eq(sregs.tr.type, 1);
	check_same();
}
END_TEST

START_TEST(what_kvm_would_refuse)
{
	page.apic_base = 0xffffffffffffffff;
	page.cr0 &= ~(uint64_t)CTX_CR0_ET;
	sregs.interrupt_bitmap[2] = 8;
	kvm_ctx_to_sregs(&page, &sregs, &no_quirks);
	ck_assert_uint_eq(sregs.apic_base, 0xffffff900);
	ck_assert_uint_eq(sregs.cr0 & CTX_CR0_ET, CTX_CR0_ET);
	ck_assert_uint_eq(sregs.interrupt_bitmap[2], 0);
}
END_TEST

START_TEST(real_segments_are_guessed)
{
	page.cr0 = CTX_CR0_ET;
	page.seg[CTX_CS] = (struct ctx_seg){ .base = 0xf0000, .selector = 0xf000, .limit = 0xffff, .access = 0x9b };
	page.seg[CTX_DS] = (struct ctx_seg){ .base = 0, .selector = 0x10, .limit = 0xffffffff, .access = 0xc093 };
	page.seg[CTX_SS] = (struct ctx_seg){ .base = 0, .selector = 0, .limit = 0xffff, .access = 0x93 };
	there_and_back(&no_quirks);
	ck_assert_uint_eq(back.seg[CTX_CS].access, 0x9b | CTX_SEG_REAL);
	ck_assert_uint_eq(back.seg[CTX_DS].access, 0xc093);
	ck_assert_uint_eq(back.seg[CTX_SS].access, 0x93);
	page.cr0 |= CTX_CR0_PE;
	there_and_back(&no_quirks);
	ck_assert_uint_eq(back.seg[CTX_CS].access, 0x9b);
	page.rflags |= CTX_EFLAGS_VM;
	there_and_back(&no_quirks);
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		ck_assert_uint_eq(back.seg[n].access & CTX_SEG_REAL, CTX_SEG_REAL);
	ck_assert_uint_eq(back.seg[CTX_TR].access & CTX_SEG_REAL, 0);
}
END_TEST

START_TEST(events_cross)
{
	static const struct { uint32_t shadow, kvm; } rows[] = {
		{ 0, 0 }, { CTX_SHADOW_STI, KVM_X86_SHADOW_INT_STI }, { CTX_SHADOW_MOV_SS, KVM_X86_SHADOW_INT_MOV_SS },
	};
	page.nmi_masked = 1;
	page.interrupt_shadow = rows[_i].shadow;
	there_and_back(&no_quirks);
	ck_assert_uint_eq(events.interrupt.shadow, rows[_i].kvm);
	ck_assert_uint_eq(events.nmi.masked, 1);
	ck_assert_uint_eq(events.interrupt.injected, 0);
	ck_assert_uint_eq(events.exception.injected, 0);
	ck_assert_uint_eq(events.flags, KVM_VCPUEVENT_VALID_NMI_PENDING | KVM_VCPUEVENT_VALID_SHADOW);
	check_same();
	page.event_type = CTX_EVENT_INTR;
	page.event_vector = 0x31;
	there_and_back(&no_quirks);
	ck_assert_uint_eq(events.interrupt.nr, 0x31);
	check_same();
	page.event_type = CTX_EVENT_NMI;
	page.event_vector = 2;
	there_and_back(&no_quirks);
	ck_assert_uint_eq(events.nmi.injected, 1);
	ck_assert_uint_eq(events.interrupt.injected, 0);
	check_same();
	page.event_type = CTX_EVENT_FAULT;
	page.event_vector = 14;
	page.event_has_error = 1;
	page.event_error = 6;
	there_and_back(&no_quirks);
	ck_assert_uint_eq(events.exception.injected, 1);
	ck_assert_uint_eq(events.nmi.injected, 0);
	check_same();
}
END_TEST

START_TEST(shadows_of_svm_and_vmx)
{
	page.interrupt_shadow = CTX_SHADOW_STI | CTX_SHADOW_MOV_SS;
	kvm_ctx_to_events(&page, &events);
	ck_assert_uint_eq(events.interrupt.shadow, KVM_X86_SHADOW_INT_MOV_SS);
	events.interrupt.shadow = KVM_X86_SHADOW_INT_STI | KVM_X86_SHADOW_INT_MOV_SS;
	kvm_ctx_from_events(&back, &events);
	ck_assert_uint_eq(back.interrupt_shadow, CTX_SHADOW_STI);
}
END_TEST

START_TEST(exceptions_on_the_way)
{
	memset(&events, 0, sizeof events);
	events.exception.injected = 1;
	events.exception.nr = 14;
	back.rflags = CTX_EFLAGS_R1 | CTX_EFLAGS_TF;
	events.exception.has_error_code = 1;
	events.exception.error_code = 7;
	kvm_ctx_from_events(&back, &events);
	ck_assert_uint_eq(back.event_type, CTX_EVENT_FAULT);
	ck_assert_uint_eq(back.event_vector, 14);
	ck_assert_uint_eq(back.event_has_error, 1);
	ck_assert_uint_eq(back.event_error, 7);
	ck_assert_uint_eq(back.pending_db, 0);
	/* The fault comes again by itself, an interrupt does not. */
	events.interrupt.injected = 1;
	events.interrupt.nr = 0x31;
	kvm_ctx_from_events(&back, &events);
	ck_assert_uint_eq(back.event_type, CTX_EVENT_INTR);
	ck_assert_uint_eq(back.event_has_error, 0);
	events.interrupt.injected = events.exception.injected = events.exception.has_error_code = 0;
	events.exception.pending = 1;
	events.exception.nr = 1;
	kvm_ctx_from_events(&back, &events);
	ck_assert_uint_eq(back.pending_db, 0x4000);
	ck_assert_uint_eq(back.event_type, CTX_EVENT_NONE);
	back.rflags = CTX_EFLAGS_R1;
	kvm_ctx_from_events(&back, &events);
	ck_assert_uint_eq(back.pending_db, 0);
	ck_assert_uint_eq(back.event_type, CTX_EVENT_FAULT);
	ck_assert_uint_eq(back.event_vector, 1);
}
END_TEST

START_TEST(modes)
{
	page.efer = 0;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM32);
	page.cr0 |= CTX_CR0_PG;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM32_PAGED);
	page.efer = CTX_EFER_LMA;
	page.seg[CTX_CS].access |= CTX_SEG_L;
	page.seg[CTX_SS].access &= ~CTX_SEG_DPL;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM64);
	page.seg[CTX_SS].access |= CTX_SEG_DPL;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM64_USER);
	page.seg[CTX_CS].access &= ~CTX_SEG_L; /* compatibility mode */
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM64_USER);
	page.efer = 0;
	page.cr0 &= ~(uint64_t)CTX_CR0_PG;
	page.seg[CTX_CS].access &= ~(CTX_SEG_L | CTX_SEG_DB);
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_PM16);
	page.rflags |= CTX_EFLAGS_VM;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_VM86);
	page.cr0 = CTX_CR0_ET;
	ck_assert_int_eq(kvm_ctx_mode(&page), HV_MODE_REAL);
}
END_TEST

Suite *suite_kvm_ctx(void)
{
	Suite *suite = suite_create("kvm_ctx");
	TCase *tcase = tcase_create("kvm_ctx");
	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, protected_mode_is_identity);
	tcase_add_test(tcase, reset_state_is_identity);
	tcase_add_test(tcase, long_mode_is_identity);
	tcase_add_test(tcase, fields_of_a_segment);
	tcase_add_test(tcase, tr_for_emulated_svm);
	tcase_add_test(tcase, what_kvm_would_refuse);
	tcase_add_test(tcase, real_segments_are_guessed);
	tcase_add_loop_test(tcase, events_cross, 0, 3);
	tcase_add_test(tcase, shadows_of_svm_and_vmx);
	tcase_add_test(tcase, exceptions_on_the_way);
	tcase_add_test(tcase, modes);
	suite_add_tcase(suite, tcase);
	return suite;
}
