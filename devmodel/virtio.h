/* What all virtio devices have in common, between a transport's registers and what the
 * device does: features, status, queues, interrupts. Source: OASIS VIRTIO 1.2.
 *
 * A device is served when the driver notifies it, at once and in the caller's thread,
 * but never with more than VIRTIO_BUDGET bytes: the rest follows a little later in
 * guest time, so that no guest can keep its host busy. */
#ifndef V2E_DEVMODEL_VIRTIO_H
#define V2E_DEVMODEL_VIRTIO_H

#include "devmodel/virtqueue.h"
#include "shared/clock.h"
#include "shared/irq.h"

#define VIRTIO_QUEUES     2u
#define VIRTIO_CONFIG_MAX 64u
#define VIRTIO_BUDGET     (4u << 20)
#define VIRTIO_PAUSE_NS   100000u
/* What a chain costs besides its bytes, so that empty ones are not free. */
#define VIRTIO_CHAIN_COST 4096u

/* Device status (2.1). */
enum {
	VIRTIO_ACKNOWLEDGE = 1, VIRTIO_DRIVER = 2, VIRTIO_DRIVER_OK = 4, VIRTIO_FEATURES_OK = 8,
	VIRTIO_NEEDS_RESET = 64, VIRTIO_FAILED = 128,
};

/* Interrupt causes (4.2.2). */
enum { VIRTIO_USED_BUFFER = 1, VIRTIO_CONFIGURATION = 2 };

/* Features of all devices (6). */
#define VIRTIO_F_ANY_LAYOUT  (UINT64_C(1) << 27) /* legacy devices' */
#define VIRTIO_F_INDIRECT    (UINT64_C(1) << 28)
#define VIRTIO_F_EVENT_INDEX (UINT64_C(1) << 29)
#define VIRTIO_F_VERSION_1   (UINT64_C(1) << 32)

struct virtio;

struct virtio_ops {
	const char *name; /* of the section in a saved state, and in messages */
	uint32_t id;      /* device type (5) */
	unsigned queues;
	/* Takes at most one chain of a queue. Returns what that cost, in bytes and never
	 * 0, or 0 if there is nothing to be done now. */
	uint32_t (*serve)(struct virtio *virtio, unsigned queue);
	/* Each may be NULL. */
	void (*reset)(struct virtio *virtio);
	void (*state)(struct virtio *virtio, struct snap *snap); /* within the section */
	void (*free)(struct virtio *virtio);
};

/* First member of each device. */
struct virtio {
	const struct virtio_ops *ops;
	struct clock *clock;
	struct clock_timer *timer; /* goes on serving */
	struct irq_line irq;
	bool legacy;               /* the interface before 1.0 (2.2.3) */
	uint64_t offered, features;
	uint8_t status, interrupt;
	uint8_t pending;           /* queues that want to be served */
	struct virtqueue queue[VIRTIO_QUEUES];
	uint8_t config[VIRTIO_CONFIG_MAX]; /* little-endian */
	size_t config_size, config_writable; /* the driver may write the first bytes */
};

/* Where a device is fitted. All must outlive it. */
struct virtio_board {
	struct mem *mem;
	struct clock *clock;
	struct irq_line irq; /* set again with each cause, also while it is high */
	bool legacy;
};

/* For the devices. `features` are its own. */
void virtio_init(struct virtio *virtio, const struct virtio_ops *ops, const struct virtio_board *board, uint64_t features);
void virtio_set_config(struct virtio *virtio, unsigned offset, uint64_t value, unsigned size);
/* May queue n be used now? */
bool virtio_is_running(const struct virtio *virtio, unsigned n);
/* Something came from elsewhere: serve queue n soon. */
void virtio_wake(struct virtio *virtio, unsigned n);
/* Chains were pushed, or the queue broke, outside of serve(). */
void virtio_signal(struct virtio *virtio, unsigned n);

/* For the transport. */
void virtio_set_driver_features(struct virtio *virtio, uint64_t features);
/* 0 resets. */
void virtio_set_status(struct virtio *virtio, uint8_t status);
void virtio_notify(struct virtio *virtio, uint32_t n);
void virtio_acknowledge(struct virtio *virtio, uint8_t causes);
void virtio_reset(struct virtio *virtio);
/* Starts the device's section. */
void virtio_state(struct virtio *virtio, struct snap *snap);
void virtio_free(struct virtio *virtio); /* NULL is fine */

#endif
