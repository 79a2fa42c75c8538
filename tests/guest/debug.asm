; Debug registers that one mode sets and the other has: values, breakpoints, and what
; DR6 keeps of a trap until somebody looks.
%include "guest.inc"
	GUEST "debug"
gdt_end:

TRIPS	equ 4
ENABLE0	equ 0x402
B0	equ 1
BS	equ 0x4000

; EXPECT traps, bits of DR6, check
%macro EXPECT 3
	cmp word [hits], %1
	CHECK e, %3
	cmp word [seen], %2
	CHECK e, %3
	mov dword [hits], 0
%endmacro

; Steps over one instruction; the handler ends it.
%macro STEP 1+
	pushf
	or word [esp], 0x100
	popf
	%1
%endmacro

%macro TO16 0
	CR0_SET 1
	jmp CODE16:%%there
%%there:
	mov ax, LOW16
	mov ss, ax
	mov ax, DATA16
	LOAD ds, es, fs, gs
%endmacro

; SET register, value
%macro SET 2
	mov eax, %2
	mov %1, eax
%endmacro

start:	lgdt [gdtr]
	lidt [idtr]
	VECTOR 1, trap
	push word 0
	pop es
	mov word [es:1 * 8], trap
	mov word [es:1 * 8 + 2], CODE16
	mov dword [es:1 * 8 + 4], 0x8600
	mov dword [hits], 0
	mov byte [quiet], 0
	and esp, 0xffff
	SET dr6, 0
	mov cx, TRIPS
.trip:	SET dr0, BASE + .inside
	SET dr7, ENABLE0
	TO16
.inside:
	nop
	EXPECT 1, B0, 3
	mov eax, dr0
	cmp eax, BASE + .inside
	CHECK e, 4
	SET dr0, BASE + .outside
	SET dr7, ENABLE0
	TO_REAL
.outside:
	nop
	EXPECT 1, B0, 5
	mov eax, dr0
	cmp eax, BASE + .outside
	CHECK e, 6
	movzx eax, cx
	mov dr3, eax
	TO16
	mov eax, dr3
	cmp ax, cx
	CHECK e, 7
	STEP nop
	EXPECT 1, BS, 8
	STEP out 0x80, al
	EXPECT 1, BS, 9
	push cx
	STEP cpuid
	pop cx
	EXPECT 1, BS, 10
	; Nobody looks at DR6 before real mode does.
	mov byte [quiet], 1
	push cx
	STEP cpuid
	pop cx
	TO_REAL
	mov byte [quiet], 0
	EXPECT 1, 0, 11
	mov eax, dr6
	cmp eax, 0xffff0ff0 | BS
	CHECK e, 12
	SET dr6, 0
	dec cx
	jnz .trip
	jmp passed

; DS is the same in both modes; in a frame of 16 bits there is no RF.
trap:	push bp
	mov bp, sp
	push eax
	inc word [hits]
	and word [bp + 6], 0xfeff
	test byte [quiet], 1
	jnz .out
	mov eax, dr6
	or [seen], ax
	and word [seen], 0xf00f
	SET dr6, 0
	SET dr7, 0x400
.out:	pop eax
	pop bp
	iret
	align 4
hits:	dw 0
seen:	dw 0
quiet:	db 0
	END
