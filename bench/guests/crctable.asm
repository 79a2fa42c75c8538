; CRC-32 by a table of 256 words, over 16 KiB, and CRC-16 by RCR bit by bit over 1 KiB,
; once a round.
%include "guest.inc"
	mov ax, 0x2000
	mov fs, ax
	mov ax, 0x3000
	mov es, ax
	xor ecx, ecx
.entry:	mov eax, ecx
	mov bl, 8
.shift:	shr eax, 1
	jnc .even
	xor eax, 0xedb88320
.even:	dec bl
	jnz .shift
	mov [es:ecx * 4], eax
	inc cx
	cmp cx, 256
	jne .entry
next:	again work
work:	mov eax, 0xffffffff
	xor si, si
	mov cx, 16384
.byte:	movzx ebx, byte [fs:si]
	inc si
	xor bl, al
	shr eax, 8
	xor eax, [es:ebx * 4]
	loop .byte
	xor si, si
	mov dx, 0xffff
	mov bp, 1024
.half:	mov al, [fs:si]
	inc si
	mov cx, 8
.bit:	shr al, 1
	rcr dx, 1
	jnc .clear
	xor dx, 0xa001
.clear:	loop .bit
	dec bp
	jnz .half
	jmp next
ending
