/* For guests: what v2e hands to an ELF kernel that it starts directly, without
 * firmware. The kernel begins in flat 32-bit protected mode: paging and interrupts
 * off, every segment from 0 to 4 GiB, A20 open, EAX = START_INFO_MAGIC, EBX = the
 * address of struct start_info, ESP = the end of a stack of START_INFO_STACK bytes.
 * GDTR and IDTR are empty: load your own before you load a segment register or let
 * interrupts in.
 *
 * All addresses are physical, all numbers little-endian. The two maps are arrays; the
 * `size` field before the address of one is its number of entries. */
#ifndef V2E_START_INFO_H
#define V2E_START_INFO_H

#include <stdint.h>

#define START_INFO_MAGIC 0x49453256u /* "V2EI" */
#define START_INFO_STACK 4096u

struct start_info {
	uint32_t ioapic_base; /* 0: there is none, but two 8259 at ports 20h and A0h */
	uint32_t mem_size;
	uint32_t mem_entries;
	uint32_t dev_size;
	uint32_t dev_entries;
};

/* RAM, by address, without overlaps; what is not in the map is no RAM. */
struct memory_map_entry {
	uint32_t base;
	uint32_t size;
#define MEMORY_FLAG_READ_ONLY 1 /* the kernel's file says that it does not write there */
	uint32_t flags;
#define MEMORY_USE_FREE   0
#define MEMORY_USE_KERNEL 1     /* a segment of the kernel */
#define MEMORY_USE_INIT   2     /* this page and the first stack: free when no longer needed */
	uint32_t use;
};

/* A device. `base_addr` below START_INFO_PORTS is an I/O port, else memory. */
struct device_map_entry {
	uint32_t base_addr;
	uint32_t interrupt_num; /* input of the I/O APIC; without one, IRQ of the 8259s */
};
#define START_INFO_PORTS 0x10000u

#endif
