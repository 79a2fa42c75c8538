; As window.asm, in 32-bit protected mode.
%include "guest.inc"
%include "irq.inc"
	GUEST "window32"
gdt_end:
	IRQ_CODE
	bits 32
due:	call IRQ_ASK32
	mov al, 0x0a
	out 0x20, al
.wait:	in al, 0x20
	test al, 2
	jz .wait
	ret
%macro CAME 1
	dec byte [BASE + count]
	CHECK z, %1
%endmacro
	bits 16
start:	IRQ_SETUP
	lgdt [gdtr]
	lidt [idtr]
	GATE IRQ_VECTOR, handler
	mov bp, 20
	TO32
again:	call due
	sti
	nop
	cli
	CAME 1

	call due
	sti
	cli
	cmp byte [BASE + count], 0
	CHECK e, 2
	sti
	nop
	cli
	CAME 3

	call due
	pushfd
	or dword [esp], 0x200
	popfd
	cli
	CAME 4

	call due
	pushfd
	or dword [esp], 0x200
	push cs
	push dword BASE + .back
	iretd
.back:	cli
	CAME 5

	call due
	sti
	in al, 0x61
	cli
	CAME 6

	call due
	sti
	hlt
	cli
	CAME 7
	dec bp
	jnz again
	TO_REAL
	jmp passed
	bits 32
handler:
	push eax
	in al, 0x60
	mov al, 0x20
	out 0x20, al
	inc byte [BASE + count]
	pop eax
	iretd
count:	db 0
	bits 16
	END
