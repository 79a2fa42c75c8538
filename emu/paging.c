/* Linear -> physical: 4 KiB and 4 MiB pages, PSE-36, PAE (SDM vol. 3, chapter 4),
 * with a software TLB whose entries carry the rights of one privilege level. */
#include "emu/block.h"
#include "emu/cpu.h"

#define PTE_P   0x001u
#define PTE_W   0x002u
#define PTE_U   0x004u
#define PTE_A   0x020u
#define PTE_D   0x040u
#define PTE_PS  0x080u

#define PF_PRESENT  1u
#define PF_WRITE    2u
#define PF_USER     4u
#define PF_RESERVED 8u

/* PAE: bits 36-63 of an entry are reserved with 36 address bits. */
#define PAE_RESERVED 0xfffffff000000000ull

/* A walk's result. `size` is of the page. */
struct walk {
	uint64_t base;
	uint32_t size;
	uint64_t entry_at[2]; /* physical addresses of PDE and PTE */
	uint64_t entry[2];
	unsigned levels;      /* entries read */
	bool reserved;        /* a reserved bit was set */
};

static uint64_t entry_read(struct emu *emu, struct walk *walk, uint64_t at, unsigned size)
{
	uint64_t entry = mem_read(emu->mem, at & (emu->a20_mask | ~0xffffffffull), size);
	walk->entry_at[walk->levels] = at;
	walk->entry[walk->levels++] = entry;
	return entry;
}

/* 32-bit paging. False: not present. */
static bool walk_32(struct emu *emu, uint32_t linear, struct walk *walk)
{
	uint64_t pde = entry_read(emu, walk, (emu->ctx->cr3 & 0xfffff000u) | (linear >> 20 & 0xffc), 4);
	if (!(pde & PTE_P))
		return false;
	if ((pde & PTE_PS) && (emu->ctx->cr4 & CTX_CR4_PSE)) {
		bool pse36 = emu->cpu >= EMU_CPU_P6;
		walk->size = 0x400000;
		walk->base = (pde & 0xffc00000u) | (pse36 ? (pde & 0x1e000u) << 19 : 0);
		walk->reserved = pde & (pse36 ? 0x3e0000u & ~0x1e000u : 0x3fe000u);
		return true;
	}
	uint64_t pte = entry_read(emu, walk, (pde & 0xfffff000u) | (linear >> 10 & 0xffc), 4);
	walk->size = 0x1000;
	walk->base = pte & 0xfffff000u;
	return pte & PTE_P;
}

static bool walk_pae(struct emu *emu, uint32_t linear, struct walk *walk)
{
	uint64_t pdpte = emu->pdpte[linear >> 30];
	if (!(pdpte & PTE_P))
		return false;
	uint64_t pde = entry_read(emu, walk, (pdpte & 0xffffff000ull) | (linear >> 18 & 0xff8), 8);
	if (!(pde & PTE_P))
		return false;
	walk->reserved = pde & PAE_RESERVED;
	if (walk->reserved)
		return true;
	if (pde & PTE_PS) {
		walk->size = 0x200000;
		walk->base = pde & 0xfffe00000ull;
		walk->reserved = pde & 0x1fe000u;
		return true;
	}
	uint64_t pte = entry_read(emu, walk, (pde & 0xffffff000ull) | (linear >> 9 & 0xff8), 8);
	walk->size = 0x1000;
	walk->base = pte & 0xffffff000ull;
	walk->reserved = pte & PAE_RESERVED;
	return pte & PTE_P;
}

static bool walk_tables(struct emu *emu, uint32_t linear, struct walk *walk)
{
	memset(walk, 0, sizeof *walk);
	return emu->pae ? walk_pae(emu, linear, walk) : walk_32(emu, linear, walk);
}

/* Rights of all levels together. */
static uint32_t walk_rights(const struct walk *walk)
{
	uint64_t rights = PTE_W | PTE_U;
	for (unsigned i = 0; i < walk->levels; i++)
		rights &= walk->entry[i];
	return (uint32_t)rights;
}

static bool writes_allowed(const struct emu *emu, uint32_t rights, bool user)
{
	if (rights & PTE_W)
		return true;
	return !user && !(emu->cpu >= EMU_CPU_486 && (emu->ctx->cr0 & CTX_CR0_WP));
}

/* What is cached of the page is invalidated (SDM vol. 3, 4.10.4.1), so that a handler may
 * give it another frame without INVLPG. */
static bool page_fault(struct emu *emu, uint32_t linear, uint32_t error)
{
	paging_flush_page(emu, linear);
	emu_raise_error(emu, VEC_PF, error);
	emu->fault.address = linear;
	return false;
}

static void set_entry_bits(struct emu *emu, const struct walk *walk, unsigned level, uint32_t bits)
{
	uint32_t low = (uint32_t)walk->entry[level];
	if ((low & bits) != bits)
		emu_physical_write(emu, walk->entry_at[level] & (emu->a20_mask | ~0xffffffffull), 4, low | bits);
}

static void mark_used(struct emu *emu, const struct walk *walk, bool write)
{
	unsigned last = walk->levels - 1;
	for (unsigned i = 0; i < last; i++)
		set_entry_bits(emu, walk, i, PTE_A);
	set_entry_bits(emu, walk, last, write ? PTE_A | PTE_D : PTE_A);
}

static void tlb_fill(struct emu *emu, uint32_t linear, bool user, bool writable, uint64_t page)
{
	struct tlb_entry *entry = &emu->tlb[user][linear >> 12 & (TLB_ENTRIES - 1)];
	entry->read_tag = (linear & ~0xfffu) | 1;
	entry->write_tag = writable ? entry->read_tag : 0;
	entry->page = page;
}

static bool tlb_find(const struct emu *emu, uint32_t linear, enum access access, bool user, uint64_t *physical)
{
	const struct tlb_entry *entry = &emu->tlb[user][linear >> 12 & (TLB_ENTRIES - 1)];
	uint32_t tag = access == ACCESS_WRITE ? entry->write_tag : entry->read_tag;
	*physical = entry->page | (linear & 0xfff);
	return tag == ((linear & ~0xfffu) | 1);
}

bool paging_translate(struct emu *emu, uint32_t linear, enum access access, bool user, uint64_t *physical)
{
	struct walk walk;
	bool write = access == ACCESS_WRITE;
	if (!emu->paging) {
		*physical = linear & emu->a20_mask;
		return true;
	}
	if (tlb_find(emu, linear, access, user, physical))
		return true;
	uint32_t error = (write ? PF_WRITE : 0) | (user ? PF_USER : 0);
	if (!walk_tables(emu, linear, &walk))
		return page_fault(emu, linear, walk.reserved ? error | PF_PRESENT | PF_RESERVED : error);
	if (walk.reserved)
		return page_fault(emu, linear, error | PF_PRESENT | PF_RESERVED);
	uint32_t rights = walk_rights(&walk);
	if ((user && !(rights & PTE_U)) || (write && !writes_allowed(emu, rights, user)))
		return page_fault(emu, linear, error | PF_PRESENT);
	mark_used(emu, &walk, write);
	uint64_t page = walk.base | (linear & (walk.size - 1) & ~0xfffu);
	page &= emu->a20_mask | ~0xffffffffull;
	bool dirty = write || (walk.entry[walk.levels - 1] & PTE_D);
	tlb_fill(emu, linear, user, dirty && writes_allowed(emu, rights, user), page);
	*physical = page | (linear & 0xfff);
	return true;
}

bool paging_peek(struct emu *emu, uint32_t linear, uint64_t *physical)
{
	struct walk walk;
	*physical = linear & emu->a20_mask;
	if (!emu->paging)
		return true;
	if (!walk_tables(emu, linear, &walk) || walk.reserved)
		return false;
	*physical = (walk.base | (linear & (walk.size - 1))) & (emu->a20_mask | ~0xffffffffull);
	return true;
}

void paging_flush(struct emu *emu)
{
	memset(emu->tlb, 0, sizeof emu->tlb);
	block_cache_forget_addresses(emu->cache);
	emu->ctx->tlb_kept = 0;
}

void paging_flush_page(struct emu *emu, uint32_t linear)
{
	unsigned n = linear >> 12 & (TLB_ENTRIES - 1);
	/* The page may be part of a large one with entries elsewhere. */
	if (emu->pae || (emu->ctx->cr4 & CTX_CR4_PSE)) {
		paging_flush(emu);
		return;
	}
	emu->tlb[0][n] = emu->tlb[1][n] = (struct tlb_entry){ 0 };
	block_cache_forget_addresses(emu->cache);
	emu->ctx->tlb_kept = 0;
}

/* SDM vol. 3, 4.4.1: reserved bits are 1, 2, 5-8 and those above the width. */
bool paging_load_pdptes(struct emu *emu)
{
	uint64_t pdpte[4];
	for (unsigned i = 0; i < 4; i++) {
		uint64_t at = (emu->ctx->cr3 & 0xffffffe0u) + 8 * i;
		pdpte[i] = mem_read(emu->mem, at & emu->a20_mask, 8);
		if ((pdpte[i] & PTE_P) && (pdpte[i] & (PAE_RESERVED | 0x1e6)))
			return emu_fail(emu, VEC_GP, 0);
	}
	memcpy(emu->pdpte, pdpte, sizeof pdpte);
	emu->pdptes_known = true;
	return true;
}

void emu_physical_write(struct emu *emu, uint64_t address, unsigned size, uint32_t value)
{
	mem_write(emu->mem, address, size, value);
}
