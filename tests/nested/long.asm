; Boot sector and three more: real mode to 64-bit mode in one step and back, twice, and
; looks that all of the processor's state comes along. Status by port F4h: 2Ah all is
; well, 1 no long mode in CPUID, 16 an interrupt too many, else what was wrong, see
; `check`. One that is lost is waited for until the run's time is over.
PML4	equ 0x10000
PDPT	equ 0x11000
PD	equ 0x12000
IDT	equ 0x13000
	org 0x7c00
	bits 16
	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	jmp 0:start
start:	mov ax, 0x0203		; three sectors to 0:7E00
	mov bx, 0x7e00
	mov cx, 2
	xor dh, dh
	int 0x13
	jc .fail
	cli
%ifndef BLIND			; does not ask whether there is any
	mov eax, 0x80000001
	cpuid
	test edx, 1 << 29
	jnz prepare
%else
	jmp prepare
%endif
	mov al, 1
.fail:	out 0xf4, al
	hlt

; write_msr NUMBER, HIGH, LOW
%macro write_msr 3
	mov ecx, %1
	mov edx, %2
	mov eax, %3
	wrmsr
%endmacro

; In 64-bit code: fails with status %1 unless the register %2 holds %3.
%macro check 3
	mov rax, %3
	cmp %2, rax
	mov al, %1
	jne fail
%endmacro

; Likewise for MSR %2.
%macro check_msr 3
	mov ecx, %2
	rdmsr
	shl rdx, 32
	or rdx, rax
	check %1, rdx, %3
%endmacro

STAR	equ 0xc0000081
LSTAR	equ 0xc0000082
CSTAR	equ 0xc0000083
SFMASK	equ 0xc0000084
FS_BASE	equ 0xc0000100
GS_BASE	equ 0xc0000101
KERNEL	equ 0xc0000102
EFER	equ 0xc0000080

	times 510 - ($ - $$) db 0
	dw 0xaa55

prepare:
	mov al, 0xfd		; IRQ 1 alone
	out 0x21, al
	mov al, 0xff
	out 0xa1, al
.drain:	in al, 0x64		; what the firmware left
	test al, 1
	jz .empty
	in al, 0x60
	jmp .drain
.empty:	mov ax, PML4 >> 4
	mov es, ax
	xor di, di
	mov cx, 0x4000 / 2
	xor ax, ax
	rep stosw
	mov dword [es:0], PDPT | 3
	mov dword [es:PDPT - PML4], PD | 3
	mov dword [es:PD - PML4], 0x83	; the first 2 MiB
	mov dword [es:IDT - PML4 + 16 * 9], 8 * 0x10000 + on_irq
	mov dword [es:IDT - PML4 + 16 * 9 + 4], 0x8e00
	write_msr STAR, 0x00180008, 0x11223344
	write_msr LSTAR, 0xffff8000, 0x12345678
	write_msr CSTAR, 0x00007fff, 0x87654321
	write_msr SFMASK, 0, 0x47700
	write_msr KERNEL, 0x11, 0x22334455
	; QEMU's SVM: an exit with LME, without PG and PAE leaves the host without paging
again:	mov eax, 0x220		; PAE, OSFXSR
	mov cr4, eax
	mov ecx, EFER
	rdmsr
	or eax, 0x101		; LME, SCE
	wrmsr
	lgdt [gdtr]
	lidt [idtr]
	mov eax, PML4
	mov cr3, eax
	mov eax, cr0
	or eax, 0x80000001
	and eax, ~0xc		; EM, TS
	mov cr0, eax
	jmp 8:long_mode

	bits 64
long_mode:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov rsp, 0x7c00
	check_msr 2, STAR, 0x0018000811223344
	check_msr 3, LSTAR, 0xffff800012345678
	check_msr 4, CSTAR, 0x00007fff87654321
	check_msr 5, SFMASK, 0x47700
	cmp byte [pass], 0
	jne second
	check_msr 6, KERNEL, 0x1122334455
	swapgs			; writes an MSR that nobody sees written
	write_msr FS_BASE, 0x1234, 0x56789abc
	call interrupt
	mov r8, 0x8888888877777777
	mov r9, 0x9999999966666666
	mov r15, 0xffffffff11111111
	mov rbp, 0x1234567855555555
	movq xmm15, r15
	mov eax, 5
	mov cr8, rax
back:	push 0x18		; to a segment of 32 bits
	push narrow
	db 0x48
	retf
second:	check 7, r8, 0x8888888877777777
	check 8, r9, 0x9999999966666666
	check 9, r15, 0xffffffff11111111
	movq rdx, xmm15
	check 10, rdx, 0xffffffff11111111
	mov rdx, cr8
	check 11, rdx, 5
	check_msr 12, FS_BASE, 0x123456789abc
	check_msr 13, GS_BASE, 0x1122334455
	check_msr 14, KERNEL, 0
	check_msr 15, EFER, 0x501
	xor eax, eax
	mov cr8, rax
	call interrupt
	mov al, 0x2a
fail:	out 0xf4, al
	hlt

; Has the keyboard controller send a byte: an interrupt, which must come once.
interrupt:
	in al, 0x64
	test al, 2
	jnz interrupt
	mov al, 0xd2
	out 0x64, al
.busy:	in al, 0x64
	test al, 2
	jnz .busy
	out 0x60, al
	inc dword [wanted]
	sti
.wait:	mov edx, [count]
	cmp edx, [wanted]
	jb .wait
	nop
	nop
	cli
	mov edx, [count]
	cmp edx, [wanted]
	mov al, 16
	jne fail
	ret
on_irq:	push rax
	in al, 0x60
	inc dword [count]
	mov al, 0x20
	out 0x20, al
	pop rax
	iretq

	bits 32
narrow:	mov ax, 0x28
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov eax, cr0
	and eax, 0x7fffffff
	mov cr0, eax
	jmp 0x20:.sixteen
	bits 16
.sixteen:
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:.real
.real:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov ecx, EFER		; which has to be switched on anew
	xor edx, edx
	xor eax, eax
	wrmsr
	inc byte [pass]
	jmp again

	align 8
gdt:	dq 0, 0x00209b0000000000, 0x0000930000000000, 0x00cf9b000000ffff, 0x00009b000000ffff, 0x000093000000ffff
gdtr:	dw gdtr - gdt - 1
	dd gdt
idtr:	dw 16 * 10 - 1
	dd IDT
pass:	db 0
	align 4
count:	dd 0
wanted:	dd 0
	times 2048 - ($ - $$) db 0
