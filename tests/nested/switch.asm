; Boot sector: enters and leaves protected mode 10,000 times. Each time one keyboard
; interrupt is asked for in one mode, with interrupts off, and must come in the other
; one, once. Status by port F4h: 2Ah all came, 2 one came twice, 3 the time stamp counter
; went back. One that is lost is waited for until the run's time is over.
ROUNDS	equ 10000
IDT	equ 0x8000
	org 0x7c00
	bits 16
	cli
	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x7c00
	jmp 0:start
start:	mov al, 0xfd		; IRQ 1 alone
	out 0x21, al
	mov al, 0xff
	out 0xa1, al
.drain:	in al, 0x64		; what the firmware left
	test al, 1
	jz .empty
	in al, 0x60
	jmp .drain
.empty:	mov word [9 * 4], real_irq
	mov word [9 * 4 + 2], 0
	mov di, IDT		; the gate of vector 9
	mov cx, 10 * 4
	xor ax, ax
	rep stosw
	mov word [IDT + 9 * 8], protected_irq
	mov dword [IDT + 9 * 8 + 2], 0x8e000008
	lgdt [gdtr]
next:	call ask		; in real mode, for protected mode
	lidt [idtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp dword 8:protected

	bits 32
protected:
	mov ax, 16
	mov ds, ax
	mov ss, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	call expect
	call ask32		; in protected mode, for real mode
	jmp 0x18:narrow
expect:	inc dword [wanted]
	sti
.wait:	mov eax, [count]
	cmp eax, [wanted]
	jb .wait
	nop
	nop
	cli
	jmp judge

	bits 16
narrow:	mov ax, 0x20
	mov ds, ax
	mov ss, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:real
real:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov es, ax
	mov fs, ax
	mov gs, ax
	lidt [ivtr]
	inc dword [wanted]
	sti
.wait:	mov eax, [count]
	cmp eax, [wanted]
	jb .wait
	nop
	nop
	cli
	mov eax, [count]
	cmp eax, [wanted]
	jne wrong16
	rdtsc
	sub eax, [stamp]
	sbb edx, [stamp + 4]
	jc back
	rdtsc
	mov [stamp], eax
	mov [stamp + 4], edx
	dec word [left]
	jnz next
	mov al, 0x2a
	out 0xf4, al
wrong16:
	mov al, 2
	out 0xf4, al

back:	mov al, 3
	out 0xf4, al

; Has the keyboard controller send a byte: an interrupt.
ask:	in al, 0x64
	test al, 2
	jnz ask
	mov al, 0xd2
	out 0x64, al
.busy:	in al, 0x64
	test al, 2
	jnz .busy
	out 0x60, al
	ret
real_irq:
	push ax
	in al, 0x60
	inc dword [count]
	mov al, 0x20
	out 0x20, al
	pop ax
	iret

	bits 32
judge:	mov eax, [count]
	cmp eax, [wanted]
	mov al, 2
	je .fine
.out:	out 0xf4, al
.fine:	rdtsc
	sub eax, [stamp]
	sbb edx, [stamp + 4]
	mov al, 3
	jc .out
	rdtsc
	mov [stamp], eax
	mov [stamp + 4], edx
	ret
ask32:	in al, 0x64
	test al, 2
	jnz ask32
	mov al, 0xd2
	out 0x64, al
.busy:	in al, 0x64
	test al, 2
	jnz .busy
	out 0x60, al
	ret
protected_irq:
	push eax
	in al, 0x60
	inc dword [count]
	mov al, 0x20
	out 0x20, al
	pop eax
	iretd

	align 4
count:	dd 0
stamp:	dq 0
wanted:	dd 0
left:	dw ROUNDS
gdtr:	dw 39
	dd gdt
idtr:	dw 10 * 8 - 1
	dd IDT
ivtr:	dw 0x3ff
	dd 0
	align 8
gdt:	dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b000000ffff, 0x000093000000ffff
	times 510 - ($ - $$) db 0
	dw 0xaa55
