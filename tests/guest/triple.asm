; A triple fault in protected mode resets the board, three times.
%include "guest.inc"
	GUEST "triple"
gdt_end:

start:	push word 0
	pop es
	smsw ax
	test al, 1
	CHECK z, 1
	cmp word [es:BOOTS], 4
	je passed
	lgdt [gdtr]
	TO32
	lidt [BASE + none]
	int3
	FAIL 2
none:	dw 0
	dd 0
	END
