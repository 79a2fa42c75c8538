; Interrupts that come while IF is clear, and are let in for one instruction or between
; two, by each instruction of real mode that sets IF; and by STI and CLI not at all.
%include "guest.inc"
%include "irq.inc"
	GUEST "window"
gdt_end:
	IRQ_CODE
	bits 16
; An interrupt is due.
due:	call IRQ_ASK
	mov al, 0x0a		; reads give the requests
	out 0x20, al
.wait:	in al, 0x20
	test al, 2
	jz .wait
	ret
; %1: check; one came, and no more
%macro CAME 1
	dec byte [count]
	CHECK z, %1
%endmacro

start:	VECTOR IRQ_VECTOR, handler
	IRQ_SETUP
	mov bp, 40
again:	call due
	sti
	nop
	cli
	CAME 1

	call due
	sti
	cli
	cmp byte [count], 0
	CHECK e, 2
	sti
	nop
	cli
	CAME 3

	call due
	pushf
	or word [esp], 0x200
	popf
	cli
	CAME 4

	call due
	pushfd
	or word [esp], 0x200
	popfd
	cli
	CAME 5

	call due
	pushf
	or word [esp], 0x200
	push cs
	push word .back
	iret
.back:	cli
	CAME 6

	call due
	sti
	in al, 0x61
	cli
	CAME 7

	call due
	sti
	hlt
	cli
	CAME 8
	dec bp
	jnz again
	jmp passed
handler:
	push ax
	in al, 0x60
	mov al, 0x20
	out 0x20, al
	inc byte [cs:count]
	pop ax
	iret
count:	db 0
	END
