; Big real mode: string instructions with 32-bit addresses above 1 MiB, one by one and
; repeated, 16,384 words of either kind a round.
%include "guest.inc"
	in al, 0x92
	or al, 2
	out 0x92, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	mov bx, 8
	mov ds, bx
	mov es, bx
	and al, 0xfe
	mov cr0, eax
	xor bx, bx
	mov ds, bx
	mov es, bx
next:	again work
work:	mov esi, 0x200000
	mov edi, 0x300000
	mov ecx, 16384
.turn:	a32 lodsd
	add eax, ecx
	a32 stosd
	dec ecx
	jnz .turn
	mov esi, 0x300000
	mov edi, 0x200000
	mov ecx, 16384
	a32 rep movsd
	jmp next
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9300, 0x00cf
gdtr:	dw 15
	dd gdt
ending
