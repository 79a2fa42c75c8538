/* The first instructions of kernel.c, and the header by which a loader knows it:
 * MULTIBOOT=1 or 2; without, it is a plain ELF kernel for start_info. FLAT gives the
 * header load addresses, for a file without ELF's own headers. */
	.section .head, "ax"
	.globl start, kernel_begin
kernel_begin:
#if MULTIBOOT == 1 || MULTIBOOT == 2
	jmp start
	.balign 8
#endif
#if MULTIBOOT == 1
#ifdef FLAT
#define FLAGS 0x00010003
#else
#define FLAGS 0x00000003
#endif
header:
	.long 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
#ifdef FLAT
	.long header, kernel_begin, kernel_loaded, kernel_end, start
#endif
#elif MULTIBOOT == 2
header:
	.long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
	.balign 8
	.word 1, 0                      /* tell: command line, modules, memory, map */
	.long 24, 1, 3, 4, 6
	.balign 8
#ifdef FLAT
	.word 2, 0
	.long 24, header, kernel_begin, kernel_loaded, kernel_end
	.balign 8
	.word 3, 0
	.long 12, start
	.balign 8
#endif
	.word 0, 0
	.long 8
header_end:
#endif

start:
#if MULTIBOOT
	mov $stack_end, %esp            /* multiboot gives none */
#endif
	cld
	push %ebx
	push %eax
	call kernel_main
	/* The status ends the machine where --exit-port 0xf4 is given. */
	mov $0xf4, %dx
	out %al, %dx
1:	cli
	hlt
	jmp 1b

#if MULTIBOOT
	.bss
	.balign 16
	.skip 4096
stack_end:
#endif
	.section .note.GNU-stack, "", @progbits
