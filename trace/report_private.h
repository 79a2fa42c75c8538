/* What report.c collects and report_page.c shows. */
#ifndef V2E_TRACE_REPORT_PRIVATE_H
#define V2E_TRACE_REPORT_PRIVATE_H

#include <stdint.h>

#include <glib.h>

#include "trace/report.h"
#include "trace/symbols.h"

/* The page stays of a size that a browser can handle. */
#define REPORT_CHANGES 500000u
#define REPORT_CALLS   200000u

enum report_mode { REPORT_REAL, REPORT_VM86, REPORT_PROTECTED, REPORT_MODES };
enum report_engine { REPORT_EMU, REPORT_KVM, REPORT_ENGINES };
enum report_part { REPORT_EXIT, REPORT_SAVE, REPORT_CHANNEL, REPORT_LOAD, REPORT_EMULATE, REPORT_PARTS };

/* From then on the machine is in this mode, run by this engine; -1: as before. */
struct report_change {
	uint64_t ns, host_ns;
	int8_t mode, engine;
};

/* A place where the mode changes, or the engine. */
struct report_site {
	uint64_t linear, cs, ip;
	unsigned bits;           /* 0: no code was recorded */
	char *way;               /* "real to protected", "kvm to emu" */
	char *symbol, *code;     /* hexadecimal; NULL: none */
	uint64_t code_at, count;
	GArray *cost;            /* of uint64_t, ns; hand-overs only */
};

/* All calls of one function. */
struct report_kind {
	unsigned number, vector;
	char *function, *name;
	uint64_t count, returned, failed, total_ns, longest_ns;
};

struct report_call {
	uint64_t number, ns, host_ns, taken_ns, cs, ip;
	struct report_kind *kind;
	char *arguments, *result, *symbol; /* NULL: not (yet) known */
	bool returned, failed;
};

struct report {
	struct symbols *symbols;
	char *image, *engine, *clock, *version;
	GArray *changes;         /* of struct report_change; sorted before they are shown */
	uint64_t modes, handovers, calls, events;
	uint64_t end_ns, end_host_ns;
	uint64_t insns, blocks;
	bool ended, has_host, is_full, recorded;
	int first_mode, first_engine; /* -1: not known */
	GHashTable *mode_sites, *engine_sites; /* of struct report_site, by a string */
	GHashTable *codes;       /* of these one that has code, by its linear address */
	GHashTable *kinds;       /* of struct report_kind, by a string */
	GHashTable *open;        /* of struct report_call, by number */
	GPtrArray *shown;        /* of struct report_call */
	GArray *costs;           /* of uint64_t: the parts but for emulate, together */
	GArray *parts[REPORT_PARTS]; /* of uint64_t */
	GArray *stays, *handover_blocks;       /* of uint64_t: blocks between two changes of mode; before a hand-over */
};

const char *report_part_name(enum report_part part);

#endif
