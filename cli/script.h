/* Runs the commands of a script against a guest, a little at a time: the caller
 * calls script_poll() every few milliseconds of guest time, and all waiting is
 * measured in guest time, so a run in virtual time repeats exactly. */
#ifndef V2E_CLI_SCRIPT_H
#define V2E_CLI_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "cli/script_parse.h"
#include "devmodel/keys.h"

/* What commands act on. */
struct script_guest {
	/* The text screen: UTF-8, rows that end with a line feed, replacing what
	 * `text` held. False in graphics modes. */
	bool (*read_text)(void *owner, GString *text);
	/* Equal for equal pictures; a blinking cursor does not count. */
	uint64_t (*hash_picture)(void *owner);
	/* In that part of it, or in the whole picture where area->width is 0; counted up
	 * to `limit`. 0: some of it lies outside. */
	unsigned (*count_colours)(void *owner, const struct surface_area *area, unsigned limit);
	/* A PNG file. False with *error (g_free). */
	bool (*save_picture)(void *owner, const char *path, char **error);
	/* Where a failure in a graphics mode leaves the picture, in place of what is
	 * there; NULL: nowhere. */
	const char *failure_picture;
	/* The whole machine. False with *error. */
	bool (*save_state)(void *owner, const char *path, char **error);
	/* May script_guest.key be called, or would the key be lost? */
	bool (*key_room)(void *owner);
	void (*key)(void *owner, enum key key, bool down);
	/* The NMI button. */
	void (*nmi)(void *owner);
	/* What the emulator made of the guest's code. */
	void (*flush)(void *owner);
	void *owner;
	/* The picture's hash before the last `keys` or `type`, 0 if there was none, kept for
	 * the next run on this guest; NULL: each run knows of its own keys only. */
	uint64_t *picture_before_keys;
	/* Where `screen-text -` goes; NULL: standard output. */
	GString *printed;
};

#define SCRIPT_KEY_NS    (UINT64_C(20) * 1000000) /* between two events of a key */
#define SCRIPT_SAMPLE_NS (UINT64_C(50) * 1000000) /* between two looks at the picture */
#define SCRIPT_SERIAL_MAX (1u << 20)              /* bytes that wait-serial looks back */

enum script_state {
	SCRIPT_RUNNING,
	SCRIPT_DONE,   /* all commands done */
	SCRIPT_QUIT,   /* `quit`: script_run_status() */
	SCRIPT_FAILED, /* script_run_message() */
};

struct script_run;

/* `script` and what `guest` points to must outlive the run. */
struct script_run *script_run_new(const struct script *script, const struct script_guest *guest);
void script_run_free(struct script_run *run);

/* `now`: guest time in ns, never less than the last time. Carries out all that
 * can be done at this moment. */
enum script_state script_poll(struct script_run *run, uint64_t now);

/* How many commands are done: the number of the one that runs now. */
unsigned script_run_done(const struct script_run *run);

/* A byte that the guest sent over the first serial port. */
void script_serial_byte(struct script_run *run, uint8_t byte);

/* The exit status that the state means: 0, that of `quit`, or 1. */
int script_run_status(const struct script_run *run);

/* Why it failed: place, command, reason, what the screen shows. Owned by the run;
 * NULL unless SCRIPT_FAILED. */
const char *script_run_message(const struct script_run *run);

/* The guest ended before the commands did: SCRIPT_RUNNING becomes SCRIPT_FAILED
 * with `why` as the reason. */
void script_run_abort(struct script_run *run, const char *why);

/* One paragraph for a person: the text screen, or where the picture was saved
 * (failure_picture). To be freed with g_free. */
char *script_describe_screen(const struct script_guest *guest);

#endif
