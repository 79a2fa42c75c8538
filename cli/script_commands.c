/* What each command of script_commands.def does. */
#define _GNU_SOURCE /* memmem */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/script_internal.h"
#include "cli/units.h"

static uint64_t add_time(uint64_t now, uint64_t time)
{
	return now > UINT64_MAX - time ? UINT64_MAX : now + time;
}

static char *format_timeout(const struct script_run *run)
{
	g_autofree char *time = units_format_time(run->progress.deadline - run->progress.began);
	return g_strdup_printf("not within %s of guest time", time);
}

/* AGAIN until the deadline has come, then FAILED. */
static enum script_verdict wait_on(const struct script_run *run, char **why)
{
	if (run->progress.now < run->progress.deadline)
		return SCRIPT_VERDICT_AGAIN;
	*why = format_timeout(run);
	return SCRIPT_VERDICT_FAILED;
}

static void begin_wait(struct script_run *run, const struct script_step *step)
{
	run->progress.deadline = add_time(run->progress.now, step->time[0]);
}

static enum script_verdict poll_wait_text(struct script_run *run, const struct script_step *step, char **why)
{
	if (run->guest.read_text(run->guest.owner, run->text) && strstr(run->text->str, step->text))
		return SCRIPT_VERDICT_DONE;
	return wait_on(run, why);
}

/* The end of what came, so that a reader sees how far the guest got. */
static char *describe_serial(const GString *serial)
{
	if (!serial->len)
		return g_strdup("the serial port sent nothing");
	size_t shown = MIN(serial->len, 200);
	g_autoptr(GString) tail = g_string_new(NULL);
	for (size_t i = serial->len - shown; i < serial->len; i++) {
		unsigned char byte = (unsigned char)serial->str[i];
		if (byte >= 0x20 && byte < 0x7f && byte != '\\' && byte != '"')
			g_string_append_c(tail, (char)byte);
		else if (byte == '\n')
			g_string_append(tail, "\\n");
		else
			g_string_append_printf(tail, "\\x%02x", byte);
	}
	return g_strdup_printf("the serial port sent %zu bytes, the last: \"%s\"", serial->len, tail->str);
}

static enum script_verdict poll_wait_serial(struct script_run *run, const struct script_step *step, char **why)
{
	size_t length = strlen(step->text);
	const char *from = run->serial->str + run->serial_taken;
	const char *found = memmem(from, run->serial->len - run->serial_taken, step->text, length);
	if (found) {
		run->serial_taken = (size_t)(found - run->serial->str) + length;
		return SCRIPT_VERDICT_DONE;
	}
	enum script_verdict verdict = wait_on(run, why);
	if (verdict == SCRIPT_VERDICT_FAILED) {
		g_autofree char *timeout = *why, *serial = describe_serial(run->serial);
		*why = g_strdup_printf("%s; %s", timeout, serial);
	}
	return verdict;
}

/* Is it time for a look at the picture? Rendering it is not free. */
static bool may_sample(struct script_run *run)
{
	struct script_progress *progress = &run->progress;
	if (progress->now < progress->next_sample)
		return false;
	progress->next_sample = add_time(progress->now, SCRIPT_SAMPLE_NS);
	return true;
}

static void begin_wait_stable(struct script_run *run, const struct script_step *step)
{
	struct script_progress *progress = &run->progress;
	progress->deadline = add_time(progress->now, step->time[1]);
	progress->hash = run->guest.hash_picture(run->guest.owner);
	progress->stable_since = progress->now;
	progress->next_sample = add_time(progress->now, SCRIPT_SAMPLE_NS);
}

static enum script_verdict poll_wait_stable(struct script_run *run, const struct script_step *step, char **why)
{
	struct script_progress *progress = &run->progress;
	if (may_sample(run)) {
		uint64_t hash = run->guest.hash_picture(run->guest.owner);
		if (hash != progress->hash)
			progress->stable_since = progress->now;
		progress->hash = hash;
		if (progress->now - progress->stable_since >= step->time[0])
			return SCRIPT_VERDICT_DONE;
	}
	return wait_on(run, why);
}

static void begin_wait_change(struct script_run *run, const struct script_step *step)
{
	begin_wait(run, step);
	run->progress.hash = *run->guest.picture_before_keys;
	if (!run->progress.hash)
		run->progress.hash = run->guest.hash_picture(run->guest.owner);
}

static enum script_verdict poll_wait_change(struct script_run *run, const struct script_step *step, char **why)
{
	(void)step;
	if (may_sample(run) && run->guest.hash_picture(run->guest.owner) != run->progress.hash)
		return SCRIPT_VERDICT_DONE;
	return wait_on(run, why);
}

static enum script_verdict poll_wait_colours(struct script_run *run, const struct script_step *step, char **why)
{
	if (may_sample(run)) {
		run->progress.colours = run->guest.count_colours(run->guest.owner, &step->area, step->count);
		if (run->progress.colours >= step->count)
			return SCRIPT_VERDICT_DONE;
	}
	enum script_verdict verdict = wait_on(run, why);
	if (verdict == SCRIPT_VERDICT_FAILED) {
		g_autofree char *timeout = *why;
		*why = g_strdup_printf("%s; there %s %u", timeout, run->progress.colours == 1 ? "is" : "are", run->progress.colours);
	}
	return verdict;
}

static void begin_keys(struct script_run *run, const struct script_step *step)
{
	*run->guest.picture_before_keys = run->guest.hash_picture(run->guest.owner);
	run->progress.events = g_array_new(FALSE, FALSE, sizeof(struct key_event));
	for (guint i = 0; i < step->strokes->len; i++)
		keys_expand(&g_array_index(step->strokes, struct key_stroke, i), run->progress.events);
	run->progress.deadline = add_time(run->progress.now, SCRIPT_DEFAULT_TIME);
}

static void press_next(struct script_run *run)
{
	struct script_progress *progress = &run->progress;
	struct key_event *event = &g_array_index(progress->events, struct key_event, progress->event);
	run->guest.key(run->guest.owner, event->key, event->down);
	progress->event++;
	progress->next_event = add_time(progress->now, SCRIPT_KEY_NS);
	/* The time to give up counts from the last key that the guest took. */
	progress->deadline = add_time(progress->now, SCRIPT_DEFAULT_TIME);
}

static enum script_verdict poll_keys(struct script_run *run, const struct script_step *step, char **why)
{
	(void)step;
	struct script_progress *progress = &run->progress;
	bool ripe = progress->now >= progress->next_event;
	if (ripe && progress->event == progress->events->len)
		return SCRIPT_VERDICT_DONE;
	if (ripe && run->guest.key_room(run->guest.owner))
		press_next(run);
	if (progress->now < progress->deadline)
		return SCRIPT_VERDICT_AGAIN;
	*why = g_strdup_printf("the guest did not read the keyboard for 30s (%u of %u key events were sent)",
	                       progress->event, progress->events->len);
	return SCRIPT_VERDICT_FAILED;
}

static enum script_verdict poll_nmi(struct script_run *run, const struct script_step *step, char **why)
{
	(void)step, (void)why;
	run->guest.nmi(run->guest.owner);
	return SCRIPT_VERDICT_DONE;
}

static enum script_verdict poll_flush(struct script_run *run, const struct script_step *step, char **why)
{
	(void)step, (void)why;
	run->guest.flush(run->guest.owner);
	return SCRIPT_VERDICT_DONE;
}

static enum script_verdict poll_screenshot(struct script_run *run, const struct script_step *step, char **why)
{
	if (run->guest.save_picture(run->guest.owner, step->text, why))
		return SCRIPT_VERDICT_DONE;
	return SCRIPT_VERDICT_FAILED;
}

static enum script_verdict poll_save(struct script_run *run, const struct script_step *step, char **why)
{
	if (run->guest.save_state(run->guest.owner, step->text, why))
		return SCRIPT_VERDICT_DONE;
	return SCRIPT_VERDICT_FAILED;
}

static bool write_text(const char *path, const GString *text, char **why)
{
	bool to_stdout = !strcmp(path, "-");
	FILE *out = to_stdout ? stdout : fopen(path, "we");
	bool fine = out && fwrite(text->str, 1, text->len, out) == text->len && !fflush(out);
	int problem = errno;
	if (out && !to_stdout && fclose(out) && fine) {
		problem = errno;
		fine = false;
	}
	if (!fine)
		*why = g_strdup_printf("%s: %s; give a file that can be written", path, g_strerror(problem));
	return fine;
}

static enum script_verdict poll_screen_text(struct script_run *run, const struct script_step *step, char **why)
{
	if (!run->guest.read_text(run->guest.owner, run->text)) {
		*why = g_strdup("there is no text in a graphics mode");
		return SCRIPT_VERDICT_FAILED;
	}
	if (run->guest.printed && !strcmp(step->text, "-")) {
		g_string_append(run->guest.printed, run->text->str);
		return SCRIPT_VERDICT_DONE;
	}
	return write_text(step->text, run->text, why) ? SCRIPT_VERDICT_DONE : SCRIPT_VERDICT_FAILED;
}

static enum script_verdict poll_sleep(struct script_run *run, const struct script_step *step, char **why)
{
	(void)why;
	if (run->progress.now - run->progress.began >= step->time[0])
		return SCRIPT_VERDICT_DONE;
	return SCRIPT_VERDICT_AGAIN;
}

static enum script_verdict poll_quit(struct script_run *run, const struct script_step *step, char **why)
{
	(void)why;
	run->state = SCRIPT_QUIT;
	run->status = step->status;
	return SCRIPT_VERDICT_DONE;
}

const struct script_action script_actions[SCRIPT_VERBS] = {
	[SCRIPT_wait_text] = { begin_wait, poll_wait_text },
	[SCRIPT_wait_serial] = { begin_wait, poll_wait_serial },
	[SCRIPT_wait_stable] = { begin_wait_stable, poll_wait_stable },
	[SCRIPT_wait_change] = { begin_wait_change, poll_wait_change },
	[SCRIPT_wait_colours] = { begin_wait, poll_wait_colours },
	[SCRIPT_keys] = { begin_keys, poll_keys },
	[SCRIPT_type] = { begin_keys, poll_keys },
	[SCRIPT_nmi] = { NULL, poll_nmi },
	[SCRIPT_flush] = { NULL, poll_flush },
	[SCRIPT_screenshot] = { NULL, poll_screenshot },
	[SCRIPT_screen_text] = { NULL, poll_screen_text },
	[SCRIPT_save] = { NULL, poll_save },
	[SCRIPT_sleep] = { NULL, poll_sleep },
	[SCRIPT_quit] = { NULL, poll_quit },
};
