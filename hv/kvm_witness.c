/* gettid() */
#define _GNU_SOURCE

#include "hv/kvm_witness.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "hv/kvm_trace.h"
#include "hv/kvm_vm.h"

static const struct witness_point {
	struct kvm_trace_point point;
	bool emulates; /* what it tells of is to be looked at */
} points[] = {
	{ { "kvm_intel", "kvm_exit", "isa == 1 && exit_reason == 29" }, false },
	{ { "kvm_amd", "kvm_exit", "isa == 2 && exit_reason >= 0x20 && exit_reason < 0x40" }, false },
	/* Filters do not see the bytes of an instruction. */
	{ { NULL, "kvm_emulate_insn", "len >= 3" }, true },
};

/* A ring wakes a reader, of which there is none, each time that it is full. */
#define RING_PAGES 8u

#define INSN_SIZE 15u
#define MOV_DR_LEN 3u /* and prefixes in front */

/* More than this costs more than to read the debug registers. */
#define LOOK_MAX 1024u

/* So many stretches without it, twice as many each time that it was too long. */
#define PAUSE_MIN 16u
#define PAUSE_MAX 4096u

struct witness_event {
	struct kvm_trace_event trace;
	bool emulates;
	uint64_t start; /* of this stretch, in the stream of what was written to the ring */
};

struct kvm_witness {
	struct witness_event event[G_N_ELEMENTS(points)];
	unsigned events;
	pid_t thread; /* whose they are */
	unsigned at_len, at_insn; /* in what kvm_emulate_insn writes */
	unsigned pause, left; /* stretches; left != 0: nobody looks at emulated instructions */
};

/* --- events ------------------------------------------------------------------------------ */

static void close_events(struct kvm_witness *witness)
{
	while (witness->events)
		kvm_trace_close(&witness->event[--witness->events].trace);
}

static int open_event(struct witness_event *event, const struct witness_point *point)
{
	const struct perf_event_attr attr = {
		.sample_type = point->emulates ? PERF_SAMPLE_RAW : 0, .watermark = 1, .wakeup_watermark = UINT32_MAX,
	};
	int result = kvm_trace_open(&event->trace, &point->point, attr);
	if (result)
		return result;
	event->emulates = point->emulates;
	result = kvm_trace_map(&event->trace, RING_PAGES);
	if (!result)
		result = kvm_trace_enable(&event->trace, true);
	if (result)
		kvm_trace_close(&event->trace);
	return result;
}

static int open_events(struct kvm_witness *witness)
{
	for (size_t i = 0; i < G_N_ELEMENTS(points); i++) {
		if (points[i].point.module && !kvm_vm_has_module(points[i].point.module))
			continue;
		int result = open_event(&witness->event[witness->events], &points[i]);
		if (result) {
			close_events(witness);
			return result;
		}
		witness->events++;
	}
	witness->pause = witness->left = 0;
	return 0;
}

struct kvm_witness *kvm_witness_new(void)
{
	int at_len = kvm_trace_offset("kvm_emulate_insn", "len"), at_insn = kvm_trace_offset("kvm_emulate_insn", "insn[15]");
	if (at_len < 0 || at_insn < 0)
		return NULL;
	struct kvm_witness *witness = g_new0(struct kvm_witness, 1);
	witness->at_len = (unsigned)at_len;
	witness->at_insn = (unsigned)at_insn;
	witness->thread = gettid();
	if (!open_events(witness))
		return witness;
	g_free(witness);
	return NULL;
}

void kvm_witness_free(struct kvm_witness *witness)
{
	if (!witness)
		return;
	close_events(witness);
	g_free(witness);
}

/* --- what was written to a ring --------------------------------------------------------------- */

static uint64_t head_of(const struct witness_event *event)
{
	return __atomic_load_n(&event->trace.ring->data_head, __ATOMIC_ACQUIRE);
}

static void copy(const struct witness_event *event, uint64_t at, void *to, size_t size)
{
	const struct perf_event_mmap_page *ring = event->trace.ring;
	const uint8_t *data = (const uint8_t *)ring + ring->data_offset;
	size_t from = at % ring->data_size, first = MIN(size, ring->data_size - from);
	memcpy(to, data + from, first);
	memcpy((uint8_t *)to + first, data, size - first);
}

/* PERF_RECORD_SAMPLE with PERF_SAMPLE_RAW: a size, then the tracepoint's data. */
struct sample {
	struct perf_event_header header;
	uint32_t size;
	uint8_t data[64];
};

static bool is_mov_dr(const struct kvm_witness *witness, const struct sample *sample)
{
	const uint8_t *insn = sample->data + witness->at_insn;
	unsigned len = sample->data[witness->at_len];
	if (witness->at_len >= sample->size || witness->at_insn + INSN_SIZE > MIN(sample->size, sizeof sample->data) ||
	    len < MOV_DR_LEN || len > INSN_SIZE)
		return true; /* not known */
	return insn[len - 3] == 0x0f && insn[len - 2] == 0x23;
}

static bool has_mov_dr(const struct kvm_witness *witness, const struct witness_event *event, uint64_t end)
{
	uint64_t at = event->start;
	while (at < end) {
		struct sample sample = { .size = 0 };
		copy(event, at, &sample.header, sizeof sample.header);
		if (sample.header.type != PERF_RECORD_SAMPLE || sample.header.size < sizeof sample.header)
			return true;
		copy(event, at, &sample, MIN(sample.header.size, sizeof sample));
		if (is_mov_dr(witness, &sample))
			return true;
		at += sample.header.size;
	}
	return false;
}

/* --- a stretch -------------------------------------------------------------------------------- */

/* Emulated instructions: whether they are looked at. */
static void look(struct kvm_witness *witness, bool on)
{
	for (unsigned n = 0; n < witness->events; n++)
		if (witness->event[n].emulates && kvm_trace_enable(&witness->event[n].trace, on))
			close_events(witness);
}

void kvm_witness_begin(struct kvm_witness *witness, pid_t thread)
{
	if (witness->thread != thread) {
		close_events(witness);
		open_events(witness);
		witness->thread = thread;
	}
	if (witness->left && !--witness->left)
		look(witness, true);
	for (unsigned n = 0; n < witness->events; n++)
		witness->event[n].start = head_of(&witness->event[n]);
}

static void pause_looking(struct kvm_witness *witness)
{
	witness->pause = CLAMP(2 * witness->pause, PAUSE_MIN, PAUSE_MAX);
	witness->left = witness->pause;
	look(witness, false);
}

static bool event_saw(struct kvm_witness *witness, const struct witness_event *event)
{
	uint64_t head = head_of(event);
	if (head == event->start || !event->emulates)
		return head != event->start;
	if (head - event->start <= LOOK_MAX)
		return has_mov_dr(witness, event, head);
	pause_looking(witness);
	return true;
}

bool kvm_witness_saw(struct kvm_witness *witness)
{
	bool saw = !witness->events || witness->left;
	for (unsigned n = 0; n < witness->events && !saw; n++)
		saw = event_saw(witness, &witness->event[n]);
	if (!witness->left)
		witness->pause = 0;
	return saw;
}
