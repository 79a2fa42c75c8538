; A20 off and on, in real mode and in protected mode, seen from both.
%include "guest.inc"
%include "irq.inc"
	GUEST "a20"
gdt_end:

; 1:1800h, and its alias at 1 MiB more
LOW	equ 0x1800
%macro SET_A20 1
	in al, 0x92
	and al, 0xfc
	or al, %1 * 2
	out 0x92, al
%endmacro
; WRAPS 0 or 1, check: in real mode
%macro WRAPS 2
	push word LOW / 16
	pop es
	push word 0xffff
	pop gs
	mov word [es:0], 0x1111
	mov word [gs:LOW + 16], 0x2222
	cmp word [es:0], 0x1111 + %1 * 0x1111
	CHECK e, %2
%endmacro
; The same in 32-bit code
%macro WRAPS32 2
	mov dword [LOW], 0x33333333
	mov dword [0x100000 + LOW], 0x44444444
	cmp dword [LOW], 0x33333333 + %1 * 0x11111111
	CHECK e, %2
%endmacro

start:	IRQ_COMMAND 0xd1
	mov al, 0xdd		; the keyboard controller's A20 off; the two are ORed
	out 0x60, al
	lgdt [gdtr]
	mov byte [rounds], 3
again:	SET_A20 0
	WRAPS 1, 1
	TO32
	WRAPS32 1, 2
	SET_A20 1
	WRAPS32 0, 3
	TO_REAL
	WRAPS 0, 4
	TO32
	WRAPS32 0, 5
	SET_A20 0
	WRAPS32 1, 6
	mov eax, [0x100000 + BASE + name - $$]	; code and data of this guest, too
	cmp eax, [BASE + name - $$]
	CHECK e, 7
	TO_REAL
	WRAPS 1, 8
	SET_A20 1
	WRAPS 0, 9
	dec byte [rounds]
	jnz again
	jmp passed
rounds:	db 0
	END
