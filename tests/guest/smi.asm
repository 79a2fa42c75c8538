; System management interrupts by port B2h, from real, 16- and 32-bit protected mode: the
; handler runs in SMRAM, which nobody else sees, and what it does to the registers is undone.
; In the handler another SMI and an INIT wait for its end. With STAY defined the first
; handler says S, and ends when a key is pressed.
%include "guest.inc"
	GUEST "smi"
gdt_end:
PM	equ 0x600		; ports of power management
MOVED	equ 0x600		; word in memory: SMIs at the first SMBASE
TAKEN	equ 0x602		; in SMRAM
STARTED	equ 0x604		; word: BEGUN, once the second start is due
BEGUN	equ 0x1234
TWICE	equ 0x99		; commands of the handler
INIT	equ 0x98
SMRAM	equ 0xa0000

; PCI_WRITE function << 11 | register, value, part of the accumulator
%macro PCI_WRITE 3
	mov eax, 0x80000000 + (%1 & ~3)
	mov dx, 0xcf8
	out dx, eax
	mov dx, 0xcfc + (%1 & 3)
	mov %3, %2
	out dx, %3
%endmacro
%macro SMI 1
	mov al, %1
	out 0xb2, al
%endmacro

start:	push word 0
	pop es
	cmp word [es:STARTED], BEGUN
	je again_here
	mov dword [es:MOVED], 0	; and TAKEN
	PCI_WRITE 0xb40, PM | 1, eax	; 00:01.3
	PCI_WRITE 0xb80, 1, al
	mov dx, PM + 0x28		; SMI#
	in ax, dx
	or al, 1
	out dx, ax

	; the first one moves SMBASE
	mov si, mover
	mov di, mover_end - mover
	mov ax, 0x3000
	call copy
	push word 0
	pop es
	SMI 0
	cmp word [es:MOVED], 1
	CHECK e, 1

	; into SMRAM
	PCI_WRITE 0x72, 0x4a, al	; open
	mov si, handler
	mov di, handler_end - handler
	mov ax, SMRAM >> 4
	call copy
	PCI_WRITE 0x72, 0x0a, al
	mov ax, SMRAM >> 4
	mov es, ax
	mov eax, [handler]
	cmp [es:0x8000], eax
	CHECK ne, 2
	push word 0
	pop es

	mov bp, 10
again:	mov eax, 0x11111111
	mov ebx, 0x22222222
	mov ecx, 0x33333333
	mov edx, 0x44444444
	mov esi, 0x55555555
	mov edi, 0x66666666
	stc
	SMI 0x77
	CHECK c, 3
	cmp eax, 0x11111177
	CHECK e, 4
	cmp ebx, 0x22222222
	CHECK e, 5
	cmp ecx, 0x33333333
	CHECK e, 6
	cmp edx, 0x44444444
	CHECK e, 7
	cmp esi, 0x55555555
	CHECK e, 8
	cmp edi, 0x66666666
	CHECK e, 9
	cmp word [es:TAKEN], 1
	CHECK e, 10
	mov ax, ds
	cmp ax, BASE / 16
	CHECK e, 11
	cmp sp, STACK		; nothing is left on it
	CHECK e, 12

	lgdt [gdtr]
	CR0_SET 1
	jmp CODE16:.narrow
.narrow: mov ax, DATA16
	LOAD ds, es, fs, gs
	mov ax, LOW16
	mov ss, ax
	SMI 0x12
	mov ax, cs
	cmp ax, CODE16
	CHECK e, 13
	smsw ax
	test al, 1
	CHECK nz, 14
	cmp word [ss:TAKEN], 2
	CHECK e, 15
	jmp dword CODE32:BASE + .wide
	bits 32
.wide:	mov eax, DATA32
	LOAD ds, es, fs, gs, ss
	movzx esp, sp
	mov ebx, 0x87654321
	mov edi, esp
	push dword 0x12345678
	clc
	SMI 0x56
	CHECK nc, 16
	cmp ebx, 0x87654321
	CHECK e, 17
	pop ecx			; the stack is where it was
	cmp ecx, 0x12345678
	CHECK e, 18
	cmp edi, esp
	CHECK e, 19
	mov ecx, ds
	cmp ecx, DATA32
	CHECK e, 20
	cmp word [TAKEN], 3
	CHECK e, 21
	mov eax, [BASE + handler]
	cmp [SMRAM + 0x8000], eax
	CHECK ne, 22
	TO_REAL
	push word 0
	pop es
	cmp word [es:MOVED], 1
	CHECK e, 23
	mov word [es:TAKEN], 0
	dec bp
	jnz again

	; The second one comes when the first one is through.
	SMI TWICE
	nop
	cmp word [es:TAKEN], 2
	CHECK e, 24
	; So does an INIT, which leaves SMBASE alone.
	mov word [es:STARTED], BEGUN
	SMI INIT
.wait:	in al, 0x61		; KVM alone sees it at an exit
	jmp .wait
again_here:
	cmp word [es:TAKEN], 3
	CHECK e, 25
	smsw ax
	test al, 1
	CHECK z, 26
	SMI 0
	cmp word [es:TAKEN], 4
	CHECK e, 27
	cmp word [es:MOVED], 1
	CHECK e, 28
	jmp passed

; di bytes from si to ax:8000
copy:	mov es, ax
	mov cx, di
	mov di, 0x8000
	cld
	rep movsb
	ret

; In SMM: flat data, code at SMBASE + 8000h.
; Where SMBASE is in the save map, its revision tells: AMD64's, by KVM with long mode.
mover:	mov eax, SMRAM
	mov bx, 0xfef8
	cmp word [cs:0xfefc], 0x64
	jne .intel
	mov bx, 0xff00
.intel:	mov [cs:bx], eax
%ifdef STAY
	mov dx, 0x3f8
	mov al, 'S'
	out dx, al
	mov al, 0xae		; the keyboard
	out 0x64, al
.wait:	in al, 0x64
	test al, 1
	jz .wait
%endif
	mov ebx, MOVED
	inc word [ebx]
	rsm
mover_end:
handler: mov eax, cs
	cmp ax, SMRAM >> 4
	jne .out
	mov eax, cr0
	test al, 1
	jnz .out
	mov ebx, TAKEN
	inc word [ebx]
	in al, 0xb2
	cmp al, TWICE
	jne .once
	SMI 0
	cmp word [ebx], 1	; not yet
	je .out
	mov byte [ebx], 0x80
.once:	cmp al, INIT
	jne .out
	mov al, 1
	out 0x92, al
.out:	xor ebx, ebx
	mov ecx, ebx
	mov edx, ebx
	mov esi, ebx
	mov edi, ebx
	mov esp, ebx
	mov ds, bx
	sub ax, bx
	rsm
handler_end:
	END
