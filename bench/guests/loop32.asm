; Registers, 32 bits: a million turns a round.
%include "guest.inc"
next:	again work
work:	mov ecx, 1000000
.turn:	add eax, ebx
	xor ebx, ecx
	rol eax, 5
	lea edx, [eax + ebx * 2 + 7]
	sub esi, edx
	dec ecx
	jnz .turn
	jmp next
ending
