; The state of x87, MMX and SSE: written in one mode, read and changed in the other. In
; each second trip one of the modes leaves it alone.
%include "guest.inc"
	GUEST "fpu"
	cpu katmai
gdt_end:

TRIPS	equ 8
SSE	equ 0x02000000

; NEXT: the state of `count` is checked, and becomes that of count + 1. Addresses are those of
; real mode, DS has their base.
%macro NEXT 0
	fnstcw [word_]
	mov ax, [count]
	or ax, 0x360
	cmp ax, [word_]
	CHECK e, 3
	fistp dword [dword_]
	mov eax, [dword_]
	cmp eax, [count]
	CHECK e, 4
	fild qword [quad]
	movq mm1, [quad]	; an MMX register is an x87 register
	movd eax, mm1
	cmp eax, [quad]
	CHECK e, 5
	emms
	fninit
	test byte [sse], 1
	jz %%no_sse
	movups [image], xmm7
	mov eax, [image + 12]
	cmp eax, [count]
	CHECK e, 6
	stmxcsr [dword_]
	mov eax, [count]
	shl eax, 13
	and eax, 0x6000
	or eax, 0x1f80
	cmp eax, [dword_]
	CHECK e, 7
%%no_sse:
	inc dword [count]
	SETUP
%endmacro

; All of it by count: rounding and precision do no harm to integers.
%macro SETUP 0
	mov ax, [count]
	or ax, 0x360
	mov [word_], ax
	fldcw [word_]
	fild dword [count]
	test byte [sse], 1
	jz %%no_sse
	mov eax, [count]
	mov [image + 12], eax
	movups xmm7, [image]
	shl eax, 13
	and eax, 0x6000
	or eax, 0x1f80
	mov [dword_], eax
	ldmxcsr [dword_]
%%no_sse:
%endmacro

start:	lgdt [gdtr]
	mov byte [sse], 0
	mov dword [count], 0
	mov eax, 1
	cpuid
	test edx, SSE
	jz .plain
	mov byte [sse], 1
	mov eax, cr4
	or eax, 0x200
	mov cr4, eax
.plain:	CR0_CLEAR 0x2c		; EM, TS, NE
	fninit
	SETUP
	mov cx, TRIPS
.trip:	test cl, 1
	jz .idle
	NEXT
.idle:	TO32
	mov ax, DATA16
	mov ds, ax
	test cl, 2
	jz .quiet
	NEXT
.quiet:	TO_REAL
	mov ax, BASE / 16
	mov ds, ax
	dec cx
	jnz .trip
	cmp dword [count], TRIPS
	CHECK e, 8
	NEXT
	jmp passed
	align 16
image:	times 16 db 0
quad:	dq 0x400921fb54442d18
count:	dd 0
dword_:	dd 0
word_:	dw 0
sse:	db 0
	END
