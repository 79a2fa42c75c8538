/* What a kernel needs in memory and in the registers before it may start. The
 * parsers of kernel formats make it; boot_rom.h has the guest carry it out behind
 * the firmware, boot_start.h does so without any. */
#ifndef V2E_LOADER_BOOT_PLAN_H
#define V2E_LOADER_BOOT_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Where there is RAM: [0, BOOT_LOW_END) and from BOOT_HIGH up. */
#define BOOT_LOW_END 0xa0000u
#define BOOT_HIGH    0x100000u
/* What firmware that runs keeps below and above of BOOT_LOW_END's RAM, and at the
 * end of all RAM: vectors, its data area; its extended data area; its tables. */
#define BOOT_FIRMWARE_LOW     0x1000u
#define BOOT_FIRMWARE_LOW_END 0x9a000u
#define BOOT_FIRMWARE_TOP     0x100000u

enum boot_mode {
	BOOT_REAL,      /* behind the firmware, at CS:IP */
	BOOT_PROTECTED, /* behind the firmware, in flat 32-bit protected mode */
	BOOT_DIRECT,    /* the same from power-on, without firmware */
};

enum boot_use { BOOT_USE_KERNEL, BOOT_USE_INIT };

struct boot_piece {
	char *what;            /* for messages; owned by the plan */
	uint64_t address, size;
	const uint8_t *data;   /* not owned, or the plan's own */
	uint64_t data_size;    /* up to `size`; the rest is zeros */
	bool read_only;
	enum boot_use use;
};

/* Where the guest writes the firmware's memory map (INT 15h, E820h) as entries of
 * 24 bytes: base, length, type, four bytes of zero. */
struct boot_map {
	uint32_t entries;  /* address below 1 MiB, a paragraph's; 0: no map is wanted */
	uint32_t room;     /* entries */
	bool sized;        /* the size, 20, stands before each entry and not a zero behind it */
	uint32_t add[2];   /* addresses of 32-bit words to add the map's bytes to; 0: none */
	uint32_t lower;    /* address of two words: KiB from 0 and from 1 MiB on */
};

struct boot_plan {
	const char *path;        /* of the kernel, for messages; not owned */
	uint64_t ram_size;
	GArray *pieces;          /* struct boot_piece, in the order of their loading */
	GPtrArray *made;         /* bytes that were made for pieces */
	enum boot_mode mode;
	uint16_t cs, ip, ds, ss, sp; /* BOOT_REAL; ES, FS, GS are as DS */
	bool interrupts;         /* BOOT_REAL: IF */
	uint32_t eip, eax, ebx;  /* the other modes */
	uint32_t esp;            /* BOOT_DIRECT */
	struct boot_map map;
};

void boot_plan_init(struct boot_plan *plan, const char *path, enum boot_mode mode, uint64_t ram_size);
void boot_plan_clear(struct boot_plan *plan);

/* Adds a piece: `what`, copied, for messages. Refuses what wraps, is outside of the
 * RAM that the mode leaves free, or overlaps an earlier piece. A piece without size
 * is dropped. Returns false with *error (g_free): file, piece, addresses, limit. */
bool boot_plan_add(struct boot_plan *plan, const char *what, const struct boot_piece *piece, char **error);

/* A place of `size` bytes for a piece between `from` and `to`, a multiple of `align`
 * (a power of two): the lowest, or with `high` the highest. 0: there is none. */
uint64_t boot_plan_find(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t from, uint64_t to, bool high);

/* Zeroed bytes that live as long as the plan. */
uint8_t *boot_plan_bytes(struct boot_plan *plan, uint64_t size);

/* Copies what the pieces point to: from here on the files that it came from may change,
 * be cut, or go. */
void boot_plan_keep(struct boot_plan *plan);

/* Does a piece lie there? */
bool boot_plan_covers(const struct boot_plan *plan, uint64_t address);
/* The end of the highest piece, at least `at_least`. */
uint64_t boot_plan_end(const struct boot_plan *plan, uint64_t at_least);
/* The end of what the mode leaves free of the RAM above 1 MiB. */
uint64_t boot_plan_limit(const struct boot_plan *plan);

#endif
