#include "devmodel/ps2_queue.h"

#include <string.h>

void ps2_queue_clear(struct ps2_queue *queue)
{
	memset(queue, 0, sizeof *queue);
}

bool ps2_queue_put(struct ps2_queue *queue, uint8_t byte)
{
	if (queue->count >= PS2_QUEUE_SIZE)
		return false;
	queue->bytes[(queue->first + queue->count) % PS2_QUEUE_SIZE] = byte;
	queue->count++;
	return true;
}

bool ps2_queue_take(struct ps2_queue *queue, uint8_t *byte)
{
	if (!queue->count)
		return false;
	*byte = queue->bytes[queue->first];
	queue->first = (uint8_t)((queue->first + 1) % PS2_QUEUE_SIZE);
	queue->count--;
	return true;
}

void ps2_queue_state(struct ps2_queue *queue, struct snap *snap)
{
	struct ps2_queue loaded = *queue;
	snap_bytes(snap, "queue_bytes", loaded.bytes, sizeof loaded.bytes);
	snap_u8(snap, "queue_first", &loaded.first);
	snap_u8(snap, "queue_count", &loaded.count);
	if (!snap_is_loading(snap))
		return;
	if (loaded.first >= PS2_QUEUE_SIZE || loaded.count > PS2_QUEUE_SIZE)
		snap_fail(snap, "queue of %u bytes from %u", loaded.count, loaded.first);
	else if (!snap_error(snap))
		*queue = loaded;
}
