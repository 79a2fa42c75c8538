/* What a file is that somebody wants to boot: found out by looking, and refused
 * with a message that names the file, what is wrong and what to do about it. */
#ifndef V2E_LOADER_IMAGE_H
#define V2E_LOADER_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/kernel.h"

enum image_kind {
	IMAGE_CDROM,       /* ISO 9660, hybrid or not; 2,048-byte sectors */
	IMAGE_DISK,        /* raw disk, 512-byte sectors */
	IMAGE_FLOPPY,      /* one of the eight sizes of IMAGE_FLOPPY_SIZES */
	IMAGE_BOOT_SECTOR, /* up to 512 bytes of code, put onto a floppy in memory */
	IMAGE_BIOS,        /* whole 64 KiB blocks with a jump at the reset vector */
	IMAGE_KERNEL,      /* see kernel.h */
	IMAGE_KINDS,
};

struct image {
	enum image_kind kind;
	uint64_t size; /* of the file, in bytes */
	enum kernel_kind kernel; /* of IMAGE_KERNEL */
};

/* What a boot sector becomes. */
#define IMAGE_FLOPPY_144_SIZE 1474560u

/* Largest sizes that the drives can address: 2^32 sectors of 2,048 bytes
 * (READ(12)), 2^48 sectors of 512 bytes (ATA-6, 48-bit addresses). */
#define IMAGE_CDROM_MAX (UINT64_C(1) << 43)
#define IMAGE_DISK_MAX  (UINT64_C(1) << 57)

/* "CD-ROM", "disk", "floppy", "boot sector", "BIOS", "kernel". */
const char *image_kind_name(enum image_kind kind);

/* Finds out what `path` is, a regular file or a block device. In this order:
 * "CD001" at byte 32769 is a CD-ROM (ECMA-119, 8.4), then what kernel_detect()
 * knows, up to 512 bytes a boot sector, an exact floppy size a floppy, whole 512-byte
 * sectors with 55h AAh at byte 510 a disk, whole 64 KiB blocks with a far jump into
 * the F segment or a near one 16 bytes before the end a BIOS. Returns false with
 * *error (to be freed with g_free). */
bool image_detect(const char *path, struct image *image, char **error);

/* The user said what it is: IMAGE_CDROM, IMAGE_DISK (no boot signature needed),
 * IMAGE_FLOPPY (then a boot sector will do as well, and image->kind says so),
 * IMAGE_BOOT_SECTOR, or IMAGE_BIOS and IMAGE_KERNEL, which others look into.
 * Returns false with *error if it cannot be that. */
bool image_check(const char *path, enum image_kind kind, struct image *image, char **error);

/* Reads a boot sector into a blank floppy of IMAGE_FLOPPY_144_SIZE bytes, to be
 * freed with g_free; code of up to 510 bytes gets the signature 55h AAh that
 * firmware looks for. Returns NULL with *error. */
uint8_t *image_load_boot_sector(const char *path, char **error);

#endif
