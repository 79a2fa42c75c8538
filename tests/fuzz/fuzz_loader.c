/* A hostile kernel: whatever its parser lets through must lie in RAM without overlaps,
 * be there in full, and start within. V2E_FUZZ_KIND is the parser: one program each.
 * The input is the file. */
#include <glib.h>
#include <stdlib.h>

#include "loader/boot_rom.h"
#include "loader/kernel.h"
#include "loader/linux_image.h"
#include "loader/multiboot.h"
#include "loader/multiboot2.h"
#include "tests/fuzz/fuzz.h"

#define RAM      (UINT64_C(64) << 20)

static const uint8_t module_bytes[5000];

/* abort(), as libFuzzer keeps an input that raises SIGABRT. */
static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_plan(const struct boot_plan *plan, const struct loader_file *file)
{
	uint64_t sum = 0;
	for (guint n = 0; n < plan->pieces->len; n++) {
		const struct boot_piece *piece = &g_array_index(plan->pieces, struct boot_piece, n);
		uint64_t end = piece->address + piece->size;
		require(piece->size && piece->data_size <= piece->size && end > piece->address);
		require(end <= BOOT_LOW_END || (piece->address >= BOOT_HIGH && end <= RAM));
		require(plan->mode == BOOT_DIRECT || piece->address >= BOOT_FIRMWARE_LOW);
		for (guint m = 0; m < n; m++) {
			const struct boot_piece *other = &g_array_index(plan->pieces, struct boot_piece, m);
			require(end <= other->address || other->address + other->size <= piece->address);
		}
		for (uint64_t byte = 0; byte < piece->data_size; byte++)
			sum += piece->data[byte];
	}
	require(sum != UINT64_MAX && file->size);
	require(plan->mode == BOOT_REAL || boot_plan_covers(plan, plan->eip));
	require(plan->mode != BOOT_REAL || boot_plan_covers(plan, plan->cs * 16u + plan->ip));
}

static bool make_plan(const struct loader_file *file, struct boot_plan *plan, char **error)
{
	static struct multiboot_module modules[2] = {
		{ .file = { .path = "one", .data = module_bytes, .size = sizeof module_bytes }, .words = "one with words" },
		{ .file = { .path = "two", .data = module_bytes, .size = 1 }, .words = "two" },
	};
	const struct device_map_entry device = { 0x3f8, 4 };
	const struct start_info_board board = { .device = &device, .devices = 1 };
	switch (V2E_FUZZ_KIND) {
	case KERNEL_LINUX:
		return linux_image_plan(file, &modules[0].file, "quiet vga=791", plan, error);
	case KERNEL_MULTIBOOT:
		return multiboot_plan(file, modules, 2, "words", plan, error);
	case KERNEL_MULTIBOOT2:
		return multiboot2_plan(file, modules, 2, "words", plan, error);
	default:
		return start_info_plan(file, &board, plan, error);
	}
}

static void check_rom(const struct boot_plan *plan)
{
	struct boot_rom rom;
	char *error = NULL;
	if (plan->mode != BOOT_DIRECT && boot_rom_make(plan, &rom, &error))
		boot_rom_clear(&rom);
	g_free(error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum boot_mode modes[] = {
		[KERNEL_LINUX] = BOOT_REAL, [KERNEL_MULTIBOOT] = BOOT_PROTECTED, [KERNEL_MULTIBOOT2] = BOOT_PROTECTED,
		[KERNEL_ELF] = BOOT_DIRECT,
	};
	const struct loader_file file = { .path = "fuzz", .data = data, .size = size };
	struct boot_plan plan;
	char *error = NULL;
	if (!size)
		return 0;
	kernel_detect(&file);
	boot_plan_init(&plan, file.path, modes[V2E_FUZZ_KIND], RAM);
	if (make_plan(&file, &plan, &error)) {
		require(!error);
		check_plan(&plan, &file);
		check_rom(&plan);
	} else {
		/* It names the file that is at fault. */
		require(error && (g_str_has_prefix(error, "fuzz: ") || g_str_has_prefix(error, "one: ") || g_str_has_prefix(error, "two: ")));
	}
	g_free(error);
	boot_plan_clear(&plan);
	return 0;
}
