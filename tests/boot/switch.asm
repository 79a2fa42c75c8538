; A boot sector that waits for a key, goes to protected mode and back ROUNDS times,
; says so on the screen and on the serial port, and waits for ever. With STAY
; defined it stays in protected mode in the last round.
%ifndef ROUNDS
%define ROUNDS 3
%endif
bits 16
org 0x7c00

	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	sti
	cld
	mov si, ready
	call print
	xor ax, ax
	int 0x16
	cli
	lgdt [gdtr]
	mov cx, ROUNDS
again:	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 0x08:protected
protected:
	mov ax, 0x10
	mov ds, ax
%ifdef STAY
	cmp cx, 1
	je $
%endif
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0x0000:real
real:	xor ax, ax
	mov ds, ax
	inc word [count]
	loop again
	mov si, done
	call print
idle:	sti
	hlt
	jmp idle

; si: text, to screen and COM1
print:	lodsb
	test al, al
	jz .out
	push ax
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	pop ax
	mov dx, 0x3f8
	out dx, al
	jmp print
.out:	ret

ready:	db "Press a key", 13, 10, 0
done:	db "Switched", 13, 10, 0

	align 8
gdt:	dq 0
	dq 0x00009b000000ffff   ; 08h: code, 16 bits
	dq 0x000093000000ffff   ; 10h: data
gdtr:	dw $ - gdt - 1
	dd gdt

	times 0x1f0 - ($ - $$) db 0
count:	dw 0                    ; at 7DF0h

	times 510 - ($ - $$) db 0
	dw 0xaa55
