#include "devmodel/fw_cfg.h"

#include <errno.h>
#include <string.h>

#include <glib.h>

#include "shared/log.h"

#define PORT_SELECTOR 0x510u
#define PORT_DATA     0x511u
#define PORT_DMA_HIGH 0x514u
#define PORT_DMA_LOW  0x518u
#define LAST_DMA_PORT 0x51bu

#define ID_TRADITIONAL 1u
#define ID_DMA         2u

#define KEY_WRITE_CHANNEL 0x4000u
#define KEY_ARCH_LOCAL    0x8000u
#define KEY_ENTRY         0x3fffu
#define ENTRIES (FW_CFG_FILE_FIRST + FW_CFG_FILES)

#define DMA_ERROR  0x01u
#define DMA_READ   0x02u
#define DMA_SKIP   0x04u
#define DMA_SELECT 0x08u
#define DMA_WRITE  0x10u
#define DMA_KEY_SHIFT 16

/* What the DMA ports answer: "QEMU CFG". */
#define DMA_SIGNATURE_HIGH 0x51454d55u
#define DMA_SIGNATURE_LOW  0x20434647u

#define CHUNK 4096u
#define ITEM_MAX (512u << 20) /* of a saved state */

struct item {
	uint8_t *data;
	uint32_t size;
};

/* One entry of the file directory, as the guest reads it. */
struct file_entry {
	uint32_t size;   /* big-endian */
	uint16_t select; /* big-endian */
	uint16_t reserved;
	char name[FW_CFG_NAME_SIZE];
};

struct fw_cfg {
	struct bus *bus;
	struct mem *mem;
	struct item item[2][ENTRIES]; /* generic and architecture-local keys */
	struct file_entry file[FW_CFG_FILES];
	unsigned files;
	uint16_t key;
	uint32_t offset;
	uint32_t dma_high;
};

/* In guest memory, all big-endian. */
struct dma_access {
	uint32_t control, length;
	uint64_t address;
};

static const struct item *selected(const struct fw_cfg *fw)
{
	static const struct item none;
	unsigned entry = fw->key & KEY_ENTRY;
	if (entry >= ENTRIES || fw->key & KEY_WRITE_CHANNEL)
		return &none;
	return &fw->item[!!(fw->key & KEY_ARCH_LOCAL)][entry];
}

static void select_key(struct fw_cfg *fw, uint16_t key)
{
	fw->key = key;
	fw->offset = 0;
}

static void advance(struct fw_cfg *fw, uint32_t count)
{
	uint32_t size = selected(fw)->size;
	uint32_t left = size - MIN(fw->offset, size);
	fw->offset += MIN(count, left);
}

/* Reads on from the item; past its end come zeros. */
static void take(struct fw_cfg *fw, void *to, uint32_t count)
{
	const struct item *item = selected(fw);
	uint32_t offset = MIN(fw->offset, item->size);
	uint32_t there = MIN(count, item->size - offset);
	if (there)
		memcpy(to, item->data + offset, there);
	memset((uint8_t *)to + there, 0, count - there);
	advance(fw, count);
}

static uint32_t read_port(void *owner, uint16_t port, unsigned size)
{
	uint8_t byte = 0xff;
	(void)size;
	if (port == PORT_DATA)
		take(owner, &byte, 1);
	return byte;
}

static size_t read_port_many(void *owner, uint16_t port, unsigned size, void *to, size_t count)
{
	if (port != PORT_DATA || size != 1)
		return 0;
	count = MIN(count, UINT32_MAX);
	take(owner, to, (uint32_t)count);
	return count;
}

static void write_port(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	if (port == PORT_SELECTOR && size == 2)
		select_key(owner, (uint16_t)value);
	else
		guest_error("fw_cfg", "%u-byte write to port %Xh", size, port);
}

static bool dma_read(struct fw_cfg *fw, uint64_t address, uint32_t length)
{
	uint8_t chunk[CHUNK];
	while (length) {
		uint32_t count = MIN(length, CHUNK);
		take(fw, chunk, count);
		if (mem_write_bytes(fw->mem, address, chunk, count) != count)
			return false;
		address += count;
		length -= count;
	}
	return true;
}

/* Returns whether all was well. */
static bool dma_run(struct fw_cfg *fw, uint32_t control, uint32_t length, uint64_t address)
{
	if (control & DMA_SELECT)
		select_key(fw, (uint16_t)(control >> DMA_KEY_SHIFT));
	if (control & DMA_READ)
		return dma_read(fw, address, length);
	if (control & DMA_WRITE)
		return false;
	if (control & DMA_SKIP)
		advance(fw, length);
	return true;
}

static void dma_start(struct fw_cfg *fw, uint64_t at)
{
	struct dma_access access;
	if (!mem_is_ram(fw->mem, at, sizeof access, true)) {
		guest_error("fw_cfg", "DMA descriptor at %llXh is not in memory", (unsigned long long)at);
		return;
	}
	mem_read_bytes(fw->mem, at, &access, sizeof access);
	bool ok = dma_run(fw, GUINT32_FROM_BE(access.control), GUINT32_FROM_BE(access.length),
	                  GUINT64_FROM_BE(access.address));
	if (!ok)
		guest_error("fw_cfg", "DMA of item %Xh failed", fw->key);
	uint32_t result = GUINT32_TO_BE(ok ? 0 : DMA_ERROR);
	mem_write_bytes(fw->mem, at, &result, sizeof result);
}

static uint32_t read_dma(void *owner, uint16_t port, unsigned size)
{
	(void)owner;
	uint64_t signature = GUINT64_TO_BE((uint64_t)DMA_SIGNATURE_HIGH << 32 | DMA_SIGNATURE_LOW);
	unsigned lane = port - PORT_DMA_HIGH;
	uint64_t value = signature >> 8 * lane;
	return (uint32_t)(size == 4 ? value : value & ((1u << 8 * size) - 1));
}

static void write_dma(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	struct fw_cfg *fw = owner;
	value = GUINT32_FROM_BE(value);
	if (port == PORT_DMA_HIGH && size == 4) {
		fw->dma_high = value;
	} else if (port == PORT_DMA_LOW && size == 4) {
		uint64_t at = (uint64_t)fw->dma_high << 32 | value;
		fw->dma_high = 0;
		dma_start(fw, at);
	} else {
		guest_error("fw_cfg", "%u-byte write to port %Xh", size, port);
	}
}

static const struct bus_ops port_ops = {
	.name = "fw_cfg", .max_size = 2, .read = read_port, .write = write_port, .read_many = read_port_many,
};
static const struct bus_ops dma_ops = {
	.name = "fw_cfg-dma", .max_size = 4, .read = read_dma, .write = write_dma,
};

static void set_item(struct fw_cfg *fw, uint16_t key, const void *data, size_t size)
{
	unsigned entry = key & KEY_ENTRY;
	g_assert(entry < ENTRIES && size <= UINT32_MAX);
	struct item *item = &fw->item[!!(key & KEY_ARCH_LOCAL)][entry];
	g_free(item->data);
	item->data = g_memdup2(data, size);
	item->size = (uint32_t)size;
}

void fw_cfg_add_bytes(struct fw_cfg *fw, uint16_t key, const void *data, size_t size)
{
	g_assert((key & KEY_ENTRY) < FW_CFG_FILE_FIRST);
	set_item(fw, key, data, size);
}

void fw_cfg_add_u16(struct fw_cfg *fw, uint16_t key, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	fw_cfg_add_bytes(fw, key, &value, sizeof value);
}

void fw_cfg_add_u32(struct fw_cfg *fw, uint16_t key, uint32_t value)
{
	value = GUINT32_TO_LE(value);
	fw_cfg_add_bytes(fw, key, &value, sizeof value);
}

void fw_cfg_add_u64(struct fw_cfg *fw, uint16_t key, uint64_t value)
{
	value = GUINT64_TO_LE(value);
	fw_cfg_add_bytes(fw, key, &value, sizeof value);
}

static void publish_directory(struct fw_cfg *fw)
{
	size_t entries = fw->files * sizeof *fw->file;
	uint8_t *directory = g_malloc(4 + entries);
	uint32_t count = GUINT32_TO_BE(fw->files);
	memcpy(directory, &count, 4);
	memcpy(directory + 4, fw->file, entries);
	set_item(fw, FW_CFG_FILE_DIR, directory, 4 + entries);
	g_free(directory);
}

static unsigned find_file(const struct fw_cfg *fw, const char *name)
{
	unsigned n = 0;
	while (n < fw->files && strcmp(fw->file[n].name, name))
		n++;
	return n;
}

int fw_cfg_add_file(struct fw_cfg *fw, const char *name, const void *data, size_t size)
{
	if (strlen(name) >= FW_CFG_NAME_SIZE)
		return -ENAMETOOLONG;
	if (size > UINT32_MAX)
		return -EFBIG;
	unsigned n = find_file(fw, name);
	if (n == FW_CFG_FILES)
		return -ENOSPC;
	uint16_t key = (uint16_t)(FW_CFG_FILE_FIRST + n);
	fw->files = MAX(fw->files, n + 1);
	fw->file[n] = (struct file_entry){ .size = GUINT32_TO_BE((uint32_t)size), .select = GUINT16_TO_BE(key) };
	g_strlcpy(fw->file[n].name, name, FW_CFG_NAME_SIZE);
	set_item(fw, key, data, size);
	publish_directory(fw);
	return 0;
}

struct fw_cfg *fw_cfg_new(struct bus *bus, struct mem *mem)
{
	struct fw_cfg *fw = g_new0(struct fw_cfg, 1);
	fw->bus = bus;
	fw->mem = mem;
	int error = bus_claim(bus, PORT_SELECTOR, PORT_DATA, &port_ops, fw);
	if (!error)
		error = bus_claim(bus, PORT_DMA_HIGH, LAST_DMA_PORT, &dma_ops, fw);
	if (error) {
		fw_cfg_free(fw);
		errno = -error;
		return NULL;
	}
	fw_cfg_add_bytes(fw, FW_CFG_SIGNATURE, "QEMU", 4);
	fw_cfg_add_u32(fw, FW_CFG_ID, ID_TRADITIONAL | ID_DMA);
	publish_directory(fw);
	return fw;
}

void fw_cfg_reset(struct fw_cfg *fw)
{
	select_key(fw, FW_CFG_SIGNATURE);
	fw->dma_high = 0;
}

static unsigned used_items(const struct fw_cfg *fw)
{
	unsigned used = 0;
	for (unsigned n = 0; n < 2 * ENTRIES; n++)
		used += fw->item[n / ENTRIES][n % ENTRIES].size != 0;
	return used;
}

static void save_items(struct fw_cfg *fw, struct snap *snap)
{
	for (unsigned n = 0; n < 2 * ENTRIES; n++) {
		const struct item *item = &fw->item[n / ENTRIES][n % ENTRIES];
		uint16_t key = (uint16_t)(n % ENTRIES | (n < ENTRIES ? 0 : KEY_ARCH_LOCAL));
		struct snap_blob blob = { item->data, item->size };
		if (!item->size)
			continue;
		snap_u16(snap, "item", &key);
		snap_blob(snap, "data", &blob, ITEM_MAX);
	}
}

static void clear_items(struct fw_cfg *fw)
{
	for (unsigned n = 0; n < 2 * ENTRIES; n++) {
		struct item *item = &fw->item[n / ENTRIES][n % ENTRIES];
		g_free(item->data);
		*item = (struct item){ NULL, 0 };
	}
}

static void load_items(struct fw_cfg *fw, struct snap *snap, uint32_t count)
{
	if (snap_error(snap))
		return;
	clear_items(fw);
	while (count-- && !snap_error(snap)) {
		uint16_t key = 0;
		struct snap_blob blob = { NULL, 0 };
		snap_u16(snap, "item", &key);
		snap_blob(snap, "data", &blob, ITEM_MAX);
		if ((key & KEY_ENTRY) >= ENTRIES || key & ~(KEY_ENTRY | KEY_ARCH_LOCAL))
			snap_fail(snap, "item %04x: there is no such key", key);
		else if (!snap_error(snap))
			set_item(fw, key, blob.data, blob.size);
		g_free(blob.data);
	}
}

void fw_cfg_state(struct fw_cfg *fw, struct snap *snap)
{
	uint32_t items = used_items(fw);
	snap_section(snap, "fw_cfg", 2);
	snap_u16(snap, "key", &fw->key);
	snap_u32(snap, "offset", &fw->offset);
	snap_u32(snap, "dma_high", &fw->dma_high);
	snap_u32(snap, "items", &items);
	if (snap_is_loading(snap))
		load_items(fw, snap, items);
	else
		save_items(fw, snap);
}

void fw_cfg_free(struct fw_cfg *fw)
{
	if (!fw)
		return;
	bus_release(fw->bus, &port_ops, fw);
	bus_release(fw->bus, &dma_ops, fw);
	clear_items(fw);
	g_free(fw);
}
