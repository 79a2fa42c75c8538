/* The option ROM that carries out a boot plan: the firmware calls its bootstrap
 * entry as it calls that of a network card. All bytes come from the firmware
 * configuration device by its DMA. boot_rom.c fills in the sizes and what stands from
 * `plan` on; the names there are those of struct rom_plan. Plug and Play BIOS
 * specification 1.0A, 3.2 and appendix B. */

#define SCRATCH_SIZE 4096
#define DMA_LOW      0x518
#define SMAP         0x534d4150
#define MAP_ENTRY    24

/* struct rom_plan, by offsets in the ROM. */
#define PLAN(offset) (boot_rom_plan - boot_rom_code + offset)
#define PLAN_SCRATCH     PLAN(0)
#define PLAN_MAP_ENTRIES PLAN(4)
#define PLAN_MAP_ADD     PLAN(8)
#define PLAN_MAP_LOWER   PLAN(16)
#define PLAN_START_EIP   PLAN(20)
#define PLAN_START_EAX   PLAN(24)
#define PLAN_START_EBX   PLAN(28)
#define PLAN_MAP_ROOM    PLAN(32)
#define PLAN_MAP_SIZED   PLAN(34)
#define PLAN_LOAD_COUNT  PLAN(36)
#define PLAN_PROTECTED   PLAN(38)
#define PLAN_START_CS    PLAN(40)
#define PLAN_START_IP    PLAN(42)
#define PLAN_START_DS    PLAN(44)
#define PLAN_START_SS    PLAN(46)
#define PLAN_START_SP    PLAN(48)
#define PLAN_START_FLAGS PLAN(50)
#define PLAN_LOADS       PLAN(64)

	.section .rodata.boot_rom, "a"
	.globl boot_rom_code, boot_rom_pnp, boot_rom_plan, boot_rom_code_end
	.hidden boot_rom_code, boot_rom_pnp, boot_rom_plan, boot_rom_code_end
	.code16

boot_rom_code:
	.byte 0x55, 0xaa
	.byte 0                         /* blocks of 512 bytes */
	lret                            /* nothing to initialize */
	.org 0x1a
	.word pnp - boot_rom_code

	.balign 16
boot_rom_pnp:
pnp:
	.ascii "$PnP"
	.byte 1, 2                      /* revision, paragraphs */
	.word 0
	.byte 0, 0                      /* the second is its checksum */
	.long 0
	.word 0
	.word product - boot_rom_code
	.byte 2, 0, 0                   /* class: network, so that it may boot */
	.byte 0x24                      /* shadowed, not needed by the display */
	.word 0, 0
	.word bootstrap - boot_rom_code
	.word 0, 0
product:
	.asciz "v2e --kernel"

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff
	.quad 0x00cf93000000ffff
gdt_end:

failure:
	.asciz "\r\nv2e: the kernel could not be loaded into memory\r\n"

bootstrap:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	movl PLAN_SCRATCH, %ebx
	mov %ebx, %eax
	shr $4, %eax
	mov %ax, %ss
	mov %ax, %es
	movl $SCRATCH_SIZE, %esp

	/* Load: each descriptor is copied to where its result may be written. */
	mov $PLAN_LOADS, %si
	movw PLAN_LOAD_COUNT, %bp
	mov $DMA_LOW, %dx
load:
	test %bp, %bp
	jz loaded
	dec %bp
	xor %di, %di
	mov $8, %cx
	rep movsw
	mov %ebx, %eax
	xchg %al, %ah                   /* big-endian, without the 486's BSWAP */
	rol $16, %eax
	xchg %al, %ah
	outl %eax, %dx
	cmpl $0, %es:0
	je load

	mov $(failure - boot_rom_code), %si
print:	lodsb
	test %al, %al
	jz stop
	mov $0x0e, %ah
	mov $7, %bx
	int $0x10
	jmp print
stop:	hlt
	jmp stop

	/* The firmware's memory map, into ES:0 and on. */
loaded:
	movl PLAN_MAP_ENTRIES, %eax
	test %eax, %eax
	jz start
	shr $4, %eax
	mov %ax, %es
	xor %di, %di
	xor %ebx, %ebx
	movw PLAN_MAP_ROOM, %bp
entry:
	push %di
	cmpw $0, PLAN_MAP_SIZED
	je unsized
	movl $20, %es:(%di)
	add $4, %di
	jmp ask
unsized:
	movl $0, %es:20(%di)
ask:
	mov $0xe820, %eax
	mov $SMAP, %edx
	mov $20, %ecx
	int $0x15
	jc last
	cmp $SMAP, %eax
	jne last
	call note_size
	pop %di
	add $MAP_ENTRY, %di
	dec %bp
	jz map_end
	test %ebx, %ebx
	jnz entry
	jmp map_end
last:	pop %di
map_end:
	movl $0, %es:(%di)              /* what ends a list of multiboot2 tags */
	movl $8, %es:4(%di)
	movzwl %di, %ecx
	movl PLAN_MAP_ADD, %eax
	call add_to
	movl PLAN_MAP_ADD + 4, %eax
	call add_to
	jmp start

	/* RAM from 0 and from 1 MiB on, in KiB. */
note_size:
	cmpl $1, %es:16(%di)
	jne 2f
	cmpl $0, %es:4(%di)
	jne 2f
	movl PLAN_MAP_LOWER, %eax
	cmpl $0, %es:(%di)
	je 1f
	cmpl $0x100000, %es:(%di)
	jne 2f
	add $4, %eax
1:	movl %es:8(%di), %ecx
	shr $10, %ecx
	call point_to
	movl %ecx, %fs:(%si)
2:	ret

	/* Adds ECX to the word at EAX, if that is an address. */
add_to:
	test %eax, %eax
	jz 1f
	call point_to
	addl %ecx, %fs:(%si)
1:	ret

	/* FS:SI = EAX */
point_to:
	mov %ax, %si
	and $15, %si
	shr $4, %eax
	mov %ax, %fs
	ret

start:
	cmpw $0, PLAN_PROTECTED
	jne start_protected
	movw PLAN_START_SS, %ss
	movzwl PLAN_START_SP, %esp
	pushw PLAN_START_FLAGS
	pushw PLAN_START_CS
	pushw PLAN_START_IP
	movw PLAN_START_DS, %ax
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ds
	iretw

start_protected:
	in $0x92, %al                   /* A20, and no reset */
	or $2, %al
	and $0xfe, %al
	out %al, $0x92
	xor %eax, %eax
	mov %cs, %ax
	shl $4, %eax
	add $(gdt - boot_rom_code), %eax
	mov %ss, %bx
	mov %bx, %es
	movw $(gdt_end - gdt - 1), %es:16
	movl %eax, %es:18
	lgdtl %es:16
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	jmp 1f
1:	mov $0x10, %ax
	mov %ax, %ds
	mov %ax, %es
	mov %ax, %fs
	mov %ax, %gs
	mov %ax, %ss
	movl %cs:PLAN_SCRATCH, %esp
	addl $SCRATCH_SIZE, %esp
	pushl $8
	pushl %cs:PLAN_START_EIP
	movl %cs:PLAN_START_EAX, %eax
	movl %cs:PLAN_START_EBX, %ebx
	lretl

	.balign 16
boot_rom_plan:
	.fill 64, 1, 0
boot_rom_code_end:

	.section .note.GNU-stack, "", @progbits
