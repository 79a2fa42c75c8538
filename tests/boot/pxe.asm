; A network boot program (PXE 2.1, 4.4.5): loaded to 0:7C00h, it says hello.
	org 0x7c00
	bits 16
	jmp 0:start
start:	xor ax, ax
	mov ds, ax
	mov si, text
.next:	lodsb
	test al, al
	jz .done
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp .next
.done:	hlt
	jmp .done
text:	db 13, 10, "Hello from the network", 13, 10, 0
