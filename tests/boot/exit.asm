; A boot sector that ends the machine: 21h to port F4h, the exit port.
bits 16
org 0x7c00

	mov al, 0x21
	out 0xf4, al
	cli
	hlt

	times 510 - ($ - $$) db 0
	dw 0xaa55
