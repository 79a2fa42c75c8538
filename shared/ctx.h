/* The context page: all that one engine must know of a vCPU to go on where
 * another engine stopped. 4,096 bytes, no pointers; another process may map it.
 * The scalar fields come from ctx_fields.def; docs/context-page.md is the ABI. */
#ifndef V2E_SHARED_CTX_H
#define V2E_SHARED_CTX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "shared/debug_request.h"

#define CTX_MAGIC   0x43453256u /* "V2EC", little-endian */
#define CTX_VERSION 1u
#define CTX_SIZE    4096u

/* What the page asks of the engine that receives it. */
enum ctx_request { CTX_NONE, CTX_EMULATE, CTX_RUN, CTX_PIO, CTX_MMIO };

/* Where the request stands; only the side named may make the step. */
enum ctx_state {
	CTX_IDLE,       /* conductor owns the page */
	CTX_READY,      /* conductor -> engine */
	CTX_IN_PROCESS, /* engine owns the page */
	CTX_DONE,       /* engine -> conductor */
};

/* General registers, in ModRM order (SDM vol. 2, table 2-2). */
enum ctx_gpr {
	CTX_RAX, CTX_RCX, CTX_RDX, CTX_RBX, CTX_RSP, CTX_RBP, CTX_RSI, CTX_RDI,
	CTX_R8, CTX_GPRS = 16,
};

union ctx_reg {
	uint64_t r;
	uint32_t e;
	uint16_t x;
	struct {
		uint8_t l, h;
	};
};

/* Segment registers in the order of the sreg field (SDM vol. 2, table B-8). */
enum ctx_sreg {
	CTX_ES, CTX_CS, CTX_SS, CTX_DS, CTX_FS, CTX_GS, CTX_LDTR, CTX_TR,
	CTX_SREGS,
};

/* A segment register with its hidden part. `access` is bits 40-55 of the
 * descriptor with the limit nibble zero (SDM vol. 3, 3.4.5), as in VMX. */
struct ctx_seg {
	uint64_t base;
	uint32_t limit;    /* in bytes, granularity applied */
	uint16_t selector;
	uint16_t reserved0;
	uint32_t access;
	uint32_t reserved1;
};

#define CTX_SEG_TYPE      0x000fu
#define CTX_SEG_ACCESSED  0x0001u
#define CTX_SEG_WRITABLE  0x0002u /* data */
#define CTX_SEG_READABLE  0x0002u /* code */
#define CTX_SEG_DOWN      0x0004u /* data: expand-down */
#define CTX_SEG_CONFORM   0x0004u /* code: conforming */
#define CTX_SEG_CODE      0x0008u
#define CTX_SEG_S         0x0010u /* code or data, not system */
#define CTX_SEG_DPL       0x0060u
#define CTX_SEG_DPL_SHIFT 5
#define CTX_SEG_P         0x0080u
#define CTX_SEG_AVL       0x1000u
#define CTX_SEG_L         0x2000u
#define CTX_SEG_DB        0x4000u
#define CTX_SEG_G         0x8000u
#define CTX_SEG_UNUSABLE  0x10000u /* loaded with a null selector */
#define CTX_SEG_REAL      0x20000u /* loaded in real or virtual-8086 mode */

struct ctx_table {
	uint64_t base;
	uint32_t limit;
	uint32_t reserved;
};

/* An event that was being delivered when control moved (SDM vol. 3, table 24-17). */
enum ctx_event { CTX_EVENT_NONE, CTX_EVENT_INTR, CTX_EVENT_NMI, CTX_EVENT_FAULT, CTX_EVENT_SOFT };

/* interrupt_shadow: bits */
#define CTX_SHADOW_STI    1u
#define CTX_SHADOW_MOV_SS 2u

/* ctx.smm_map: RSM by one reads no map of another. */
enum {
	CTX_SMM_MAP_EMULATOR, /* emu/smm.c */
	CTX_SMM_MAP_KVM32,    /* KVM's for a processor without long mode */
	CTX_SMM_MAP_KVM64,    /* KVM's for one with it */
};

/* What may stay with the engine that ran last until somebody needs it. */
enum ctx_part { CTX_PART_FPU, CTX_PART_DR6, CTX_PARTS };

#define CTX_FXSAVE_SIZE 512u

#define CTX_CR0_PE 0x00000001u
#define CTX_CR0_MP 0x00000002u
#define CTX_CR0_EM 0x00000004u
#define CTX_CR0_TS 0x00000008u
#define CTX_CR0_ET 0x00000010u
#define CTX_CR0_NE 0x00000020u
#define CTX_CR0_WP 0x00010000u
#define CTX_CR0_AM 0x00040000u
#define CTX_CR0_NW 0x20000000u
#define CTX_CR0_CD 0x40000000u
#define CTX_CR0_PG 0x80000000u

#define CTX_CR4_VME 0x0001u
#define CTX_CR4_PVI 0x0002u
#define CTX_CR4_TSD 0x0004u
#define CTX_CR4_DE  0x0008u
#define CTX_CR4_PSE 0x0010u
#define CTX_CR4_PAE 0x0020u
#define CTX_CR4_MCE 0x0040u
#define CTX_CR4_PGE 0x0080u
#define CTX_CR4_PCE 0x0100u
#define CTX_CR4_OSFXSR     0x0200u
#define CTX_CR4_OSXMMEXCPT 0x0400u
#define CTX_CR4_LA57       0x1000u

#define CTX_EFLAGS_CF   0x00000001u
#define CTX_EFLAGS_R1   0x00000002u /* reads as 1 */
#define CTX_EFLAGS_PF   0x00000004u
#define CTX_EFLAGS_AF   0x00000010u
#define CTX_EFLAGS_ZF   0x00000040u
#define CTX_EFLAGS_SF   0x00000080u
#define CTX_EFLAGS_TF   0x00000100u
#define CTX_EFLAGS_IF   0x00000200u
#define CTX_EFLAGS_DF   0x00000400u
#define CTX_EFLAGS_OF   0x00000800u
#define CTX_EFLAGS_IOPL 0x00003000u
#define CTX_EFLAGS_NT   0x00004000u
#define CTX_EFLAGS_RF   0x00010000u
#define CTX_EFLAGS_VM   0x00020000u
#define CTX_EFLAGS_AC   0x00040000u
#define CTX_EFLAGS_VIF  0x00080000u
#define CTX_EFLAGS_VIP  0x00100000u
#define CTX_EFLAGS_ID   0x00200000u

#define CTX_EFER_SCE 0x001u
#define CTX_EFER_LME 0x100u
#define CTX_EFER_LMA 0x400u

struct ctx {
	/* 0x000 header, request */
	uint32_t magic, version;
	uint64_t sequence;        /* hand-overs since power-on */
	uint32_t request_type, request_state; /* enum ctx_request, ctx_state */
	uint32_t stop_reason;     /* enum stop_reason, engine.h */
	uint32_t stop_detail;     /* meaning by reason, engine.h */
	uint64_t blocks_run;      /* in this request */
	uint64_t insns_run;       /* in this request */
	uint64_t limit_insns;     /* stop at the first boundary past so many */
	uint64_t limit_blocks;    /* blocks to run after real mode was left */
	uint64_t io_address, io_data;
	uint32_t io_size, io_is_write;
	/* Where the host's time went in this request, in ns; filled only when the
	 * conductor set `timed`. load: page -> engine; run: the guest; exit: from the
	 * guest to the engine's own code; save: engine -> page. */
	uint32_t timed;
	uint32_t stays;           /* what comes before CR0.PE is cleared does not count */
	uint64_t ns_load, ns_run, ns_exit, ns_save;
	/* 0x080 */
	union ctx_reg gpr[CTX_GPRS];
	/* 0x100 */
	uint64_t rip, rflags;
	/* 0x110 */
	struct ctx_seg seg[CTX_SREGS];
	/* 0x1d0 */
	struct ctx_table gdtr, idtr;
	/* 0x1f0 */
	uint64_t cr0, cr2, cr3, cr4, cr8, efer;
	/* 0x220 */
	uint64_t dr0, dr1, dr2, dr3, dr6, dr7;
	/* 0x250 */
	uint32_t event_type, event_vector, event_has_error, event_error;
	uint32_t interrupt_shadow; /* CTX_SHADOW_*: holds for one instruction */
	uint32_t nmi_masked;
	uint32_t halted;
	uint32_t smm, smbase;
	uint32_t pending_db;       /* DR6 bits of a #DB that is due at this boundary */
	uint8_t  reserved_278[0x280 - 0x278];
	/* 0x280 */
	uint64_t tsc_offset;       /* TSC = clock ticks + tsc_offset */
	uint64_t apic_base, sysenter_cs, sysenter_esp, sysenter_eip, pat;
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t mtrr_cap, mtrr_def_type, misc_enable;
	uint64_t mtrr_fixed[11];   /* 0x2f0: MSRs 250, 258, 259, 268-26F */
	uint64_t mtrr_variable[16];/* 0x348: MSRs 200-20F */
	uint32_t tr3, tr4, tr5, tr6, tr7; /* 0x3c8: test registers of the 386 and 486 */
	uint32_t smm_map;          /* 0x3dc: CTX_SMM_MAP_*: with smm, who wrote what RSM reads */
	uint32_t smm_nmi_masked;   /* with KVM's map: NMIs were masked when the SMI came */
	uint8_t  reserved_3e4[0x3f0 - 0x3e4];
	/* 0x3f0 */
	uint32_t fpu_present;      /* the fxsave image below is the current one */
	uint32_t dr6_kept;         /* DR6 is what dr6 has and what the engine that ran last kept */
	uint32_t tlb_kept;         /* nothing was invalidated of what the engine that set it has cached of page tables */
	uint8_t  reserved_3fc[0x400 - 0x3fc];
	uint8_t  fxsave[CTX_FXSAVE_SIZE]; /* FXSAVE format, SDM vol. 1, 10.5 */
	struct debug_request debug; /* 0x600: survives a reset, see conduct.c */
	uint8_t  reserved_a48[CTX_SIZE - 0xa48];
} __attribute__((aligned(64)));

/* A page in its state after power-on or RESET (SDM vol. 3, table 9-1):
 * real mode, F000:FFF0 with CS base FFFF0000. `cpu_signature` goes into EDX. */
void ctx_reset(struct ctx *ctx, uint32_t cpu_signature);

/* Checks magic, version and the ranges of all enumerated fields; a page from
 * another process is not to be trusted. Returns NULL, or what is wrong (static). */
const char *ctx_check(const struct ctx *ctx);

/* All CPU fields, one a line, `name value`. */
void ctx_print(const struct ctx *ctx, FILE *out);

/* Prints each CPU field that differs, `name a b`; returns how many do.
 * RSP-independent state only: request fields are not compared. */
unsigned ctx_diff(const struct ctx *a, const struct ctx *b, FILE *out);

/* Name of the mode that the page describes: real, big-real, vm86, pm16, pm32, ... */
const char *ctx_mode_name(const struct ctx *ctx);

/* Whether demand emulation must (still) hold this context: real mode, vm86, or
 * a segment that still carries a real-mode descriptor. */
bool ctx_is_real(const struct ctx *ctx);

/* CS holds 64-bit code: the bases of CS, SS, DS and ES do not count. */
bool ctx_is_64(const struct ctx *ctx);

/* The linear address of the code at `ip` of CS. */
uint64_t ctx_linear(const struct ctx *ctx, uint64_t ip);

#endif
