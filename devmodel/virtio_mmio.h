/* The memory-mapped transport of virtio: a page of registers for one device, in the
 * layout of version 2, or of version 1 for a device whose `legacy` is set. Source:
 * OASIS VIRTIO 1.2, 4.2. Queue reset and shared memory are not there. */
#ifndef V2E_DEVMODEL_VIRTIO_MMIO_H
#define V2E_DEVMODEL_VIRTIO_MMIO_H

#include "devmodel/virtio.h"

#define VIRTIO_MMIO_SIZE 4096u

struct virtio_mmio;

/* Takes the device over, in any case. Returns NULL with errno set. */
struct virtio_mmio *virtio_mmio_new(struct mem *mem, uint32_t address, struct virtio *device);
void virtio_mmio_reset(struct virtio_mmio *mmio);
/* With the device's. */
void virtio_mmio_state(struct virtio_mmio *mmio, struct snap *snap);
void virtio_mmio_free(struct virtio_mmio *mmio); /* NULL is fine */

#endif
