/* A front end: shows a machine's screen to somebody and brings that person's keys
 * and mouse. Each is a file of its own, display_NAME.c; some need a library, which
 * configure looks for. */
#ifndef V2E_DEVMODEL_DISPLAY_H
#define V2E_DEVMODEL_DISPLAY_H

#include <stdbool.h>

#include "devmodel/ps2_keyboard.h"
#include "devmodel/ps2_mouse.h"
#include "devmodel/vga.h"

/* What a front end shows and drives; all must outlive it. */
struct display_guest {
	struct vga *vga;
	struct ps2_keyboard *keyboard;
	struct ps2_mouse *mouse;
};

/* As ps2_mouse_move() has them. */
struct display_move {
	int dx, dy, dz;
	unsigned buttons; /* enum ps2_mouse_button */
};

struct display;

struct display_ops {
	/* Input, and the screen if it is time. False: the person has had enough. */
	bool (*poll)(struct display *display);
	void (*free)(struct display *display);
};

/* The first member of each front end's own struct. */
struct display {
	const struct display_ops *ops;
	struct display_guest guest;
	struct surface *surface; /* what vga_render() drew last */
	struct surface *shown;   /* what the person sees */
	int64_t drawn_us;        /* host's monotonic time */
	/* Keys wait here until the guest's keyboard has room. */
	GArray *events;          /* struct key_event */
	/* And moves until it has heard of the button before. */
	GArray *moves;           /* struct display_move */
	unsigned buttons;        /* that the guest's mouse has */
};

/* One socket of this host or its network: [HOST:]PORT, 127.0.0.1 unless HOST says
 * otherwise, which needs a password. `password` NULL: none. */
struct display *display_vnc_new(const struct display_guest *guest, const char *where, const char *password, char **error);
/* A window. Ctrl+Alt+G or a click gives it the mouse, Ctrl+Alt+G takes it back. */
struct display *display_sdl_new(const struct display_guest *guest, char **error);
/* The terminal of standard input and output. Ctrl-] ends. */
struct display *display_term_new(const struct display_guest *guest, char **error);

/* Every few ms. The guest cannot tell whether it was called, but by the input. */
bool display_poll(struct display *display);
void display_free(struct display *display); /* NULL is fine */

/* --- for front ends ------------------------------------------------------------- */

void display_init(struct display *display, const struct display_ops *ops, const struct display_guest *guest);
/* A picture is due (30 a second of host time at most): draws it into `surface`. */
bool display_draw(struct display *display);
/* Rows of `surface` that differ from `shown`, which takes them over; false: none.
 * After a change of size all do, and *resized is set. */
bool display_changes(struct display *display, unsigned *first, unsigned *rows, bool *resized);
/* A key goes down or up; events wait for room in the keyboard, in their order. */
void display_key(struct display *display, enum key key, bool down);
/* How many more of them find room. */
unsigned display_room(const struct display *display);
/* The mouse moves; the guest hears of each press and release of a button, however fast. */
void display_move(struct display *display, const struct display_move *move);
/* The same with a list of one's own. Those between two changes of a button become one. */
void display_add_move(GArray *moves, const struct display_move *move);
/* Down and up, with what is held around it. */
void display_stroke(struct display *display, const struct key_stroke *stroke);

#endif
