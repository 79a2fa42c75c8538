; Eratosthenes over 8,190 words at 2 MiB, in 32-bit protected mode, ten times a round.
%include "guest.inc"
SIZE equ 8190
	in al, 0x92
	or al, 2
	out 0x92, al
	lgdt [gdtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
	jmp 8:flat
finish:	bits 32
	mov al, 0x21
	out 0xf4, al
	hlt
flat:	mov ax, 16
	mov ds, ax
	mov es, ax
	mov ss, ax
next:	dec dword [rounds]
	js finish
	mov ebx, 10
.pass:	mov edi, 0x200000
	xor ecx, ecx
.fill:	mov word [edi + ecx * 2], 1
	inc ecx
	cmp ecx, SIZE
	jbe .fill
	xor esi, esi
	xor edx, edx
.number: cmp word [edi + esi * 2], 0
	je .no
	lea eax, [esi + esi + 3]
	lea ecx, [esi + eax]
.strike: cmp ecx, SIZE
	ja .done
	mov word [edi + ecx * 2], 0
	add ecx, eax
	jmp .strike
.done:	inc edx
.no:	inc esi
	cmp esi, SIZE
	jbe .number
	dec ebx
	jnz .pass
	jmp next
align 8
gdt:	dq 0
	dw 0xffff, 0, 0x9b00, 0x00cf
	dw 0xffff, 0, 0x9300, 0x00cf
gdtr:	dw 23
	dd gdt
align 4
rounds	dd ROUNDS
	times 510 - ($ - $$) db 0
	dw 0xaa55
