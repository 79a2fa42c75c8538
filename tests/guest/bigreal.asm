; Big real mode: limits of 4 GiB that stay behind in real mode, over loads of the
; segment registers, and over another trip.
%include "guest.inc"
	GUEST "bigreal"
gdt_end:

HIGH	equ 0x234560
start:	in al, 0x92
	or al, 2
	and al, 0xfe
	out 0x92, al
	lgdt [gdtr]
	mov cx, 3
again:	CR0_SET 1
	mov ax, DATA32
	mov fs, ax
	mov gs, ax
	mov ax, DATA16
	mov ds, ax
	mov es, ax
	mov ax, LOW16
	mov ss, ax
	jmp CODE16:.narrow
.narrow:
	mov word [seen], cx
	CR0_CLEAR 1
	jmp BASE / 16:.real
.real:	mov ax, cs
	mov ds, ax
	xor ax, ax
	mov ss, ax
	cmp [seen], cx
	CHECK e, 1
	; base 0 and 4 GiB still
	mov edi, HIGH
	mov eax, 0x12340000
	mov ax, cx
	mov [fs:edi], eax
	cmp [gs:edi], eax
	CHECK e, 2
	; a load sets the base and leaves the limit
	mov ax, 0x1234
	mov fs, ax
	mov edx, [fs:edi - 0x12340]
	sub edx, 0x12340000
	cmp dx, cx
	CHECK e, 3
	dec cx
	jnz again
	jmp passed
seen:	dw 0
	END
