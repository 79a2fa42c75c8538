/* QEMU's firmware configuration device: numbered items and named files that the
 * board fills and the firmware reads, through a selector (510h, 16 bits) and data
 * port (511h), or by DMA (514h/518h, big-endian). Items are read-only for the
 * guest. Source: QEMU, docs/specs/fw_cfg. */
#ifndef V2E_DEVMODEL_FW_CFG_H
#define V2E_DEVMODEL_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

#include "shared/bus.h"
#include "shared/mem.h"
#include "shared/snap.h"

/* Keys. Files get theirs from FW_CFG_FILE_FIRST up. */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04, FW_CFG_NB_CPUS = 0x05, FW_CFG_NUMA = 0x0d, FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f, FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12, FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20,
	FW_CFG_ACPI_TABLES = 0x8000, FW_CFG_SMBIOS_ENTRIES = 0x8001, FW_CFG_IRQ0_OVERRIDE = 0x8002,
	FW_CFG_E820_TABLE = 0x8003,
};

#define FW_CFG_FILES     64u
#define FW_CFG_NAME_SIZE 56u /* with the final NUL */

struct fw_cfg;

/* Holds the signature, the id (traditional interface and DMA) and an empty file
 * directory. DMA reaches memory stores only. Returns NULL with errno set when the
 * port space has no room. */
struct fw_cfg *fw_cfg_new(struct bus *bus, struct mem *mem);
void fw_cfg_reset(struct fw_cfg *fw);
/* The transfer that is under way, and all items. No file may be added after a load. */
void fw_cfg_state(struct fw_cfg *fw, struct snap *snap);
void fw_cfg_free(struct fw_cfg *fw); /* NULL is fine; the bus must not be used after */

/* Copy the value; numbers are little-endian. A key that has a value gets the new
 * one. `key` is below FW_CFG_FILE_FIRST, or 8000h more than that. */
void fw_cfg_add_bytes(struct fw_cfg *fw, uint16_t key, const void *data, size_t size);
void fw_cfg_add_u16(struct fw_cfg *fw, uint16_t key, uint16_t value);
void fw_cfg_add_u32(struct fw_cfg *fw, uint16_t key, uint32_t value);
void fw_cfg_add_u64(struct fw_cfg *fw, uint16_t key, uint64_t value);

/* Adds `name` to the directory and copies the data; a file of that name gets the
 * new contents. Returns 0, -ENOSPC past FW_CFG_FILES, -ENAMETOOLONG, or -EFBIG
 * for 4 GiB and more. */
int fw_cfg_add_file(struct fw_cfg *fw, const char *name, const void *data, size_t size);

#endif
