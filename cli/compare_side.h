/* One of the two machines of --compare: stops where the two can be compared. */
#ifndef V2E_CLI_COMPARE_SIDE_H
#define V2E_CLI_COMPARE_SIDE_H

#include "cli/machine.h"

/* Instructions between two comparisons where time counts them. */
#define COMPARE_INSNS 1000u
/* Guest ns that a port access takes where instructions take none. */
#define COMPARE_IO_NS 1000u
#define COMPARE_RECENT 16u

struct compare_access {
	uint16_t port;
	uint8_t size;
	bool is_write;
	uint32_t value;
};

struct compare_side {
	char *name;                 /* as given */
	struct run_options options;
	uint64_t flip;              /* instructions; 0: no mistake */
	struct engine *flipped;
	struct machine *machine;
	bool io_time;               /* time passes by port accesses alone */
	struct clock_timer *tick;   /* commands, ports of the host */
	struct clock_timer *step;   /* every COMPARE_INSNS */
	struct script_run *script;  /* NULL: no commands */
	bool done;                  /* commands done, or the timeout is over */
	bool timed_out;
	GArray *accesses;           /* struct compare_access, not yet compared */
	uint64_t items;             /* port accesses since the start */
	struct compare_access recent[COMPARE_RECENT]; /* item n is [n % COMPARE_RECENT] */
	struct ctx equal;           /* the context when it last was the same */
};

/* `spec`: ENGINE[:OPTION=VALUE]..., on top of the command line. Returns false with
 * *error (g_free): one line. compare_side_clear() in any case. */
bool compare_side_parse(struct compare_side *side, const char *spec, int argc, char *const *argv, char **error);
/* Builds the machine. The `second` one keeps off the host's ends of the ports. */
bool compare_side_open(struct compare_side *side, bool io_time, bool second, char **error);
void compare_side_clear(struct compare_side *side);

/* Runs to the next point where the two may be compared. */
enum conduct_end compare_side_run(struct compare_side *side);
/* How far it is: guest ns, or port accesses with io_time. */
uint64_t compare_side_position(const struct compare_side *side);

#endif
