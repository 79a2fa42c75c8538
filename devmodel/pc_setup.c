#include "devmodel/pc_setup.h"

#include <glib.h>

#include "devmodel/pc_virtio.h"

/* CMOS RAM. */
enum {
	CMOS_FLOPPY_TYPES = 0x10, CMOS_DISK_TYPES = 0x12, CMOS_EQUIPMENT = 0x14, CMOS_BASE_MEMORY = 0x15,
	CMOS_EXTENDED_MEMORY = 0x17, CMOS_DISK_EXTENDED_TYPES = 0x19, CMOS_DISK_PARAMETERS = 0x1b,
	CMOS_CHECKSUM_LAST = 0x2d, CMOS_CHECKSUM = 0x2e, CMOS_EXTENDED_MEMORY_SEEN = 0x30,
	CMOS_MEMORY_ABOVE_16M = 0x34, CMOS_BOOT_FLAGS = 0x38, CMOS_TRANSLATION = 0x39, CMOS_BOOT_ORDER = 0x3d,
	CMOS_MEMORY_ABOVE_4G = 0x5b, CMOS_CPUS = 0x5f,
};

#define DISK_PARAMETERS_SIZE 9u
#define DISK_TYPE_EXTENDED   0xfu /* in CMOS_DISK_TYPES: see CMOS_DISK_EXTENDED_TYPES */
#define DISK_TYPE_USER       47u

#define EQUIPMENT_FLOPPY 0x01u
#define EQUIPMENT_FPU    0x02u
#define EQUIPMENT_MOUSE  0x04u
#define EQUIPMENT_FLOPPIES_SHIFT 6

#define FLOPPY_TYPE_144M 4u

#define TRANSLATION_NONE 0u
#define TRANSLATION_LBA  1u

#define KIB 1024u
#define MIB (1024u * KIB)

#define E820_RAM 1u

/* The order in which this board tries when none is given. */
static const enum pc_boot default_boot[] = { PC_BOOT_DISK, PC_BOOT_CDROM, PC_BOOT_FLOPPY, PC_BOOT_END };

static const enum pc_boot *boot_order(const struct pc_config *config)
{
	return config->boot[0] == PC_BOOT_END ? default_boot : config->boot;
}

static void set16(struct mc146818 *rtc, uint8_t index, uint64_t value)
{
	value = MIN(value, 0xffff);
	mc146818_set(rtc, index, (uint8_t)value);
	mc146818_set(rtc, index + 1, (uint8_t)(value >> 8));
}

static void set_memory(struct mc146818 *rtc, uint64_t ram_size)
{
	uint64_t above_16m = ram_size > 16 * MIB ? ram_size - 16 * MIB : 0;
	set16(rtc, CMOS_BASE_MEMORY, 640);
	set16(rtc, CMOS_EXTENDED_MEMORY, (ram_size - MIB) / KIB);
	set16(rtc, CMOS_EXTENDED_MEMORY_SEEN, (ram_size - MIB) / KIB);
	set16(rtc, CMOS_MEMORY_ABOVE_16M, above_16m / (64 * KIB));
	for (uint8_t n = 0; n < 3; n++)
		mc146818_set(rtc, CMOS_MEMORY_ABOVE_4G + n, 0);
}

static void set_floppies(struct mc146818 *rtc, const struct pc_config *config, const struct i82077 *fdc)
{
	/* Drive A is always there. */
	unsigned a = i82077_medium_type(fdc, 0), b = i82077_medium_type(fdc, 1);
	unsigned floppies = config->floppy[1] ? 2 : 1;
	if (!a)
		a = FLOPPY_TYPE_144M;
	mc146818_set(rtc, CMOS_FLOPPY_TYPES, (uint8_t)(a << 4 | b));
	mc146818_set(rtc, CMOS_EQUIPMENT, (uint8_t)(EQUIPMENT_FLOPPY | EQUIPMENT_FPU | EQUIPMENT_MOUSE |
	                                            (floppies - 1) << EQUIPMENT_FLOPPIES_SHIFT));
}

/* The drive-type tables of the AT know two disks: `n` is 0 or 1. */
static void set_disk_parameters(struct mc146818 *rtc, unsigned n, const struct ide_geometry *geometry)
{
	uint8_t at = (uint8_t)(CMOS_DISK_PARAMETERS + n * DISK_PARAMETERS_SIZE);
	uint8_t types = mc146818_get(rtc, CMOS_DISK_TYPES);
	mc146818_set(rtc, CMOS_DISK_TYPES, types | (uint8_t)(DISK_TYPE_EXTENDED << (n ? 0 : 4)));
	mc146818_set(rtc, (uint8_t)(CMOS_DISK_EXTENDED_TYPES + n), DISK_TYPE_USER);
	set16(rtc, at, geometry->cylinders);
	mc146818_set(rtc, at + 2, (uint8_t)geometry->heads);
	set16(rtc, at + 3, 0xffff); /* no write precompensation */
	mc146818_set(rtc, at + 5, 0xc0 | (geometry->heads > 8 ? 0x08 : 0));
	set16(rtc, at + 6, geometry->cylinders);
	mc146818_set(rtc, at + 8, (uint8_t)geometry->sectors);
}

static void set_disks(struct mc146818 *rtc, const struct ide *ide)
{
	unsigned translation = 0;
	for (unsigned slot = 0; slot < PC_DISKS; slot++) {
		struct ide_geometry geometry;
		if (!ide_disk_geometry(ide, slot / IDE_DRIVES, slot % IDE_DRIVES, &geometry))
			continue;
		bool small = geometry.total_sectors <= (uint64_t)1024 * 16 * 63 && geometry.cylinders <= 1024;
		translation |= (small ? TRANSLATION_NONE : TRANSLATION_LBA) << 2 * slot;
		if (slot < 2)
			set_disk_parameters(rtc, slot, &geometry);
	}
	mc146818_set(rtc, CMOS_TRANSLATION, (uint8_t)translation);
}

/* Three nibbles: the first at 3Dh bits 3-0, then bits 7-4, then 38h bits 7-4. */
static void set_boot_order(struct mc146818 *rtc, const struct pc_config *config)
{
	const enum pc_boot *boot = boot_order(config);
	unsigned order = 0;
	for (unsigned n = 0; n < 3 && boot[n] != PC_BOOT_END; n++)
		order |= (unsigned)boot[n] << 4 * n;
	mc146818_set(rtc, CMOS_BOOT_ORDER, (uint8_t)order);
	/* Bit 0: a floppy's boot sector needs no 55AAh at its end. */
	mc146818_set(rtc, CMOS_BOOT_FLAGS, (uint8_t)((order >> 8 & 0xf) << 4 | 1));
}

static void set_checksum(struct mc146818 *rtc)
{
	unsigned sum = 0;
	for (uint8_t n = CMOS_FLOPPY_TYPES; n <= CMOS_CHECKSUM_LAST; n++)
		sum += mc146818_get(rtc, n);
	mc146818_set(rtc, CMOS_CHECKSUM, (uint8_t)(sum >> 8));
	mc146818_set(rtc, CMOS_CHECKSUM + 1, (uint8_t)sum);
}

void pc_setup_cmos(struct mc146818 *rtc, const struct pc_config *config, const struct ide *ide,
                   const struct i82077 *fdc)
{
	set_memory(rtc, config->ram_size);
	set_floppies(rtc, config, fdc);
	set_disks(rtc, ide);
	set_boot_order(rtc, config);
	mc146818_set(rtc, CMOS_CPUS, 0); /* besides the first */
	set_checksum(rtc);
}

/* Device paths as the firmware writes them, in the order to be tried. */
static void add_class(GString *order, const struct pc_config *config, enum pc_boot class)
{
	if (class == PC_BOOT_FLOPPY) {
		for (unsigned n = 0; n < PC_FLOPPIES; n++)
			if (config->floppy[n])
				g_string_append_printf(order, "/pci@i0cf8/isa@1/fdc@03f0/floppy@%u\n", n);
		return;
	}
	if (class == PC_BOOT_NETWORK) {
		if (config->nic)
			g_string_append(order, "/pci@i0cf8/ethernet@3\n");
		return;
	}
	enum pc_drive_kind kind = class == PC_BOOT_DISK ? PC_DRIVE_DISK : PC_DRIVE_CDROM;
	for (unsigned slot = 0; slot < PC_DISKS; slot++)
		if (config->drive[slot].kind == kind)
			g_string_append_printf(order, "/pci@i0cf8/ide@1,1/drive@%u/disk@%u\n", slot / IDE_DRIVES,
			                       slot % IDE_DRIVES);
}

static void add_bootorder(struct fw_cfg *fw, const struct pc_config *config)
{
	GString *order = g_string_new(NULL);
	if (config->boot_rom)
		g_string_append_printf(order, "/rom@genroms/%s\n", config->boot_rom);
	for (const enum pc_boot *class = boot_order(config); *class != PC_BOOT_END; class++)
		add_class(order, config, *class);
	if (order->len) {
		/* The file ends with a NUL in place of the last line's end. */
		g_string_truncate(order, order->len - 1);
		fw_cfg_add_file(fw, "bootorder", order->str, order->len + 1);
	}
	g_string_free(order, TRUE);
}

static void add_e820(struct fw_cfg *fw, uint64_t ram_size)
{
	struct __attribute__((packed)) {
		uint64_t address, length;
		uint32_t type;
	} ram = { 0, GUINT64_TO_LE(ram_size), GUINT32_TO_LE(E820_RAM) };
	fw_cfg_add_file(fw, "etc/e820", &ram, sizeof ram);
	fw_cfg_add_u32(fw, FW_CFG_E820_TABLE, 0); /* entries in the old table */
}

static void add_file_u32(struct fw_cfg *fw, const char *name, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	fw_cfg_add_file(fw, name, &value, sizeof value);
}

static void add_boot_policy(struct fw_cfg *fw, const struct pc_config *config)
{
	/* S0 to S5; bit 7: offered. This board does not sleep. */
	static const uint8_t system_states[] = { 0x80, 0, 0, 0, 0, 0x80 };
	fw_cfg_add_u16(fw, FW_CFG_BOOT_MENU, config->boot_menu);
	if (config->boot_menu)
		add_file_u32(fw, "etc/boot-menu-wait", config->boot_menu_wait_ms);
	add_file_u32(fw, "etc/boot-fail-wait", UINT32_MAX); /* no reboot */
	fw_cfg_add_file(fw, "etc/system-states", system_states, sizeof system_states);
}

static void add_roms(struct fw_cfg *fw, const struct pc_config *config)
{
	for (unsigned n = 0; n < PC_ROMS && config->rom[n].name; n++) {
		g_autofree char *name = g_strconcat("genroms/", config->rom[n].name, NULL);
		fw_cfg_add_file(fw, name, config->rom[n].data, config->rom[n].size);
	}
	if (config->kernel_size)
		fw_cfg_add_bytes(fw, FW_CFG_KERNEL_DATA, config->kernel, config->kernel_size);
}

void pc_setup_fw_cfg(struct fw_cfg *fw, const struct pc_config *config)
{
	static const uint8_t no_uuid[16];
	static const uint64_t no_numa[2]; /* nodes, and the node of each CPU */
	fw_cfg_add_bytes(fw, FW_CFG_UUID, no_uuid, sizeof no_uuid);
	fw_cfg_add_u64(fw, FW_CFG_RAM_SIZE, config->ram_size);
	fw_cfg_add_u16(fw, FW_CFG_NOGRAPHIC, 0);
	fw_cfg_add_u16(fw, FW_CFG_NB_CPUS, 1);
	fw_cfg_add_u16(fw, FW_CFG_MAX_CPUS, 1);
	fw_cfg_add_bytes(fw, FW_CFG_NUMA, no_numa, sizeof no_numa);
	fw_cfg_add_u16(fw, FW_CFG_ACPI_TABLES, 0);
	fw_cfg_add_u16(fw, FW_CFG_SMBIOS_ENTRIES, 0);
	fw_cfg_add_u32(fw, FW_CFG_IRQ0_OVERRIDE, 1);
	add_e820(fw, config->ram_size);
	add_boot_policy(fw, config);
	add_bootorder(fw, config);
	add_roms(fw, config);
	pc_virtio_add_acpi(fw, config);
}
