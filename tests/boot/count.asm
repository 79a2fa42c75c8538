; A disk's boot sector that counts keys in the disk's second sector: reads it, adds
; one, writes it back, prints "count N". In the screen's 21st row it shows a word in light
; red on blue.
bits 16
org 0x7c00
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	mov [drive], dl
	mov ax, 0xb800
	mov es, ax
	mov di, 20 * 160
	mov si, colour
	mov ah, 0x1c
.next:
	lodsb
	stosw
	test al, al
	jnz .next
	mov es, [zero]
	mov si, ready
	call print
next:
	xor ax, ax
	int 0x16
	mov ah, 0x42
	call transfer
	inc byte [0x8000]
	mov ax, 0x4300
	call transfer
	mov si, count
	call print
	mov al, [0x8000]
	add al, '0'
	call put
	mov si, line
	call print
	jmp next

transfer:
	mov si, packet
	mov dl, [drive]
	int 0x13
	mov si, failed
	jc print
	ret

print:
	lodsb
	test al, al
	jz .end
	call put
	jmp print
.end:
	ret

put:
	mov ah, 0x0e
	xor bx, bx
	int 0x10
	ret

drive: db 0
packet: dw 16, 1, 0x8000, 0, 1, 0, 0, 0
zero: dw 0
colour: db "alarm", 0
ready: db "ready", 13, 10, 0
count: db "count ", 0
line: db 13, 10, 0
failed: db "failed", 13, 10, 0
times 510 - ($ - $$) db 0
dw 0xaa55
