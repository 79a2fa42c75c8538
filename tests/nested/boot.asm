; Boot sector for the Bochs modes: copies a kernel image and a blob behind it from
; the disk to memory and jumps to the kernel's PVH entry, with EBX at the blob's
; hvm_start_info. bochs.sh patches the numbers in at `parameters`.
	org 0x7c00
	bits 16
	cli
	xor ax, ax
	mov ds, ax
	in al, 0x92		; A20 on
	or al, 2
	and al, 0xfe
	out 0x92, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:protected

	bits 32
protected:
	mov ax, 16
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov fs, ax
	mov gs, ax
	mov esp, 0x7c00
	mov ebx, 256		; first sector of the images
	mov edi, [kernel_address]
	mov ebp, [kernel_chunks]
	call read
	mov edi, [blob_address]
	mov ebp, [blob_chunks]
	call read
	mov ebx, [blob_address]
	mov eax, [entry]
	jmp eax

; EBP chunks of 256 sectors from LBA EBX on to EDI.
read:	mov dx, 0x1f7
.busy:	in al, dx
	test al, 0x80
	jnz .busy
	mov dx, 0x1f2
	xor al, al		; 256
	out dx, al
	inc dx
	mov eax, ebx
	out dx, al
	inc dx
	mov al, ah
	out dx, al
	inc dx
	shr eax, 16
	out dx, al
	inc dx
	mov al, 0xe0
	out dx, al
	inc dx
	mov al, 0x20		; READ SECTORS
	out dx, al
	mov esi, 256
.sector:
	in al, dx
	test al, 0x80
	jnz .sector
	test al, 8
	jz .sector
	mov dx, 0x1f0
	mov ecx, 128
	rep insd
	mov dx, 0x1f7
	dec esi
	jnz .sector
	add ebx, 256
	dec ebp
	jnz read
	ret

	align 8
gdt:	dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00008b0000000067
gdtr:	dw 31
	dd gdt
	times 480 - ($ - $$) db 0
parameters:
kernel_address: dd 0
kernel_chunks:	dd 0
blob_address:	dd 0
blob_chunks:	dd 0
entry:		dd 0
	times 510 - ($ - $$) db 0
	dw 0xaa55
