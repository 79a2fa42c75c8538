; Far calls with segment loads, 10,000 a round.
%include "guest.inc"
next:	again work
work:	mov cx, 10000
.turn:	call 0x0700:callee - 0x7000
	dec cx
	jnz .turn
	jmp next
callee:	push ds
	mov ax, 0x2000
	mov ds, ax
	mov es, ax
	inc word [0]
	pop ds
	retf
ending
