; OUT to the POST port, 10,000 a round.
%include "guest.inc"
next:	again work
work:	mov cx, 10000
.turn:	out 0x80, al
	dec cx
	jnz .turn
	jmp next
ending
