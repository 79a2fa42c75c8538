/* A short queue of bytes on their way from a PS/2 device to the host. */
#ifndef V2E_DEVMODEL_PS2_QUEUE_H
#define V2E_DEVMODEL_PS2_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/snap.h"

#define PS2_QUEUE_SIZE 32u

struct ps2_queue {
	uint8_t bytes[PS2_QUEUE_SIZE];
	uint8_t first, count;
};

void ps2_queue_clear(struct ps2_queue *queue);
/* A byte that finds the queue full is dropped: returns false. */
bool ps2_queue_put(struct ps2_queue *queue, uint8_t byte);
/* Returns false when the queue is empty. */
bool ps2_queue_take(struct ps2_queue *queue, uint8_t *byte);
/* Saves, loads or dumps; loading refuses counts out of range. */
void ps2_queue_state(struct ps2_queue *queue, struct snap *snap);

#endif
