; A vm86 monitor under paging, which shows another page at one linear address: by INVLPG,
; and by loading CR3 with what it holds. It does so twice on each way through it, and waits
; between for more blocks than a threshold of 1000. So there the first is the emulator's,
; after which KVM must see it; and the second KVM's, after which the emulator must.
%include "guest.inc"
	GUEST "remap"
TSS	equ FREE
	dq 0x0000890000000088 | (BASE + tss - $$) << 16
gdt_end:
	align 4
tss:	dd 0, STACK - 0x1000, DATA32
	times 25 - 3 dd 0
	dd 0x680000
	times 32 db 0		; ports 0 to FFh
	db 0xff

VM	equ 0x20000
DIRECTORY equ 0x20000
TABLE	equ 0x21000
FRAMES	equ 0x50000	; eight of them, each with its address in it
WINDOW	equ 0x60000	; linear
ENTRY	equ TABLE + (WINDOW >> 12) * 4
RIGHTS	equ 0x67	; accessed, dirty, user, writable, present
ROUNDS	equ 6

start:	push word DIRECTORY / 16
	pop es
	xor di, di
	xor eax, eax
	mov cx, 0x400
	rep stosd
	mov dword [es:0], TABLE + RIGHTS
	push word TABLE / 16
	pop es
	xor di, di
	mov eax, RIGHTS
	mov cx, 0x400
.fill:	stosd
	add eax, 0x1000
	loop .fill
	mov eax, FRAMES
.mark:	mov ecx, eax
	shr ecx, 4
	mov es, cx
	mov [es:0], eax
	add eax, 0x1000
	cmp eax, FRAMES + 0x8000
	jne .mark
	GATE 0x30, remap, 0xee00
	GATE 0x31, leave_vm86, 0xee00
	lgdt [gdtr]
	lidt [idtr]
	TO32
	mov dword [ENTRY], FRAMES + RIGHTS
	mov eax, DIRECTORY
	mov cr3, eax
	CR0_SET 0x80000000
	jmp .paged
.paged:	mov eax, TSS
	ltr ax
	mov dword [BASE + frame], FRAMES
	mov dword [BASE + rounds], ROUNDS
again:	call wait_long
	call look
	CHECK e, 1
	mov [BASE + saved], esp
	push dword 0		; gs
	push dword 0
	push dword WINDOW / 16	; ds
	push dword 0		; es
	push dword 0
	push dword STACK - 0x2000
	push dword 0x3000 | VM | 2
	push dword BASE / 16
	push dword inside
	iretd
	bits 16
inside:	out 0x80, al		; the emulator's from here on
	mov eax, [0]
	cmp eax, [cs:frame]
	CHECK e, 2
	int 0x30
	out 0x80, al
	mov eax, [0]
	cmp eax, [cs:frame]
	CHECK e, 3
	int 0x31
	FAIL 4
	bits 32
; More blocks than any threshold that is tried.
wait_long:
	mov ecx, 1500
	loop $
	ret
; ZF: the window shows what it should.
look:	mov eax, [WINDOW]
	cmp eax, [BASE + frame]
	ret
; The next page, by INVLPG and by CR3 in turns.
show_next:
	mov eax, [BASE + frame]
	add eax, 0x1000
	and eax, ~0x8000
	mov [BASE + frame], eax
	add eax, RIGHTS
	mov [ENTRY], eax
	test byte [BASE + rounds], 1
	jz .cr3
	invlpg [WINDOW]
	ret
.cr3:	mov eax, cr3
	mov cr3, eax
	ret
remap:	mov eax, DATA32
	LOAD ds, es
	call show_next
	call look
	CHECK e, 5
	call wait_long
	call look
	CHECK e, 6
	call show_next
	call look
	CHECK e, 7
	iretd
leave_vm86:
	mov eax, DATA32
	LOAD ds, es, fs, gs
	mov esp, [BASE + saved]
	call look
	CHECK e, 8
	dec dword [BASE + rounds]
	jnz again
	TO_REAL_BY 0x80000001
	jmp passed
	align 4
saved:	dd 0
frame:	dd 0
rounds:	dd 0
	END
