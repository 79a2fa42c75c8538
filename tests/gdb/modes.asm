; For gdb.sh: a boot sector that goes to protected mode, 32 and 16 bits, and back.
	bits 16
	org 0x7c00
start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x7c00
	mov ax, 0x1234
	mov word [0x500], ax
	mov ah, 0x0e
	mov al, 'x'
	int 0x10
	mov bx, 0x5678
	mov word [counter], 1
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:protected
	bits 32
protected:
	mov ax, 16
	mov ds, ax
	mov ss, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov ecx, 0xcafebabe
	mov dword [0x100000], ecx
	mov dword [counter], 2
	jmp 24:real16
	bits 16
real16:	mov ax, 32
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:back
back:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov word [counter], 3
spin:	hlt
	jmp spin
counter: dd 0
	align 8
gdt:	dq 0
	dq 0x00cf9a000000ffff
	dq 0x00cf92000000ffff
	dq 0x00009a000000ffff
	dq 0x000092000000ffff
gdtr:	dw gdtr - gdt - 1
	dd gdt
	times 510-($-$$) db 0
	dw 0xaa55
