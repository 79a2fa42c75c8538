/* The guests of `v2e bench`; bench_guest.h says how they are spoken to. Switches are
 * written as the programs named do them: same instructions that matter to a
 * processor, in the same order. */
#include "cli/bench_guest.h"

#define AT(label) ((label) - bench_guest + BENCH_GUEST_ORIGIN)

#define CODE32 0x08
#define DATA32 0x10
#define CODE16 0x18
#define DATA16 0x20
#define TSS    0x28

#define STACK16  0x7c00
#define STACK32  0x7800
#define STACK_VM 0x7400

#define EFLAGS_VM 0x20002
#define VECTOR_GP 13
#define VECTOR    0x40 /* in the guest's interrupt descriptor table */
#define VECTOR_RM 0x41 /* in the real mode's */
#define IDT_SIZE  ((VECTOR + 1) * 8)

	.section .rodata
	.globl bench_guest, bench_guest_entry, bench_guest_rom_entry
	.balign 16
bench_guest:

/* Data first: its addresses are known to the code behind. */
rounds:		.long 0
real_turns:	.long 0
prot_turns:	.long 0
guest:		.word 0
saved_sp:	.long 0
grub_stack:	.long 0
grub_return:	.long 0
rm_idtr:	.word 0x3ff
		.long 0
pm_idtr:	.word IDT_SIZE - 1
		.long AT(idt)
no_idtr:	.word 0
		.long 0
stored_idtr:	.word 0
		.long 0
gdtr:		.word gdt_end - gdt - 1
		.long AT(gdt)
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
	.quad 0x00009b000000ffff
	.quad 0x000093000000ffff
tss_descriptor:
	.word 103, AT(tss)
	.byte 0, 0x89, 0, 0
gdt_end:
tss:	.long 0, STACK32, DATA32
	.fill 88, 1, 0
	.word 0, 104
idt:	.fill VECTOR_GP * 8, 1, 0
	.word AT(vm86_fault), CODE32, 0x8e00, 0
	.fill (VECTOR - VECTOR_GP - 1) * 8, 1, 0
	.word AT(gfxboot_interrupt), CODE32, 0x8e00, 0
table:	.word AT(guest_far_jump), AT(guest_lmsw), AT(guest_far_call), AT(guest_pm32)
	.word AT(guest_vm86), AT(guest_seabios), AT(guest_gfxboot), AT(guest_grub), AT(guest_ipxe)

/* --- macros ----------------------------------------------------------------------- */

/* A loop of two instructions, \turns of them. */
.macro spin turns
	movl	AT(\turns), %ecx
	testl	%ecx, %ecx
	jz	2f
1:	decl	%ecx
	jnz	1b
2:
.endm

.macro load_segments
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movw	%ax, %ss
.endm

.macro set_pe
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
.endm

.macro clear_pe
	movl	%cr0, %eax
	andb	$0xfe, %al
	movl	%eax, %cr0
.endm

/* --- orders ------------------------------------------------------------------------- */

	.code16
bench_guest_rom_entry:
	xorw	%ax, %ax
	movw	%ax, %es
	xorw	%si, %si
	movw	$BENCH_GUEST_ORIGIN, %di
	movw	$(bench_guest_end - bench_guest), %cx
	cld
	rep movsb %cs:(%si), %es:(%di)
	ljmpw	$0, $AT(bench_guest_entry)
bench_guest_entry:
	cli
	cld
	xorw	%ax, %ax
	load_segments
	movl	$STACK16, %esp
	movw	$AT(real_interrupt), VECTOR_RM * 4
	movw	$0, VECTOR_RM * 4 + 2
	lgdtl	AT(gdtr)
order:	call	get_byte
	movb	%al, AT(guest)
	movw	$AT(rounds), %di
	movw	$12, %cx
3:	call	get_byte
	stosb
	loop	3b
	movl	AT(rounds), %edi
	movw	AT(guest), %bx
	addw	%bx, %bx
	movw	$BENCH_GUEST_DATA, %dx
	movb	$BENCH_GUEST_START, %al
	outb	%al, %dx
	call	*AT(table)(%bx)
	movw	$BENCH_GUEST_DATA, %dx
	movb	$BENCH_GUEST_END, %al
	outb	%al, %dx
	jmp	order

get_byte:
	movw	$BENCH_GUEST_STATUS, %dx
4:	inb	%dx, %al
	testb	$1, %al
	jz	4b
	movw	$BENCH_GUEST_DATA, %dx
	inb	%dx, %al
	ret

real_interrupt:
	spin	real_turns
	iret

/* Each guest below is called in real mode, does %edi rounds and returns in real mode. */

/* --- by each route -------------------------------------------------------------------- */

guest_far_jump:
	spin	real_turns
	set_pe
	ljmpw	$CODE16, $AT(1f)
1:	movw	$DATA16, %ax
	load_segments
	spin	prot_turns
	clear_pe
	ljmpw	$0, $AT(1f)
1:	xorw	%ax, %ax
	load_segments
	decl	%edi
	jnz	guest_far_jump
	ret

guest_lmsw:
	spin	real_turns
	smsw	%ax
	orb	$1, %al
	lmsw	%ax
	ljmpw	$CODE16, $AT(1f)
1:	movw	$DATA16, %ax
	load_segments
	spin	prot_turns
	clear_pe
	ljmpw	$0, $AT(1f)
1:	xorw	%ax, %ax
	load_segments
	decl	%edi
	jnz	guest_lmsw
	ret

/* A far call in, an IRET out. */
guest_far_call:
	spin	real_turns
	set_pe
	lcallw	$CODE16, $AT(1f)
1:	movw	$DATA16, %ax
	load_segments
	spin	prot_turns
	addw	$4, %sp
	pushfw
	pushw	$0
	pushw	$AT(1f)
	clear_pe
	iretw
1:	xorw	%ax, %ax
	load_segments
	decl	%edi
	jnz	guest_far_call
	ret

/* 32-bit code, and back by a 16-bit segment. */
guest_pm32:
	spin	real_turns
	set_pe
	ljmpl	$CODE32, $AT(1f)
	.code32
1:	movw	$DATA32, %ax
	load_segments
	spin	prot_turns
	movw	$DATA16, %ax
	load_segments
	ljmpw	$CODE16, $AT(1f)
	.code16
1:	clear_pe
	ljmpw	$0, $AT(1f)
1:	xorw	%ax, %ax
	load_segments
	decl	%edi
	jnz	guest_pm32
	ret

/* --- virtual-8086 mode: a monitor that enters it by IRET and gets it back by a fault ----- */

guest_vm86:
	movl	%esp, AT(saved_sp)
	movb	$0x89, AT(tss_descriptor) + 5 /* no longer busy */
	lidtl	AT(pm_idtr)
	set_pe
	ljmpl	$CODE32, $AT(1f)
	.code32
1:	movw	$DATA32, %ax
	load_segments
	movl	$STACK32, %esp
	movw	$TSS, %ax
	ltr	%ax
vm86_round:
	spin	prot_turns
	pushl	$0 /* GS, FS, DS, ES */
	pushl	$0
	pushl	$0
	pushl	$0
	pushl	$0 /* SS:ESP */
	pushl	$STACK_VM
	pushl	$EFLAGS_VM
	pushl	$0
	pushl	$AT(vm86_code)
	iretl
vm86_fault:
	movw	$DATA32, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	movl	$STACK32, %esp
	decl	%edi
	jnz	vm86_round
	movw	$DATA16, %ax
	load_segments
	ljmpw	$CODE16, $AT(1f)
	.code16
1:	clear_pe
	ljmpw	$0, $AT(1f)
1:	xorw	%ax, %ax
	load_segments
	lidtl	AT(rm_idtr)
	movl	AT(saved_sp), %esp
	ret
vm86_code:
	spin	real_turns
	hlt /* faults in virtual-8086 mode */

/* --- SeaBIOS: transition32, transition16 ---------------------------------------------------- */

guest_seabios:
	spin	real_turns
	movl	$AT(seabios_32), %edx
	movl	%eax, %ecx
	cli
	cld
	movl	$0x8f, %eax /* index of the shutdown byte, NMI off */
	outb	%al, $0x70
	inb	$0x71, %al
	inb	$0x92, %al
	orb	$2, %al
	outb	%al, $0x92
	lidtw	%cs:AT(no_idtr)
	lgdtw	%cs:AT(gdtr)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $AT(1f)
	.code32
1:	movl	$DATA32, %eax
	load_segments
	movl	%ecx, %eax
	jmp	*%edx
seabios_32:
	spin	prot_turns
	movl	$AT(seabios_16), %edx
	movl	%eax, %ecx
	movl	$DATA16, %eax
	load_segments
	ljmpw	$CODE16, $AT(1f)
	.code16
1:	movl	%cr0, %eax
	andl	$~1, %eax
	movl	%eax, %cr0
	ljmpw	$0, $AT(1f)
1:	lidtw	%cs:AT(rm_idtr)
	xorw	%ax, %ax
	load_segments
	movl	%ecx, %eax
	jmpl	*%edx
seabios_16:
	decl	%edi
	jnz	guest_seabios
	ret

/* --- gfxboot: a 32-bit program; each interrupt is real mode's to handle ---------------------- */

guest_gfxboot:
	movl	%esp, AT(saved_sp)
	movw	%cs, AT(gfxboot_jump) + 3
	calll	gfxboot_enter
	.code32
gfxboot_round:
	spin	prot_turns
	int	$VECTOR
	decl	%edi
	jnz	gfxboot_round
	calll	gfxboot_leave
	.code16
	movl	AT(saved_sp), %esp
	ret

	.code32
gfxboot_interrupt:
	pushl	%ds
	pushl	%es
	pushl	%fs
	pushl	%gs
	pushl	%ebx
	movw	$DATA16, %bx
	movw	%bx, %ds
	movw	$DATA32, %bx
	movw	%bx, %es
	popl	%ebx
	pushfw /* the frame to which the real-mode handler returns */
	pushw	$0
	pushw	$AT(gfxboot_handled)
	pushl	%es:VECTOR_RM * 4
	calll	gfxboot_leave
	.code16
	lretw
gfxboot_handled:
	calll	gfxboot_enter
	.code32
	popl	%gs
	popl	%fs
	popl	%es
	popl	%ds
	iretl

/* Called by a 32-bit near call of 16-bit code; returns to 32-bit code. */
	.code16
gfxboot_enter:
	pushfw
	pushl	%eax
	movl	%cr0, %eax
	cli
	orb	$1, %al
	lgdtl	%cs:AT(gdtr)
	lidtl	%cs:AT(pm_idtr)
	movl	%eax, %cr0
	ljmpw	$CODE32, $AT(1f)
	.code32
1:	movw	$DATA16, %ax
	movw	%ax, %ds
	andl	$0xffff, %esp
	movw	$DATA32, %ax
	movw	%ax, %ss
	movw	%ax, %es
	movw	%ax, %fs
	movw	%ax, %gs
	xorl	%eax, %eax
	lldt	%ax
	movb	$0x89, AT(tss_descriptor) + 5
	movw	$TSS, %ax
	ltr	%ax
	popl	%eax
	popfw
	ret

/* The other way. */
gfxboot_leave:
	pushfw
	pushl	%eax
	pushl	%edx
	movl	%cr0, %eax
	cli
	lidtl	%cs:AT(rm_idtr)
	movw	$DATA16, %dx
	movw	%dx, %ss
	movw	%dx, %ds
	movw	%dx, %es
	movw	%dx, %fs
	movw	%dx, %gs
	ljmpl	$CODE16, $AT(1f)
	.code16
1:	andb	$0xfe, %al
	movl	%eax, %cr0
gfxboot_jump:
	ljmpw	$0xffff, $AT(1f) /* the segment is patched */
1:	xorw	%ax, %ax
	load_segments
	popl	%edx
	popl	%eax
	popfw
	retl

/* --- GRUB 2 (i386-pc): real_to_prot, prot_to_real -------------------------------------------- */

guest_grub:
	spin	real_turns
	calll	grub_to_prot
	.code32
	spin	prot_turns
	calll	grub_to_real
	.code16
	decl	%edi
	jnz	guest_grub
	ret

grub_to_prot:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AT(gdtr)
	movl	%cr0, %eax
	orl	$1, %eax
	movl	%eax, %cr0
	ljmpl	$CODE32, $AT(1f)
	.code32
1:	movw	$DATA32, %ax
	load_segments
	movl	(%esp), %eax
	movl	%eax, AT(grub_return)
	movl	%esp, AT(grub_stack)
	movl	$STACK32, %eax
	movl	%eax, %esp
	movl	%eax, %ebp
	movl	AT(grub_return), %eax
	movl	%eax, (%esp)
	xorl	%eax, %eax
	sidtl	AT(stored_idtr)
	lidtl	AT(pm_idtr)
	ret

grub_to_real:
	lgdtl	AT(gdtr)
	sidtl	AT(stored_idtr)
	lidtl	AT(rm_idtr)
	movl	(%esp), %eax
	movl	%eax, AT(grub_return)
	movl	AT(grub_stack), %esp
	movl	%esp, %ebp
	movl	AT(grub_return), %eax
	movl	%eax, (%esp)
	movw	$DATA16, %ax
	load_segments
	ljmpl	$CODE16, $AT(1f)
	.code16
1:	movl	%cr0, %eax
	andl	$~1, %eax
	movl	%eax, %cr0
	ljmpl	$0, $AT(1f)
1:	xorl	%eax, %eax
	load_segments
	retl

/* --- iPXE: real_to_prot, prot_to_real of its librm; A20 is known to be on ---------------------- */

guest_ipxe:
	movl	%esp, AT(saved_sp)
5:	spin	real_turns
	xorl	%eax, %eax
	movw	%ss, %ax
	shll	$4, %eax
	movzwl	%sp, %ebp
	leal	(%eax,%ebp), %esi
	lgdtl	AT(gdtr)
	xorw	%ax, %ax
	load_segments
	cli
	set_pe
	ljmpl	$CODE32, $AT(1f)
	.code32
1:	movw	$DATA32, %ax
	load_segments
	movl	$STACK32, %esp
	lidtl	AT(pm_idtr)
	pushl	%edi
	movl	$(STACK32 - 64), %edi
	movl	$4, %ecx
	rep movsb /* its return address; nothing else is passed */
	popl	%edi
	spin	prot_turns
	lidtl	AT(rm_idtr)
	pushl	%edi
	movl	%ebp, %edi
	movl	$(STACK32 - 64), %esi
	movl	$4, %ecx
	rep movsb
	popl	%edi
	movw	$DATA16, %ax
	load_segments
	ljmpl	$CODE16, $AT(1f)
	.code16
1:	lgdtl	%cs:AT(gdtr)
	clear_pe
	ljmpw	$0, $AT(1f)
1:	xorw	%ax, %ax
	load_segments
	movzwl	%bp, %esp
	decl	%edi
	jnz	5b
	movl	AT(saved_sp), %esp
	ret
bench_guest_end:
	.balign 4
	.globl bench_guest_size
bench_guest_size:
	.long bench_guest_end - bench_guest
	.section .note.GNU-stack, "", %progbits
