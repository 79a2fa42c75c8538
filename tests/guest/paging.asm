; PE and PG set by one MOV CR0, and cleared by one, and PG and PE cleared by two;
; between, a page that is somewhere else, and a page fault.
%include "guest.inc"
	GUEST "paging"
gdt_end:

DIRECTORY equ 0x20000
TABLE	equ 0x21000
MOVED	equ 0x50000	; where linear 60000h is
AWAY	equ 0x70000	; not there

start:	push word DIRECTORY / 16
	pop es
	xor di, di
	xor eax, eax
	mov cx, 0x400
	rep stosd
	mov dword [es:0], TABLE + 7
	push word TABLE / 16
	pop es
	xor di, di
	mov eax, 7
	mov cx, 0x400
.fill:	stosd
	add eax, 0x1000
	loop .fill
	mov dword [es:0x60 * 4], MOVED + 7
	mov dword [es:0x70 * 4], 0
	GATE 14, page_fault
	lgdt [gdtr]
	lidt [idtr]
	mov eax, DIRECTORY
	mov cr3, eax
	mov byte [rounds], 4
again:	push word MOVED / 16
	pop es
	mov dword [es:0x10], 0xcafe0000
	mov eax, cr0
	or eax, 0x80000001
	mov cr0, eax
	jmp dword CODE32:BASE + .paged
	bits 32
.paged:	mov eax, DATA32
	LOAD ds, es, fs, gs, ss
	movzx esp, sp
	cmp dword [0x60010], 0xcafe0000
	CHECK e, 1
	mov dword [0x60010], 0xbeef
	cmp dword [MOVED + 0x10], 0xbeef
	CHECK e, 2
	mov dword [BASE + faults], 0
	mov eax, [AWAY + 8]	; mapped by the fault
	cmp dword [BASE + faults], 1
	CHECK e, 3
	mov dword [TABLE + 0x70 * 4], 0
	invlpg [AWAY]
	test byte [BASE + rounds], 1
	jnz .apart
	TO_REAL_BY 0x80000001
	jmp next
	bits 32
.apart:	CR0_CLEAR 0x80000000
	TO_REAL_BY 1
next:	push word MOVED / 16
	pop es
	cmp dword [es:0x10], 0xbeef
	CHECK e, 4
	mov eax, cr0
	test eax, 0x80000001
	CHECK z, 5
	dec byte [rounds]
	jnz again
	jmp passed
	bits 32
page_fault:
	push eax
	mov eax, cr2
	cmp eax, AWAY + 8
	CHECK e, 6
	test dword [esp + 4], 1
	CHECK z, 7
	mov dword [TABLE + 0x70 * 4], AWAY + 7
	inc dword [BASE + faults]
	pop eax
	add esp, 4
	iretd
	align 4
faults:	dd 0
rounds:	db 0
	END
