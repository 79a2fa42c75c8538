; A triple fault in real mode, of a vector table without vectors.
%include "guest.inc"
	GUEST "triple16"
gdt_end:

start:	push word 0
	pop es
	cmp word [es:BOOTS], 4
	je passed
	lidt [none]
	int3
	FAIL 1
none:	dw 0
	dd 0
	END
