; INT and IRET, 10,000 a round.
%include "guest.inc"
	mov word [0x60 * 4], handler
	mov word [0x60 * 4 + 2], 0
next:	again work
work:	mov cx, 10000
.turn:	int 0x60
	dec cx
	jnz .turn
	jmp next
handler:
	inc ax
	iret
ending
