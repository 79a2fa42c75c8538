; Protected mode to virtual-8086 mode by IRET and back by a fault, 1,000 trips a round.
%include "guest.inc"
STACK	equ 0x6000
	lgdt [gdtr]
	lidt [idtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:protected
bits 32
protected:
	mov ax, 16
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov word [tss + 8], 16
	mov dword [tss + 4], STACK
	mov ax, 24
	ltr ax
next:	dec dword [rounds]
	js near done
	mov cx, 1000
turn:	mov esp, STACK
	xor eax, eax
	push eax		; GS, FS, DS, ES
	push eax
	push eax
	push eax
	push eax		; SS:ESP
	push dword 0x5000
	push dword 0x20002	; VM
	push eax
	push dword virtual
	iretd
fault:	mov ax, 16
	mov ds, ax
	mov es, ax
	dec cx
	jnz turn
	jmp next
done:	mov al, 0x21
	out 0xf4, al
	hlt
bits 16
virtual:
	hlt
align 4
rounds	dd ROUNDS
gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0xcf
	dw 0xffff, 0, 0x9300, 0xcf
	dw 0x67, tss, 0x8900, 0
gdtr:	dw 31
	dd gdt
idtr:	dw 14 * 8 - 1
	dd idt - 13 * 8
idt:	dw fault, 8, 0x8e00, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
tss	equ 0x8000
