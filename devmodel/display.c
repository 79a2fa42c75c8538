#include "devmodel/display.h"

#include <string.h>

#define FRAME_US    33333
#define EVENTS_MAX  1024u /* that wait for the guest; more are dropped */

void display_init(struct display *display, const struct display_ops *ops, const struct display_guest *guest)
{
	display->ops = ops;
	display->guest = *guest;
	display->surface = surface_new(0, 0);
	display->shown = surface_new(0, 0);
	display->events = g_array_new(FALSE, FALSE, sizeof(struct key_event));
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

bool display_poll(struct display *display)
{
	bool goes_on = display->ops->poll(display);
	press_waiting(display);
	return goes_on;
}

void display_free(struct display *display)
{
	if (!display)
		return;
	struct surface *surface = display->surface, *shown = display->shown;
	GArray *events = display->events;
	display->ops->free(display);
	surface_free(surface);
	surface_free(shown);
	g_array_unref(events);
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
	if (key != KEY_NONE && display->events->len < EVENTS_MAX)
		g_array_append_val(display->events, event);
}

void display_stroke(struct display *display, const struct key_stroke *stroke)
{
	if (display->events->len < EVENTS_MAX)
		keys_expand(stroke, display->events);
}
