; Registers, 16 bits: a million turns a round.
%include "guest.inc"
next:	again work
work:	mov dx, 20
.outer:	mov cx, 50000
.turn:	add ax, bx
	xor bx, cx
	shl si, 1
	adc di, ax
	loop .turn
	dec dx
	jnz .outer
	jmp next
ending
