#include "loader/flat_image.h"

#include <inttypes.h>

#define SEGMENT_SIZE 0x10000u

enum boot_mode flat_image_mode(uint64_t address)
{
	return address < BOOT_HIGH ? BOOT_REAL : BOOT_DIRECT;
}

/* As boot sectors do where it can: with a segment of zero. */
static bool start_real(const struct loader_file *file, uint64_t address, struct boot_plan *plan, char **error)
{
	if (address >= SEGMENT_SIZE && address % 16)
		return loader_refuse(file->path, error, "load address is %" PRIX64 "h: from %Xh on it must be a multiple of 10h, as CS:IP is to begin with IP = 0", address, SEGMENT_SIZE);
	plan->cs = address < SEGMENT_SIZE ? 0 : (uint16_t)(address >> 4);
	plan->ip = address < SEGMENT_SIZE ? (uint16_t)address : 0;
	plan->ds = plan->cs;
	plan->interrupts = true;
	return true;
}

bool flat_image_plan(const struct loader_file *file, uint64_t address, const struct start_info_board *board,
                     struct boot_plan *plan, char **error)
{
	struct boot_piece piece = { .address = address, .size = file->size, .data = file->data, .data_size = file->size };
	if (!boot_plan_add(plan, "flat binary", &piece, error))
		return false;
	if (plan->mode == BOOT_REAL)
		return start_real(file, address, plan, error);
	plan->eip = (uint32_t)address;
	return start_info_add(plan, board, error);
}
