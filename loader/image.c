#include "loader/image.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#define SECTOR 512u

#define BIOS_BLOCK   0x10000u
#define BIOS_MAX     (16u << 20)
#define RESET_VECTOR 16u /* bytes before the end */
#define JUMP_NEAR    0xe9
#define JUMP_FAR     0xea
#define F_SEGMENT    0xf000u

/* ECMA-119, 6.2.1 and 8: volume descriptors from sector 16 on. */
#define ISO_DESCRIPTOR  32768u
#define ISO_SECTOR      2048u
#define ISO_PRIMARY     1    /* volume descriptor type */
#define ISO_SPACE_SIZE  80   /* blocks in the volume, 8.4.8 */
#define ISO_BLOCK_SIZE  128  /* bytes in a block, 8.4.12 */

/* 160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M, 2.88M */
static const uint64_t floppy_sizes[] = {
	163840, 184320, 327680, 368640, 737280, 1228800, IMAGE_FLOPPY_144_SIZE, 2949120,
};

#define FLOPPY_SIZES "160K, 180K, 320K, 360K, 720K, 1.2M, 1.44M or 2.88M"

/* Containers that hold a disk but are not one. */
static const struct {
	const char *name;
	const char *remedy;
	unsigned length;
	const char *magic;
} containers[] = {
	{ "a qcow2 image", "convert it: qemu-img convert -O raw", 4, "QFI\xfb" },
	{ "a VMDK image", "convert it: qemu-img convert -O raw", 4, "KDMV" },
	{ "a VMDK description", "convert it: qemu-img convert -O raw", 21, "# Disk DescriptorFile" },
	{ "a VDI image", "convert it: qemu-img convert -O raw", 12, "<<< Oracle V" },
	{ "a VHDX image", "convert it: qemu-img convert -O raw", 8, "vhdxfile" },
	{ "a dynamic VHD image", "convert it: qemu-img convert -O raw", 8, "conectix" },
	{ "xz-compressed", "unpack it first: xz -d", 6, "\xfd" "7zXZ\0" },
	{ "gzip-compressed", "unpack it first: gzip -d", 3, "\x1f\x8b\x08" },
	{ "bzip2-compressed", "unpack it first: bzip2 -d", 4, "BZh9" },
	{ "zstd-compressed", "unpack it first: zstd -d", 4, "\x28\xb5\x2f\xfd" },
	{ "a zip archive", "unpack it first: unzip", 4, "PK\x03\x04" },
};

/* The parts of a file that tell what it is. */
struct probe {
	const char *path;
	uint64_t size;
	size_t head_size;
	uint8_t head[KERNEL_HEAD];
	uint8_t tail[RESET_VECTOR];
	bool has_descriptor;
	uint8_t descriptor[ISO_SECTOR];
};

const char *image_kind_name(enum image_kind kind)
{
	static const char *const names[IMAGE_KINDS] = { "CD-ROM", "disk", "floppy", "boot sector", "BIOS", "kernel" };
	return names[kind];
}

static bool refuse(const char *path, char **error, const char *format, ...) __attribute__((format(printf, 3, 4)));

static bool refuse(const char *path, char **error, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *what = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	*error = g_strdup_printf("%s: %s", path, what);
	return false;
}

static size_t read_at(int fd, uint64_t offset, void *to, size_t size)
{
	ssize_t got = pread(fd, to, size, (off_t)offset);
	return got < 0 ? 0 : (size_t)got;
}

static bool find_size(int fd, struct probe *probe, char **error)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return refuse(probe->path, error, "%s; check the device", g_strerror(errno));
	if (S_ISDIR(status.st_mode))
		return refuse(probe->path, error, "is a directory; give the image file in it");
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return refuse(probe->path, error, "is neither a file nor a block device; give an image file");
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return refuse(probe->path, error, "%s; check the device", g_strerror(errno));
	probe->size = (uint64_t)end;
	if (!probe->size)
		return refuse(probe->path, error, "is empty; create or download it again");
	return true;
}

static bool read_probe(int fd, struct probe *probe, char **error)
{
	if (!find_size(fd, probe, error))
		return false;
	probe->head_size = read_at(fd, 0, probe->head, sizeof probe->head);
	if (probe->head_size != MIN(probe->size, sizeof probe->head))
		return refuse(probe->path, error, "cannot be read; check the disk that it is on");
	if (probe->size >= RESET_VECTOR)
		read_at(fd, probe->size - RESET_VECTOR, probe->tail, RESET_VECTOR);
	probe->has_descriptor = read_at(fd, ISO_DESCRIPTOR, probe->descriptor, ISO_SECTOR) == ISO_SECTOR;
	return true;
}

static bool open_probe(const char *path, struct probe *probe, char **error)
{
	*probe = (struct probe){ .path = path };
	/* O_NONBLOCK: opening a named pipe must not wait for a writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return refuse(path, error, "no such file; check the name");
	if (fd < 0 && errno == EACCES)
		return refuse(path, error, "permission denied; make it readable for this user");
	if (fd < 0)
		return refuse(path, error, "%s; give an image file", g_strerror(errno));
	bool fine = read_probe(fd, probe, error);
	close(fd);
	return fine;
}

static uint32_t get_le16(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

static uint32_t get_le32(const uint8_t *at)
{
	return get_le16(at) | get_le16(at + 2) << 16;
}

static bool is_iso(const struct probe *probe)
{
	/* A file may also end within the descriptor: that is a truncated ISO. */
	return probe->size > ISO_DESCRIPTOR + 6 && !memcmp(probe->descriptor + 1, "CD001", 5);
}

static bool is_floppy_size(uint64_t size)
{
	for (size_t i = 0; i < G_N_ELEMENTS(floppy_sizes); i++)
		if (size == floppy_sizes[i])
			return true;
	return false;
}

static bool has_signature(const struct probe *probe)
{
	return probe->head_size >= SECTOR && probe->head[510] == 0x55 && probe->head[511] == 0xaa;
}

static bool is_bios(const struct probe *probe)
{
	if (probe->size % BIOS_BLOCK || probe->size > BIOS_MAX)
		return false;
	return probe->tail[0] == JUMP_NEAR || (probe->tail[0] == JUMP_FAR && get_le16(probe->tail + 3) >= F_SEGMENT);
}

static enum kernel_kind find_kernel(const struct probe *probe)
{
	const struct loader_file head = { .path = probe->path, .data = probe->head, .size = probe->head_size };
	return kernel_detect(&head);
}

/* Container formats: by name and remedy if it is one. */
static bool refuse_container(const struct probe *probe, char **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(containers); i++)
		if (probe->head_size >= containers[i].length &&
		    !memcmp(probe->head, containers[i].magic, containers[i].length)) {
			refuse(probe->path, error, "is %s, not a raw image; %s", containers[i].name, containers[i].remedy);
			return true;
		}
	return false;
}

static bool check_iso(const struct probe *probe, char **error)
{
	if (!is_iso(probe)) {
		if (refuse_container(probe, error))
			return false;
		return refuse(probe->path, error, "is not an ISO 9660 image (no CD001 at byte 32769); give it with --disk or --floppy");
	}
	if (probe->size > IMAGE_CDROM_MAX)
		return refuse(probe->path, error, "is oversized: a CD-ROM drive addresses 8 TiB; give it with --disk");
	uint64_t wanted = ISO_DESCRIPTOR + ISO_SECTOR;
	if (probe->has_descriptor && probe->descriptor[0] == ISO_PRIMARY)
		wanted = (uint64_t)get_le32(probe->descriptor + ISO_SPACE_SIZE) *
		         get_le16(probe->descriptor + ISO_BLOCK_SIZE);
	if (probe->size < wanted)
		return refuse(probe->path, error, "is truncated: the volume has %" PRIu64 " bytes, the file %" PRIu64 "; download or copy it again",
		              wanted, probe->size);
	return true;
}

static bool check_disk(const struct probe *probe, char **error)
{
	if (refuse_container(probe, error))
		return false;
	if (probe->size > IMAGE_DISK_MAX)
		return refuse(probe->path, error, "is oversized: a disk has at most 128 PiB; cut it");
	if (probe->size % SECTOR)
		return refuse(probe->path, error, "is truncated: %" PRIu64 " bytes are not whole 512-byte sectors; copy it again or pad it: truncate -s %%512",
		              probe->size);
	return true;
}

static bool check_boot_sector(const struct probe *probe, char **error)
{
	if (probe->size > SECTOR)
		return refuse(probe->path, error, "is oversized: %" PRIu64 " bytes are more than the 512 of a boot sector; give it with --floppy or --disk",
		              probe->size);
	if (probe->size > 510 && !has_signature(probe))
		return refuse(probe->path, error, "is a boot sector without the signature 55h AAh at byte 510, which no BIOS boots; add it");
	return true;
}

static bool check_floppy(const struct probe *probe, char **error)
{
	if (is_floppy_size(probe->size))
		return true;
	if (refuse_container(probe, error))
		return false;
	if (probe->size > floppy_sizes[G_N_ELEMENTS(floppy_sizes) - 1])
		return refuse(probe->path, error, "is oversized: %" PRIu64 " bytes are more than any floppy has; give it with --disk or --cdrom",
		              probe->size);
	return refuse(probe->path, error, "is truncated or no floppy: %" PRIu64 " bytes are not " FLOPPY_SIZES "; pad it: truncate -s 1440K",
	              probe->size);
}

/* firmware.h and kernel.h look closer, and say more. */
static bool check_elsewhere(const struct probe *probe, char **error)
{
	(void)probe, (void)error;
	return true;
}

static bool (*const checks[IMAGE_KINDS])(const struct probe *probe, char **error) = {
	[IMAGE_CDROM] = check_iso,
	[IMAGE_DISK] = check_disk,
	[IMAGE_FLOPPY] = check_floppy,
	[IMAGE_BOOT_SECTOR] = check_boot_sector,
	[IMAGE_BIOS] = check_elsewhere,
	[IMAGE_KERNEL] = check_elsewhere,
};

static bool accept_kind(const struct probe *probe, enum image_kind kind, struct image *image, char **error)
{
	*image = (struct image){ .kind = kind, .size = probe->size };
	if (kind == IMAGE_KERNEL)
		image->kernel = find_kernel(probe);
	return checks[kind](probe, error);
}

bool image_detect(const char *path, struct image *image, char **error)
{
	struct probe probe;
	if (!open_probe(path, &probe, error))
		return false;
	if (is_iso(&probe))
		return accept_kind(&probe, IMAGE_CDROM, image, error);
	if (find_kernel(&probe) != KERNEL_NONE)
		return accept_kind(&probe, IMAGE_KERNEL, image, error);
	if (probe.size <= SECTOR)
		return accept_kind(&probe, IMAGE_BOOT_SECTOR, image, error);
	if (is_floppy_size(probe.size))
		return accept_kind(&probe, IMAGE_FLOPPY, image, error);
	if (has_signature(&probe))
		return accept_kind(&probe, IMAGE_DISK, image, error);
	if (is_bios(&probe))
		return accept_kind(&probe, IMAGE_BIOS, image, error);
	if (refuse_container(&probe, error))
		return false;
	return refuse(path, error, "is nothing that boots: no ISO (CD001 at byte 32769), no disk (55h AAh at byte 510), "
	              "no floppy by its size (%" PRIu64 " bytes), no kernel and no BIOS; give its kind with --type", probe.size);
}

bool image_check(const char *path, enum image_kind kind, struct image *image, char **error)
{
	struct probe probe;
	if (!open_probe(path, &probe, error))
		return false;
	if (kind == IMAGE_FLOPPY && probe.size <= SECTOR)
		kind = IMAGE_BOOT_SECTOR;
	return accept_kind(&probe, kind, image, error);
}

uint8_t *image_load_boot_sector(const char *path, char **error)
{
	struct probe probe;
	struct image image;
	if (!open_probe(path, &probe, error) || !accept_kind(&probe, IMAGE_BOOT_SECTOR, &image, error))
		return NULL;
	uint8_t *floppy = g_malloc0(IMAGE_FLOPPY_144_SIZE);
	memcpy(floppy, probe.head, probe.head_size);
	floppy[510] = 0x55;
	floppy[511] = 0xaa;
	return floppy;
}
