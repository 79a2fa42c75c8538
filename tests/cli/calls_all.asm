; A BIOS that makes each call of table.inc, which the test makes of bios_calls.def: ROW
; vector, AX. Twice: answered as if it went well, and as if it did not. Registers and
; memory are the same for all, so that each shows what its row makes of them.
%include "guest.inc"
%macro ROW 2
	db %1
	dw %2
%endmacro
	GUEST "calls"
gdt_end:
DATA	equ 0x3000

start:	xor di, di
	mov es, di
	mov cx, 256
.set:	mov word [es:di], handler
	mov word [es:di + 2], BASE / 16
	add di, 4
	loop .set
	mov ax, DATA
	mov es, ax
	mov si, data
	xor di, di
	mov cx, data_end - data
	rep movsb
	mov byte [bad], 0
.pass:	mov word [row], table
.next:	mov si, [row]
	lodsb
	mov [.number], al
	lodsw
	mov [row], si
	mov ebx, 0x00b20019
	mov ecx, 0x00c30241
	mov edx, 0x00d40180
	mov esi, 0x0040
	mov edi, 0x0080
	mov ebp, 0x0020
	push ds
	push word DATA
	push word DATA
	pop ds
	pop es
	jmp .go		; what was written is fetched anew
.go:	db 0xcd
.number:
	db 0
	pop ds
	cmp word [row], table_end
	jb .next
	xor byte [bad], 1
	jnz .pass
	cli
	lgdt [gdtr]
	CR0_SET 1
	CR0_CLEAR 1
	jmp passed

; CF and ZF are what some calls go by. Where a call answers in memory, DI or SI leads to
; an answer of its kind.
%macro ANSWER 4 ; what, value, register, place
	cmp %1, %2
	jne %%not
	mov %3, %4
%%not:
%endmacro
handler:
	push bp
	mov bp, sp
	mov di, 0x0090
	ANSWER ax, 0x4f00, di, 0x00b0
	ANSWER ax, 0x4f01, di, 0x00d0
	ANSWER ax, 0x4b01, si, 0x0110
	ANSWER ah, 0x48, si, 0x0130
	ANSWER ah, 0x47, si, 0x0180
	and byte [bp + 6], ~0x41
	cs cmp byte [bad], 1
	jz .bad
	mov eax, 0x1234004f
	jmp .out
.bad:	or byte [bp + 6], 0x41
	mov eax, 0
	cs cmp byte [start.number], 0x21
	mov ax, 2
	je .out
	cs cmp byte [start.number], 0x10
	mov ax, 0x014f
	je .out
	mov ax, 0x8041
.out:	pop bp
	mov ebx, 0x12340102
	mov ecx, 0x00030506
	mov edx, 0x00040708
	iret

data:	times 0x20 db 0
	db "text at ES:BP, with ", 13, 10, '"', 0, "\$"
	times 0x40 - ($ - data) db 0
	; SI: a disk packet; and the third and fourth entry of a table to move by
	db 0x18, 0, 3, 0, 0x00, 0x10, 0x00, 0x20
	dq 0x123456789
	dw 0xffff, 0x5678
	db 0x34, 0x92
	dw 0x0012
	dw 0xffff, 0x0000
	db 0x10, 0x92
	dw 0xff00
	times 0x80 - ($ - data) db 0
	db "A:\NEW.TXT", 0	; DI
	times 0x90 - ($ - data) db 0
	dq 0x100000, 0x7ee0000	; memory map
	dd 1
	times 0xb0 - ($ - data) db 0
	db "VESA", 0, 3		; VBE
	times 0xb0 + 18 - ($ - data) db 0
	dw 256
	times 0xd0 - ($ - data) db 0
	dw 0x80			; a mode of VBE
	times 0xd0 + 18 - ($ - data) db 0
	dw 1024, 768
	times 0xd0 + 25 - ($ - data) db 0
	db 32
	times 0xd0 + 40 - ($ - data) db 0
	dd 0xe0000000
	times 0x110 - ($ - data) db 0
	db 0x13, 0x04, 0x80, 0	; El Torito
	dd 1234
	times 0x130 - ($ - data) db 0
	times 16 db 0xff	; a disk
	dq 0x1_0000_0000
	dw 4096
	times 0x180 - ($ - data) db 0
	db "A:\DIR\FILE.TXT$", 0 ; DX
data_end:
	align 2
row:	dw 0
bad:	db 0
table:
%include "table.inc"
table_end:
	END
