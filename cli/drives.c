#include "cli/drives.h"

#include <string.h>
#include <unistd.h>

#include "loader/image.h"

/* The second IDE channel, where PCs have their CD-ROM drive. */
#define FIRST_CDROM 2u

struct drives {
	const struct run_options *options;
	struct pc_config *config;
	char **error;
};

/* The first free connector from `start` on, around the end; PC_DISKS if none. */
static unsigned find_connector(const struct pc_config *config, unsigned start)
{
	for (unsigned i = 0; i < PC_DISKS; i++) {
		unsigned n = (start + i) % PC_DISKS;
		if (config->drive[n].kind == PC_DRIVE_NONE)
			return n;
	}
	return PC_DISKS;
}

static struct blk *open_writable(const struct drives *drives, const char *path)
{
	if (drives->options->snapshot) {
		struct blk *below = blk_file_open(path, true, drives->error);
		return below ? blk_snapshot_new(below) : NULL;
	}
	if (access(path, W_OK) < 0) {
		*drives->error = g_strdup_printf("%s: may not be written to; give --snapshot or make it writable", path);
		return NULL;
	}
	return blk_file_open(path, false, drives->error);
}

static bool add_ide(struct drives *drives, const char *path, enum pc_drive_kind kind)
{
	unsigned n = find_connector(drives->config, kind == PC_DRIVE_CDROM ? FIRST_CDROM : 0);
	if (n == PC_DISKS) {
		*drives->error = g_strdup_printf("%s: no IDE connector is left; give at most %u disks and CD-ROMs together",
		                                 path, PC_DISKS);
		return false;
	}
	struct blk *blk = kind == PC_DRIVE_CDROM ? blk_file_open(path, true, drives->error) : open_writable(drives, path);
	drives->config->drive[n] = (struct pc_drive){ blk ? kind : PC_DRIVE_NONE, blk };
	return blk;
}

static struct blk *load_boot_sector(const struct drives *drives, const char *path)
{
	g_autofree uint8_t *floppy = image_load_boot_sector(path, drives->error);
	if (!floppy)
		return NULL;
	struct blk *blk = blk_memory_new(IMAGE_FLOPPY_144_SIZE, false);
	memcpy(blk_memory_data(blk), floppy, IMAGE_FLOPPY_144_SIZE);
	return blk;
}

static bool add_floppy(struct drives *drives, const char *path, enum image_kind kind)
{
	unsigned n = 0;
	while (n < PC_FLOPPIES && drives->config->floppy[n])
		n++;
	if (n == PC_FLOPPIES) {
		*drives->error = g_strdup_printf("%s: no floppy drive is left; give at most %u floppies", path, PC_FLOPPIES);
		return false;
	}
	drives->config->floppy[n] = kind == IMAGE_BOOT_SECTOR ? load_boot_sector(drives, path) : open_writable(drives, path);
	return drives->config->floppy[n];
}

static bool add_virtio(struct drives *drives)
{
	const GPtrArray *paths = drives->options->virtio.disks;
	struct image image;
	for (guint n = 0; n < paths->len; n++)
		if (!image_check(paths->pdata[n], IMAGE_DISK, &image, drives->error) ||
		    !(drives->config->virtio_disk[n] = open_writable(drives, paths->pdata[n])))
			return false;
	return true;
}

static bool add(struct drives *drives, const char *path, enum image_kind kind)
{
	switch (kind) {
	case IMAGE_CDROM:
		return add_ide(drives, path, PC_DRIVE_CDROM);
	case IMAGE_DISK:
		return add_ide(drives, path, PC_DRIVE_DISK);
	default:
		return add_floppy(drives, path, kind);
	}
}

static bool add_all(struct drives *drives, const GPtrArray *paths, enum image_kind kind)
{
	struct image image;
	for (guint i = 0; i < paths->len; i++)
		if (!image_check(paths->pdata[i], kind, &image, drives->error) ||
		    !add(drives, paths->pdata[i], image.kind))
			return false;
	return true;
}

/* `first`, then the others in the firmware's own order. */
static void set_boot_order(struct pc_config *config, enum pc_boot first)
{
	static const enum pc_boot usual[] = { PC_BOOT_DISK, PC_BOOT_CDROM, PC_BOOT_FLOPPY };
	unsigned n = 0;
	config->boot[n++] = first;
	for (unsigned i = 0; i < G_N_ELEMENTS(usual); i++)
		if (usual[i] != first)
			config->boot[n++] = usual[i];
	config->boot[n] = PC_BOOT_END;
}

static bool add_image(struct drives *drives, const struct payload *payload)
{
	static const enum pc_boot boots[IMAGE_KINDS] = {
		[IMAGE_CDROM] = PC_BOOT_CDROM, [IMAGE_DISK] = PC_BOOT_DISK,
		[IMAGE_FLOPPY] = PC_BOOT_FLOPPY, [IMAGE_BOOT_SECTOR] = PC_BOOT_FLOPPY,
	};
	if (!payload->drive)
		return true;
	if (!add(drives, payload->drive, payload->image.kind))
		return false;
	if (drives->options->boot[0] == PC_BOOT_END)
		set_boot_order(drives->config, boots[payload->image.kind]);
	return true;
}

bool drives_open(const struct run_options *options, const struct payload *payload, struct pc_config *config, char **error)
{
	struct drives drives = { options, config, error };
	memcpy(config->boot, options->boot, sizeof config->boot);
	if (add_image(&drives, payload) && add_all(&drives, options->cdroms, IMAGE_CDROM) &&
	    add_all(&drives, options->disks, IMAGE_DISK) && add_all(&drives, options->floppies, IMAGE_FLOPPY) && add_virtio(&drives))
		return true;
	drives_close(config);
	return false;
}

static struct blk *reopen(const struct run_options *options, const struct setup_medium *medium, char **error)
{
	if (medium->source == SETUP_MEMORY)
		return blk_memory_new((size_t)medium->sectors * BLK_SECTOR_SIZE, false);
	if (medium->source == SETUP_WRITABLE && !options->snapshot) {
		*error = g_strdup_printf("%s: the guest would write to it; name it again with --disk or --floppy, or give --snapshot", medium->path);
		return NULL;
	}
	struct blk *blk = blk_file_open(medium->path, true, error);
	return blk && medium->source != SETUP_READ_ONLY ? blk_snapshot_new(blk) : blk;
}

bool drives_reopen(const struct run_options *options, const struct setup *setup, struct pc_config *config, char **error)
{
	for (unsigned n = 0; n < SETUP_MEDIA; n++) {
		const struct setup_medium *medium = &setup->medium[n];
		struct blk *blk = NULL;
		if (medium->source != SETUP_NOTHING && !(blk = reopen(options, medium, error))) {
			drives_close(config);
			return false;
		}
		if (n < PC_DISKS)
			config->drive[n] = (struct pc_drive){ (enum pc_drive_kind)medium->drive, blk };
		else if (n < PC_DISKS + PC_FLOPPIES)
			config->floppy[n - PC_DISKS] = blk;
		else
			config->virtio_disk[n - PC_DISKS - PC_FLOPPIES] = blk;
	}
	return true;
}

void drives_close(struct pc_config *config)
{
	for (unsigned i = 0; i < PC_DISKS; i++) {
		blk_free(config->drive[i].blk);
		config->drive[i] = (struct pc_drive){ PC_DRIVE_NONE, NULL };
	}
	for (unsigned i = 0; i < PC_FLOPPIES; i++)
		g_clear_pointer(&config->floppy[i], blk_free);
	for (unsigned i = 0; i < PC_VIRTIO_DISKS; i++)
		g_clear_pointer(&config->virtio_disk[i], blk_free);
}
