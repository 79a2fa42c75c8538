; REP MOVSW of 60 KiB and REP STOSB of 30 KiB, ten times a round.
%include "guest.inc"
next:	again work
work:	mov bx, 10
.turn:	mov ax, 0x2000
	mov ds, ax
	mov ax, 0x3000
	mov es, ax
	xor si, si
	xor di, di
	mov cx, 30720
	rep movsw
	xor di, di
	mov cx, 30720
	rep stosb
	dec bx
	jnz .turn
	xor ax, ax
	mov ds, ax
	jmp next
ending
