/* The virtio entropy device: buffers filled by the host's getrandom(), or in virtual
 * time by a generator that starts anew with the machine, so that runs repeat. Source:
 * OASIS VIRTIO 1.2, 5.4. */
#ifndef V2E_DEVMODEL_VIRTIO_RNG_H
#define V2E_DEVMODEL_VIRTIO_RNG_H

#include "devmodel/virtio.h"

/* Of one buffer no more is filled. */
#define VIRTIO_RNG_MAX 65536u

struct virtio *virtio_rng_new(const struct virtio_board *board);

#endif
