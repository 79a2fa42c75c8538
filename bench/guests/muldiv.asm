; MUL, DIV, IMUL and IDIV, 10,000 of each a round.
%include "guest.inc"
next:	again work
work:	mov cx, 10000
.turn:	mov eax, 0x12345678
	mov ebx, 77777
	mul ebx
	mov ebx, 99991
	div ebx
	imul si, ax, 13
	mov ax, si
	cwd
	mov bx, 37
	idiv bx
	dec cx
	jnz .turn
	jmp next
ending
