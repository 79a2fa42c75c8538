/* The board: a PC with the 440FX chip set, everything wired. Two boards may live
 * in one process. */
#ifndef V2E_DEVMODEL_PC_H
#define V2E_DEVMODEL_PC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devmodel/blk.h"
#include "devmodel/chardev.h"
#include "devmodel/ide.h"
#include "devmodel/network.h"
#include "devmodel/vga.h"
#include "shared/bus.h"
#include "shared/clock.h"
#include "shared/ctx.h"
#include "shared/irq.h"
#include "shared/mem.h"
#include "shared/snap.h"

struct i82077;
struct pc;
struct ps2_keyboard;
struct ps2_mouse;

#define PC_RAM_MIN     (1ull << 20)
#define PC_RAM_MAX     (3584ull << 20) /* the PCI hole begins at E0000000h */
#define PC_BIOS_MAX    (16u << 20)
#define PC_DISKS       4u
#define PC_FLOPPIES    2u
#define PC_SERIAL      2u
#define PC_ROMS        8u
#define PC_DEVICES     16u
#define PC_VIRTIO_DISKS 4u

/* Devices by class, in the order in which the firmware shall try them. */
enum pc_boot { PC_BOOT_END, PC_BOOT_FLOPPY, PC_BOOT_DISK, PC_BOOT_CDROM, PC_BOOT_NETWORK };

/* What hangs on an IDE connector; slot n is channel n / 2, drive n % 2. */
enum pc_drive_kind { PC_DRIVE_NONE, PC_DRIVE_DISK, PC_DRIVE_CDROM };

struct pc_drive {
	enum pc_drive_kind kind;
	struct blk *blk; /* taken over by the board; NULL: a CD-ROM without a disc */
};

/* An option ROM that the firmware finds among its files, as genroms/NAME. */
struct pc_rom {
	const char *name;
	const void *data;
	size_t size;
};

/* Each virtio device has a place of its own. */
enum pc_virtio_slot {
	PC_VIRTIO_RNG, PC_VIRTIO_CONSOLE, PC_VIRTIO_NET, PC_VIRTIO_DISK,
	PC_VIRTIO_SLOTS = PC_VIRTIO_DISK + PC_VIRTIO_DISKS,
};

struct pc_config {
	uint64_t ram_size;            /* bytes, whole MiB, PC_RAM_MIN..PC_RAM_MAX */
	const void *bios;             /* copied; whole 64 KiB, at most PC_BIOS_MAX */
	size_t bios_size;
	const void *vgabios;          /* copied; may be of size 0 */
	size_t vgabios_size;
	struct pc_drive drive[PC_DISKS];
	struct blk *floppy[PC_FLOPPIES]; /* taken over; NULL: empty drive A, no drive B */
	enum pc_boot boot[5];         /* ends with PC_BOOT_END; none: disk, CD-ROM, floppy */
	struct pc_rom rom[PC_ROMS];   /* copied; ends with a NULL name, or full */
	const char *boot_rom;         /* the one to be tried before all drives, or NULL */
	const void *kernel;           /* what it loads, item FW_CFG_KERNEL_DATA; copied */
	size_t kernel_size;
	bool boot_menu;               /* let the firmware offer its menu */
	uint32_t boot_menu_wait_ms;   /* how long, 0 to 65,535 */
	struct chardev *serial[PC_SERIAL]; /* COM1, COM2; NULL: not fitted. Not owned */
	struct chardev *parallel;     /* LPT1; as above */
	struct chardev *debug;        /* what the firmware logs; as above */
	uint16_t debug_port;          /* 402h for SeaBIOS */
	uint16_t exit_port;           /* 0: none */
	bool nic;                     /* an e1000 is fitted, */
	struct network *network;      /* its or the virtio card's cable plugged in here; NULL: in nothing. Not owned */
	uint8_t mac[6];
	const void *nic_rom;          /* its option ROM, copied; may be of size 0 */
	size_t nic_rom_size;
	uint8_t virtio;               /* bit n: enum pc_virtio_slot n is fitted; what it needs is here */
	bool virtio_legacy;           /* with the interface before 1.0 */
	struct chardev *virtio_console; /* not owned */
	struct blk *virtio_disk[PC_VIRTIO_DISKS]; /* taken over */
	struct clock *clock;          /* not owned; must outlive the board */
	int64_t rtc_start;            /* Unix time that the RTC shows first */
	uint32_t cpu_signature;       /* CPUID.1:EAX, for EDX after reset */
};

/* Builds the board and resets it. The blk of drives, floppies and virtio disks are taken over in
 * any case. On failure NULL, and *error (g_free) says what and, where there is one,
 * the remedy. */
struct pc *pc_new(const struct pc_config *config, char **error);
void pc_free(struct pc *pc); /* NULL is fine; before clock_free() */

/* RESET of the whole board: all chips and *pc_ctx(); RAM stays, ROM shows again at
 * C0000h-FFFFFh. What pins.reset and a triple fault ask for. */
void pc_reset(struct pc *pc);

/* All chips, RAM and the context page. Loading wants a board of the same
 * configuration; after an error the board must be reset or freed. */
void pc_state(struct pc *pc, struct snap *snap);

struct ctx *pc_ctx(struct pc *pc);
struct cpu_pins *pc_pins(struct pc *pc);
struct mem *pc_mem(struct pc *pc);
struct bus *pc_bus(struct pc *pc);
struct clock *pc_clock(struct pc *pc);
struct vga *pc_vga(struct pc *pc);
struct ps2_keyboard *pc_keyboard(struct pc *pc);
struct ps2_mouse *pc_mouse(struct pc *pc);
struct ide *pc_ide(struct pc *pc);
struct i82077 *pc_fdc(struct pc *pc);

/* SMIACT#, from the engine when it enters or leaves SMM. */
void pc_set_smm(struct pc *pc, bool smm);
void pc_press_power_button(struct pc *pc);
/* As a debug card's button does it: a pulse of IOCHK#, seen in port 61h bit 6. */
void pc_press_nmi_button(struct pc *pc);

/* The level at the speaker. */
bool pc_speaker(struct pc *pc);
/* Last byte that the guest wrote to port 80h. */
uint8_t pc_post_code(const struct pc *pc);

/* Which devices such a board has, for guests that do not find out themselves: fills in
 * at most PC_DEVICES and returns how many. `base` below 10000h is an I/O port, else an
 * address in memory; `irq` an input of the 8259s. */
struct pc_device {
	uint32_t base;
	unsigned irq;
};
unsigned pc_devices(const struct pc_config *config, struct pc_device device[PC_DEVICES]);

/* Why the guest let go: it switched itself off (S5), or wrote to the exit port.
 * pins.stop is set with both. */
enum pc_end { PC_RUNNING, PC_POWERED_OFF, PC_EXITED };
/* *status is set with PC_EXITED. */
enum pc_end pc_end(const struct pc *pc, int *status);

#endif
