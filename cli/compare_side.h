/* One of the two machines of --compare: stops where the two can be compared. */
#ifndef V2E_CLI_COMPARE_SIDE_H
#define V2E_CLI_COMPARE_SIDE_H

#include "cli/machine.h"

/* Instructions between two comparisons where time counts them. */
#define COMPARE_INSNS 1000u
/* Guest ns that a port access takes where instructions take none. */
#define COMPARE_IO_NS 1000u
#define COMPARE_RECENT 16u

/* What the processor did that its board heard of. */
enum compare_kind { COMPARE_IN, COMPARE_OUT, COMPARE_INTERRUPT };

struct compare_event {
	enum compare_kind kind;
	uint16_t port;  /* not for an interrupt */
	uint8_t size;
	uint32_t value; /* of an interrupt: its vector */
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
	GArray *events;             /* struct compare_event, not yet compared */
	uint64_t items, interrupts; /* events since the start; interrupts among them */
	struct compare_event recent[COMPARE_RECENT]; /* item n is [n % COMPARE_RECENT] */
	struct ctx equal;           /* the context when it last was the same */
	/* The board's own, behind note_interrupt(). */
	uint8_t (*acknowledge)(void *owner);
	void *board;
	/* While it follows: asked at each visit of an address. */
	bool (*is_there)(void *asker);
	void *asker;
};

/* `spec`: ENGINE[:OPTION=VALUE]..., on top of the command line. Returns false with
 * *error (g_free): one line. compare_side_clear() in any case. */
bool compare_side_parse(struct compare_side *side, const char *spec, int argc, char *const *argv, char **error);
/* Builds the machine. The `second` one keeps off the host's ends of the ports. */
bool compare_side_open(struct compare_side *side, bool io_time, bool second, char **error);
void compare_side_clear(struct compare_side *side);

/* Can stop at any address. */
bool compare_side_can_follow(const struct compare_side *side);

enum compare_interrupts {
	COMPARE_HOLD,   /* stops where it could take one */
	COMPARE_TAKE,   /* takes one, and holds the next */
	COMPARE_IGNORE, /* takes none */
};

/* Runs to the next point where the two may be compared: behind a port access,
 * before an interrupt, at a hand-over. */
enum conduct_end compare_side_run(struct compare_side *side, enum compare_interrupts interrupts);
/* As that, and asks is_there() each time that it is before the instruction at
 * `linear`; ends when the answer is yes. */
enum conduct_end compare_side_follow(struct compare_side *side, enum compare_interrupts interrupts, uint64_t linear,
                                     bool (*is_there)(void *asker), void *asker);
/* Before an interrupt. */
bool compare_side_is_held(const struct compare_side *side);
bool compare_side_is_at_handover(const struct compare_side *side);
/* How far it is: guest ns, or events with io_time. */
uint64_t compare_side_position(const struct compare_side *side);

#endif
