; A thousand short visits to protected mode, then one of a million instructions, from
; another address.
%include "guest.inc"
	lgdt [gdtr]
next:	again work
work:	mov si, 1000
.visit:	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:.short
.short:	call load
	and al, 0xfe
	mov cr0, eax
	jmp 0:.back
.back:	call unload
	dec si
	jnz .visit
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:.long
.long:	call load
	mov ecx, 500000
.loop:	dec ecx
	jnz .loop
	and al, 0xfe
	mov cr0, eax
	jmp 0:.done
.done:	call unload
	jmp next
load:	mov bx, 16
	jmp set
unload:	xor bx, bx
set:	mov ds, bx
	mov es, bx
	mov ss, bx
	mov fs, bx
	mov gs, bx
	ret
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0
	dw 0xffff, 0, 0x9300, 0
gdtr:	dw 23
	dd gdt
ending
