/* Small kernels, made byte by byte, for the tests of their parsers. */
#ifndef V2E_TESTS_UNIT_KERNEL_RIG_H
#define V2E_TESTS_UNIT_KERNEL_RIG_H

#include <check.h>
#include <glib.h>
#include <string.h>

#include "loader/boot_plan.h"
#include "loader/loader_file.h"

#define KERNEL_RIG_RAM (UINT64_C(64) << 20)

struct kernel_rig {
	GByteArray *bytes;
	struct loader_file file; /* kernel_rig_file() */
	struct boot_plan plan;
	char *error;
};

static inline void kernel_rig_setup(struct kernel_rig *rig, enum boot_mode mode)
{
	*rig = (struct kernel_rig){ .bytes = g_byte_array_new() };
	boot_plan_init(&rig->plan, "KERNEL", mode, KERNEL_RIG_RAM);
}

static inline void kernel_rig_teardown(struct kernel_rig *rig)
{
	g_byte_array_unref(rig->bytes);
	boot_plan_clear(&rig->plan);
	g_free(rig->error);
}

/* Another try with a plan that is empty again. */
static inline void kernel_rig_again(struct kernel_rig *rig)
{
	enum boot_mode mode = rig->plan.mode;
	boot_plan_clear(&rig->plan);
	boot_plan_init(&rig->plan, "KERNEL", mode, KERNEL_RIG_RAM);
	g_clear_pointer(&rig->error, g_free);
}

/* Writes `size` bytes of a little-endian number; the file grows as needed. */
static inline void kernel_rig_put(struct kernel_rig *rig, guint offset, uint64_t value, unsigned size)
{
	if (rig->bytes->len < offset + size) {
		guint old = rig->bytes->len;
		g_byte_array_set_size(rig->bytes, offset + size);
		memset(rig->bytes->data + old, 0, rig->bytes->len - old);
	}
	value = GUINT64_TO_LE(value);
	memcpy(rig->bytes->data + offset, &value, size);
}

static inline void kernel_rig_words(struct kernel_rig *rig, guint offset, const uint32_t *words, unsigned count)
{
	for (unsigned n = 0; n < count; n++)
		kernel_rig_put(rig, offset + 4 * n, words[n], 4);
}
#define KERNEL_RIG_WORDS(rig, offset, ...) do { \
		const uint32_t words_[] = { __VA_ARGS__ }; \
		kernel_rig_words(rig, offset, words_, G_N_ELEMENTS(words_)); \
	} while (0)

static inline const struct loader_file *kernel_rig_file(struct kernel_rig *rig)
{
	rig->file = (struct loader_file){ .path = "KERNEL", .data = rig->bytes->data, .size = rig->bytes->len };
	return &rig->file;
}

/* Tries the file as it is and cut to each shorter length, in memory of its own, so that
 * ASan sees who reads behind it. Returns how many are refused, by the file's name. */
static inline unsigned kernel_rig_cut(struct kernel_rig *rig, bool (*plan)(void))
{
	g_autoptr(GByteArray) whole = g_steal_pointer(&rig->bytes);
	unsigned refused = 0;
	for (guint size = 1; size <= whole->len; size++) {
		rig->bytes = g_byte_array_new_take(g_memdup2(whole->data, size), size);
		if (!plan()) {
			ck_assert_msg(g_str_has_prefix(rig->error, "KERNEL: "), "%s", rig->error);
			refused++;
		}
		kernel_rig_again(rig);
		g_byte_array_unref(rig->bytes);
	}
	rig->bytes = g_byte_array_new();
	return refused;
}

static inline void kernel_rig_refused(struct kernel_rig *rig, bool fine, const char *const *words)
{
	ck_assert(!fine);
	ck_assert_ptr_nonnull(rig->error);
	ck_assert_msg(!strchr(rig->error, '\n'), "%s", rig->error);
	for (; *words; words++)
		ck_assert_msg(strstr(rig->error, *words) != NULL, "'%s' is not in: %s", *words, rig->error);
	kernel_rig_again(rig);
}
#define KERNEL_RIG_REFUSED(rig, fine, ...) kernel_rig_refused(rig, fine, (const char *const[]){ __VA_ARGS__, NULL })

static inline const struct boot_piece *kernel_rig_piece(const struct kernel_rig *rig, guint n)
{
	ck_assert_uint_lt(n, rig->plan.pieces->len);
	return &g_array_index(rig->plan.pieces, struct boot_piece, n);
}

/* The word that the plan puts at an address. */
static inline uint32_t kernel_rig_word(const struct kernel_rig *rig, uint64_t address)
{
	for (guint n = 0; n < rig->plan.pieces->len; n++) {
		const struct boot_piece *piece = kernel_rig_piece(rig, n);
		uint32_t word;
		if (address - piece->address + 4 > piece->data_size)
			continue;
		memcpy(&word, piece->data + (address - piece->address), 4);
		return GUINT32_FROM_LE(word);
	}
	ck_abort_msg("nothing is at %llx", (unsigned long long)address);
	return 0;
}

/* An ELF file of one segment, 16 bytes at offset 4096. */
static inline void kernel_rig_elf(struct kernel_rig *rig, uint32_t entry, uint32_t linked, uint32_t address, uint32_t memory_size)
{
	KERNEL_RIG_WORDS(rig, 0, 0x464c457f, 0x00010101, 0, 0, 3 << 16 | 2, 1, entry, 52, 0, 0, 32 << 16 | 52, 1);
	KERNEL_RIG_WORDS(rig, 52, 1, 4096, linked, address, 16, memory_size, 5, 4096);
	kernel_rig_put(rig, 4096 + 15, 0x90, 1);
}

#endif
