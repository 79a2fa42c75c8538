/* The parts of virtio.c that C has no words for. */
#define TRIP 0x7000 /* where the code for real mode goes */
#define CODE 0x08
#define DATA 0x10
#define CODE16 0x18
#define DATA16 0x20

	.section .head, "ax"
	.globl start, trip, load_idt, on_interrupt, on_spurious
start:
	cld
	lgdt table_register
	ljmp $CODE, $1f
1:	mov $DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov $stack_end, %esp
	mov $trip16, %esi
	mov $TRIP, %edi
	mov $trip16_end - trip16, %ecx
	rep movsb
	push $0
	push $0
	call kernel_main
	mov $0xf4, %dx
	out %al, %dx
1:	cli
	hlt
	jmp 1b

/* uint16_t trip(notify, watched): writes 0 to the one, leaves protected mode at once,
 * and reads the other from there, where it must be in reach. */
trip:
	push %ebx
	push %esi
	mov 12(%esp), %esi
	mov 16(%esp), %ebx
	xor %edx, %edx
	mov %cr0, %eax
	and $~1, %eax
	ljmp $CODE16, $TRIP
trip_back:
	mov $DATA, %edx
	mov %edx, %ds
	mov %edx, %es
	mov %edx, %ss
	movzwl %cx, %eax
	pop %esi
	pop %ebx
	ret

	.code16
trip16:
	movl %edx, %ds:(%esi)       /* DS is still flat */
	mov %eax, %cr0
	ljmp $0, $TRIP + 1f - trip16
1:	movl %ebx, %ecx
	shrl $4, %ecx
	mov %cx, %ds
	and $15, %bx
	mov (%bx), %cx
	or $1, %al
	mov %eax, %cr0
	ljmpl $CODE, $trip_back
trip16_end:
	.code32

load_idt:
	mov 4(%esp), %eax
	mov 8(%esp), %ecx
	dec %ecx
	sub $8, %esp
	mov %cx, (%esp)
	mov %eax, 2(%esp)
	lidt (%esp)
	add $8, %esp
	ret

on_interrupt:
	pusha
	call interrupt_came
	popa
	iret
on_spurious:
	iret

	.balign 8
table:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff, 0x000093000000ffff
table_register:
	.word . - table - 1
	.long table

	.bss
	.balign 16
	.skip 4096
stack_end:
	.section .note.GNU-stack, "", @progbits
