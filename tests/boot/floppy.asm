; A boot sector that reads its floppy track by track, TRACKS, HEADS and SECTORS of it,
; and shows the sum of all 16-bit words.
bits 16
org 0x7c00

BUFFER equ 0x8000               ; 36 sectors, in one 64-KiB page

	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	xor bp, bp              ; the sum
	xor cx, cx
	xor dx, dx              ; drive A, head 0
track:	push cx
	push dx
	mov ch, cl
	mov cl, 1
	mov bx, BUFFER
	mov ax, 0x0200 + SECTORS
	int 0x13
	jc failed
	mov si, BUFFER
	mov cx, SECTORS * 256
.add:	lodsw
	add bp, ax
	loop .add
	pop dx
	pop cx
	inc dh
	cmp dh, HEADS
	jb track
	mov dh, 0
	inc cl
	cmp cl, TRACKS
	jb track

	mov si, text
	call print
	mov cx, 4
.digit:	rol bp, 4
	mov ax, bp
	and al, 15
	cmp al, 10
	sbb al, 0x69
	das
	call put
	loop .digit
halt:	sti
	hlt
	jmp halt

failed:	mov si, problem
	call print
	jmp halt

print:	lodsb
	test al, al
	jz .out
	call put
	jmp print
.out:	ret

put:	mov ah, 0x0e
	mov bx, 7
	int 0x10
	ret

text:	db "Sum of all sectors: ", 0
problem: db "A sector cannot be read", 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
