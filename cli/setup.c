#include "cli/setup.h"

#include <string.h>

#include "loader/firmware.h"

#define PATH_MAX_BYTES 4096u
#define MEMORY_SECTORS_MAX 32768u /* 16 MiB: more than any floppy */

static enum setup_source find_source(const struct blk *blk)
{
	if (!blk)
		return SETUP_NOTHING;
	if (!blk->name)
		return SETUP_MEMORY;
	if (blk->ops->below)
		return SETUP_OVERLAY;
	return blk->read_only ? SETUP_READ_ONLY : SETUP_WRITABLE;
}

static struct setup_medium describe_medium(enum pc_drive_kind drive, const struct blk *blk)
{
	return (struct setup_medium){
		.drive = (uint8_t)drive,
		.source = (uint8_t)find_source(blk),
		.sectors = blk ? blk->sectors : 0,
		.path = blk && blk->name ? g_canonicalize_filename(blk->name, NULL) : NULL,
	};
}

void setup_describe(struct setup *setup, enum emu_cpu cpu, const struct pc_config *config)
{
	*setup = (struct setup){
		.memory = config->ram_size,
		.cpu = (uint8_t)cpu,
		.debug_port = config->debug ? config->debug_port : 0,
		.exit_port = config->exit_port,
		.bios = { g_memdup2(config->bios, config->bios_size), config->bios_size },
		.vgabios = { g_memdup2(config->vgabios, config->vgabios_size), config->vgabios_size },
		.nic = config->nic,
		.virtio = config->virtio,
		.virtio_legacy = config->virtio_legacy,
		.nic_rom = { g_memdup2(config->nic_rom, config->nic_rom_size), config->nic_rom_size },
	};
	memcpy(setup->mac, config->mac, sizeof setup->mac);
	while (setup->serials < PC_SERIAL && config->serial[setup->serials])
		setup->serials++;
	for (unsigned n = 0; n < PC_DISKS; n++)
		setup->medium[n] = describe_medium(config->drive[n].kind, config->drive[n].blk);
	for (unsigned n = 0; n < PC_FLOPPIES; n++)
		setup->medium[PC_DISKS + n] = describe_medium(PC_DRIVE_NONE, config->floppy[n]);
	for (unsigned n = 0; n < PC_VIRTIO_DISKS; n++)
		setup->medium[PC_DISKS + PC_FLOPPIES + n] = describe_medium(PC_DRIVE_NONE, config->virtio_disk[n]);
}

bool setup_has_card(const struct setup *setup)
{
	return setup->nic || setup->virtio >> PC_VIRTIO_NET & 1;
}

void setup_clear(struct setup *setup)
{
	g_free(setup->bios.data);
	g_free(setup->vgabios.data);
	g_free(setup->nic_rom.data);
	for (unsigned n = 0; n < SETUP_MEDIA; n++)
		g_free(setup->medium[n].path);
	*setup = (struct setup){ 0 };
}

static void path_state(struct setup_medium *medium, struct snap *snap)
{
	struct snap_blob path = { (uint8_t *)medium->path, medium->path ? strlen(medium->path) : 0 };
	snap_blob(snap, "path", &path, PATH_MAX_BYTES);
	if (!snap_is_loading(snap) || snap_error(snap))
		return;
	medium->path = (char *)path.data;
	if (path.size != strlen(medium->path) || !g_path_is_absolute(medium->path))
		snap_fail(snap, "a drive has no good file name");
	for (const uint8_t *byte = path.data; *byte; byte++)
		if (*byte < 0x20)
			snap_fail(snap, "a drive has no good file name");
}

static bool medium_fits(const struct setup_medium *medium, bool is_floppy)
{
	if (medium->source >= SETUP_SOURCES || (medium->source == SETUP_MEMORY && medium->sectors > MEMORY_SECTORS_MAX))
		return false;
	switch (medium->drive) {
	case PC_DRIVE_NONE:
		return is_floppy || medium->source == SETUP_NOTHING;
	case PC_DRIVE_DISK:
		return !is_floppy && medium->source != SETUP_NOTHING;
	case PC_DRIVE_CDROM:
		return !is_floppy;
	default:
		return false;
	}
}

static bool is_file(const struct setup_medium *medium)
{
	return medium->source == SETUP_READ_ONLY || medium->source == SETUP_WRITABLE || medium->source == SETUP_OVERLAY;
}

static void medium_state(struct setup_medium *medium, bool is_floppy, struct snap *snap)
{
	snap_u8(snap, "drive", &medium->drive);
	snap_u8(snap, "source", &medium->source);
	snap_u64(snap, "sectors", &medium->sectors);
	if (!medium_fits(medium, is_floppy))
		snap_fail(snap, "drive of kind %u with source %u and %llu sectors", medium->drive, medium->source,
		          (unsigned long long)medium->sectors);
	if (is_file(medium))
		path_state(medium, snap);
}

static void virtio_state(struct setup *setup, struct snap *snap)
{
	snap_u8(snap, "virtio", &setup->virtio);
	snap_bool(snap, "virtio_legacy", &setup->virtio_legacy);
	if (setup->virtio >> PC_VIRTIO_SLOTS || (setup->nic && setup->virtio >> PC_VIRTIO_NET & 1))
		snap_fail(snap, "virtio devices %02x, with %u other network cards", setup->virtio, setup->nic);
}

/* Each virtio disk has a medium, and no other has. */
static void check_virtio_disks(const struct setup *setup, struct snap *snap)
{
	for (unsigned n = 0; n < PC_VIRTIO_DISKS; n++) {
		bool is_fitted = setup->virtio >> (PC_VIRTIO_DISK + n) & 1;
		if (is_fitted != (setup->medium[PC_DISKS + PC_FLOPPIES + n].source != SETUP_NOTHING))
			snap_fail(snap, "virtio disk %u without a medium, or a medium without it", n);
	}
}

static void nic_state(struct setup *setup, struct snap *snap)
{
	snap_bool(snap, "nic", &setup->nic);
	snap_bytes(snap, "mac", setup->mac, sizeof setup->mac);
	snap_blob(snap, "nic_rom", &setup->nic_rom, FIRMWARE_ROM_MAX);
	if (setup->mac[0] & 1)
		snap_fail(snap, "the network card has a group's address");
}

void setup_state(struct setup *setup, struct snap *snap)
{
	snap_section(snap, "setup", 3);
	snap_u64(snap, "memory", &setup->memory);
	snap_u8(snap, "cpu", &setup->cpu);
	snap_u8(snap, "serials", &setup->serials);
	snap_u16(snap, "debug_port", &setup->debug_port);
	snap_u16(snap, "exit_port", &setup->exit_port);
	snap_blob(snap, "bios", &setup->bios, FIRMWARE_BIOS_MAX);
	snap_blob(snap, "vgabios", &setup->vgabios, FIRMWARE_VGABIOS_MAX);
	nic_state(setup, snap);
	virtio_state(setup, snap);
	if (setup->cpu > EMU_CPU_X86_64 || !setup->serials || setup->serials > PC_SERIAL)
		snap_fail(snap, "CPU model %u, %u serial ports", setup->cpu, setup->serials);
	for (unsigned n = 0; n < SETUP_MEDIA; n++)
		medium_state(&setup->medium[n], n >= PC_DISKS, snap);
	check_virtio_disks(setup, snap);
}
