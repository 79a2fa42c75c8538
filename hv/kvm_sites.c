#include "hv/kvm_sites.h"

#include <glib.h>

#define MIB    (UINT64_C(1) << 20)
#define BEFORE 16u /* bytes that may lie between the clearing and the move */

/* Does `code` begin with an instruction that clears bit 0? (SDM vol. 2: AND, BTR,
 * DEC; prefixes do not matter here.) */
static bool clears_pe(const uint8_t *code)
{
	bool is_and = (code[1] & 0xf8) == 0xe0; /* ModRM: /4, a register */
	switch (code[0]) {
	case 0x24: /* AND AL, imm8 */
	case 0x25: /* AND eAX, imm */
		return !(code[1] & 1);
	case 0x80: /* AND r/m, imm */
	case 0x81:
	case 0x83:
		return is_and && !(code[2] & 1);
	case 0x0f: /* BTR r/m, imm8 */
		return code[1] == 0xba && (code[2] & 0xf8) == 0xf0 && !code[3];
	default: /* DEC r */
		return (code[0] & 0xf8) == 0x48;
	}
}

static bool is_mov_cr0(const uint8_t *code)
{
	return code[0] == 0x0f && code[1] == 0x22 && (code[2] & 0xf8) == 0xc0;
}

/* DEC is one byte, found in much code, so it has to stand right before. */
static bool leaves(const uint8_t *before, const uint8_t *move)
{
	for (; before < move; before++) {
		bool is_dec = (*before & 0xf8) == 0x48;
		if (clears_pe(before) && (!is_dec || before == move - 1))
			return true;
	}
	return false;
}

struct search {
	struct mem *mem;
	uint64_t near;
	uint64_t *site;
	unsigned sites;
};

static uint64_t distance(const struct search *search, uint64_t address)
{
	return address > search->near ? address - search->near : search->near - address;
}

/* Keeps the closest ones, in order. */
static void keep(struct search *search, uint64_t address)
{
	unsigned at = search->sites;
	while (at && distance(search, address) < distance(search, search->site[at - 1]))
		at--;
	for (unsigned n = 0; n < search->sites; n++)
		if (search->site[n] == address)
			return;
	if (at == KVM_SITES)
		return;
	search->sites = MIN(search->sites + 1, KVM_SITES);
	for (unsigned n = search->sites - 1; n > at; n--)
		search->site[n] = search->site[n - 1];
	search->site[at] = address;
}

static void search_page(struct search *search, uint64_t page)
{
	uint8_t code[BEFORE + MEM_PAGE_SIZE + 2] = { 0 };
	uint64_t from = page >= BEFORE ? page - BEFORE : page;
	size_t lead = (size_t)(page - from);
	if (!mem_can_read(search->mem, (uint32_t)page))
		return;
	mem_read_bytes(search->mem, from, code, lead + MEM_PAGE_SIZE + 2);
	for (size_t i = 0; i < MEM_PAGE_SIZE; i++) {
		const uint8_t *move = code + lead + i;
		const uint8_t *before = move - MIN(lead + i, BEFORE);
		if (is_mov_cr0(move) && leaves(before, move))
			keep(search, page + i);
	}
}

static void search_range(struct search *search, uint64_t from, uint64_t end)
{
	for (uint64_t page = from & ~(uint64_t)(MEM_PAGE_SIZE - 1); page < MIN(end, MEM_SPACE); page += MEM_PAGE_SIZE)
		search_page(search, page);
}

unsigned kvm_sites_find(struct mem *mem, uint64_t near, uint64_t site[KVM_SITES])
{
	struct search search = { .mem = mem, .near = near, .site = site };
	search_range(&search, 0, MIB);
	if (near >= MIB)
		search_range(&search, MAX(near - MIB / 2, MIB), near + MIB / 2);
	return search.sites;
}

unsigned kvm_sites_register(struct mem *mem, uint64_t address)
{
	return (unsigned)mem_read(mem, address + 2, 1) & 7;
}
