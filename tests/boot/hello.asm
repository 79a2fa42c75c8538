; A boot sector: says where it was loaded from and waits for ever.
bits 16
org 0x7c00

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	cld
	mov al, dl
	shr al, 4
	call digit
	mov [drive], al
	mov al, dl
	and al, 15
	call digit
	mov [drive + 1], al
	mov si, text
print:	lodsb
	test al, al
	jz done
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp print
done:	sti
	hlt
	jmp done

digit:	add al, '0'
	cmp al, '9'
	jbe .out
	add al, 'A' - '9' - 1
.out:	ret

text:	db 13, 10, "Hello from drive "
drive:	db "??h", 13, 10, 0

	times 510 - ($ - $$) db 0
	dw 0xaa55
