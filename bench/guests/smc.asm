; An immediate that is patched before each run of its instruction, 1,000 a round.
%include "guest.inc"
next:	again work
work:	mov cx, 1000
.turn:	mov [.patched + 1], cx
	jmp .patched
.patched:
	mov bx, 0
	add ax, bx
	dec cx
	jnz .turn
	jmp next
ending
