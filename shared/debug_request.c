#include "shared/debug_request.h"

#include "shared/ctx.h"

uint32_t debug_mode(const struct ctx *ctx)
{
	uint32_t mode = 0;
	if (!(ctx->cr0 & CTX_CR0_PE))
		return mode;
	mode |= DEBUG_MODE_PE;
	if (ctx->cr0 & CTX_CR0_PG)
		mode |= DEBUG_MODE_PG;
	if (ctx->rflags & CTX_EFLAGS_VM)
		return mode | DEBUG_MODE_VM;
	return ctx->seg[CTX_CS].access & CTX_SEG_DB ? mode | DEBUG_MODE_CODE32 : mode;
}
