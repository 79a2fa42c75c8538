/* Between script.c, which runs steps, and script_commands.c, which carries them
 * out. */
#ifndef V2E_CLI_SCRIPT_INTERNAL_H
#define V2E_CLI_SCRIPT_INTERNAL_H

#include "cli/script.h"

/* Of the step that runs now; zeroed when it begins. */
struct script_progress {
	uint64_t began, now;
	uint64_t deadline;
	/* keys */
	GArray *events;      /* struct key_event; owned */
	unsigned event;      /* the next one */
	uint64_t next_event; /* not before */
	/* wait-stable, wait-change, wait-colours */
	uint64_t hash, stable_since, next_sample;
	unsigned colours; /* seen last */
};

struct script_run {
	const struct script *script;
	struct script_guest guest;
	unsigned next; /* step */
	bool begun;
	struct script_progress progress;
	enum script_state state;
	int status;
	char *message;
	GString *text;       /* scratch for the text screen */
	GString *serial;     /* the last of what was sent, at most SCRIPT_SERIAL_MAX */
	size_t serial_taken; /* matched before */
	uint64_t picture_before_keys; /* where the guest has no place for it */
};

enum script_verdict { SCRIPT_VERDICT_DONE, SCRIPT_VERDICT_AGAIN, SCRIPT_VERDICT_FAILED };

/* One a verb: `begin` may be NULL; `poll` looks whether it is done, and gives up
 * itself. On FAILED *why (g_free) says what went wrong. */
struct script_action {
	void (*begin)(struct script_run *run, const struct script_step *step);
	enum script_verdict (*poll)(struct script_run *run, const struct script_step *step, char **why);
};

extern const struct script_action script_actions[SCRIPT_VERBS];

#endif
