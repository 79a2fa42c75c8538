#include "loader/boot_start.h"

#define PORT_A20   0x92u
#define A20_OPEN   0x02u

#define CODE_SELECTOR 0x08u
#define DATA_SELECTOR 0x10u
#define FLAT          (CTX_SEG_G | CTX_SEG_DB | CTX_SEG_P | CTX_SEG_S | CTX_SEG_ACCESSED)

static void load_piece(struct mem *mem, const struct boot_piece *piece)
{
	static const uint8_t zeros[4096];
	mem_write_bytes(mem, piece->address, piece->data, piece->data_size);
	for (uint64_t done = piece->data_size; done < piece->size; done += sizeof zeros)
		mem_write_bytes(mem, piece->address + done, zeros, MIN(sizeof zeros, piece->size - done));
}

static void set_flat(struct ctx *ctx)
{
	for (unsigned n = CTX_ES; n <= CTX_GS; n++)
		ctx->seg[n] = (struct ctx_seg){
			.limit = UINT32_MAX,
			.selector = n == CTX_CS ? CODE_SELECTOR : DATA_SELECTOR,
			.access = FLAT | (n == CTX_CS ? CTX_SEG_CODE | CTX_SEG_READABLE : CTX_SEG_WRITABLE),
		};
	ctx->gdtr = ctx->idtr = (struct ctx_table){ .base = 0 };
	ctx->cr0 |= CTX_CR0_PE;
	/* Caches on, as firmware leaves them. */
	ctx->cr0 &= ~(uint64_t)(CTX_CR0_CD | CTX_CR0_NW);
}

void boot_start_direct(const struct boot_plan *plan, struct pc *pc)
{
	struct ctx *ctx = pc_ctx(pc);
	for (guint n = 0; n < plan->pieces->len; n++)
		load_piece(pc_mem(pc), &g_array_index(plan->pieces, struct boot_piece, n));
	bus_write(pc_bus(pc), PORT_A20, 1, A20_OPEN);
	set_flat(ctx);
	ctx->rip = plan->eip;
	ctx->gpr[CTX_RAX].r = plan->eax;
	ctx->gpr[CTX_RBX].r = plan->ebx;
	ctx->gpr[CTX_RSP].r = plan->esp;
}

#define PIECES_MAX 1024u /* more than a kernel has: each is held against all others */

static void header_state(struct boot_plan *plan, uint32_t *pieces, struct snap *snap)
{
	snap_section(snap, "kernel", 1);
	snap_u32(snap, "eip", &plan->eip);
	snap_u32(snap, "eax", &plan->eax);
	snap_u32(snap, "ebx", &plan->ebx);
	snap_u32(snap, "esp", &plan->esp);
	snap_u32(snap, "pieces", pieces);
}

static void piece_state(struct boot_piece *piece, uint64_t ram_size, struct snap *snap)
{
	struct snap_blob data = { (uint8_t *)piece->data, piece->data_size };
	snap_u64(snap, "address", &piece->address);
	snap_u64(snap, "size", &piece->size);
	snap_blob(snap, "data", &data, ram_size);
	piece->data = data.data;
	piece->data_size = data.size;
}

void boot_start_save(const struct boot_plan *plan, struct snap *snap)
{
	struct boot_plan header = *plan;
	uint32_t pieces = plan->pieces->len;
	header_state(&header, &pieces, snap);
	for (guint n = 0; n < pieces; n++) {
		struct boot_piece piece = g_array_index(plan->pieces, struct boot_piece, n);
		piece_state(&piece, plan->ram_size, snap);
	}
}

static void load_one(struct boot_plan *plan, struct snap *snap)
{
	struct boot_piece piece = { .address = 0 };
	g_autofree char *error = NULL;
	piece_state(&piece, plan->ram_size, snap);
	g_ptr_array_add(plan->made, (uint8_t *)piece.data);
	if (piece.data_size > piece.size)
		snap_fail(snap, "a part of the kernel has more bytes than room");
	else if (!boot_plan_add(plan, "a saved part", &piece, &error))
		snap_fail(snap, "%s", error);
}

void boot_start_load(struct boot_plan *plan, struct snap *snap)
{
	uint32_t pieces = 0;
	header_state(plan, &pieces, snap);
	if (pieces > PIECES_MAX)
		snap_fail(snap, "the kernel has %u parts", pieces);
	for (uint32_t n = 0; n < pieces && !snap_error(snap); n++)
		load_one(plan, snap);
}
