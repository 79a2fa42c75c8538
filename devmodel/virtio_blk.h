/* The virtio block device: reads, writes, flushes and its name, one request after the
 * other; a write is safe when a flush behind it has ended. Source: OASIS VIRTIO 1.2,
 * 5.2. */
#ifndef V2E_DEVMODEL_VIRTIO_BLK_H
#define V2E_DEVMODEL_VIRTIO_BLK_H

#include "devmodel/blk.h"
#include "devmodel/virtio.h"

#define VIRTIO_BLK_SEGMENT_MAX  65536u
#define VIRTIO_BLK_SEGMENTS_MAX (VIRTQUEUE_SIZE_MAX - 2)

/* Takes `blk` over. `number` goes into its name: v2e-virtio-N. */
struct virtio *virtio_blk_new(const struct virtio_board *board, struct blk *blk, unsigned number);

#endif
