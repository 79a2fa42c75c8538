; Protected mode for a million instructions, and real mode for a moment.
%include "guest.inc"
	lgdt [gdtr]
next:	again work
work:	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:.protected
.protected:
	mov bx, 16
	mov ds, bx
	mov es, bx
	mov ss, bx
	mov fs, bx
	mov gs, bx
	mov ecx, 500000
.loop:	dec ecx
	jnz .loop
	and al, 0xfe
	mov cr0, eax
	jmp 0:.real
.real:	xor bx, bx
	mov ds, bx
	mov es, bx
	mov ss, bx
	mov fs, bx
	mov gs, bx
	jmp next
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0
	dw 0xffff, 0, 0x9300, 0
gdtr:	dw 23
	dd gdt
ending
