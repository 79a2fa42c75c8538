; CPUID says the same in real mode, in protected mode of 16 and of 32 bits, whoever runs
; them: leaves that are there, that are not, and those of a hypervisor.
%include "guest.inc"
	GUEST "cpuid"
gdt_end:

; To es:edi, and on; all registers are lost but those of segments. A subroutine each.
%macro LIST 0
	xor esi, esi
%%next:	mov eax, [leaves + esi * 4]
	xor ecx, ecx
	cpuid
	mov [edi], eax
	mov [edi + 4], ebx
	mov [edi + 8], ecx
	mov [edi + 12], edx
	add edi, 16
	inc esi
	cmp esi, LEAVES
	jne %%next
%endmacro
; %1: check. What was listed last is what real mode got.
%macro SAME 1
	mov ecx, LEAVES * 4
	mov esi, first
	mov edi, second
	a32 repe cmpsd
	CHECK e, %1
%endmacro

start:	lgdt [gdtr]
	mov edi, first
	call list16
	cmp dword [first], 0	; there is something to compare
	CHECK ne, 1
	cmp dword [first + 4], "Genu"
	CHECK e, 2
	mov bp, 3
again:	mov edi, second
	call list16
	SAME 3
	CR0_SET 1
	jmp CODE16:.narrow
.narrow:
	mov ax, DATA16
	LOAD ds, es, fs, gs
	mov ax, LOW16
	mov ss, ax
	mov edi, second
	call list16
	SAME 4
	jmp dword CODE32:BASE + .wide
	bits 32
.wide:	mov edi, second
	call list32		; data is still that of 16-bit code
	SAME 5
	TO_REAL
	dec bp
	jnz again
	jmp passed
list16:	LIST
	ret
	bits 32
list32:	LIST
	ret
	align 4
leaves:	dd 0, 1, 2, 3, 4, 7, 0xd, 0x20, 0x1234567, 0x40000000, 0x40000001, 0x40000100
	dd 0x80000000, 0x80000001, 0x80000007, 0x80000008, 0x80000009, 0x8000001f, 0xc0000000, 0xffffffff
LEAVES	equ ($ - leaves) / 4
	align 16
first	equ $ - $$
second	equ first + LEAVES * 16
	times 2 * LEAVES * 16 db 0
	bits 16
	END
