; Task switches to a vm86 task: by a jump, back by a task gate; by a call, back by
; IRET with NT.
%include "guest.inc"
	GUEST "task"
MAIN	equ FREE
VIRTUAL	equ FREE + 8
	dq 0x0000890000000067 | (BASE + main_tss - $$) << 16
	dq 0x0000890000000067 | (BASE + vm_tss - $$) << 16
gdt_end:
	align 4
main_tss: times 26 dd 0
vm_tss:	times 26 dd 0

start:	GATE 0x31, by_nt, 0xee00
	push word 0
	pop es
	mov dword [es:0x30 * 8], MAIN << 16
	mov dword [es:0x30 * 8 + 4], 0xe500
	lgdt [gdtr]
	lidt [idtr]
	mov byte [rounds], 3
again:	mov byte [gdt + MAIN + 5], 0x89
	mov byte [gdt + VIRTUAL + 5], 0x89
	TO32
	mov eax, MAIN
	ltr ax
	; a jump: MAIN is free then, and the gate finds it so
	mov edi, by_jump
	call set_task
	mov dword [BASE + seen], 0
	mov ebx, 0x11223344
	jmp VIRTUAL:0
	cmp ebx, 0x11223344
	CHECK e, 1
	cmp dword [BASE + seen], 0x4321
	CHECK e, 2
	pushfd
	pop eax
	test eax, 0x4000	; NT: nested in the vm86 task
	CHECK nz, 3
	cmp word [BASE + main_tss], VIRTUAL
	CHECK e, 4
	test byte [BASE + vm_tss + 0x26], 2	; VM is in its EFLAGS
	CHECK nz, 5
	cmp word [BASE + vm_tss + 0x4c], BASE / 16
	CHECK e, 6
	push dword 2
	popfd
	mov byte [BASE + gdt + VIRTUAL + 5], 0x89
	; a call
	mov edi, by_call
	call set_task
	mov dword [BASE + seen], 0
	call VIRTUAL:0
	cmp ebx, 0x11223344
	CHECK e, 7
	cmp dword [BASE + seen], 0x8765
	CHECK e, 8
	str ax
	cmp ax, MAIN
	CHECK e, 9
	clts
	TO_REAL
	dec byte [rounds]
	jnz again
	jmp passed

	bits 32
; edi: where the vm86 task starts
set_task:
	push edi
	mov edi, BASE + vm_tss
	xor eax, eax
	mov ecx, 26
	cld
	rep stosd
	pop dword [BASE + vm_tss + 0x20]
	mov dword [BASE + vm_tss + 0x24], 0x23002	; VM, IOPL 3
	mov dword [BASE + vm_tss + 0x04], STACK - 0x1000
	mov dword [BASE + vm_tss + 0x08], DATA32
	mov dword [BASE + vm_tss + 0x38], STACK - 0x2000
	mov dword [BASE + vm_tss + 0x4c], BASE / 16
	mov dword [BASE + vm_tss + 0x54], BASE / 16
	mov word [BASE + vm_tss + 0x66], 0x68
	ret
	bits 16
by_jump:
	mov ax, cs
	cmp ax, BASE / 16
	CHECK e, 10
	mov ebx, 0xdead
	mov dword [seen], 0x4321
	int 0x30
	FAIL 11
by_call:
	mov ebx, 0xdead
	mov dword [seen], 0x8765
	int 0x31
	FAIL 12
	bits 32
by_nt:	pushfd
	or dword [esp], 0x4000
	popfd
	iretd
	align 4
seen:	dd 0
rounds:	db 0
	END
