; For gdb.sh, engines.sh and cli/test-runs.sh: a boot sector that says S on the serial port, counts in
; 32-bit protected mode until it is told to stop, and then ends the run by port F4h.
	bits 16
	org 0x7c00
	cli
	xor ax, ax
	mov ds, ax
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
	mov edx, 0x3f8
	mov al, 'S'
	out dx, al
	xor ebx, ebx
spin:	inc dword [counter]
	inc ebx
	cmp byte [finish], 0
	je spin
	mov al, 0x21
	out 0xf4, al
	hlt
	align 4
counter: dd 0
finish:	db 0
	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff
	dq 0x00cf93000000ffff
gdtr:	dw gdtr - gdt - 1
	dd gdt
	times 510-($-$$) db 0
	dw 0xaa55
