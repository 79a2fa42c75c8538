; CRC-32 bit by bit over 4 KiB, once a round.
%include "guest.inc"
next:	again work
work:	mov ax, 0x2000
	mov fs, ax
	xor si, si
	mov eax, 0xffffffff
	mov cx, 4096
.byte:	xor al, [fs:si]
	inc si
	mov dl, 8
.bit:	shr eax, 1
	jnc .zero
	xor eax, 0xedb88320
.zero:	dec dl
	jnz .bit
	loop .byte
	jmp next
ending
