/* The virtio network card: one pair of queues, each frame in a buffer of its own. No
 * checksums or segments are left to it, and it filters nothing: what comes out of its
 * network is for it. Source: OASIS VIRTIO 1.2, 5.1. */
#ifndef V2E_DEVMODEL_VIRTIO_NET_H
#define V2E_DEVMODEL_VIRTIO_NET_H

#include "devmodel/network.h"
#include "devmodel/virtio.h"

/* `network` must outlive the card; NULL: no cable. */
struct virtio *virtio_net_new(const struct virtio_board *board, struct network *network, const uint8_t mac[6]);

#endif
