/* What report.c collects and report_page.c shows. */
#ifndef V2E_TRACE_REPORT_PRIVATE_H
#define V2E_TRACE_REPORT_PRIVATE_H

#include <stdint.h>

#include <glib.h>

#include "trace/report.h"
#include "trace/symbols.h"

/* The page stays of a size that a browser can handle, and memory of one that a host has. */
#define REPORT_CHANGES 500000u
#define REPORT_MARKS   200000u
#define REPORT_CALLS   200000u
#define REPORT_VALUES  1000000u /* of a kind; of one place, */
#define REPORT_AT_SITE 4096u

enum report_mode { REPORT_REAL, REPORT_VM86, REPORT_PROTECTED, REPORT_LONG, REPORT_MODES };
enum report_engine { REPORT_EMU, REPORT_KVM, REPORT_ENGINES };
enum report_part { REPORT_EXIT, REPORT_SAVE, REPORT_CHANNEL, REPORT_LOAD, REPORT_EMULATE, REPORT_PARTS };

#define REPORT_STATES ((REPORT_MODES + 1) * (REPORT_ENGINES + 1)) /* the last ones: not known */

/* From then on the machine is in this mode, run by this engine; -1: as before. */
struct report_change {
	uint64_t ns, host_ns;
	uint64_t number, count;  /* in the order of recording; how many changes to it are one here */
	int8_t mode, engine;
};

/* A call on the timeline, or several. */
struct report_mark {
	uint64_t ns, host_ns, count;
	unsigned kind;
};

/* Numbers of which the median is wanted. */
struct report_values {
	GArray *kept;            /* of uint64_t, at most `room` */
	uint64_t count, sum, random;
	unsigned room;
};

/* A place where the mode changes, or the engine. */
struct report_site {
	uint64_t linear, cs, ip;
	unsigned bits;           /* 0: no code was recorded */
	char *way;               /* "real to protected", "kvm to emu" */
	char *symbol, *code;     /* hexadecimal; NULL: none */
	uint64_t code_at, count;
	struct report_values *cost; /* ns; hand-overs only */
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
	uint64_t change_number;
	uint64_t cell_ns;        /* they are as coarse as this; 0: all are there */
	GArray *marks;           /* of struct report_mark */
	uint64_t modes, handovers, calls, events;
	uint64_t end_ns, end_host_ns;
	uint64_t insns, blocks;
	bool ended, has_host, recorded;
	int first_mode, first_engine; /* -1: not known */
	GHashTable *mode_sites, *engine_sites; /* of struct report_site, by a string */
	GHashTable *codes;       /* of these one that has code, by its linear address */
	GHashTable *kinds;       /* of struct report_kind, by a string */
	GHashTable *open;        /* of struct report_call, by number */
	GPtrArray *shown;        /* of struct report_call */
	struct report_values *costs;           /* the parts but for emulate, together */
	struct report_values *parts[REPORT_PARTS];
	struct report_values *stays, *handover_blocks; /* blocks between two changes of mode; before a hand-over */
};

const char *report_part_name(enum report_part part);

/* --- report_changes.c: what has no bounds in a recording ------------------------------- */

/* `number` and `count` of the change are not looked at. */
void report_changes_add(struct report *report, const struct report_change *change);
void report_changes_put(struct report *report, FILE *out);
void report_marks_add(struct report *report, uint64_t ns, uint64_t host_ns, unsigned kind);
void report_marks_put(const struct report *report, FILE *out);
struct report_values *report_values_new(unsigned most);
void report_values_free(struct report_values *values); /* NULL is fine */
void report_values_add(struct report_values *values, uint64_t value);

#endif
