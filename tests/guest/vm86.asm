; To vm86 by IRETD, and back by INT, an external interrupt and a fault; to real mode
; from there, five times.
%include "guest.inc"
%include "irq.inc"
	GUEST "vm86"
TSS	equ FREE
	dq 0x00008b0000000088 | (BASE + tss - $$) << 16
gdt_end:
	align 4
tss:	dd 0, STACK - 0x1000, DATA32
	times 25 - 3 dd 0
	dd 0x680000
	times 32 db 0		; ports 0 to FFh
	db 0xff

VM	equ 0x20000
start:	IRQ_SETUP
	GATE 0x30, soft, 0xee00
	GATE 0x31, leave_vm86, 0xee00
	GATE 13, fault
	GATE IRQ_VECTOR, irq
	lgdt [gdtr]
	lidt [idtr]
	mov byte [rounds], 5
again:	mov byte [tss_busy], 0x89
	TO32
	mov eax, TSS
	ltr ax
	xor eax, eax
	mov [BASE + softs], eax
	mov [BASE + irqs], eax
	mov [BASE + faults], eax
	mov eax, 0x3000		; IOPL 3: INT, STI and CLI are allowed
	call enter
	cmp dword [BASE + softs], 3
	CHECK e, 1
	cmp dword [BASE + irqs], 1
	CHECK e, 2
	cmp dword [BASE + faults], 0
	CHECK e, 3
	xor eax, eax		; IOPL 0: each of them faults
	call enter
	cmp dword [BASE + softs], 3
	CHECK e, 4
	cmp dword [BASE + faults], 6
	CHECK e, 5
	TO_REAL
	dec byte [rounds]
	jnz again
	jmp passed

	bits 32
; eax: IOPL. Returns by leave_vm86.
enter:	mov [BASE + saved], esp
	push dword 0x4444	; gs
	push dword 0x3333
	push dword 0x2222
	push dword 0x1111	; es
	push dword 0
	push dword STACK - 0x2000
	or eax, VM | 2
	push eax
	push dword BASE / 16
	push dword inside
	iretd
	bits 16
inside:	mov ax, es
	cmp ax, 0x1111
	CHECK e, 6
	mov ax, gs
	cmp ax, 0x4444
	CHECK e, 7
	mov ax, BASE / 16
	mov ds, ax
	smsw ax
	test al, 1
	CHECK nz, 8
	mov cx, 3
.again:	int 0x30
	loop .again
	call IRQ_ASK
	sti
	nop
	nop
	cli
	in al, 0x64		; one that nobody took
	test al, 1
	jz .none
	in al, 0x60
.none:	mov bp, 0x5a5a
	int 0x31
	FAIL 9
	bits 32
soft:	test byte [esp + 10], VM >> 16
	CHECK nz, 10
	cmp word [esp + 4], BASE / 16
	CHECK e, 11
	cmp dword [esp + 16], 0	; vm86's SS
	CHECK e, 12
	cmp dword [esp + 20], 0x1111
	CHECK e, 13
	mov ax, ds		; all null
	test ax, ax
	CHECK z, 14
	inc dword [ss:BASE + softs]
	iretd
irq:	push eax
	in al, 0x60
	mov al, 0x20
	out 0x20, al
	inc dword [ss:BASE + irqs]
	pop eax
	iretd
; Of INT n: over it; INT 31h does what it does. Of others: one byte on.
fault:	add esp, 4
	mov eax, ss
	mov ds, eax
	inc dword [BASE + faults]
	mov eax, [esp]
	cmp word [eax + BASE], 0x31cd
	je leave_vm86
	cmp byte [eax + BASE], 0xcd
	jne .one
	inc dword [esp]
.one:	inc dword [esp]
	iretd
leave_vm86:
	mov eax, DATA32
	LOAD ds, es, fs, gs
	mov esp, [BASE + saved]
	cmp bp, 0x5a5a
	CHECK e, 15
	ret
	IRQ_CODE
tss_busy equ gdt + TSS + 5
	align 4
saved:	dd 0
softs:	dd 0
irqs:	dd 0
faults:	dd 0
rounds:	db 0
	END
