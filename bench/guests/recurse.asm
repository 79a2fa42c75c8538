; Recursion: the 18th Fibonacci number by 8,361 calls, and a chain of calls 500 deep,
; ten times a round.
%include "guest.inc"
next:	again work
work:	mov bp, 10
.turn:	mov ax, 18
	call fibonacci
	mov cx, 500
	call deep
	dec bp
	jnz .turn
	jmp next
fibonacci:
	cmp ax, 2
	jb .end
	push ax
	dec ax
	call fibonacci
	pop bx
	push ax
	lea ax, [bx - 2]
	call fibonacci
	pop bx
	add ax, bx
.end:	ret
deep:	dec cx
	jz .end
	call deep
	inc dx
.end:	ret
ending
