#include "devmodel/virtio_mmio.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "shared/log.h"

#define MAGIC     0x74726976u /* "virt" */
#define VENDOR_ID 0x20453256u /* "V2E " */

/* 4.2.2 and, for version 1, 4.2.4. */
enum {
	REG_MAGIC_VALUE = 0x000, REG_VERSION = 0x004, REG_DEVICE_ID = 0x008, REG_VENDOR = 0x00c,
	REG_DEVICE_FEATURES = 0x010, REG_DEVICE_FEATURES_SEL = 0x014, REG_DRIVER_FEATURES = 0x020,
	REG_DRIVER_FEATURES_SEL = 0x024, REG_GUEST_PAGE_SIZE = 0x028, REG_QUEUE_SEL = 0x030, REG_QUEUE_NUM_MAX = 0x034,
	REG_QUEUE_NUM = 0x038, REG_QUEUE_ALIGN = 0x03c, REG_QUEUE_PFN = 0x040, REG_QUEUE_READY = 0x044,
	REG_QUEUE_NOTIFY = 0x050, REG_INTERRUPT_STATUS = 0x060, REG_INTERRUPT_ACK = 0x064, REG_STATUS = 0x070,
	REG_QUEUE_DESC = 0x080, REG_QUEUE_DRIVER = 0x090, REG_QUEUE_DEVICE = 0x0a0, REG_SHM_LENGTH = 0x0b0,
	REG_SHM_BASE = 0x0b8, REG_CONFIG_GENERATION = 0x0fc, REG_CONFIG = 0x100,
};

struct virtio_mmio {
	struct mem_region *region;
	struct virtio *device;
	uint32_t device_features_sel, driver_features_sel, queue_sel;
	uint32_t guest_page_size; /* version 1 */
	struct {
		uint32_t align, pfn;
	} legacy_queue[VIRTIO_QUEUES];
};

/* NULL: there is none of that number. */
static struct virtqueue *selected(const struct virtio_mmio *mmio)
{
	return mmio->queue_sel < mmio->device->ops->queues ? &mmio->device->queue[mmio->queue_sel] : NULL;
}

/* --- reading ---------------------------------------------------------------------------- */

static uint32_t feature_word(uint64_t features, uint32_t select)
{
	return select < 2 ? (uint32_t)(features >> 32 * select) : 0;
}

/* What both versions have. */
static bool read_common(const struct virtio_mmio *mmio, uint64_t offset, uint32_t *value)
{
	const struct virtio *device = mmio->device;
	switch (offset) {
	case REG_MAGIC_VALUE: *value = MAGIC; return true;
	case REG_VERSION: *value = device->legacy ? 1 : 2; return true;
	case REG_DEVICE_ID: *value = device->ops->id; return true;
	case REG_VENDOR: *value = VENDOR_ID; return true;
	case REG_DEVICE_FEATURES: *value = feature_word(device->offered, mmio->device_features_sel); return true;
	case REG_QUEUE_NUM_MAX: *value = selected(mmio) ? VIRTQUEUE_SIZE_MAX : 0; return true;
	case REG_INTERRUPT_STATUS: *value = device->interrupt; return true;
	case REG_STATUS: *value = device->status; return true;
	default: return false;
	}
}

/* Configuration never changes by itself, so its generation does not. */
static bool read_modern(const struct virtio_mmio *mmio, uint64_t offset, uint32_t *value)
{
	const struct virtqueue *queue = selected(mmio);
	switch (offset) {
	case REG_QUEUE_READY: *value = queue && queue->ready; return true;
	case REG_SHM_LENGTH: case REG_SHM_LENGTH + 4: case REG_SHM_BASE: case REG_SHM_BASE + 4: *value = UINT32_MAX; return true;
	case REG_CONFIG_GENERATION: *value = 0; return true;
	default: return false;
	}
}

static bool read_legacy(const struct virtio_mmio *mmio, uint64_t offset, uint32_t *value)
{
	if (offset != REG_QUEUE_PFN)
		return false;
	*value = selected(mmio) ? mmio->legacy_queue[mmio->queue_sel].pfn : 0;
	return true;
}

static uint64_t read_config(const struct virtio *device, uint64_t offset, unsigned size)
{
	uint64_t value = 0;
	if (offset < device->config_size)
		memcpy(&value, device->config + offset, MIN(size, device->config_size - offset));
	return GUINT64_FROM_LE(value);
}

static uint64_t read_register(void *owner, uint64_t offset, unsigned size)
{
	const struct virtio_mmio *mmio = owner;
	uint32_t value;
	if (offset >= REG_CONFIG)
		return read_config(mmio->device, offset - REG_CONFIG, size);
	if (size == 4 && (read_common(mmio, offset, &value) ||
	                  (mmio->device->legacy ? read_legacy(mmio, offset, &value) : read_modern(mmio, offset, &value))))
		return value;
	guest_error(mmio->device->ops->name, "read of %u bytes of register %03Xh", size, (unsigned)offset);
	return 0;
}

/* --- writing ---------------------------------------------------------------------------- */

static uint64_t with_word(uint64_t value, unsigned n, uint32_t word)
{
	return (value & ~((uint64_t)UINT32_MAX << 32 * n)) | (uint64_t)word << 32 * n;
}

static void write_driver_features(struct virtio_mmio *mmio, uint32_t value)
{
	if (mmio->driver_features_sel < 2)
		virtio_set_driver_features(mmio->device, with_word(mmio->device->features, mmio->driver_features_sel, value));
	else if (value)
		guest_error(mmio->device->ops->name, "features of word %u", mmio->driver_features_sel);
}

/* A driver tells its page size once, before it resets the device. */
static void write_status(struct virtio_mmio *mmio, uint8_t value)
{
	virtio_set_status(mmio->device, value);
	if (!value)
		memset(mmio->legacy_queue, 0, sizeof mmio->legacy_queue);
}

static bool write_common(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case REG_DEVICE_FEATURES_SEL: mmio->device_features_sel = value; return true;
	case REG_DRIVER_FEATURES_SEL: mmio->driver_features_sel = value; return true;
	case REG_DRIVER_FEATURES: write_driver_features(mmio, value); return true;
	case REG_QUEUE_SEL: mmio->queue_sel = value; return true;
	case REG_QUEUE_NOTIFY: virtio_notify(mmio->device, value); return true;
	case REG_INTERRUPT_ACK: virtio_acknowledge(mmio->device, (uint8_t)value); return true;
	case REG_STATUS: write_status(mmio, (uint8_t)value); return true;
	default: return false;
	}
}

/* Where a queue is can be said until it is in use. */
static bool place_modern(struct virtqueue *queue, uint64_t offset, uint32_t value)
{
	unsigned half = offset >> 2 & 1;
	uint64_t *part = NULL;
	switch (offset & ~4ull) {
	case REG_QUEUE_DESC: part = &queue->desc; break;
	case REG_QUEUE_DRIVER: part = &queue->avail; break;
	case REG_QUEUE_DEVICE: part = &queue->used; break;
	default: return false;
	}
	if (!queue->ready)
		*part = with_word(*part, half, value);
	return true;
}

static bool write_modern(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
	struct virtqueue nowhere = { 0 };
	struct virtqueue *queue = selected(mmio) ? selected(mmio) : &nowhere;
	if (place_modern(queue, offset, value))
		return true;
	if (offset != REG_QUEUE_NUM && offset != REG_QUEUE_READY)
		return false;
	if (queue->ready && offset == REG_QUEUE_READY)
		queue->ready = value & 1;
	else if (!queue->ready && offset == REG_QUEUE_NUM)
		queue->size = value;
	else if (!queue->ready && value & 1 && queue != &nowhere)
		virtqueue_start(queue);
	return true;
}

/* Where the parts of a queue are follows from its first page (2.7.2). */
static void place_legacy(struct virtio_mmio *mmio, struct virtqueue *queue, uint32_t pfn)
{
	uint32_t align = mmio->legacy_queue[mmio->queue_sel].align, page = mmio->guest_page_size;
	queue->ready = false;
	mmio->legacy_queue[mmio->queue_sel].pfn = 0;
	if (!pfn)
		return;
	if (!align || align & (align - 1) || !page || page & (page - 1)) {
		guest_error(mmio->device->ops->name, "a queue that is aligned to %u, in pages of %u bytes", align, page);
		return;
	}
	queue->desc = (uint64_t)pfn * page;
	queue->avail = queue->desc + 16ull * queue->size;
	uint64_t end = queue->avail + 6 + 2ull * queue->size;
	queue->used = (end + align - 1) & ~(uint64_t)(align - 1);
	virtqueue_start(queue);
	if (queue->ready)
		mmio->legacy_queue[mmio->queue_sel].pfn = pfn;
}

static bool write_legacy(struct virtio_mmio *mmio, uint64_t offset, uint32_t value)
{
	struct virtqueue *queue = selected(mmio);
	if (offset == REG_GUEST_PAGE_SIZE) {
		mmio->guest_page_size = value;
		return true;
	}
	if (offset != REG_QUEUE_NUM && offset != REG_QUEUE_ALIGN && offset != REG_QUEUE_PFN)
		return false;
	if (queue && offset == REG_QUEUE_PFN)
		place_legacy(mmio, queue, value);
	else if (queue && !queue->ready && offset == REG_QUEUE_NUM)
		queue->size = value;
	else if (queue && offset == REG_QUEUE_ALIGN)
		mmio->legacy_queue[mmio->queue_sel].align = value;
	return true;
}

static void write_config(struct virtio *device, uint64_t offset, unsigned size, uint64_t value)
{
	for (; size; size--, offset++, value >>= 8) {
		if (offset < device->config_writable)
			device->config[offset] = (uint8_t)value;
		else
			guest_error(device->ops->name, "write to byte %u of the configuration", (unsigned)offset);
	}
}

static void write_register(void *owner, uint64_t offset, unsigned size, uint64_t value)
{
	struct virtio_mmio *mmio = owner;
	if (offset >= REG_CONFIG)
		write_config(mmio->device, offset - REG_CONFIG, size, value);
	else if (size != 4 || !(write_common(mmio, offset, (uint32_t)value) ||
	                        (mmio->device->legacy ? write_legacy : write_modern)(mmio, offset, (uint32_t)value)))
		guest_error(mmio->device->ops->name, "write of %u bytes to register %03Xh", size, (unsigned)offset);
}

static const struct mem_mmio_ops ops = { .name = "virtio", .max_size = 4, .read = read_register, .write = write_register };

/* --- all of it -------------------------------------------------------------------------- */

void virtio_mmio_reset(struct virtio_mmio *mmio)
{
	virtio_reset(mmio->device);
	mmio->device_features_sel = mmio->driver_features_sel = mmio->queue_sel = 0;
	mmio->guest_page_size = 0;
	memset(mmio->legacy_queue, 0, sizeof mmio->legacy_queue);
}

/* A notification may come late: a device looks at a queue when it pleases. */
static int add_doorbells(struct virtio_mmio *mmio)
{
	int error = 0;
	for (unsigned n = 0; !error && n < mmio->device->ops->queues; n++) {
		const struct mem_doorbell doorbell = { .region = mmio->region, .offset = REG_QUEUE_NOTIFY, .size = 4, .value = n };
		error = mem_add_doorbell(&doorbell);
	}
	return error;
}

struct virtio_mmio *virtio_mmio_new(struct mem *mem, uint32_t address, struct virtio *device)
{
	struct virtio_mmio *mmio = g_new0(struct virtio_mmio, 1);
	mmio->device = device;
	mmio->region = mem_region_new_mmio(mem, MEM_PRIORITY_BAR, VIRTIO_MMIO_SIZE, &ops, mmio);
	int error = mmio->region ? -mem_region_enable(mmio->region, address) : errno;
	if (!error)
		error = -add_doorbells(mmio);
	if (!error)
		return mmio;
	virtio_mmio_free(mmio);
	errno = error;
	return NULL;
}

void virtio_mmio_free(struct virtio_mmio *mmio)
{
	if (!mmio)
		return;
	if (mmio->region)
		mem_region_disable(mmio->region);
	virtio_free(mmio->device);
	g_free(mmio);
}

void virtio_mmio_state(struct virtio_mmio *mmio, struct snap *snap)
{
	virtio_state(mmio->device, snap);
	snap_u32(snap, "device_features_sel", &mmio->device_features_sel);
	snap_u32(snap, "driver_features_sel", &mmio->driver_features_sel);
	snap_u32(snap, "queue_sel", &mmio->queue_sel);
	snap_u32(snap, "guest_page_size", &mmio->guest_page_size);
	for (unsigned n = 0; n < VIRTIO_QUEUES; n++) {
		snap_u32(snap, "align", &mmio->legacy_queue[n].align);
		snap_u32(snap, "pfn", &mmio->legacy_queue[n].pfn);
	}
}
