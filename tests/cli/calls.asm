; A boot sector that calls the BIOS in all the ways that --trace int has to see.
bits 16
org 0x7c00
[map symbols calls.map]

start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	int 0x12
	mov eax, 0xe820
	xor ebx, ebx
	mov ecx, 20
	mov edx, 'PAMS'
	mov di, 0x8000
	int 0x15
	mov ax, 0x0201		; reads this sector
	mov cx, 1
	mov dx, 0
	mov bx, 0x8000
	int 0x13
	mov ah, 0x42		; no floppy does that
	mov si, packet
	int 0x13
	mov ax, 0x4f01
	mov cx, 0x101
	mov di, 0x8000
	int 0x10
by_hand:
	pushf
	call far [0x12 * 4]
	mov word [0x60 * 4], handler
	mov word [0x60 * 4 + 2], 0
	mov ax, 0x1234
	int 0x60
	mov ah, 9		; nobody serves it here: the firmware's IRET does
	mov dx, hostile
	int 0x21
	cli
	lgdt [gdt]
	mov eax, cr0
	or al, 1
enter:	mov cr0, eax
	and al, 0xfe
leave:	mov cr0, eax
	mov ax, 0xb800
	mov es, ax
	mov word [es:0xf9e], 0x0741
	mov al, [es:0xf9e]
	out 0x80, al
	sti
	push ds
	pop es
	mov ax, 0x1301
	mov bx, 7
	mov cx, 4
	mov dx, 0x1400
	mov bp, done
	int 0x10
	mov ah, 0
	int 0x16		; nobody presses a key
	jmp $

handler:
	int 0x12
	stc
	retf 2

gdt:	dw 7
	dd null
null:	dq 0
packet:	db 16, 0
	dw 8, 0x0000, 0x2000
	dq 2048
done:	db "DONE"
hostile:
	db "<img src=x onerror=alert(1)>", 13, '"', "$"

	times 510 - ($ - $$) db 0
	dw 0xaa55
