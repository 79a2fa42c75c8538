; Real mode to protected mode and back, 1,000 trips a round.
%include "guest.inc"
	lgdt [gdtr]
next:	again work
work:	mov cx, 1000
.turn:	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:.protected
.protected:
	mov bx, 16
	mov ds, bx
	mov es, bx
	and al, 0xfe
	mov cr0, eax
	jmp 0:.real
.real:	xor bx, bx
	mov ds, bx
	mov es, bx
	dec cx
	jnz .turn
	jmp next
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0
	dw 0xffff, 0, 0x9300, 0
gdtr:	dw 23
	dd gdt
ending
