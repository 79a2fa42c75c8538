; 16-bit protected mode: INT, a fault with an error code and an external interrupt
; by 16-bit gates, and a call of 32-bit code and back.
%include "guest.inc"
%include "irq.inc"
	GUEST "pm16"
gdt_end:

%macro GATE16 2
	push ds
	push word 0
	pop ds
	mov word [%1 * 8], %2
	mov word [%1 * 8 + 2], CODE16
	mov dword [%1 * 8 + 4], 0x8600
	pop ds
%endmacro

start:	IRQ_SETUP
	lgdt [gdtr]
	lidt [idtr]
	GATE16 0x30, soft
	GATE16 13, fault
	GATE16 IRQ_VECTOR, irq
	mov cx, 5
again:	CR0_SET 1
	jmp CODE16:.narrow
.narrow:
	mov ax, LOW16
	mov ss, ax
	mov ax, DATA16
	LOAD ds, es, fs, gs
	mov sp, STACK
	call clear
	int 0x30
	cmp byte [softs], 1
	CHECK e, 1
	mov si, 0xff8
	mov fs, si		; past the GDT
	cmp byte [faults], 1
	CHECK e, 2
	call IRQ_ASK
	sti
	nop
	nop
	cli
	cmp byte [irqs], 1
	CHECK e, 3
	call dword CODE32:BASE + wide
	cmp eax, 0x12345678
	CHECK e, 4
	cmp sp, STACK
	CHECK e, 5
	CR0_CLEAR 1
	jmp BASE / 16:.real
.real:	xor ax, ax
	mov ss, ax
	mov ax, cs
	LOAD ds, es, fs, gs
	dec cx
	jnz again
	jmp passed
clear:	mov byte [softs], 0
	mov byte [faults], 0
	mov byte [irqs], 0
	ret
soft:	inc byte [softs]
	iret
fault:	inc byte [faults]
	push bp
	mov bp, sp
	add word [bp + 4], 2	; 8E E6; behind BP and the error code
	cmp word [bp + 2], 0xff8
	CHECK e, 6
	pop bp
	add sp, 2
	iret
irq:	push ax
	in al, 0x60
	mov al, 0x20
	out 0x20, al
	inc byte [irqs]
	pop ax
	iret
	bits 32
wide:	mov eax, 0x12345678
	o32 retf
	IRQ_CODE
softs:	db 0
faults:	db 0
irqs:	db 0
	END
