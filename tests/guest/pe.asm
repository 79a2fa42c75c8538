; Into protected mode by MOV CR0 and by LMSW, to a new CS by far jump, far call, far
; return and IRET, of 16 and of 32 bits; out by MOV CR0 and by the same four: 16 trips.
%include "guest.inc"
	GUEST "pe"
gdt_end:

; One trip: on, how in, CS, how out, number of the check.
%macro TRIP 5
	mov word [trips], %5
	mov ebx, cr0
	or bl, 1
%ifidn %1, lmsw
	lmsw bx
%else
	mov cr0, ebx
%endif
	INTO %2, %3, %%inside
%if %3 == CODE32
	bits 32
%endif
%%inside:
	mov bx, cs
	cmp bx, %3
	CHECK e, %5
	smsw bx
	test bl, 1
	CHECK nz, %5
	mov bx, DATA16
	mov ds, bx
	mov es, bx
	mov fs, bx
	mov gs, bx
	mov bx, LOW16
	mov ss, bx
	cmp word [trips], %5
	CHECK e, %5
%if %3 == CODE32
	jmp CODE16:%%narrow
	bits 16
%%narrow:
%endif
	mov ebx, cr0
	and bl, 0xfe
	mov cr0, ebx
	INTO %4, BASE / 16, %%outside
%%outside:
	xor bx, bx
	mov ss, bx
	mov sp, STACK
	mov bx, cs
	mov ds, bx
	mov es, bx
	mov fs, bx
	mov gs, bx
	cmp bx, BASE / 16
	CHECK e, %5
	smsw bx
	test bl, 1
	CHECK z, %5
	cmp word [trips], %5
	CHECK e, %5
%endmacro

; INTO how, CS, label: 32-bit code takes the linear address.
%macro INTO 3
%if %2 == CODE32
%assign linear BASE
%else
%assign linear 0
%endif
%ifidn %1, jump
	jmp dword %2:linear + %3
%elifidn %1, call
	call dword %2:linear + %3
%else
%ifidn %1, iret
	pushfd
%endif
	push dword %2
	push dword linear + %3
%ifidn %1, iret
	iretd
%else
	o32 retf
%endif
%endif
%endmacro

start:	lgdt [gdtr]
	TRIP mov, jump, CODE16, jump, 1
	TRIP mov, call, CODE16, call, 2
	TRIP mov, retf, CODE16, retf, 3
	TRIP mov, iret, CODE16, iret, 4
	TRIP mov, jump, CODE32, call, 5
	TRIP mov, call, CODE32, retf, 6
	TRIP mov, retf, CODE32, iret, 7
	TRIP mov, iret, CODE32, jump, 8
	TRIP lmsw, jump, CODE16, retf, 9
	TRIP lmsw, call, CODE16, iret, 10
	TRIP lmsw, retf, CODE16, jump, 11
	TRIP lmsw, iret, CODE16, call, 12
	TRIP lmsw, jump, CODE32, iret, 13
	TRIP lmsw, call, CODE32, jump, 14
	TRIP lmsw, retf, CODE32, call, 15
	TRIP lmsw, iret, CODE32, retf, 16
	; LMSW cannot clear PE
	mov ebx, cr0
	or bl, 1
	mov cr0, ebx
	xor ebx, ebx
	lmsw bx
	smsw bx
	test bl, 1
	CHECK nz, 17
	mov ebx, cr0
	and bl, 0xfe
	mov cr0, ebx
	jmp passed
trips:	dw 0
	END
