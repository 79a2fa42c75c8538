; STI right before the MOV CR0 that enters and that leaves protected mode, with an
; interrupt pending: it comes behind the MOV, in the new mode, at the next instruction.
;
; CS is 1000h in both modes and has the same base in both, so that the handlers can
; return to between MOV and jump.
%include "guest.inc"
%include "irq.inc"
	GUEST "shadow"
	times BASE / 16 - ($ - gdt) db 0
	dq 0x00009b010000ffff
gdt_end:

start:	IRQ_SETUP
	lgdt [gdtr]
	lidt [idtr]
	mov cx, 10
again:	; one table: the vector of real mode and the gate do not overlap
	VECTOR IRQ_VECTOR, real_irq
	push word 0
	pop es
	mov word [es:IRQ_VECTOR * 8], protected_irq
	mov word [es:IRQ_VECTOR * 8 + 2], BASE / 16
	mov dword [es:IRQ_VECTOR * 8 + 4], 0x8600
	call IRQ_ASK
	mov word [where], 0
	mov ebx, cr0
	or bl, 1
	sti
	mov cr0, ebx
.behind_entry:
	nop
	nop
	cli
	cmp word [where], .behind_entry
	CHECK e, 1
	cmp byte [mode], 1
	CHECK e, 2
	mov ax, LOW16
	mov ss, ax
	mov ax, DATA16
	LOAD ds, es, fs, gs
	jmp BASE / 16:.inside
.inside:
	call IRQ_ASK
	mov word [where], 0
	mov ebx, cr0
	and bl, 0xfe
	sti
	mov cr0, ebx
.behind_exit:
	nop
	nop
	cli
	cmp word [where], .behind_exit
	CHECK e, 3
	cmp byte [mode], 0
	CHECK e, 4
	jmp BASE / 16:.outside
.outside:
	xor ax, ax
	mov ss, ax
	mov ax, cs
	LOAD ds, es, fs, gs
	dec cx
	jnz again
	jmp passed
real_irq:
protected_irq:
	push bp
	mov bp, sp
	push ax
	in al, 0x60
	mov al, 0x20
	out 0x20, al
	smsw ax
	and al, 1
	mov [mode], al
	mov ax, [bp + 2]
	mov [where], ax
	pop ax
	pop bp
	iret
	IRQ_CODE
where:	dw 0
mode:	db 0
	END
