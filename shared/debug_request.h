/* What a debugger wants of the engine that runs the context: part of the page. */
#ifndef V2E_SHARED_DEBUG_REQUEST_H
#define V2E_SHARED_DEBUG_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#define DEBUG_POINTS 64u

/* What a point stops at, bits of debug_point.kinds. */
enum debug_kind {
	DEBUG_CODE_AT = 1,  /* the instruction at `address` is next; `size` is not used */
	DEBUG_WRITE_TO = 2, /* data in the range was written */
	DEBUG_READ_OF = 4,  /* data in the range was read */
};

struct debug_point {
	uint32_t address; /* linear */
	uint32_t size;    /* bytes, from 1 */
	uint32_t kinds;   /* enum debug_kind */
	uint32_t reserved;
};

/* What the engine runs in, as bits: debug_mode(). */
enum debug_mode_bit { DEBUG_MODE_PE = 1, DEBUG_MODE_VM = 2, DEBUG_MODE_PG = 4, DEBUG_MODE_CODE32 = 8, DEBUG_MODE_LONG = 16 };

/* Why an engine stopped with STOP_DEBUG, bits: several may come together. */
enum debug_hit {
	DEBUG_HIT_STEP = 1,
	DEBUG_HIT_CODE = 2,   /* before the instruction */
	DEBUG_HIT_WRITE = 4,  /* behind the instruction; hit_address */
	DEBUG_HIT_READ = 8,   /* likewise */
	DEBUG_HIT_VECTOR = 16,/* delivered, before the handler's first instruction; hit_vector */
	DEBUG_HIT_MODE = 32,  /* behind the instruction, hit_mode is the mode before */
};

/* The page's owner fills it in; the engine writes what is marked E. */
struct debug_request {
	uint32_t armed;       /* 0: no debugger, nothing below counts */
	uint32_t step;        /* stop behind one instruction; INTR waits unless halted */
	uint32_t resume;      /* E: no DEBUG_CODE_AT for the first instruction; then 0 */
	uint32_t modes;       /* stop when one of these debug_mode_bits changes */
	uint32_t mode;        /* E: debug_mode() at the last boundary */
	uint32_t points;      /* at most DEBUG_POINTS */
	uint64_t vectors[4];  /* stop when one of these is delivered: bit by vector */
	uint32_t hit;         /* E: enum debug_hit; the owner clears it */
	uint32_t hit_address; /* E: linear, of the first byte hit */
	uint32_t hit_vector;  /* E */
	uint32_t hit_mode;    /* E */
	struct debug_point point[DEBUG_POINTS];
};

struct ctx;

/* enum debug_mode_bit of the context. */
uint32_t debug_mode(const struct ctx *ctx);

/* The first point of one of these kinds that the range touches, or NULL. */
const struct debug_point *debug_point_at(const struct debug_request *debug, uint32_t kinds, uint32_t linear, uint32_t size);
/* Between two instructions: takes note of the mode, and of a change that is asked for. */
void debug_note_mode(struct debug_request *debug, const struct ctx *ctx);
/* A vector was delivered. */
void debug_note_vector(struct debug_request *debug, uint8_t vector);
/* An instruction, or a delivery, read or wrote. */
void debug_note_access(struct debug_request *debug, uint32_t linear, uint32_t size, bool write);
/* Is there a point of one of these kinds? */
bool debug_has(const struct debug_request *debug, uint32_t kinds);
bool debug_wants_vector(const struct debug_request *debug, uint8_t vector);

#endif
