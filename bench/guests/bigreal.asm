; Big real mode: 32-bit addresses above 1 MiB, 65,536 words a round.
%include "guest.inc"
	in al, 0x92
	or al, 2
	out 0x92, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 8
	mov fs, bx
	and al, 0xfe
	mov cr0, eax
	xor bx, bx
	mov fs, bx
next:	again work
work:	mov edi, 0x200000
	mov ecx, 65536
.turn:	mov eax, [fs:edi]
	add eax, ecx
	mov [fs:edi], eax
	add edi, 4
	dec ecx
	jnz .turn
	jmp next
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9300, 0x00cf
gdtr:	dw 15
	dd gdt
ending
