; What a boot loader takes for a Linux kernel (boot protocol 2.02): its
; real-mode part prints the command line. With EXIT defined it ends the machine
; through port F4h instead.
bits 16
org 0

	times 0x1f1 - ($ - $$) db 0
	db 1                    ; setup_sects
	dw 0                    ; root_flags
	dd 1                    ; syssize, in paragraphs
	dw 0                    ; ram_size
	dw 0xffff               ; vid_mode
	dw 0                    ; root_dev
	dw 0xaa55
	jmp short start         ; 200h: entry, CS = load segment + 20h
	db "HdrS"
	dw 0x0202
	dd 0                    ; realmode_swtch
	dw 0, 0                 ; start_sys_seg, kernel_version
	db 0                    ; type_of_loader
	db 1                    ; loadflags: LOADED_HIGH
	dw 0x8000               ; setup_move_size
	dd 0x100000             ; code32_start
	dd 0, 0                 ; ramdisk_image, ramdisk_size
	dd 0                    ; bootsect_kludge
	dw 0                    ; heap_end_ptr
	db 0, 0
cmd_line_ptr:
	dd 0

start:
%ifdef EXIT
	mov al, 0x21
	out 0xf4, al
%else
	mov ax, 3
	int 0x10
	mov ax, cs
	sub ax, 0x20
	mov ds, ax
	mov si, text
	call print
	mov eax, [cmd_line_ptr]
	mov si, ax
	and si, 15
	shr eax, 4
	mov ds, ax
	call print
	sti
%endif
halt:	hlt
	jmp halt

print:	lodsb
	test al, al
	jz .out
	mov ah, 0x0e
	mov bx, 7
	int 0x10
	jmp print
.out:	ret

text:	db "Kernel started with: ", 0

	times 0x400 - ($ - $$) db 0
	times 16 db 0xf4        ; the protected-mode part
