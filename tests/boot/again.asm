; A kernel that starts without firmware, at 1 MiB: writes S to the serial port, counts to
; 50 million, resets the machine; the second time it writes R and ends the run by port F4h.
bits 32
org 0x100000

%define SEEN 0x200000	; RAM, which a reset leaves alone

	mov dx, 0x3f8
	cmp byte [SEEN], 0x5a
	je second
	mov byte [SEEN], 0x5a
	mov al, 'S'
	out dx, al
	mov ecx, 50000000
	loop $
	mov dx, 0xcf9
	mov al, 6
	out dx, al
	jmp $
second:	mov al, 'R'
	out dx, al
	mov al, 3
	out 0xf4, al
	jmp $
