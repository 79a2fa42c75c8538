/* Finds and reads the BIOS and the VGA BIOS. */
#ifndef V2E_LOADER_FIRMWARE_H
#define V2E_LOADER_FIRMWARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where they are looked for unless an option says otherwise. */
#ifndef V2E_SEABIOS
#define V2E_SEABIOS "/usr/share/seabios/bios.bin"
#endif
#ifndef V2E_VGABIOS
#define V2E_VGABIOS "/usr/share/seabios/vgabios-stdvga.bin"
#endif

#ifndef V2E_NIC_ROM
#define V2E_NIC_ROM "/usr/lib/ipxe/qemu/pxe-e1000.rom"
#endif

#define FIRMWARE_BIOS_MAX    (16u << 20)
#define FIRMWARE_VGABIOS_MAX (64u << 10)
#define FIRMWARE_ROM_MAX     (256u << 10)

struct firmware {
	uint8_t *data; /* owned; firmware_clear() */
	size_t size;
};

/* A system BIOS: whole 64 KiB blocks, at most FIRMWARE_BIOS_MAX bytes, with code
 * at the reset vector (16 bytes before the end; SDM vol. 3, 9.1.4). `path` NULL:
 * V2E_SEABIOS. Returns false with *error (g_free): file, field, remedy. */
bool firmware_load_bios(const char *path, struct firmware *bios, char **error);

/* An option ROM: 55h AAh, length in 512-byte blocks at byte 2, byte sum of zero
 * (Plug and Play BIOS specification 1.0A, 3.2), at most FIRMWARE_VGABIOS_MAX.
 * `path` NULL: V2E_VGABIOS. */
bool firmware_load_vgabios(const char *path, struct firmware *vgabios, char **error);

/* Any other option ROM, checked in the same way, at most FIRMWARE_ROM_MAX. */
bool firmware_load_rom(const char *path, struct firmware *rom, char **error);
/* The same for the network card, NULL: V2E_NIC_ROM. */
bool firmware_load_nic_rom(const char *path, struct firmware *rom, char **error);

void firmware_clear(struct firmware *firmware);

#endif
