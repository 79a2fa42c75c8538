; The part of a guest that is the same for all: runs the cases that guests.c put
; behind it, one after another, and writes a record of 256 bytes for each to port
; E9. Starts as a multiboot kernel: 32-bit flat protected mode, ring 0.
;
;	1000-5FFF  tables of the case, copied from TEMPLATE: GDT LDT TSSs IDT pages
;	6000       variables
;	10000      code of the case, 20000 its data, 30000 and 38000 its stacks
;	60000      the tables as the case found them
	cpu 686
	bits 32
	org 0x100000

TABLES   equ 0x1000
TABLES_SIZE equ 0x5000
VARS     equ 0x6000
CODE     equ 0x10000
DATA     equ 0x20000
FOUND    equ 0x60000
STUBS    equ 0x101000
TEMPLATE equ 0x102000
COUNT    equ 0x107000
CASES    equ 0x108000
CASE_SIZE equ 512
RECORD_SIZE equ 256
STACK    equ 0x70000

GDT_SIZE equ 0x1ff

v_case   equ VARS       ; the case that runs
v_left   equ VARS + 4
record   equ VARS + 0x100

; offsets in a case
c_gpr    equ 0
c_eip    equ 0x20
c_eflags equ 0x24
c_cs     equ 0x28
c_ss     equ 0x2c
c_ds     equ 0x30
c_es     equ 0x34
c_fs     equ 0x38
c_gs     equ 0x3c
c_cr0    equ 0x40
c_cr4    equ 0x44
c_outer  equ 0x48       ; 0: ring 0, 1: iret pops SS:ESP, 2: virtual-8086
c_code   equ 0x4c       ; 48 bytes
c_pokes  equ 0x80       ; count, then address and value

; offsets in a record
r_vector equ 0
r_stack  equ 4          ; 12 dwords from the handler's ESP
r_gpr    equ 0x34       ; as PUSHAD leaves them
r_sregs  equ 0x54       ; ds es fs gs ss tr ldtr msw
r_cr     equ 0x74       ; cr0 cr2 cr3 cr4
r_changes equ 0x84      ; count, then up to 15 of address and value

	dd 0x1badb002, 0x00010000, -(0x1badb002 + 0x00010000)
	dd 0x100000, 0x100000, 0, 0, entry

entry:
	cli
	lgdt [own_gdt]
	jmp 8:.flat
.flat:
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, STACK
	mov al, 0xff    ; no interrupts of the board
	out 0x21, al
	out 0xa1, al
	mov dword [v_case], CASES
	mov eax, [COUNT]
	mov [v_left], eax
next_case:
	cmp dword [v_left], 0
	je finished
	call set_up
	jmp enter_case

finished:
	mov al, 0
	out 0xf4, al
	cli
	hlt

; Tables, memory and control registers for the case at [v_case].
set_up:
	mov eax, cr0
	and eax, 0x7ffeffff
	mov cr0, eax
	xor eax, eax    ; what a BIOS or an earlier case left there
	xor edi, edi
	mov ecx, TABLES / 4
	rep stosd
	mov esi, TEMPLATE
	mov edi, TABLES
	mov ecx, TABLES_SIZE / 4
	rep movsd
	mov edi, DATA
	mov eax, 0x5a5a0000
	mov ecx, 0x800
.data:	stosd
	inc eax
	loop .data
	mov edi, 0x2ff00
	mov ecx, 0x80
	xor eax, eax
	rep stosd
	mov edi, 0x37f00
	mov ecx, 0x80
	rep stosd
	mov ebx, [v_case]
	lea esi, [ebx + c_code]
	mov edi, CODE
	mov ecx, 12
	rep movsd
	mov dword [CODE + 0x40], 0x40cd40cd ; tasks and gates come here,
	mov dword [0x40], 0x40cd40cd
	mov dword [CODE + 0x48], 0xe4b70f66 ; 16-bit ones here: MOVZX ESP, SP
	mov dword [CODE + 0x4c], 0x40cd40cd
	mov ecx, [ebx + c_pokes]
	lea esi, [ebx + c_pokes + 4]
.poke:	jecxz .poked
	lodsd
	mov edi, eax
	movsd
	dec ecx
	jmp .poke
.poked:
	mov esi, TABLES
	mov edi, FOUND
	mov ecx, TABLES_SIZE / 4
	rep movsd
	lgdt [case_gdt]
	lidt [case_idt]
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ax, 0x48
	lldt ax
	mov ax, 0x50
	ltr ax
	; LTR and LLDT have marked the tables; not the doing of the case
	mov eax, [TABLES + 0x50]
	mov [FOUND + 0x50], eax
	mov eax, [TABLES + 0x54]
	mov [FOUND + 0x54], eax
	mov eax, 0x4000
	mov cr3, eax
	mov eax, [ebx + c_cr4]
	mov cr4, eax
	mov eax, [ebx + c_cr0]
	mov cr0, eax
	xor eax, eax
	mov cr2, eax
	mov dr7, eax
	ret

enter_case:
	mov ebp, [v_case]
	mov eax, [ebp + c_outer]
	cmp eax, 1
	jae .outer
	mov esp, [ebp + c_gpr + 16]
	mov ss, [ebp + c_ss]
	jmp .frame
.outer:
	jne .virtual
	jmp .stack
.virtual:
	push dword [ebp + c_gs]
	push dword [ebp + c_fs]
	push dword [ebp + c_ds]
	push dword [ebp + c_es]
.stack:
	push dword [ebp + c_ss]
	push dword [ebp + c_gpr + 16]
.frame:
	push dword [ebp + c_eflags]
	push dword [ebp + c_cs]
	push dword [ebp + c_eip]
	cmp eax, 2
	je .registers
	mov es, [ebp + c_es]
	mov fs, [ebp + c_fs]
	mov gs, [ebp + c_gs]
	mov ds, [cs:ebp + c_ds]
.registers:
	mov eax, [cs:ebp + c_gpr]
	mov ecx, [cs:ebp + c_gpr + 4]
	mov edx, [cs:ebp + c_gpr + 8]
	mov ebx, [cs:ebp + c_gpr + 12]
	mov esi, [cs:ebp + c_gpr + 24]
	mov edi, [cs:ebp + c_gpr + 28]
	mov ebp, [cs:ebp + c_gpr + 20]
	iretd

; Each handler comes here with its vector on the stack.
caught:
	pushad
	push gs
	push fs
	push es
	push ds
	mov ax, 0x10
	mov ds, ax
	mov es, ax
	cld
	mov edi, record
	mov eax, [ss:esp + 48]
	stosd
	lea esi, [esp + 52]
	mov ecx, 12
	ss rep movsd
	lea esi, [esp + 16]
	mov ecx, 8
	ss rep movsd
	mov esi, esp
	mov ecx, 4
	ss rep movsd
	xor eax, eax
	mov ax, ss
	stosd
	str ax
	stosd
	sldt ax
	stosd
	smsw eax
	stosd
	mov eax, cr0
	stosd
	mov eax, cr2
	stosd
	mov eax, cr3
	stosd
	mov eax, cr4
	stosd
	; sane again
	mov eax, cr0
	and eax, 0x7ffeffff
	mov cr0, eax
	mov ax, 0x10
	mov ss, ax
	mov esp, STACK
	push dword 2
	popfd
	call changes
	mov esi, record
	mov edx, 0xe9
	mov ecx, RECORD_SIZE
	rep outsb
	add dword [v_case], CASE_SIZE
	dec dword [v_left]
	lgdt [own_gdt]
	jmp 8:next_case

; Which dwords of the tables, the data and the stacks are others now.
changes:
	lea ebx, [edi + 4]
	xor edx, edx
	mov esi, TABLES
	mov edi, FOUND
	mov ecx, TABLES_SIZE / 4
.compare:
	repe cmpsd
	je .rest
	call .note
	jecxz .rest
	jmp .compare
.rest:
	mov esi, DATA
	mov eax, 0x5a5a0000
	mov ecx, 0x800
.data:
	cmp [esi], eax
	lea esi, [esi + 4]
	je .same
	push eax
	call .note
	pop eax
.same:
	inc eax
	loop .data
	mov [record + r_changes], edx
	; what is left of the record from an earlier case
	mov edi, ebx
	mov ecx, record + RECORD_SIZE
	sub ecx, edi
	xor eax, eax
	rep stosb
	ret
.note:
	inc edx
	cmp edx, 15
	ja .full
	lea eax, [esi - 4]
	mov [ebx], eax
	mov eax, [esi - 4]
	mov [ebx + 4], eax
	add ebx, 8
.full:
	ret

	align 8
own_gdt:
	dw 0x17
	dd .table
	dw 0
.table:
	dq 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
case_gdt:
	dw GDT_SIZE
	dd TABLES
	dw 0
case_idt:
	dw 0x7ff
	dd 0x2000

; The double fault has a task of its own: what it interrupted is in the TSS.
double_fault:
	push dword 8
	jmp caught

	times STUBS - 0x100000 - ($ - $$) db 0
%assign n 0
%rep 256
%if n == 8
	jmp near double_fault
%else
	push strict dword n
	jmp near caught
%endif
	align 16
%assign n n + 1
%endrep
	times TEMPLATE - 0x100000 - ($ - $$) db 0
