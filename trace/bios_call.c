#include "trace/bios_call.h"

/* clang-format off */
#define ANY BIOS_ANY
#define AH  BIOS_AH
#define AX  BIOS_AX

static const struct bios_call calls[] = {
#define CALL(vector, select, value, name, arguments, outcome, result) \
	{ vector, select, value, name, arguments, BIOS_##outcome, result },
#include "trace/bios_calls.def"
#undef CALL
};

struct code {
	uint8_t code;
	const char *name;
};

static const struct code disk_errors[] = {
	{ 0x01, "invalid command" }, { 0x02, "address mark not found" }, { 0x03, "write protected" },
	{ 0x04, "sector not found" }, { 0x05, "reset failed" }, { 0x06, "disk changed" }, { 0x07, "bad parameters" },
	{ 0x08, "DMA overrun" }, { 0x09, "DMA across 64 KiB" }, { 0x0a, "bad sector" }, { 0x0c, "media type not found" },
	{ 0x10, "bad checksum" }, { 0x20, "controller failed" }, { 0x31, "no media" }, { 0x40, "seek failed" },
	{ 0x80, "timeout" }, { 0xaa, "not ready" }, { 0xb0, "not locked" }, { 0xb1, "locked" }, { 0xb2, "not removable" },
	{ 0xbb, "undefined error" }, { 0xcc, "write fault" },
};

static const struct code apm_errors[] = {
	{ 0x01, "disabled" }, { 0x02, "already connected in real mode" }, { 0x03, "not connected" },
	{ 0x05, "already connected in 16-bit mode" }, { 0x06, "no 16-bit mode" }, { 0x07, "already connected in 32-bit mode" },
	{ 0x08, "no 32-bit mode" }, { 0x09, "unknown device" }, { 0x0a, "bad parameter" }, { 0x0b, "not engaged" },
	{ 0x60, "cannot enter state" }, { 0x80, "no event" }, { 0x86, "not present" },
};

static const struct code pci_errors[] = {
	{ 0x81, "no such function" }, { 0x83, "bad vendor" }, { 0x86, "not found" }, { 0x87, "bad register" },
	{ 0x88, "set failed" }, { 0x89, "buffer too small" },
};

static const struct code dos_errors[] = {
	{ 0x01, "invalid function" }, { 0x02, "file not found" }, { 0x03, "path not found" }, { 0x04, "no handles left" },
	{ 0x05, "access denied" }, { 0x06, "invalid handle" }, { 0x07, "memory blocks destroyed" }, { 0x08, "no memory" },
	{ 0x09, "invalid memory block" }, { 0x0c, "invalid access code" }, { 0x0f, "invalid drive" }, { 0x12, "no more files" },
	{ 0x50, "file exists" },
};
/* clang-format on */

static const char *code_name(const struct code *codes, size_t count, unsigned code)
{
	for (size_t i = 0; i < count; i++)
		if (codes[i].code == code)
			return codes[i].name;
	return NULL;
}

const struct bios_call *bios_call_find(uint8_t vector, uint16_t ax)
{
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++) {
		const struct bios_call *call = &calls[i];
		if (call->vector != vector)
			continue;
		if (call->select == BIOS_ANY || (call->select == BIOS_AX && call->value == ax) ||
		    (call->select == BIOS_AH && call->value == ax >> 8))
			return call;
	}
	return NULL;
}

bool bios_call_known(uint8_t vector)
{
	for (size_t i = 0; i < G_N_ELEMENTS(calls); i++)
		if (calls[i].vector == vector)
			return true;
	return false;
}

void bios_call_function(const struct bios_call *call, uint8_t vector, uint16_t ax, GString *text)
{
	enum bios_select select = call ? call->select : bios_call_known(vector) ? BIOS_AH : BIOS_ANY;
	if (select == BIOS_AX)
		g_string_append_printf(text, "AX=%04x", ax);
	else if (select == BIOS_AH)
		g_string_append_printf(text, "AH=%02x", ax >> 8);
}

void bios_call_arguments(const struct bios_call *call, const struct ctx *ctx, struct mem *mem, GString *text)
{
	bios_format(call ? call->arguments : "AX={ax} BX={bx} CX={cx} DX={dx} SI={si} DI={di} DS={ds} ES={es}", ctx, mem, text);
}

static bool add_error(const struct code *codes, size_t count, unsigned code, GString *text)
{
	const char *name = code_name(codes, count, code);
	g_string_append_printf(text, "error %02x", code);
	if (name)
		g_string_append_printf(text, " (%s)", name);
	return false;
}

static bool add_ok(const char *result, const struct ctx *ctx, struct mem *mem, GString *text)
{
	g_string_append(text, *result ? "ok: " : "ok");
	bios_format(result, ctx, mem, text);
	return true;
}

static bool vbe_result(const struct bios_call *call, const struct ctx *ctx, struct mem *mem, GString *text)
{
	uint16_t ax = ctx->gpr[CTX_RAX].x;
	if (ax == 0x004f)
		return add_ok(call->result, ctx, mem, text);
	if ((ax & 0xff) == 0x4f)
		g_string_append_printf(text, "failed, AH=%02x", ax >> 8);
	else
		g_string_append(text, "not supported");
	return false;
}

bool bios_call_result(const struct bios_call *call, const struct ctx *ctx, uint32_t eflags, struct mem *mem, GString *text)
{
	uint8_t ah = ctx->gpr[CTX_RAX].h;
	bool carry = eflags & CTX_EFLAGS_CF;
	switch (call ? call->outcome : BIOS_VALUE) {
	case BIOS_DONE:
		g_string_append(text, "done");
		return true;
	case BIOS_NEVER:
	case BIOS_VALUE:
		bios_format(call ? call->result : "AX={ax} BX={bx} CX={cx} DX={dx}", ctx, mem, text);
		if (!call)
			g_string_append_printf(text, " CF=%d", carry);
		return true;
	case BIOS_VBE:
		return vbe_result(call, ctx, mem, text);
	case BIOS_KEY:
		if (eflags & CTX_EFLAGS_ZF)
			g_string_append(text, "none");
		else
			bios_format(call->result, ctx, mem, text);
		return true;
	case BIOS_CARRY:
		return carry ? add_error(NULL, 0, ah, text) : add_ok(call->result, ctx, mem, text);
	case BIOS_DISK:
		return carry ? add_error(disk_errors, G_N_ELEMENTS(disk_errors), ah, text) : add_ok(call->result, ctx, mem, text);
	case BIOS_APM:
		return carry ? add_error(apm_errors, G_N_ELEMENTS(apm_errors), ah, text) : add_ok(call->result, ctx, mem, text);
	case BIOS_PCI:
		return carry ? add_error(pci_errors, G_N_ELEMENTS(pci_errors), ah, text) : add_ok(call->result, ctx, mem, text);
	case BIOS_DOS:
		return carry ? add_error(dos_errors, G_N_ELEMENTS(dos_errors), ctx->gpr[CTX_RAX].x, text) : add_ok(call->result, ctx, mem, text);
	}
	return true;
}
