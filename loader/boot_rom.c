#include "loader/boot_rom.h"

#include <stddef.h>
#include <string.h>

#include "devmodel/fw_cfg.h"
#include "loader/loader_file.h"

#define ROM_BLOCK    512u
#define SIZE_OFFSET  2u
#define PNP_SIZE     32u
#define PNP_CHECKSUM 9u

/* Of boot_rom_code.S. */
#define SCRATCH_SIZE  4096u
#define PARAGRAPH     16u

#define FLAGS_FIXED      0x0002u
#define FLAGS_INTERRUPTS 0x0200u

/* fw_cfg's DMA, control word. This board gives an initial RAM disk no item of its
 * own, and past the end of an item come zeros. */
#define DMA_READ      0x02u
#define DMA_SELECT    0x08u
#define DMA_KEY_SHIFT 16
#define KEY_OF_ZEROS  FW_CFG_INITRD_DATA

/* The bytes of boot_rom_code.S. */
extern const uint8_t boot_rom_code[] __attribute__((visibility("hidden")));
extern const uint8_t boot_rom_pnp[] __attribute__((visibility("hidden")));
extern const uint8_t boot_rom_plan[] __attribute__((visibility("hidden")));
extern const uint8_t boot_rom_code_end[] __attribute__((visibility("hidden")));

/* What that code reads, little-endian. */
struct rom_plan {
	uint32_t scratch, map_entries, map_add[2], map_lower, eip, eax, ebx;
	uint16_t map_room, map_sized, load_count, protected;
	uint16_t cs, ip, ds, ss, sp, flags;
	uint8_t reserved[12];
};
_Static_assert(sizeof(struct rom_plan) == 64, "as in boot_rom_code.S");
_Static_assert(offsetof(struct rom_plan, map_room) == 32 && offsetof(struct rom_plan, cs) == 40, "as in boot_rom_code.S");

/* One transfer of the configuration device, big-endian. */
struct rom_load {
	uint32_t control, length;
	uint64_t address;
};

static const struct boot_piece *piece_at(const struct boot_plan *plan, guint n)
{
	return &g_array_index(plan->pieces, struct boot_piece, n);
}

static void add_load(GArray *loads, uint32_t control, uint64_t address, uint64_t size)
{
	struct rom_load load = { GUINT32_TO_BE(control), GUINT32_TO_BE((uint32_t)size), GUINT64_TO_BE(address) };
	if (size)
		g_array_append_val(loads, load);
}

/* The item's bytes are read from its start on, piece by piece; then zeros. */
static GArray *make_loads(const struct boot_plan *plan)
{
	GArray *loads = g_array_new(FALSE, FALSE, sizeof(struct rom_load));
	uint32_t first = DMA_SELECT | FW_CFG_KERNEL_DATA << DMA_KEY_SHIFT;
	for (guint n = 0; n < plan->pieces->len; n++) {
		const struct boot_piece *piece = piece_at(plan, n);
		add_load(loads, DMA_READ | (loads->len ? 0 : first), piece->address, piece->data_size);
	}
	for (guint n = 0; n < plan->pieces->len; n++) {
		const struct boot_piece *piece = piece_at(plan, n);
		add_load(loads, DMA_READ | DMA_SELECT | KEY_OF_ZEROS << DMA_KEY_SHIFT, piece->address + piece->data_size, piece->size - piece->data_size);
	}
	return loads;
}

static struct rom_plan make_plan(const struct boot_plan *plan, uint32_t scratch, guint loads)
{
	bool own_stack = plan->ss || plan->sp;
	return (struct rom_plan){
		.scratch = GUINT32_TO_LE(scratch), .map_entries = GUINT32_TO_LE(plan->map.entries),
		.map_add = { GUINT32_TO_LE(plan->map.add[0]), GUINT32_TO_LE(plan->map.add[1]) }, .map_lower = GUINT32_TO_LE(plan->map.lower),
		.eip = GUINT32_TO_LE(plan->eip), .eax = GUINT32_TO_LE(plan->eax), .ebx = GUINT32_TO_LE(plan->ebx),
		.map_room = GUINT16_TO_LE((uint16_t)plan->map.room), .map_sized = plan->map.sized,
		.load_count = GUINT16_TO_LE((uint16_t)loads), .protected = plan->mode == BOOT_PROTECTED,
		.cs = GUINT16_TO_LE(plan->cs), .ip = GUINT16_TO_LE(plan->ip), .ds = GUINT16_TO_LE(plan->ds),
		.ss = GUINT16_TO_LE(own_stack ? plan->ss : (uint16_t)(scratch >> 4)), .sp = GUINT16_TO_LE(own_stack ? plan->sp : SCRATCH_SIZE),
		.flags = GUINT16_TO_LE(FLAGS_FIXED | (plan->interrupts ? FLAGS_INTERRUPTS : 0)),
	};
}

/* Makes the bytes' sum zero by the one at `checksum`. */
static void seal(uint8_t *bytes, size_t size, size_t checksum)
{
	uint8_t sum = 0;
	for (size_t n = 0; n < size; n++)
		sum = (uint8_t)(sum + bytes[n]);
	bytes[checksum] = (uint8_t)(bytes[checksum] - sum);
}

static void build_rom(struct boot_rom *rom, const struct rom_plan *plan, const GArray *loads)
{
	size_t code = (size_t)(boot_rom_code_end - boot_rom_code), at = (size_t)(boot_rom_plan - boot_rom_code);
	size_t used = code + loads->len * sizeof(struct rom_load) + 1;
	rom->rom_size = (used + ROM_BLOCK - 1) & -(size_t)ROM_BLOCK;
	rom->rom = g_malloc0(rom->rom_size);
	memcpy(rom->rom, boot_rom_code, code);
	memcpy(rom->rom + at, plan, sizeof *plan);
	memcpy(rom->rom + code, loads->data, loads->len * sizeof(struct rom_load));
	rom->rom[SIZE_OFFSET] = (uint8_t)(rom->rom_size / ROM_BLOCK);
	seal(rom->rom + (boot_rom_pnp - boot_rom_code), PNP_SIZE, PNP_CHECKSUM);
	seal(rom->rom, rom->rom_size, rom->rom_size - 1);
}

static void gather_data(struct boot_rom *rom, const struct boot_plan *plan)
{
	for (guint n = 0; n < plan->pieces->len; n++)
		rom->data_size += piece_at(plan, n)->data_size;
	uint8_t *to = rom->data = g_malloc(rom->data_size);
	for (guint n = 0; n < plan->pieces->len; n++) {
		const struct boot_piece *piece = piece_at(plan, n);
		if (piece->data_size)
			memcpy(to, piece->data, piece->data_size);
		to += piece->data_size;
	}
}

bool boot_rom_make(const struct boot_plan *plan, struct boot_rom *rom, char **error)
{
	*rom = (struct boot_rom){ .rom = NULL };
	uint64_t scratch = boot_plan_find(plan, SCRATCH_SIZE, PARAGRAPH, BOOT_FIRMWARE_LOW, BOOT_FIRMWARE_LOW_END, true);
	if (!scratch)
		return loader_refuse(plan->path, error, "leaves no %u bytes below %Xh for loading it; link it higher", SCRATCH_SIZE, BOOT_FIRMWARE_LOW_END);
	GArray *loads = make_loads(plan);
	struct rom_plan made = make_plan(plan, (uint32_t)scratch, loads->len);
	build_rom(rom, &made, loads);
	gather_data(rom, plan);
	g_array_unref(loads);
	return true;
}

void boot_rom_clear(struct boot_rom *rom)
{
	g_free(rom->rom);
	g_free(rom->data);
	*rom = (struct boot_rom){ .rom = NULL };
}
