; Near calls and returns, 100,000 a round, two levels.
%include "guest.inc"
next:	again work
work:	mov ecx, 50000
.turn:	call outer
	dec ecx
	jnz .turn
	jmp next
outer:	push bx
	call inner
	pop bx
	ret
inner:	inc ax
	ret
ending
