/* A split virtqueue as the device sees it: takes chains of descriptors that the driver
 * made available and gives them back. Source: OASIS VIRTIO 1.2, 2.7.
 *
 * All of it is the guest's memory and no value in it is trusted. What no driver may do
 * (a loop, an index outside, memory that is not there) breaks the queue: that is said
 * once by guest_error(), and nothing more comes out of it until virtqueue_reset(). No
 * call does more work than two queues' worth of descriptors and the bytes asked for. */
#ifndef V2E_DEVMODEL_VIRTQUEUE_H
#define V2E_DEVMODEL_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/mem.h"
#include "shared/snap.h"

/* Descriptors in a queue, and in an indirect table. */
#define VIRTQUEUE_SIZE_MAX 256u

struct virtqueue {
	struct mem *mem;
	const char *name;         /* for messages */
	uint64_t desc, avail, used; /* where the three parts are */
	uint32_t size;            /* a power of two up to VIRTQUEUE_SIZE_MAX, once `ready` */
	bool ready;
	bool indirect, event_index; /* what was negotiated */
	bool broken;
	uint16_t next_avail, next_used;
	uint16_t signalled;       /* next_used, when an interrupt was last considered */
};

struct virtqueue_segment {
	uint64_t address;
	uint32_t size;
};

/* The bytes that the device may read, then those that it may write. */
struct virtqueue_chain {
	uint16_t head;
	unsigned readable, writable; /* segments */
	uint64_t readable_size, writable_size;
	struct virtqueue_segment segment[2 * VIRTQUEUE_SIZE_MAX];
};

void virtqueue_init(struct virtqueue *queue, struct mem *mem, const char *name);
/* As after init: not ready, no negotiated features. */
void virtqueue_reset(struct virtqueue *queue);
/* Sets `ready` if size and addresses can be those of a queue; else tells why not by
 * guest_error(). */
void virtqueue_start(struct virtqueue *queue);
void virtqueue_state(struct virtqueue *queue, struct snap *snap);

/* Is there a chain to be popped? If not, the driver is asked to notify of the next. */
bool virtqueue_has_chain(struct virtqueue *queue);
/* The next chain; false when there is none, or the queue breaks. */
bool virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain);
/* Copies `size` bytes from `offset` of the readable, or to that of the writable ones,
 * which the chain must have. False breaks the queue: that is no memory. */
bool virtqueue_read(struct virtqueue *queue, const struct virtqueue_chain *chain, uint64_t offset, void *to, size_t size);
bool virtqueue_write(struct virtqueue *queue, const struct virtqueue_chain *chain, uint64_t offset, const void *from, size_t size);
/* Gives the chain back; its first `written` writable bytes are new. */
void virtqueue_push(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written);
/* After pushes: does the driver want an interrupt for them? */
bool virtqueue_wants_interrupt(struct virtqueue *queue);
/* For the device: this chain is nothing that a driver makes. */
void virtqueue_break(struct virtqueue *queue, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
