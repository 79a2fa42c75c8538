; Boot sector: the reset by which a 286 left protected mode. CMOS 0Fh says that the
; firmware shall jump through 40:67h, not boot: with 0Ah at once, with 05h after an end
; of interrupt and with the keyboard's buffer emptied. The processor is reset by port
; 64h in protected mode. Status by port F4h: 2Ah, or the number of what was wrong.
STACK	equ 0x7c00
	org 0x7c00
	bits 16
	jmp 0:start
start:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, STACK
	mov word [round], 0
	mov word [0x467], back
	mov word [0x469], 0
next:	mov si, [round]
	mov al, 0x0f
	out 0x70, al
	mov al, [codes + si]
	out 0x71, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:protected
protected:
	mov ax, 16
	mov ds, ax
	mov ss, ax
.busy:	in al, 0x64
	test al, 2
	jnz .busy
	mov al, 0xfe
	out 0x64, al
.wait:	hlt
	jmp .wait
back:	cli
	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, STACK
	mov bl, 2
	smsw ax
	test al, 1
	jnz out
	mov al, 0x0f		; the firmware has cleared it
	out 0x70, al
	in al, 0x71
	inc bx
	test al, al
	jnz out
	inc word [round]
	cmp word [round], 2
	jb next
	mov bl, 0x2a
out:	mov al, bl
	out 0xf4, al
	hlt
codes:	db 0x0a, 0x05
round:	dw 0
gdtr:	dw 23
	dd gdt
	align 8
gdt:	dq 0, 0x00009b000000ffff, 0x000093000000ffff
	times 510 - ($ - $$) db 0
	dw 0xaa55
