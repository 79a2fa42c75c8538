/* Arithmetic flags without an operation code: three words.
 *
 *   flag_zero   ZF = (word == 0)
 *   flag_sign   SF = bit 31; PF = even parity of the low byte
 *   flag_carry  the carry-out vector, shifted to the top: CF = bit 31,
 *               OF = bit 31 ^ bit 30, AF = bit 3
 *
 * Readers need not know the width, and each of the 64 combinations of the six
 * flags can be written down, so POPF and entry from another engine are plain. */
#ifndef V2E_EMU_FLAGS_H
#define V2E_EMU_FLAGS_H

#include "emu/cpu.h"

#define FLAGS_ARITH (CTX_EFLAGS_OF | CTX_EFLAGS_SF | CTX_EFLAGS_ZF | CTX_EFLAGS_AF | CTX_EFLAGS_PF | CTX_EFLAGS_CF)

static inline bool flag_cf(const struct emu *emu) { return emu->flag_carry >> 31; }
static inline bool flag_of(const struct emu *emu) { return (emu->flag_carry ^ emu->flag_carry << 1) >> 31; }
static inline bool flag_af(const struct emu *emu) { return emu->flag_carry >> 3 & 1; }
static inline bool flag_zf(const struct emu *emu) { return !emu->flag_zero; }
static inline bool flag_sf(const struct emu *emu) { return emu->flag_sign >> 31; }
static inline bool flag_pf(const struct emu *emu) { return !__builtin_parity(emu->flag_sign & 0xff); }

static inline uint32_t flags_get(const struct emu *emu)
{
	return (uint32_t)flag_cf(emu) | (uint32_t)flag_pf(emu) << 2 | (uint32_t)flag_af(emu) << 4 |
	       (uint32_t)flag_zf(emu) << 6 | (uint32_t)flag_sf(emu) << 7 | (uint32_t)flag_of(emu) << 11;
}

static inline void flags_set(struct emu *emu, uint32_t eflags)
{
	uint32_t cf = eflags & 1, of = eflags >> 11 & 1;
	emu->flag_zero = !(eflags & CTX_EFLAGS_ZF);
	emu->flag_sign = (eflags & CTX_EFLAGS_SF) << 24 | !(eflags & CTX_EFLAGS_PF);
	emu->flag_carry = cf << 31 | (cf ^ of) << 30 | (eflags & CTX_EFLAGS_AF) >> 1;
}

/* Sets CF and OF, keeps AF. */
static inline void flags_set_cf_of(struct emu *emu, bool cf, bool of)
{
	emu->flag_carry = (uint32_t)cf << 31 | (uint32_t)(cf ^ of) << 30 | (emu->flag_carry & 8);
}

static inline void flags_set_cf(struct emu *emu, bool cf) { flags_set_cf_of(emu, cf, flag_of(emu)); }

static inline void flags_set_zf(struct emu *emu, bool zf) { emu->flag_zero = !zf; }

/* The whole EFLAGS as the guest sees them. */
static inline uint32_t eflags_get(const struct emu *emu)
{
	return ((uint32_t)emu->ctx->rflags & ~FLAGS_ARITH) | flags_get(emu) | CTX_EFLAGS_R1;
}

/* All of EFLAGS; the caller has masked what may not change, and calls
 * emu_mode_changed() if TF, IF, VM, AC or the like might have. */
static inline void eflags_set(struct emu *emu, uint32_t eflags)
{
	flags_set(emu, eflags);
	emu->ctx->rflags = (eflags & ~FLAGS_ARITH) | CTX_EFLAGS_R1;
}

/* The sixteen conditions of Jcc, SETcc, CMOVcc (SDM vol. 2, table B-10). */
static inline bool flags_condition(const struct emu *emu, unsigned condition)
{
	bool result;
	switch (condition >> 1 & 7) {
	case 0: result = flag_of(emu); break;
	case 1: result = flag_cf(emu); break;
	case 2: result = flag_zf(emu); break;
	case 3: result = flag_cf(emu) || flag_zf(emu); break;
	case 4: result = flag_sf(emu); break;
	case 5: result = flag_pf(emu); break;
	case 6: result = flag_sf(emu) != flag_of(emu); break;
	default: result = flag_zf(emu) || flag_sf(emu) != flag_of(emu); break;
	}
	return result != (condition & 1);
}

/* --- results, by width in bytes -------------------------------------------- */

static inline uint32_t width_mask(unsigned size) { return 0xffffffffu >> (32 - 8 * size); }

static inline uint32_t width_sign_extend(uint32_t value, unsigned size)
{
	unsigned shift = 32 - 8 * size;
	return (uint32_t)((int32_t)(value << shift) >> shift);
}

static inline void flags_result(struct emu *emu, uint32_t result, unsigned size)
{
	emu->flag_sign = width_sign_extend(result, size);
	emu->flag_zero = result & width_mask(size);
}

static inline uint32_t flags_carries(uint32_t carries, unsigned size)
{
	return carries << (32 - 8 * size) | (carries & 8);
}

static inline void flags_logic(struct emu *emu, uint32_t result, unsigned size)
{
	flags_result(emu, result, size);
	emu->flag_carry = 0;
}

static inline void flags_add(struct emu *emu, uint32_t a, uint32_t b, uint32_t result, unsigned size)
{
	flags_result(emu, result, size);
	emu->flag_carry = flags_carries((a & b) | ((a | b) & ~result), size);
}

static inline void flags_sub(struct emu *emu, uint32_t a, uint32_t b, uint32_t result, unsigned size)
{
	flags_result(emu, result, size);
	emu->flag_carry = flags_carries((~a & b) | (~(a ^ b) & result), size);
}

#endif
