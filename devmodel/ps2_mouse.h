/* PS/2 mouse with two buttons, wheel and five buttons by the IntelliMouse knocks,
 * on the auxiliary port of an 8042. Source: IBM PS/2 Hardware Interface Technical
 * Reference, "Mouse"; Microsoft, "IntelliMouse" device identification. */
#ifndef V2E_DEVMODEL_PS2_MOUSE_H
#define V2E_DEVMODEL_PS2_MOUSE_H

#include <stdbool.h>
#include <stdint.h>

#include "devmodel/i8042.h"
#include "shared/clock.h"
#include "shared/snap.h"

struct ps2_mouse;

enum ps2_mouse_button {
	PS2_MOUSE_LEFT = 1, PS2_MOUSE_RIGHT = 2, PS2_MOUSE_MIDDLE = 4,
	PS2_MOUSE_4TH = 8, PS2_MOUSE_5TH = 16,
};

/* Plugs itself into `kbc`, which must outlive it. */
struct ps2_mouse *ps2_mouse_new(struct i8042 *kbc, struct clock *clock);
void ps2_mouse_free(struct ps2_mouse *mouse); /* NULL is fine */
/* Power-on: stream mode, disabled, 100 samples a second, no wheel. */
void ps2_mouse_reset(struct ps2_mouse *mouse);
void ps2_mouse_state(struct ps2_mouse *mouse, struct snap *snap);

/* Moves by counts: dx to the right, dy down the screen, dz of the wheel towards
 * the user; `buttons` (enum ps2_mouse_button) are those held now. What does not
 * fit one packet goes into the next ones, at the sample rate; more than 32,767
 * counts that wait are cut. Nothing is kept while the host has not enabled reports. */
void ps2_mouse_move(struct ps2_mouse *mouse, int dx, int dy, int dz, unsigned buttons);
/* Has the host been told of the buttons as they are now, or does it not want to know?
 * Else it never hears of a button that changes back before the next sample. */
bool ps2_mouse_room(const struct ps2_mouse *mouse);

#endif
