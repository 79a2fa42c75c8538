; Eratosthenes over 8,190 bytes, ten times a round.
%include "guest.inc"
SIZE equ 8190
next:	again work
work:	mov ax, 0x2000
	mov es, ax
	mov bp, 10
.pass:	xor di, di
.fill:	mov byte [es:di], 1
	inc di
	cmp di, SIZE + 1
	jb .fill
	xor si, si
	xor dx, dx
.number: cmp byte [es:si], 0
	je .no
	lea bx, [si]
	add bx, si
	add bx, 3
	mov di, si
	add di, bx
.strike: cmp di, SIZE
	ja .done
	mov byte [es:di], 0
	add di, bx
	jmp .strike
.done:	inc dx
.no:	inc si
	cmp si, SIZE
	jbe .number
	dec bp
	jnz .pass
	jmp next
ending
