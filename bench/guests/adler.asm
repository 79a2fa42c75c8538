; Adler-32 over 5,552 bytes at a time, its remainders by DIV, ten times a round.
%include "guest.inc"
next:	again work
work:	mov ax, 0x2000
	mov gs, ax
	mov bp, 10
	mov edi, 1
	xor esi, esi
.part:	xor bx, bx
	mov cx, 5552
.byte:	movzx eax, byte [gs:bx]
	add edi, eax
	add esi, edi
	inc bx
	cmp bx, cx
	jb .byte
	mov ebx, 65521
	mov eax, edi
	xor edx, edx
	div ebx
	mov edi, edx
	mov eax, esi
	xor edx, edx
	div ebx
	mov esi, edx
	dec bp
	jnz .part
	jmp next
ending
