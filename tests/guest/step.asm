; Single steps over both boundaries: a trap behind each instruction, in the mode that
; the instruction left.
%include "guest.inc"
	GUEST "step"
	times BASE / 16 - ($ - gdt) db 0
	dq 0x00009b010000ffff
gdt_end:

start:	lgdt [gdtr]
	lidt [idtr]
	mov cx, 3
again:	VECTOR 1, trap
	push word 0
	pop es
	mov word [es:1 * 8], trap
	mov word [es:1 * 8 + 2], BASE / 16
	mov dword [es:1 * 8 + 4], 0x8600
	mov word [next], seen
	mov ebx, cr0
	push word 0x102
	popf
.a:	or bl, 1
.b:	mov cr0, ebx
.c:	mov si, LOW16
.d:	mov ss, si		; no trap between this and the next
	mov si, DATA16
.e:	mov ds, si
.f:	mov es, si
.g:	mov fs, si
.h:	mov gs, si
.i:	jmp BASE / 16:.j
.j:	and bl, 0xfe
.k:	mov cr0, ebx
.l:	jmp BASE / 16:.m
.m:	push word 2
.n:	popf
.o:	xor ax, ax
	mov ss, ax
	mov ax, cs
	LOAD ds, es, fs, gs
	mov si, seen
	mov di, expected
	mov bx, (expected_end - expected) / 2
	mov ax, [next]
	sub ax, seen
	cmp ax, expected_end - expected
	CHECK e, 1
	cld
.each:	cmpsw
	CHECK e, 2
	dec bx
	jnz .each
	dec cx
	jnz again
	jmp passed
; IP with the mode's bit 15
trap:	push bp
	mov bp, sp
	push ax
	push bx
	mov bx, [cs:next]
	smsw ax
	shl ax, 15
	or ax, [bp + 2]
	push ds
	push dx
	mov dx, cs
	smsw dx
	test dl, 1
	mov dx, BASE / 16
	jz .real
	mov dx, DATA16
.real:	mov ds, dx
	mov [bx], ax
	add word [next], 2
	pop dx
	pop ds
	pop bx
	pop ax
	pop bp
	iret
	align 2
PM	equ 0x8000
expected: dw again.b, again.c + PM, again.d + PM, again.e + PM, again.f + PM, again.g + PM, again.h + PM, again.i + PM
	dw again.j + PM, again.k + PM, again.l, again.m, again.n, again.o
expected_end:
next:	dw 0
seen:	times 64 dw 0
	END
