; Protected mode patches what real mode runs, by the processor and by DMA (of the
; firmware configuration): real mode has to run the new code. And the other way round.
%include "guest.inc"
	GUEST "patch"
gdt_end:

ROUNDS	equ 100
start:	lgdt [gdtr]
	mov word [rounds], ROUNDS
again:	mov cx, 40		; enough to be worth a translation
.warm:	call dword real_code
	loop .warm
	cmp eax, [wanted]
	CHECK e, 1
	TO32
	mov eax, [BASE + rounds]
	imul eax, 0x01010101
	mov [BASE + real_code.value], eax
	mov [BASE + wanted], eax
	TO_REAL
	call dword real_code
	cmp eax, [wanted]
	CHECK e, 2
	; the signature "QEMU" is item 0
	TO32
	mov eax, BASE + real_code.value
	bswap eax
	mov [BASE + transfer.to], eax
	mov dword [BASE + transfer], 0x0a000000	; select 0, read; big-endian
	mov eax, BASE + transfer
	bswap eax
	mov edx, 0x518
	out dx, eax
	cmp dword [BASE + transfer], 0
	CHECK e, 3
	mov dword [BASE + wanted], "QEMU"
	TO_REAL
	call dword real_code
	cmp eax, "QEMU"
	CHECK e, 4
	; real mode patches, protected mode runs, by the processor and by DMA
	mov eax, [rounds]
	mov [wide_code.value], eax
	TO32
	call wide_code
	cmp eax, [BASE + rounds]
	CHECK e, 5
	TO_REAL
	mov eax, BASE + wide_code.value
	bswap eax
	mov [transfer.to], eax
	mov dword [transfer], 0x0a000000
	mov eax, BASE + transfer
	bswap eax
	mov dx, 0x518
	out dx, eax
	TO32
	call wide_code
	cmp eax, "QEMU"
	CHECK e, 6
	TO_REAL
	dec word [rounds]
	jnz again
	jmp passed
real_code:
	db 0x66, 0xb8		; mov eax
.value:	dd 0
	o32 ret
	bits 32
wide_code:
	db 0xb8
.value:	dd 0
	ret
	align 4
transfer: dd 0, 0x04000000, 0
.to:	dd 0
wanted:	dd 0
rounds:	dd 0
	END
