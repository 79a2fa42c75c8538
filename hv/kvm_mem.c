#include "hv/kvm_mem.h"

#include <errno.h>

#define MIB (UINT64_C(1) << 20)

/* --- what is to be shown ------------------------------------------------------------ */

static bool follows(const struct kvm_slot *a, const struct kvm_slot *b)
{
	return a->address + a->size == b->address && a->host + a->size == b->host && a->read_only == b->read_only;
}

static void append(GArray *slots, const struct kvm_slot *slot)
{
	struct kvm_slot *last = slots->len ? &g_array_index(slots, struct kvm_slot, slots->len - 1) : NULL;
	if (last && follows(last, slot))
		last->size += slot->size;
	else
		g_array_append_val(slots, *slot);
}

static void visit_range(void *owner, const struct mem_range *range)
{
	if (!range->host)
		return;
	struct kvm_slot slot = { range->address, range->size, range->host, !range->writable };
	append(owner, &slot);
}

/* The part of `slot` that lies in `mib`, shown at `mib` + `shift`. */
static void append_part(GArray *to, const struct kvm_slot *slot, uint64_t mib, uint64_t shift)
{
	uint64_t from = MAX(slot->address, mib), end = MIN(slot->address + slot->size, mib + MIB);
	if (from >= end)
		return;
	struct kvm_slot part = { from + shift, end - from, slot->host + (from - slot->address), slot->read_only };
	append(to, &part);
}

static void append_mib(GArray *to, const GArray *from, guint *first, uint64_t mib, uint64_t shift)
{
	const struct kvm_slot *slots = (const struct kvm_slot *)(const void *)from->data;
	while (*first < from->len && slots[*first].address + slots[*first].size <= mib)
		++*first;
	for (guint i = *first; i < from->len && slots[i].address < mib + MIB; i++)
		append_part(to, &slots[i], mib, shift);
}

static GArray *mask_a20(GArray *slots)
{
	GArray *masked = g_array_new(FALSE, FALSE, sizeof(struct kvm_slot));
	guint first = 0;
	for (uint64_t mib = 0; mib < MEM_SPACE && first < slots->len; mib += 2 * MIB) {
		append_mib(masked, slots, &first, mib, 0);
		append_mib(masked, slots, &first, mib, MIB);
	}
	g_array_unref(slots);
	return masked;
}

GArray *kvm_mem_layout(struct mem *mem)
{
	GArray *slots = g_array_new(FALSE, FALSE, sizeof(struct kvm_slot));
	mem_for_each_range(mem, visit_range, slots);
	return mem->a20_mask == UINT32_MAX ? slots : mask_a20(slots);
}

/* --- slots ------------------------------------------------------------------------------ */

struct kvm_mem {
	struct mem *mem;
	int (*set_slot)(void *owner, const struct kvm_userspace_memory_region *region);
	void *owner;
	unsigned slots;         /* that KVM has */
	struct kvm_slot *slot;  /* by number; size 0: free */
	unsigned high, used;    /* numbers from `high` on are free */
	uint32_t epoch;         /* of the map that is shown */
	bool valid;
};

struct kvm_mem *kvm_mem_new(struct mem *mem, unsigned slots,
                            int (*set_slot)(void *owner, const struct kvm_userspace_memory_region *region), void *owner)
{
	struct kvm_mem *slots_of = g_new0(struct kvm_mem, 1);
	slots_of->mem = mem;
	slots_of->slots = slots;
	slots_of->slot = g_new0(struct kvm_slot, slots);
	slots_of->set_slot = set_slot;
	slots_of->owner = owner;
	return slots_of;
}

void kvm_mem_free(struct kvm_mem *mem)
{
	if (!mem)
		return;
	g_free(mem->slot);
	g_free(mem);
}

unsigned kvm_mem_slots(const struct kvm_mem *mem)
{
	return mem->used;
}

static bool same(const struct kvm_slot *a, const struct kvm_slot *b)
{
	return a->address == b->address && a->size == b->size && a->host == b->host && a->read_only == b->read_only;
}

/* `wanted` is sorted by address. */
static bool is_wanted(const GArray *wanted, const struct kvm_slot *slot)
{
	guint low = 0, high = wanted->len;
	while (low < high) {
		guint middle = low + (high - low) / 2;
		const struct kvm_slot *candidate = &g_array_index(wanted, struct kvm_slot, middle);
		if (candidate->address == slot->address)
			return same(candidate, slot);
		if (candidate->address < slot->address)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static int tell(struct kvm_mem *mem, unsigned number, const struct kvm_slot *slot)
{
	struct kvm_userspace_memory_region region = {
		.slot = number,
		.flags = slot->read_only ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = slot->address,
		.memory_size = slot->size,
		.userspace_addr = (uintptr_t)slot->host,
	};
	return mem->set_slot(mem->owner, &region);
}

static int remove_unwanted(struct kvm_mem *mem, const GArray *wanted)
{
	for (unsigned n = 0; n < mem->high; n++) {
		struct kvm_slot *slot = &mem->slot[n];
		if (!slot->size || is_wanted(wanted, slot))
			continue;
		struct kvm_slot none = { .address = slot->address };
		int result = tell(mem, n, &none);
		if (result)
			return result;
		slot->size = 0;
		mem->used--;
	}
	while (mem->high && !mem->slot[mem->high - 1].size)
		mem->high--;
	return 0;
}

static int compare_slots(const void *a, const void *b)
{
	const struct kvm_slot *left = a, *right = b;
	return left->address < right->address ? -1 : left->address > right->address;
}

/* What is shown already, sorted as `wanted` is. */
static GArray *shown(const struct kvm_mem *mem)
{
	GArray *slots = g_array_new(FALSE, FALSE, sizeof(struct kvm_slot));
	for (unsigned n = 0; n < mem->high; n++)
		if (mem->slot[n].size)
			g_array_append_val(slots, mem->slot[n]);
	g_array_sort(slots, compare_slots);
	return slots;
}

static int add(struct kvm_mem *mem, const struct kvm_slot *slot, unsigned *hint)
{
	while (*hint < mem->high && mem->slot[*hint].size)
		++*hint;
	if (*hint == mem->slots)
		return -ENOSPC;
	int result = tell(mem, *hint, slot);
	if (result)
		return result;
	mem->slot[*hint] = *slot;
	mem->used++;
	mem->high = MAX(mem->high, *hint + 1);
	return 0;
}

static int add_missing(struct kvm_mem *mem, const GArray *wanted)
{
	g_autoptr(GArray) have = shown(mem);
	unsigned hint = 0;
	for (guint i = 0; i < wanted->len; i++) {
		const struct kvm_slot *slot = &g_array_index(wanted, struct kvm_slot, i);
		if (is_wanted(have, slot))
			continue;
		int result = add(mem, slot, &hint);
		if (result)
			return result;
	}
	return 0;
}

bool kvm_mem_is_current(const struct kvm_mem *mem)
{
	return mem->valid && mem->epoch == mem->mem->epoch;
}

void kvm_mem_keep(struct kvm_mem *mem)
{
	mem->epoch = mem->mem->epoch;
}

int kvm_mem_update(struct kvm_mem *mem)
{
	if (kvm_mem_is_current(mem))
		return 0;
	g_autoptr(GArray) wanted = kvm_mem_layout(mem->mem);
	mem->valid = false;
	int result = remove_unwanted(mem, wanted);
	if (!result)
		result = add_missing(mem, wanted);
	if (result)
		return result;
	mem->epoch = mem->mem->epoch;
	mem->valid = true;
	return 0;
}
