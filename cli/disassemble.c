#include "cli/disassemble.h"

#include <inttypes.h>
#include <string.h>

#include <capstone.h>

#define INSN_MAX 15u

#define PTE_P  1u
#define PTE_PS 0x80u

static bool read_entry(struct mem *mem, uint64_t address, unsigned size, uint64_t *entry)
{
	*entry = 0;
	return mem_read_bytes(mem, address, entry, size) == size && (*entry & PTE_P);
}

/* PAE: 4 pointers, then two levels of 512 entries. */
static bool walk_pae(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint64_t *physical)
{
	const uint64_t frame = UINT64_C(0xffffffff000);
	uint64_t entry;
	if (!read_entry(mem, (ctx->cr3 & 0xffffffe0) + (linear >> 30) * 8, 8, &entry) ||
	    !read_entry(mem, (entry & frame) + (linear >> 21 & 511) * 8, 8, &entry))
		return false;
	if (entry & PTE_PS) {
		*physical = (entry & frame & ~UINT64_C(0x1fffff)) | (linear & 0x1fffff);
		return true;
	}
	if (!read_entry(mem, (entry & frame) + (linear >> 12 & 511) * 8, 8, &entry))
		return false;
	*physical = (entry & frame) | (linear & 0xfff);
	return true;
}

static bool walk(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint64_t *physical)
{
	uint64_t entry;
	if (ctx->cr4 & CTX_CR4_PAE)
		return walk_pae(ctx, mem, linear, physical);
	if (!read_entry(mem, (ctx->cr3 & 0xfffff000) + (linear >> 22) * 4, 4, &entry))
		return false;
	if ((entry & PTE_PS) && (ctx->cr4 & CTX_CR4_PSE)) {
		*physical = (entry & 0xffc00000) | (linear & 0x3fffff);
		return true;
	}
	if (!read_entry(mem, (entry & 0xfffff000) + (linear >> 12 & 1023) * 4, 4, &entry))
		return false;
	*physical = (entry & 0xfffff000) | (linear & 0xfff);
	return true;
}

bool disassemble_translate(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint32_t *physical)
{
	uint64_t address = linear;
	if ((ctx->cr0 & CTX_CR0_PG) && !walk(ctx, mem, linear, &address))
		return false;
	*physical = (uint32_t)address & mem->a20_mask;
	return address <= UINT32_MAX;
}

/* As many bytes of one instruction as there are. */
static unsigned fetch(const struct ctx *ctx, struct mem *mem, uint32_t linear, uint8_t *bytes)
{
	unsigned count = 0;
	uint32_t physical;
	while (count < INSN_MAX && disassemble_translate(ctx, mem, linear + count, &physical) &&
	       mem_read_bytes(mem, physical, bytes + count, 1) == 1)
		count++;
	return count;
}

static void print_line(FILE *out, const struct ctx *ctx, uint32_t ip, const uint8_t *bytes, unsigned size, const char *text)
{
	char hex[2 * INSN_MAX + 1];
	for (unsigned i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	fprintf(out, "%04x:%08" PRIx32 "  %-*s  %s\n", ctx->seg[CTX_CS].selector, ip, 2 * (int)INSN_MAX, hex, text);
}

/* Returns the length; 0 where memory ends. */
static unsigned print_one(csh handle, cs_insn *insn, const struct ctx *ctx, struct mem *mem, uint32_t ip, FILE *out)
{
	uint8_t bytes[INSN_MAX];
	unsigned count = fetch(ctx, mem, (uint32_t)ctx->seg[CTX_CS].base + ip, bytes);
	const uint8_t *code = bytes;
	size_t left = count;
	uint64_t address = ip;
	char text[sizeof insn->mnemonic + sizeof insn->op_str + 1] = "(bad)";
	if (!count)
		return 0;
	bool known = cs_disasm_iter(handle, &code, &left, &address, insn);
	unsigned size = known ? insn->size : 1;
	if (known)
		snprintf(text, sizeof text, "%s%s%s", insn->mnemonic, *insn->op_str ? " " : "", insn->op_str);
	print_line(out, ctx, ip, bytes, size, text);
	return size;
}

void disassemble_print(const struct ctx *ctx, struct mem *mem, unsigned count, FILE *out)
{
	bool code32 = (ctx->cr0 & CTX_CR0_PE) && !(ctx->rflags & CTX_EFLAGS_VM) && (ctx->seg[CTX_CS].access & CTX_SEG_DB);
	csh handle;
	if (cs_open(CS_ARCH_X86, code32 ? CS_MODE_32 : CS_MODE_16, &handle) != CS_ERR_OK)
		return;
	cs_insn *insn = cs_malloc(handle);
	uint32_t ip = (uint32_t)ctx->rip;
	for (unsigned size; insn && count && (size = print_one(handle, insn, ctx, mem, ip, out)); count--)
		ip = code32 ? ip + size : (ip + size) & 0xffff;
	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
}
