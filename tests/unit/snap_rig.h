/* What the tests of the chips' saved states share. */
#ifndef V2E_TESTS_SNAP_RIG_H
#define V2E_TESTS_SNAP_RIG_H

struct snap;

/* Saves by `state`, and for each byte of that turns it over, loads it by `state` and
 * calls `use`, which does with the chip what a state gone wrong might not survive.
 * Returns how many of these states were refused. */
unsigned snap_rig_damage(void (*state)(struct snap *snap), void (*use)(void));

#endif
