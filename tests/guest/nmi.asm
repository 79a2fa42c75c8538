; NMIs in real and in protected mode, in 16- and 32-bit code, and while HLT waits for
; one. Before each the guest sends a letter over COM1 and waits; the commands of
; run.sh press the button (IOCHK#).
%include "guest.inc"
	GUEST "nmi"
gdt_end:

NMI	equ 2
%macro ASK 1
	mov al, %1
	mov dx, 0x3f8
	out dx, al
%endmacro

start:	VECTOR NMI, real_nmi
	mov al, 0x0f		; port 70h lets it through
	out 0x70, al
	lgdt [gdtr]
	ASK 'a'
.wait:	cmp byte [count], 1	; a loop of real mode
	jb .wait
	CHECK e, 1
	ASK 'b'
	hlt			; with IF = 0
.awake:
	cmp byte [count], 2
	CHECK e, 2
	lidt [idtr]
	GATE NMI, protected_nmi
	TO32
	ASK 'c'
.wait32: cmp byte [BASE + count], 3
	jb .wait32
	CHECK e, 3
	ASK 'd'
	hlt
.awake32:
	cmp byte [BASE + count], 4
	CHECK e, 4
	TO_REAL
	VECTOR NMI, real_nmi
	ASK 'e'
.again:	cmp byte [count], 5
	jb .again
	CHECK e, 5
	; switched off: it does not come
	mov al, 0x08
	out 0x61, al
	ASK 'f'
	mov ecx, 20000000
.nothing: dec ecx
	jnz .nothing
	cmp byte [count], 5
	CHECK e, 6
	ASK 10
	jmp passed
real_nmi:
	push ax
	push bp
	mov bp, sp
	inc byte [cs:count]
	cmp byte [cs:count], 2
	jne .look
	mov word [bp + 4], start.awake ; it may have come before HLT
.look:
	in al, 0x61		; this one was seen
	test al, 0x40
	CHECK nz, 7
	or al, 8
	out 0x61, al
	and al, 0xf3
	out 0x61, al
	pop bp
	pop ax
	iret
	bits 32
protected_nmi:
	push eax
	inc byte [BASE + count]
	cmp byte [BASE + count], 4
	jne .look
	mov dword [esp + 4], BASE + start.awake32
.look:	in al, 0x61
	test al, 0x40
	CHECK nz, 8
	or al, 8
	out 0x61, al
	and al, 0xf3
	out 0x61, al
	pop eax
	iretd
	bits 16
count:	db 0
	END
