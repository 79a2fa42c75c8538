/* The virtio console, with one port and no control queue: bytes to and from a chardev.
 * Source: OASIS VIRTIO 1.2, 5.3. */
#ifndef V2E_DEVMODEL_VIRTIO_CONSOLE_H
#define V2E_DEVMODEL_VIRTIO_CONSOLE_H

#include "devmodel/chardev.h"
#include "devmodel/virtio.h"

/* What the driver may write with one chain, and input that waits for its buffers. */
#define VIRTIO_CONSOLE_WRITE_MAX (1u << 20)
#define VIRTIO_CONSOLE_INPUT     1024u

/* `chardev` must outlive the console. */
struct virtio *virtio_console_new(const struct virtio_board *board, struct chardev *chardev);

#endif
