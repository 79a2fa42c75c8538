; A boot sector for displays: says "ready" in text mode, waits for a key, goes to 800x600
; in 256 colours, fills the upper lines with all of them, says "drawn" on COM1, and from
; then on there the four bytes of each packet of the mouse, an IntelliMouse: the last
; byte is the wheel's.
bits 16
org 0x7c00
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov si, ready
.print:	lodsb
	mov ah, 0x0e
	xor bx, bx
	int 0x10
	cmp byte [si], 0
	jne .print
	xor ax, ax
	int 0x16
	mov ax, 0x4f02
	mov bx, 0x103
	int 0x10
	mov ax, 0xa000
	mov es, ax
	xor di, di
	xor cx, cx
.fill:	mov ax, di
	stosb
	loop .fill
	mov al, 0xfe			; the bytes are ours, not the BIOS's: the clock alone
	out 0x21, al
	mov al, 0xff
	out 0xa1, al
	mov al, 0xa8			; the mouse's port on
	call command
	mov si, wheel
.tell:	mov al, 0xd4			; to the mouse
	call command
	lodsb
	out 0x60, al
	call byte_in			; it says yes
	cmp si, wheel.end
	jne .tell
	mov si, drawn
.say:	lodsb
	call byte_out
	cmp byte [si], 0
	jne .say
packet:	mov cx, 4
.next:	call byte_in
	mov ah, al
	shr al, 4
	call digit
	mov al, ah
	and al, 15
	call digit
	mov al, ' '
	call byte_out
	loop .next
	mov al, 10
	call byte_out
	jmp packet

command:
	mov ah, al
.busy:	in al, 0x64
	test al, 2
	jnz .busy
	mov al, ah
	out 0x64, al
.wait:	in al, 0x64
	test al, 2
	jnz .wait
	ret

byte_in:					; the mouse's: those of the keyboard are passed over
	in al, 0x64
	test al, 1
	jnz .there
	hlt
	jmp byte_in
.there:	test al, 0x20
	in al, 0x60
	jz byte_in
	ret

digit:	add al, '0'
	cmp al, '9'
	jbe byte_out
	add al, 'a' - '0' - 10
byte_out:
	push ax
	mov dx, 0x3fd
.full:	in al, dx
	test al, 0x20
	jz .full
	pop ax
	mov dx, 0x3f8
	out dx, al
	ret

; These rates, in this order, ask for the wheel. Then: send packets.
wheel:	db 0xf3, 200, 0xf3, 100, 0xf3, 80, 0xf4
.end:
ready:	db "ready", 0
drawn:	db "drawn", 10, 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
