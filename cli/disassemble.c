#include "cli/disassemble.h"

#include <inttypes.h>
#include <string.h>

#include <capstone.h>

#include "shared/debug_request.h"
#include "shared/linear.h"
#include "shared/trace.h"

#define INSN_MAX 15u

static void print_line(FILE *out, const struct ctx *ctx, uint64_t ip, const uint8_t *bytes, unsigned size, const char *text)
{
	char hex[2 * INSN_MAX + 1];
	for (unsigned i = 0; i < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	const char *symbol = trace_symbol(ctx_linear(ctx, ip));
	fprintf(out, "%04x:%08" PRIx64 "  %-*s  %s%s%s%s\n", ctx->seg[CTX_CS].selector, ip, 2 * (int)INSN_MAX, hex, text,
	        symbol ? "  <" : "", symbol ? symbol : "", symbol ? ">" : "");
}

/* Returns the length; 0 where memory ends. */
static unsigned print_one(csh handle, cs_insn *insn, const struct ctx *ctx, struct mem *mem, uint64_t ip, FILE *out)
{
	uint8_t bytes[INSN_MAX];
	uint32_t count = linear_read(ctx, mem, ctx_linear(ctx, ip), bytes, sizeof bytes);
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

static cs_mode code_mode(const struct ctx *ctx)
{
	if (ctx_is_64(ctx))
		return CS_MODE_64;
	return debug_mode(ctx) & DEBUG_MODE_CODE32 ? CS_MODE_32 : CS_MODE_16;
}

static uint64_t ip_mask(cs_mode mode)
{
	return mode == CS_MODE_64 ? UINT64_MAX : mode == CS_MODE_32 ? UINT32_MAX : UINT16_MAX;
}

void disassemble_print(const struct ctx *ctx, struct mem *mem, unsigned count, FILE *out)
{
	cs_mode mode = code_mode(ctx);
	uint64_t ip = ctx->rip;
	csh handle;
	if (cs_open(CS_ARCH_X86, mode, &handle) != CS_ERR_OK)
		return;
	cs_insn *insn = cs_malloc(handle);
	for (unsigned size; insn && count && (size = print_one(handle, insn, ctx, mem, ip, out)); count--)
		ip = (ip + size) & ip_mask(mode);
	if (insn)
		cs_free(insn, 1);
	cs_close(&handle);
}
