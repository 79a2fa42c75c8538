#include "cli/script.h"

#include "cli/script_internal.h"

struct script_run *script_run_new(const struct script *script, const struct script_guest *guest)
{
	struct script_run *run = g_new0(struct script_run, 1);
	run->script = script;
	run->guest = *guest;
	if (!run->guest.picture_before_keys)
		run->guest.picture_before_keys = &run->picture_before_keys;
	run->text = g_string_new(NULL);
	run->serial = g_string_new(NULL);
	return run;
}

static void clear_progress(struct script_run *run)
{
	g_clear_pointer(&run->progress.events, g_array_unref);
	run->progress = (struct script_progress){ 0 };
}

void script_run_free(struct script_run *run)
{
	if (!run)
		return;
	clear_progress(run);
	g_string_free(run->text, TRUE);
	g_string_free(run->serial, TRUE);
	g_free(run->message);
	g_free(run);
}

static void fail(struct script_run *run, const char *why)
{
	const struct script_step *step = script_step(run->script, run->next);
	g_autofree char *screen = script_describe_screen(&run->guest);
	run->message = g_strdup_printf("%s:%u: %s: %s; %s", step->file, step->line, step->source, why, screen);
	run->state = SCRIPT_FAILED;
	run->status = 1;
}

/* Returns whether the next step may begin. */
static bool poll_step(struct script_run *run, uint64_t now)
{
	const struct script_step *step = script_step(run->script, run->next);
	const struct script_action *action = &script_actions[step->verb];
	run->progress.now = now;
	if (!run->begun) {
		run->progress.began = now;
		run->begun = true;
		if (action->begin)
			action->begin(run, step);
	}
	g_autofree char *why = NULL;
	switch (action->poll(run, step, &why)) {
	case SCRIPT_VERDICT_AGAIN:
		return false;
	case SCRIPT_VERDICT_FAILED:
		fail(run, why);
		return false;
	case SCRIPT_VERDICT_DONE:
		break;
	}
	clear_progress(run);
	run->begun = false;
	run->next++;
	return run->state == SCRIPT_RUNNING;
}

enum script_state script_poll(struct script_run *run, uint64_t now)
{
	while (run->state == SCRIPT_RUNNING && run->next < script_count(run->script))
		if (!poll_step(run, now))
			break;
	if (run->state == SCRIPT_RUNNING && run->next == script_count(run->script))
		run->state = SCRIPT_DONE;
	return run->state;
}

unsigned script_run_done(const struct script_run *run)
{
	return run->next;
}

void script_serial_byte(struct script_run *run, uint8_t byte)
{
	if (run->serial->len >= SCRIPT_SERIAL_MAX) {
		size_t half = SCRIPT_SERIAL_MAX / 2;
		g_string_erase(run->serial, 0, (gssize)half);
		run->serial_taken -= MIN(run->serial_taken, half);
	}
	g_string_append_c(run->serial, (char)byte);
}

int script_run_status(const struct script_run *run)
{
	return run->status;
}

const char *script_run_message(const struct script_run *run)
{
	return run->message;
}

void script_run_abort(struct script_run *run, const char *why)
{
	if (run->state == SCRIPT_RUNNING && run->next < script_count(run->script))
		fail(run, why);
}

static char *describe_text(GString *text)
{
	while (text->len && g_ascii_isspace(text->str[text->len - 1]))
		g_string_truncate(text, text->len - 1);
	if (!text->len)
		return g_strdup("the text screen is empty");
	return g_strdup_printf("the screen shows:\n%s", text->str);
}

static char *describe_picture(const struct script_guest *guest)
{
	g_autofree char *error = NULL;
	if (!guest->failure_picture)
		return g_strdup("the screen shows graphics");
	if (guest->save_picture(guest->owner, guest->failure_picture, &error))
		return g_strdup_printf("the screen shows graphics, saved in %s", guest->failure_picture);
	return g_strdup_printf("the screen shows graphics, but no picture was saved: %s", error);
}

char *script_describe_screen(const struct script_guest *guest)
{
	g_autoptr(GString) text = g_string_new(NULL);
	if (guest->read_text(guest->owner, text))
		return describe_text(text);
	return describe_picture(guest);
}
