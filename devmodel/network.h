/* A network behind a network card: the card sends frames into it and gets those that
 * come out of it, a little later and one by one, as from a cable. What cannot be
 * taken waits here, up to NETWORK_QUEUE frames; then it is lost, as on any network. */
#ifndef V2E_DEVMODEL_NETWORK_H
#define V2E_DEVMODEL_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shared/clock.h"

/* Bytes from the destination address to the end of the data, without the FCS. */
#define NETWORK_FRAME_MIN 14u
#define NETWORK_FRAME_MAX 65550u
#define NETWORK_QUEUE     256u
/* What a full frame takes at 1 Gbit/s: the least time from one to the next. */
#define NETWORK_FRAME_NS  12000u

struct network;

/* The card's end. */
struct network_card {
	/* Would receive() take a frame of this size now? */
	bool (*has_room)(void *owner, size_t size);
	void (*receive)(void *owner, const uint8_t *frame, size_t size);
	void *owner;
};

struct network_ops {
	void (*send)(struct network *network, const uint8_t *frame, size_t size);
	/* Looks after the host's sockets; NULL: there are none. */
	void (*poll)(struct network *network);
	void (*free)(struct network *network);
};

/* First member of each kind of network. */
struct network {
	const struct network_ops *ops;
	struct network_card card;
	struct clock *clock;
	struct clock_timer *arrival;
	struct network_queue *queue;
};

/* For the kinds: `clock` must outlive the network. */
void network_init(struct network *network, const struct network_ops *ops, struct clock *clock);
void network_fini(struct network *network);
/* A frame for the card. */
void network_deliver(struct network *network, const uint8_t *frame, size_t size);

void network_connect(struct network *network, const struct network_card *card);
/* A frame from the card; others than NETWORK_FRAME_MIN..MAX bytes are dropped. */
void network_send(struct network *network, const uint8_t *frame, size_t size);
/* The card has room again. */
void network_resume(struct network *network);
/* The card was reset or restored: what waits for it is gone. */
void network_forget(struct network *network);
/* To be called every few milliseconds. */
void network_poll(struct network *network);
void network_free(struct network *network); /* NULL is fine */

#endif
