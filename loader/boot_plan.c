#include "loader/boot_plan.h"

#include <inttypes.h>

#include "loader/loader_file.h"

#define MIB (UINT64_C(1) << 20)

static void clear_piece(gpointer piece)
{
	g_free(((struct boot_piece *)piece)->what);
}

void boot_plan_init(struct boot_plan *plan, const char *path, enum boot_mode mode, uint64_t ram_size)
{
	*plan = (struct boot_plan){ .path = path, .mode = mode, .ram_size = ram_size };
	plan->pieces = g_array_new(FALSE, FALSE, sizeof(struct boot_piece));
	g_array_set_clear_func(plan->pieces, clear_piece);
	plan->made = g_ptr_array_new_with_free_func(g_free);
}

void boot_plan_clear(struct boot_plan *plan)
{
	g_clear_pointer(&plan->pieces, g_array_unref);
	g_clear_pointer(&plan->made, g_ptr_array_unref);
}

static uint64_t low_start(const struct boot_plan *plan)
{
	return plan->mode == BOOT_DIRECT ? 0 : BOOT_FIRMWARE_LOW;
}

static uint64_t low_end(const struct boot_plan *plan)
{
	return plan->mode == BOOT_DIRECT ? BOOT_LOW_END : BOOT_FIRMWARE_LOW_END;
}

uint64_t boot_plan_limit(const struct boot_plan *plan)
{
	if (plan->mode == BOOT_DIRECT)
		return plan->ram_size;
	return MAX(plan->ram_size, BOOT_HIGH + BOOT_FIRMWARE_TOP) - BOOT_FIRMWARE_TOP;
}

static bool refuse(const struct boot_plan *plan, const char *what, const struct boot_piece *piece, char **error, const char *why)
{
	return loader_refuse(plan->path, error, "%s: %" PRIu64 " bytes at %08" PRIX64 "h %s", what, piece->size, piece->address, why);
}

static bool check_place(const struct boot_plan *plan, const char *what, const struct boot_piece *piece, char **error)
{
	uint64_t limit = boot_plan_limit(plan), end = piece->address + piece->size;
	if (end < piece->address || end > UINT64_C(1) << 32)
		return refuse(plan, what, piece, error, "pass 4 GiB; link it lower");
	if (piece->address >= BOOT_HIGH && end > limit) {
		g_autofree char *why = g_strdup_printf("are too big for memory: %" PRIu64 " MiB of RAM end at %08" PRIX64 "h for it; "
		                                       "give more with -m", plan->ram_size / MIB, limit);
		return refuse(plan, what, piece, error, why);
	}
	if (piece->address < BOOT_HIGH && (piece->address < low_start(plan) || end > low_end(plan))) {
		g_autofree char *why = g_strdup_printf("are not in RAM that is free: %05" PRIX64 "h to %05" PRIX64 "h, and from %Xh on",
		                                       low_start(plan), low_end(plan) - 1, BOOT_HIGH);
		return refuse(plan, what, piece, error, why);
	}
	return true;
}

static const struct boot_piece *piece_at(const struct boot_plan *plan, guint n)
{
	return &g_array_index(plan->pieces, struct boot_piece, n);
}

static const struct boot_piece *find_overlap(const struct boot_plan *plan, uint64_t address, uint64_t size)
{
	for (guint n = 0; n < plan->pieces->len; n++) {
		const struct boot_piece *other = piece_at(plan, n);
		if (address < other->address + other->size && other->address < address + size)
			return other;
	}
	return NULL;
}

bool boot_plan_covers(const struct boot_plan *plan, uint64_t address)
{
	return find_overlap(plan, address, 1);
}

bool boot_plan_add(struct boot_plan *plan, const char *what, const struct boot_piece *piece, char **error)
{
	if (!piece->size)
		return true;
	if (!check_place(plan, what, piece, error))
		return false;
	const struct boot_piece *other = find_overlap(plan, piece->address, piece->size);
	if (other) {
		g_autofree char *why = g_strdup_printf("overlap %s: %" PRIu64 " bytes at %08" PRIX64 "h", other->what, other->size, other->address);
		return refuse(plan, what, piece, error, why);
	}
	struct boot_piece own = *piece;
	own.what = g_strdup(what);
	g_array_append_val(plan->pieces, own);
	return true;
}

/* Each step leaves a piece behind, so that it ends. */
static uint64_t find_up(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t from, uint64_t to)
{
	uint64_t at = (from + align - 1) & -align;
	while (at + size <= to) {
		const struct boot_piece *other = find_overlap(plan, at, size);
		if (!other)
			return at;
		at = (other->address + other->size + align - 1) & -align;
	}
	return 0;
}

static uint64_t find_down(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t from, uint64_t to)
{
	while (to >= size && ((to - size) & -align) >= from) {
		uint64_t at = (to - size) & -align;
		const struct boot_piece *other = find_overlap(plan, at, size);
		if (!other)
			return at;
		to = other->address;
	}
	return 0;
}

uint64_t boot_plan_find(const struct boot_plan *plan, uint64_t size, uint64_t align, uint64_t from, uint64_t to, bool high)
{
	if (from < BOOT_HIGH) {
		from = MAX(from, low_start(plan));
		to = MIN(to, low_end(plan));
	}
	to = MIN(to, MAX(boot_plan_limit(plan), low_end(plan)));
	if (size > to || from > to)
		return 0;
	return high ? find_down(plan, size, align, from, to) : find_up(plan, size, align, from, to);
}

uint8_t *boot_plan_bytes(struct boot_plan *plan, uint64_t size)
{
	uint8_t *bytes = g_malloc0(size);
	g_ptr_array_add(plan->made, bytes);
	return bytes;
}

void boot_plan_keep(struct boot_plan *plan)
{
	for (guint n = 0; n < plan->pieces->len; n++) {
		struct boot_piece *piece = &g_array_index(plan->pieces, struct boot_piece, n);
		uint8_t *own = boot_plan_bytes(plan, piece->data_size);
		if (piece->data_size)
			memcpy(own, piece->data, piece->data_size);
		piece->data = own;
	}
}

uint64_t boot_plan_end(const struct boot_plan *plan, uint64_t at_least)
{
	uint64_t end = at_least;
	for (guint n = 0; n < plan->pieces->len; n++)
		end = MAX(end, piece_at(plan, n)->address + piece_at(plan, n)->size);
	return end;
}
