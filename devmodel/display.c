#include "devmodel/display.h"

#include <string.h>

#define FRAME_US    33333
#define EVENTS_MAX  1024u /* keys that wait for the guest; more are dropped */
#define COUNTS_MAX  32767 /* as the mouse has it */
#define MOVES_MAX   1024u /* more become one, with the last buttons */

void display_init(struct display *display, const struct display_ops *ops, const struct display_guest *guest)
{
	display->ops = ops;
	display->guest = *guest;
	display->surface = surface_new(0, 0);
	display->shown = surface_new(0, 0);
	display->events = g_array_new(FALSE, FALSE, sizeof(struct key_event));
	display->moves = g_array_new(FALSE, FALSE, sizeof(struct display_move));
}

static void press_waiting(struct display *display)
{
	unsigned done = 0;
	for (; done < display->events->len && ps2_keyboard_room(display->guest.keyboard); done++) {
		const struct key_event *event = &g_array_index(display->events, struct key_event, done);
		ps2_keyboard_key(display->guest.keyboard, event->key, event->down);
	}
	if (done)
		g_array_remove_range(display->events, 0, done);
}

/* A click can be shorter than the mouse's time from one packet to the next. */
static void move_waiting(struct display *display)
{
	struct ps2_mouse *mouse = display->guest.mouse;
	guint done = 0;
	for (; done < display->moves->len; done++) {
		const struct display_move *move = &g_array_index(display->moves, struct display_move, done);
		if (move->buttons != display->buttons && !ps2_mouse_room(mouse))
			break;
		ps2_mouse_move(mouse, move->dx, move->dy, move->dz, move->buttons);
		display->buttons = move->buttons;
	}
	if (done)
		g_array_remove_range(display->moves, 0, done);
}

bool display_poll(struct display *display)
{
	bool goes_on = display->ops->poll(display);
	press_waiting(display);
	move_waiting(display);
	return goes_on;
}

void display_free(struct display *display)
{
	if (!display)
		return;
	struct surface *surface = display->surface, *shown = display->shown;
	GArray *events = display->events, *moves = display->moves;
	display->ops->free(display);
	surface_free(surface);
	surface_free(shown);
	g_array_unref(events);
	g_array_unref(moves);
}

bool display_draw(struct display *display)
{
	int64_t now_us = g_get_monotonic_time();
	if (display->drawn_us && now_us - display->drawn_us < FRAME_US)
		return false;
	display->drawn_us = now_us;
	vga_render(display->guest.vga, display->surface, VGA_BLINK_CLOCK);
	return true;
}

static bool row_differs(const struct display *display, unsigned y)
{
	size_t size = display->surface->width * sizeof(uint32_t);
	return memcmp(surface_row(display->surface, y), surface_row(display->shown, y), size);
}

bool display_changes(struct display *display, unsigned *first, unsigned *rows, bool *resized)
{
	struct surface *new = display->surface, *old = display->shown;
	unsigned top = 0, bottom = new->height;
	*resized = new->width != old->width || new->height != old->height;
	if (*resized) {
		surface_resize(old, new->width, new->height);
	} else {
		while (top < bottom && !row_differs(display, top))
			top++;
		while (bottom > top && !row_differs(display, bottom - 1))
			bottom--;
	}
	*first = top;
	*rows = bottom - top;
	if (*rows)
		memcpy(surface_row(old, top), surface_row(new, top), (size_t)*rows * new->width * sizeof(uint32_t));
	return *rows;
}

void display_key(struct display *display, enum key key, bool down)
{
	struct key_event event = { key, down };
	/* More room for what lets go: no key shall stay down. */
	if (key != KEY_NONE && display->events->len < (down ? EVENTS_MAX : 2 * EVENTS_MAX))
		g_array_append_val(display->events, event);
}

unsigned display_room(const struct display *display)
{
	return EVENTS_MAX - MIN(display->events->len, EVENTS_MAX);
}

static int add_counts(int waiting, int counts)
{
	return (int)CLAMP((int64_t)waiting + counts, -COUNTS_MAX, COUNTS_MAX);
}

void display_add_move(GArray *moves, const struct display_move *move)
{
	struct display_move *last = moves->len ? &g_array_index(moves, struct display_move, moves->len - 1) : NULL;
	if (!last || (last->buttons != move->buttons && moves->len < MOVES_MAX)) {
		g_array_append_vals(moves, move, 1);
		return;
	}
	last->dx = add_counts(last->dx, move->dx);
	last->dy = add_counts(last->dy, move->dy);
	last->dz = add_counts(last->dz, move->dz);
	last->buttons = move->buttons;
}

void display_move(struct display *display, const struct display_move *move)
{
	display_add_move(display->moves, move);
}

void display_stroke(struct display *display, const struct key_stroke *stroke)
{
	if (display->events->len < EVENTS_MAX)
		keys_expand(stroke, display->events);
}
