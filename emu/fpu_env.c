/* Control words, the environment and the saved state of the x87, which need no
 * host unit (SDM vol. 1, 8.1.10). */
#include "emu/access.h"
#include "emu/fpu_host.h"

/* --- the image --------------------------------------------------------------------------------- */

void fpu_image_set_top(struct fpu_image *image, unsigned top)
{
	uint8_t old[8][16];
	unsigned distance = top - fpu_top(image);
	memcpy(old, image->st, sizeof old);
	for (unsigned i = 0; i < 8; i++)
		memcpy(image->st[i], old[(i + distance) & 7], sizeof old[i]);
	image->fsw = (uint16_t)((image->fsw & ~(7u << FSW_TOP_SHIFT)) | top << FSW_TOP_SHIFT);
}

uint16_t fpu_control_word(uint16_t value)
{
	return (value & FCW_WRITABLE) | FCW_ALWAYS;
}

enum tag { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

static enum tag register_tag(const uint8_t *bytes)
{
	uint64_t significand;
	uint16_t exponent;
	memcpy(&significand, bytes, 8);
	memcpy(&exponent, bytes + 8, 2);
	exponent &= 0x7fff;
	if (!exponent && !significand)
		return TAG_ZERO;
	return exponent && exponent != 0x7fff && significand >> 63 ? TAG_VALID : TAG_SPECIAL;
}

/* The two bits a register that FSTENV stores, from the bit that FXSAVE has. */
static uint16_t tag_word(const struct fpu_image *image)
{
	unsigned word = 0, top = fpu_top(image);
	for (unsigned i = 0; i < 8; i++) {
		bool full = image->ftw >> i & 1;
		word |= (full ? register_tag(image->st[(i - top) & 7]) : TAG_EMPTY) << 2 * i;
	}
	return (uint16_t)word;
}

static uint8_t tag_bits(uint16_t word)
{
	unsigned bits = 0;
	for (unsigned i = 0; i < 8; i++)
		bits |= (unsigned)((word >> 2 * i & 3) != TAG_EMPTY) << i;
	return (uint8_t)bits;
}

/* --- the environment in memory: seven words or doublewords ----------------------------------------- */

enum { ENV_FCW, ENV_FSW, ENV_FTW, ENV_IP, ENV_CS, ENV_DP, ENV_DS, ENV_FIELDS };

static void pack_pointers(const struct emu *emu, const struct fpu_image *image, uint32_t fields[ENV_FIELDS])
{
	fields[ENV_IP] = image->fip;
	fields[ENV_CS] = (uint32_t)image->fop << 16 | image->fcs;
	fields[ENV_DP] = image->fdp;
	fields[ENV_DS] = 0xffff0000u | image->fds;
	if (emu->protected_mode)
		return;
	uint32_t ip = image->fip + ((uint32_t)image->fcs << 4);
	uint32_t dp = image->fdp + ((uint32_t)image->fds << 4);
	fields[ENV_IP] = 0xffff0000u | ip;
	fields[ENV_CS] = (ip >> 16 << 12) | image->fop;
	fields[ENV_DP] = 0xffff0000u | dp;
	fields[ENV_DS] = dp >> 16 << 12;
}

static unsigned pack(struct emu *emu, unsigned size, uint8_t *bytes)
{
	const struct fpu_image *image = fpu_image(emu);
	uint32_t fields[ENV_FIELDS] = {
		[ENV_FCW] = 0xffff0000u | image->fcw,
		[ENV_FSW] = 0xffff0000u | image->fsw,
		[ENV_FTW] = 0xffff0000u | tag_word(image),
	};
	pack_pointers(emu, image, fields);
	for (unsigned i = 0; i < ENV_FIELDS; i++)
		bytes_store(bytes + i * size, size, fields[i]);
	return ENV_FIELDS * size;
}

static void unpack_pointers(const struct emu *emu, struct fpu_image *image, const uint32_t fields[ENV_FIELDS])
{
	image->fip = fields[ENV_IP];
	image->fcs = (uint16_t)fields[ENV_CS];
	image->fop = fields[ENV_CS] >> 16 & 0x7ff;
	image->fdp = fields[ENV_DP];
	image->fds = (uint16_t)fields[ENV_DS];
	if (emu->protected_mode)
		return;
	image->fip = (fields[ENV_IP] & 0xffff) | fields[ENV_CS] >> 12 << 16;
	image->fop = fields[ENV_CS] & 0x7ff;
	image->fdp = (fields[ENV_DP] & 0xffff) | fields[ENV_DS] >> 12 << 16;
	image->fcs = image->fds = 0;
}

/* The registers of the image stay where they physically are. */
static unsigned unpack(struct emu *emu, unsigned size, const uint8_t *bytes)
{
	struct fpu_image *image = fpu_image(emu);
	uint32_t fields[ENV_FIELDS];
	for (unsigned i = 0; i < ENV_FIELDS; i++)
		fields[i] = bytes_load(bytes + i * size, size);
	image->fcw = fpu_control_word((uint16_t)fields[ENV_FCW]);
	fpu_image_set_top(image, fields[ENV_FSW] >> FSW_TOP_SHIFT & 7);
	image->fsw = (uint16_t)fields[ENV_FSW];
	image->ftw = tag_bits((uint16_t)fields[ENV_FTW]);
	unpack_pointers(emu, image, fields);
	return ENV_FIELDS * size;
}

#define REGISTERS_SIZE 80u
#define STATE_SIZE (ENV_FIELDS * 4 + REGISTERS_SIZE)

static void initialize(struct emu *emu)
{
	struct fpu_image *image = fpu_image(emu);
	fpu_image_set_top(image, 0);
	image->fcw = 0x37f;
	image->fsw = 0;
	image->ftw = 0;
	image->fop = image->fcs = image->fds = 0;
	image->fip = image->fdp = 0;
	fpu_settle(emu);
}

/* --- bodies -------------------------------------------------------------------------------------------- */

static enum exec waiting(struct emu *emu, const struct insn *insn)
{
	enum exec result = fpu_check_x87(emu);
	return result == EXEC_NEXT ? fpu_check_pending(emu, insn) : result;
}

enum exec fpu_fldcw(struct emu *emu, const struct insn *insn)
{
	uint16_t value;
	enum exec result = waiting(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	if (!fpu_read(emu, insn, &value, 2, 2))
		return EXEC_FAULT;
	fpu_image(emu)->fcw = fpu_control_word(value);
	fpu_settle(emu);
	return EXEC_NEXT;
}

enum exec fpu_fldenv(struct emu *emu, const struct insn *insn)
{
	uint8_t bytes[STATE_SIZE];
	enum exec result = waiting(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	if (!fpu_read(emu, insn, bytes, ENV_FIELDS * insn->size, insn->size))
		return EXEC_FAULT;
	unpack(emu, insn->size, bytes);
	fpu_settle(emu);
	return EXEC_NEXT;
}

enum exec fpu_frstor(struct emu *emu, const struct insn *insn)
{
	uint8_t bytes[STATE_SIZE];
	struct fpu_image *image = fpu_image(emu);
	enum exec result = waiting(emu, insn);
	if (result != EXEC_NEXT)
		return result;
	if (!fpu_read(emu, insn, bytes, ENV_FIELDS * insn->size + REGISTERS_SIZE, insn->size))
		return EXEC_FAULT;
	const uint8_t *registers = bytes + unpack(emu, insn->size, bytes);
	memset(image->st, 0, sizeof image->st);
	for (unsigned i = 0; i < 8; i++)
		memcpy(image->st[i], registers + 10 * i, 10);
	fpu_settle(emu);
	return EXEC_NEXT;
}

enum exec fpu_fnstenv(struct emu *emu, const struct insn *insn)
{
	uint8_t bytes[STATE_SIZE];
	if (fpu_check_x87(emu) != EXEC_NEXT)
		return EXEC_FAULT;
	if (!fpu_write(emu, insn, bytes, pack(emu, insn->size, bytes), insn->size))
		return EXEC_FAULT;
	fpu_image(emu)->fcw |= FCW_MASKS;
	fpu_settle(emu);
	return EXEC_NEXT;
}

enum exec fpu_fnsave(struct emu *emu, const struct insn *insn)
{
	uint8_t bytes[STATE_SIZE];
	if (fpu_check_x87(emu) != EXEC_NEXT)
		return EXEC_FAULT;
	unsigned size = pack(emu, insn->size, bytes);
	for (unsigned i = 0; i < 8; i++, size += 10)
		memcpy(bytes + size, fpu_image(emu)->st[i], 10);
	if (!fpu_write(emu, insn, bytes, size, insn->size))
		return EXEC_FAULT;
	initialize(emu);
	return EXEC_NEXT;
}

enum exec fpu_fnstcw(struct emu *emu, const struct insn *insn)
{
	if (fpu_check_x87(emu) != EXEC_NEXT || !fpu_write(emu, insn, &fpu_image(emu)->fcw, 2, 2))
		return EXEC_FAULT;
	return EXEC_NEXT;
}

enum exec fpu_fnstsw(struct emu *emu, const struct insn *insn)
{
	if (fpu_check_x87(emu) != EXEC_NEXT || !fpu_write(emu, insn, &fpu_image(emu)->fsw, 2, 2))
		return EXEC_FAULT;
	return EXEC_NEXT;
}

enum exec fpu_fnstsw_ax(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	if (fpu_check_x87(emu) != EXEC_NEXT)
		return EXEC_FAULT;
	reg_write(emu, CTX_RAX, 2, fpu_image(emu)->fsw);
	return EXEC_NEXT;
}

enum exec fpu_fninit(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	if (fpu_check_x87(emu) != EXEC_NEXT)
		return EXEC_FAULT;
	initialize(emu);
	return EXEC_NEXT;
}

enum exec fpu_fnclex(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	if (fpu_check_x87(emu) != EXEC_NEXT)
		return EXEC_FAULT;
	fpu_image(emu)->fsw &= (uint16_t)~(FSW_FLAGS | FSW_SF);
	fpu_settle(emu);
	return EXEC_NEXT;
}

enum exec fpu_no_operation(struct emu *emu, const struct insn *insn)
{
	(void)insn;
	return fpu_check_x87(emu);
}
