; For gdb.sh: a flat kernel at 1 MiB that goes from 32-bit protected mode to long mode, says
; L on the serial port, counts high up in the address space until it is told to stop, goes
; back and ends the run by port F4h. With ONCE defined nobody has to tell it.
PML4	equ 0x1000
PDPT	equ 0x2000
PD	equ 0x3000
HIGH	equ 0xffffff8000000000
	org 0x100000
	bits 32
	cli
	mov edi, PML4
	mov cr3, edi
	xor eax, eax
	mov ecx, 0x3000 / 4
	rep stosd
	mov dword [PML4], PDPT | 3
	mov dword [PML4 + 8 * 511], PDPT | 3
	mov dword [PDPT], PD | 3
	mov dword [PD], 0x83		; the first 2 MiB
	mov eax, 0x20			; PAE
	mov cr4, eax
	mov ecx, 0xc0000080		; EFER
	rdmsr
	or eax, 0x100			; LME
	wrmsr
	lgdt [gdtr]
	mov eax, cr0
	or eax, 0x80000000
	mov cr0, eax
	jmp 8:long_mode
	bits 64
long_mode:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov rsp, 0x9000
	mov rbx, 0x1122334455667788
	mov r15, 0xffffffff11111111
	mov dx, 0x3f8
	mov al, 'L'
	out dx, al
	mov rax, HIGH + spin
	jmp rax
spin:	inc rcx
%ifndef ONCE
	cmp byte [abs finish], 0
	je spin
%endif
	mov rax, back
	jmp rax
back:	push 0x18			; to a segment of 32 bits
	push narrow
	db 0x48
	retf
	bits 32
narrow:	mov eax, cr0
	and eax, 0x7fffffff
	mov cr0, eax
	mov al, 0x21
	out 0xf4, al
	hlt
finish:	db 0
	align 8
gdt:	dq 0, 0x00209b0000000000, 0x0000930000000000, 0x00cf9b000000ffff
gdtr:	dw gdtr - gdt - 1
	dd gdt
