; For engines.sh: a BIOS that has INT 10h alone and starts the boot sector in file SECTOR.
	bits 16
	org 0
start:	xor ax, ax
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov sp, 0x6000
	mov word [0x10 * 4], video
	mov word [0x10 * 4 + 2], 0xf000
	mov si, sector
	mov di, 0x7c00
	mov cx, 256
	cs rep movsw
	jmp 0:0x7c00
video:	add ah, 1
	iret
sector:	incbin SECTOR
	times 0xfff0-($-$$) db 0
	jmp 0xf000:start
	times 0x10000-($-$$) db 0
