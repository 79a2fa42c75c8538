#include "devmodel/virtqueue.h"

#include <glib.h>
#include <stdarg.h>

#include "shared/log.h"

#define DESC_NEXT     1u
#define DESC_WRITE    2u
#define DESC_INDIRECT 4u
#define DESC_SIZE     16u

#define AVAIL_NO_INTERRUPT 1u
/* Both rings: flags, index, then entries; behind these the event index. */
#define RING_FLAGS    0u
#define RING_INDEX    2u
#define RING_ENTRIES  4u
#define AVAIL_ENTRY   2u
#define USED_ENTRY    8u

#define CHAIN_MAX     (UINT64_C(1) << 32) /* bytes, 2.7.4.1 */

struct descriptor {
	uint64_t address;
	uint32_t size;
	uint16_t flags, next;
};
_Static_assert(sizeof(struct descriptor) == DESC_SIZE, "2.7.5");

struct used_entry {
	uint32_t id, size;
};
_Static_assert(sizeof(struct used_entry) == USED_ENTRY, "2.7.8");

void virtqueue_init(struct virtqueue *queue, struct mem *mem, const char *name)
{
	*queue = (struct virtqueue){ .mem = mem, .name = name };
}

void virtqueue_reset(struct virtqueue *queue)
{
	virtqueue_init(queue, queue->mem, queue->name);
}

void virtqueue_break(struct virtqueue *queue, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	g_autofree char *why = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	if (!queue->broken)
		guest_error(queue->name, "%s; the queue stops until a reset", why);
	queue->broken = true;
}

/* --- the parts in memory ------------------------------------------------------------ */

static bool get(struct virtqueue *queue, uint64_t address, void *to, size_t size)
{
	if (!queue->broken && mem_read_bytes(queue->mem, address, to, size) != size)
		virtqueue_break(queue, "a read of the ring at %llXh, where no memory is", (unsigned long long)address);
	return !queue->broken;
}

static bool put(struct virtqueue *queue, uint64_t address, const void *from, size_t size)
{
	if (!queue->broken && mem_write_bytes(queue->mem, address, from, size) != size)
		virtqueue_break(queue, "a write of the ring at %llXh, where no memory is", (unsigned long long)address);
	return !queue->broken;
}

static bool get16(struct virtqueue *queue, uint64_t address, uint16_t *value)
{
	bool fine = get(queue, address, value, sizeof *value);
	*value = GUINT16_FROM_LE(*value);
	return fine;
}

static bool put16(struct virtqueue *queue, uint64_t address, uint16_t value)
{
	value = GUINT16_TO_LE(value);
	return put(queue, address, &value, sizeof value);
}

static bool get_descriptor(struct virtqueue *queue, uint64_t address, struct descriptor *descriptor)
{
	if (!get(queue, address, descriptor, sizeof *descriptor))
		return false;
	descriptor->address = GUINT64_FROM_LE(descriptor->address);
	descriptor->size = GUINT32_FROM_LE(descriptor->size);
	descriptor->flags = GUINT16_FROM_LE(descriptor->flags);
	descriptor->next = GUINT16_FROM_LE(descriptor->next);
	return true;
}

static uint64_t used_event(const struct virtqueue *queue)
{
	return queue->avail + RING_ENTRIES + (uint64_t)AVAIL_ENTRY * queue->size;
}

static uint64_t avail_event(const struct virtqueue *queue)
{
	return queue->used + RING_ENTRIES + (uint64_t)USED_ENTRY * queue->size;
}

static const char *size_problem(uint32_t size)
{
	if (!size || size > VIRTQUEUE_SIZE_MAX)
		return "out of range";
	return size & (size - 1) ? "no power of two" : NULL;
}

void virtqueue_start(struct virtqueue *queue)
{
	const char *problem = size_problem(queue->size);
	if (problem)
		guest_error(queue->name, "a queue of %u descriptors: %s", queue->size, problem);
	else if (queue->desc % 16 || queue->avail % 2 || queue->used % 4)
		guest_error(queue->name, "a queue at odd addresses: %llXh, %llXh, %llXh", (unsigned long long)queue->desc,
		            (unsigned long long)queue->avail, (unsigned long long)queue->used);
	else
		queue->ready = true;
	queue->next_avail = queue->next_used = queue->signalled = 0;
}

/* --- chains ------------------------------------------------------------------------- */

static bool add_segment(struct virtqueue *queue, struct virtqueue_chain *chain, const struct descriptor *descriptor)
{
	struct virtqueue_segment *segment = &chain->segment[chain->readable + chain->writable];
	*segment = (struct virtqueue_segment){ descriptor->address, descriptor->size };
	if (descriptor->flags & DESC_WRITE) {
		chain->writable++;
		chain->writable_size += descriptor->size;
	} else if (chain->writable) {
		virtqueue_break(queue, "a readable descriptor behind a writable one");
	} else {
		chain->readable++;
		chain->readable_size += descriptor->size;
	}
	if (chain->readable_size + chain->writable_size > CHAIN_MAX)
		virtqueue_break(queue, "a chain of more than 4 GiB");
	return !queue->broken;
}

/* An indirect table is the end of a chain. */
static bool may_be_indirect(struct virtqueue *queue, const struct descriptor *descriptor, bool in_table)
{
	if (!queue->indirect || in_table)
		virtqueue_break(queue, in_table ? "an indirect table in another" : "an indirect table, which was not negotiated");
	else if (descriptor->flags & DESC_NEXT)
		virtqueue_break(queue, "an indirect table with a next descriptor");
	else if (!descriptor->size || descriptor->size % DESC_SIZE)
		virtqueue_break(queue, "an indirect table of %u bytes", descriptor->size);
	return !queue->broken;
}

/* The descriptors from `index` on of a table of `count`; stops at an indirect one. */
static bool walk(struct virtqueue *queue, struct virtqueue_chain *chain, uint64_t table, uint32_t count, uint32_t index,
                 bool in_table, struct descriptor *descriptor)
{
	for (unsigned steps = 0; steps < (in_table ? VIRTQUEUE_SIZE_MAX : queue->size); steps++) {
		if (index >= count) {
			virtqueue_break(queue, "descriptor %u of %u", index, count);
			return false;
		}
		if (!get_descriptor(queue, table + (uint64_t)DESC_SIZE * index, descriptor))
			return false;
		if (descriptor->flags & DESC_INDIRECT)
			return may_be_indirect(queue, descriptor, in_table);
		if (!add_segment(queue, chain, descriptor))
			return false;
		if (!(descriptor->flags & DESC_NEXT))
			return true;
		index = descriptor->next;
	}
	virtqueue_break(queue, "a chain that is too long, or a loop");
	return false;
}

bool virtqueue_has_chain(struct virtqueue *queue)
{
	uint16_t index;
	if (!queue->ready || !get16(queue, queue->avail + RING_INDEX, &index))
		return false;
	if ((uint16_t)(index - queue->next_avail) > queue->size)
		virtqueue_break(queue, "%u chains are available, with %u descriptors", (uint16_t)(index - queue->next_avail), queue->size);
	else if (index == queue->next_avail && queue->event_index)
		put16(queue, avail_event(queue), queue->next_avail);
	return !queue->broken && index != queue->next_avail;
}

bool virtqueue_pop(struct virtqueue *queue, struct virtqueue_chain *chain)
{
	struct descriptor last;
	chain->readable = chain->writable = 0;
	chain->readable_size = chain->writable_size = 0;
	if (!virtqueue_has_chain(queue) ||
	    !get16(queue, queue->avail + RING_ENTRIES + AVAIL_ENTRY * (queue->next_avail % queue->size), &chain->head))
		return false;
	queue->next_avail++;
	if (!walk(queue, chain, queue->desc, queue->size, chain->head, false, &last))
		return false;
	if (!(last.flags & DESC_INDIRECT))
		return true;
	return walk(queue, chain, last.address, last.size / DESC_SIZE, 0, true, &last);
}

/* --- their bytes -------------------------------------------------------------------- */

typedef size_t copy(struct mem *mem, uint64_t address, void *bytes, size_t size);

static size_t copy_out(struct mem *mem, uint64_t address, void *bytes, size_t size)
{
	return mem_write_bytes(mem, address, bytes, size);
}

static bool transfer(struct virtqueue *queue, const struct virtqueue_segment *segment, unsigned count, uint64_t offset, uint8_t *bytes,
                     size_t size, copy *part_of)
{
	for (; size && count && !queue->broken; segment++, count--) {
		if (offset >= segment->size) {
			offset -= segment->size;
			continue;
		}
		size_t part = MIN(size, segment->size - (size_t)offset);
		if (part_of(queue->mem, segment->address + offset, bytes, part) != part)
			virtqueue_break(queue, "a buffer at %llXh, where no memory is", (unsigned long long)segment->address);
		bytes += part;
		size -= part;
		offset = 0;
	}
	g_assert(!size || queue->broken);
	return !queue->broken;
}

bool virtqueue_read(struct virtqueue *queue, const struct virtqueue_chain *chain, uint64_t offset, void *to, size_t size)
{
	return transfer(queue, chain->segment, chain->readable, offset, to, size, mem_read_bytes);
}

bool virtqueue_write(struct virtqueue *queue, const struct virtqueue_chain *chain, uint64_t offset, const void *from, size_t size)
{
	return transfer(queue, chain->segment + chain->readable, chain->writable, offset, (uint8_t *)from, size, copy_out);
}

void virtqueue_push(struct virtqueue *queue, const struct virtqueue_chain *chain, uint32_t written)
{
	const struct used_entry entry = { GUINT32_TO_LE(chain->head), GUINT32_TO_LE(written) };
	uint64_t place = queue->used + RING_ENTRIES + USED_ENTRY * (queue->next_used % queue->size);
	if (put(queue, place, &entry, sizeof entry))
		put16(queue, queue->used + RING_INDEX, ++queue->next_used);
}

bool virtqueue_wants_interrupt(struct virtqueue *queue)
{
	uint16_t pushed = (uint16_t)(queue->next_used - queue->signalled), value;
	queue->signalled = queue->next_used;
	if (!pushed || !queue->ready)
		return false;
	if (queue->event_index)
		return get16(queue, used_event(queue), &value) && (uint16_t)(queue->next_used - value - 1) < pushed;
	return get16(queue, queue->avail + RING_FLAGS, &value) && !(value & AVAIL_NO_INTERRUPT);
}

/* --- state -------------------------------------------------------------------------- */

void virtqueue_state(struct virtqueue *queue, struct snap *snap)
{
	snap_u64(snap, "desc", &queue->desc);
	snap_u64(snap, "avail", &queue->avail);
	snap_u64(snap, "used", &queue->used);
	snap_u32(snap, "size", &queue->size);
	snap_bool(snap, "ready", &queue->ready);
	snap_bool(snap, "broken", &queue->broken);
	snap_u16(snap, "next_avail", &queue->next_avail);
	snap_u16(snap, "next_used", &queue->next_used);
	snap_u16(snap, "signalled", &queue->signalled);
	if (!queue->ready || !size_problem(queue->size))
		return;
	snap_fail(snap, "%s: a queue of %u descriptors", queue->name, queue->size);
	queue->ready = false;
}
