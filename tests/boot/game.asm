; A game in a boot sector, as DOS users knew them: the @ walks with the arrow keys, takes
; the three stars and keeps off the mine. Text memory, INT 10h and 16h, and the timer's
; interrupt 1Ch, which counts in the corner.
bits 16
org 0x7c00

COLUMNS equ 80
CENTRE  equ (12 * COLUMNS + 40) * 2

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	cli
	mov word [0x1c * 4], tick
	mov word [0x1c * 4 + 2], ax
	sti
	cld
	mov ax, 3
	int 0x10
	mov ah, 1               ; no cursor
	mov cx, 0x2000
	int 0x10
	mov ax, 0xb800
	mov es, ax
	mov si, title
	mov di, 0
	call print
	mov word [es:CENTRE - 12], 0x0e00 + '*'
	mov word [es:CENTRE + 12], 0x0e00 + '*'
	mov word [es:CENTRE + COLUMNS * 2 * 3], 0x0e00 + '*'
	mov word [es:CENTRE - COLUMNS * 2 * 3], 0x0c00 + 'o'
	mov di, CENTRE

turn:	mov word [es:di], 0x0f00 + '@'
	mov al, [score]
	add al, '0'
	mov [es:2 * 76], al
	cmp byte [score], 3
	mov si, won
	je over
	xor ax, ax
	int 0x16
	mov bx, -COLUMNS * 2
	cmp ah, 0x48
	je move
	neg bx
	cmp ah, 0x50
	je move
	mov bx, -2
	cmp ah, 0x4b
	je move
	neg bx
	cmp ah, 0x4d
	jne turn
move:	mov word [es:di], 0x0720
	add di, bx
	cmp byte [es:di], 'o'
	mov si, lost
	je over
	cmp byte [es:di], '*'
	jne turn
	inc byte [score]
	mov ax, 0x0e07          ; ring
	int 0x10
	jmp turn

over:	mov di, 24 * COLUMNS * 2
	call print
	xor ax, ax
	int 0x16
	int 0x19                ; again, from the start

print:	mov ah, 0x0a
.next:	lodsb
	test al, al
	jz .out
	stosw
	jmp .next
.out:	ret

tick:	push es
	push word 0xb800
	pop es
	inc byte [es:2 * 79]
	mov byte [es:2 * 79 + 1], 8
	pop es
	iret

score:	db 0
title:	db "Take the stars, keep off the mine", 0
won:	db "You have won", 0
lost:	db "The mine has got you", 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
