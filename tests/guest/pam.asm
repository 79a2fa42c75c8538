; The ROM at F0000h, which cannot be written, and the RAM that the host bridge lays over it
; (82441FX, PAM0): read and written, read only, and written while the ROM is read. Each is
; switched in one mode and seen from both.
%include "guest.inc"
	GUEST "pam"
gdt_end:

PLACE	equ 0xf8000	; the ROM is FFh there
TOP	equ 0xffff8000	; the same ROM
ROM	equ 0x00	; where reads and writes go
READ	equ 0x10
WRITE	equ 0x20
%macro PAM0 1
	mov eax, 0x80000058
	mov dx, 0xcf8
	out dx, eax
	mov al, %1
	mov dx, 0xcfd
	out dx, al
%endmacro
%macro STORE 1
%if __BITS__ = 16
	push word PLACE / 16
	pop es
	mov byte [es:0], %1
%else
	mov byte [PLACE], %1
%endif
%endmacro
; HOLDS value, check
%macro HOLDS 2
%if __BITS__ = 16
	push word PLACE / 16
	pop es
	cmp byte [es:0], %1
%else
	cmp byte [PLACE], %1
%endif
	CHECK e, %2
%endmacro

start:	lgdt [gdtr]
	mov byte [rounds], 3
again:	HOLDS 0xff, 1
	STORE 0x12
	HOLDS 0xff, 2
	TO32
	HOLDS 0xff, 3
	STORE 0x12
	HOLDS 0xff, 4
	mov byte [TOP], 0x12
	cmp byte [TOP], 0xff
	CHECK e, 5
	PAM0 READ | WRITE
	STORE 0x34
	HOLDS 0x34, 6
	cmp byte [TOP], 0xff
	CHECK e, 7
	TO_REAL
	HOLDS 0x34, 8
	STORE 0x56
	HOLDS 0x56, 9
	PAM0 READ
	STORE 0x78
	HOLDS 0x56, 10
	TO32
	HOLDS 0x56, 11
	STORE 0x9a
	HOLDS 0x56, 12
	PAM0 WRITE
	STORE 0xbc
	HOLDS 0xff, 13
	TO_REAL
	HOLDS 0xff, 14
	STORE 0xde
	PAM0 READ
	HOLDS 0xde, 15
	TO32
	HOLDS 0xde, 16
	PAM0 READ | WRITE
	STORE 0xff
	PAM0 ROM
	HOLDS 0xff, 17
	TO_REAL
	dec byte [rounds]
	jnz again
	jmp passed
rounds:	db 0
	END
