; PAE paging, set and cleared twice: each MOV to CR0 with PG loads the four entries of
; the page directory pointer table, which no processor writes to. A processor with two
; levels of paging may set the accessed bit in them, for which KVM then takes the table
; for a wrong one: check 4.
%include "guest.inc"
	GUEST "pae"
gdt_end:

POINTERS equ 0x20000
TABLES	equ 0x21000
MOVED	equ 0x600000	; where linear 40200000h is

start:	push word POINTERS / 16
	pop es
	xor di, di
	xor eax, eax
	mov cx, 0xc00
	rep stosd
	mov dword [es:0], TABLES + 1
	mov dword [es:8], TABLES + 0x1001
	mov dword [es:0x1000], 0xe7	; the first 2 MiB, accessed and dirty
	mov dword [es:0x2008], MOVED + 0xe7
	GATE 13, fault
	lgdt [gdtr]
	lidt [idtr]
	mov eax, cr4
	or al, 0x20		; PAE
	mov cr4, eax
	mov eax, POINTERS
	mov cr3, eax
	TO32
	mov dword [MOVED], 0xcafe0000
	mov ecx, 2
again:	CR0_SET 0x80000000
	cmp dword [0x40200000], 0xcafe0000
	CHECK e, 1
	inc dword [0x40200000]
	CR0_CLEAR 0x80000000
	cmp dword [MOVED], 0xcafe0001
	CHECK e, 2
	dec dword [MOVED]
	loop again
	cmp dword [POINTERS], TABLES + 1
	CHECK e, 3
	cmp dword [POINTERS + 8], TABLES + 0x1001
	CHECK e, 3
	TO_REAL
	jmp passed
	bits 32
fault:	mov eax, [POINTERS]
	or eax, [POINTERS + 8]
	test al, 0x20
	CHECK z, 4
	FAIL 5
	END
