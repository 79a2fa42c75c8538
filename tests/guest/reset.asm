; Resets from real and from protected mode: of the board by port CF9h; of the
; processor alone by ports CF9h, 64h and 92h.
%include "guest.inc"
	GUEST "reset"
gdt_end:

start:	mov [signature], edx
	push word 0
	pop es
	mov ebx, cr0
	test bl, 1
	CHECK z, 1
	cmp ebx, 0x60000010
	CHECK e, 2
	sidt [table]
	cmp word [table], 0xffff
	CHECK e, 3
	cmp dword [table + 2], 0
	CHECK e, 4
	cmp word [es:BOOTS], 1
	je .first
	mov edx, [signature]	; what EDX was at the first reset
	cmp edx, [es:BOOTS + 4]
	CHECK e, 5
.first:	mov edx, [signature]
	mov [es:BOOTS + 4], edx
	; at odd resets from real mode
	mov si, [es:BOOTS]
	cmp si, 9
	je passed
	lgdt [gdtr]
	dec si
	shr si, 1
	jc inside
	add si, si
	jmp [ways + si]
inside:	TO32
	movzx esi, si
	movzx ebx, word [BASE + ways32 + esi * 2]
	add ebx, BASE
	jmp ebx
%macro WAYS 1
	bits %1
hard%1:	mov dx, 0xcf9
	mov al, 2
	out dx, al
	mov al, 6
	jmp out%1
soft%1:	mov dx, 0xcf9
	xor al, al
	out dx, al
	mov al, 4
	jmp out%1
kbc%1:	in al, 0x64
	test al, 2
	jnz kbc%1
	mov al, 0xfe
	mov dx, 0x64
	jmp out%1
fast%1:	mov dx, 0x92
	xor al, al
	out dx, al
	inc ax
out%1:	out dx, al
	mov ecx, 100000
.wait:	dec ecx
	jnz .wait
	FAIL 6
%endmacro
	WAYS 16
	WAYS 32
	bits 16
ways:	dw hard16, soft16, kbc16, fast16
ways32:	dw hard32, soft32, kbc32, fast32
signature: dd 0
table:	dw 0
	dd 0
	END
