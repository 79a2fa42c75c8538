; Variables in the page of the code, 100,000 turns a round.
%include "guest.inc"
next:	again work
work:	mov ecx, 100000
.turn:	inc word [.count]
	mov ax, [.count]
	mov [.copy], ax
	add [.sum], ax
	dec ecx
	jnz .turn
	jmp next
.count	dw 0
.copy	dw 0
.sum	dw 0
ending
