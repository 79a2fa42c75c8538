#include "tests/unit/snap_rig.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/snap.h"

static bool refuses(void (*state)(struct snap *snap), const uint8_t *data, size_t size)
{
	struct snap *load = snap_new_load(data, size);
	state(load);
	bool refused = snap_error(load) != NULL;
	snap_free(load);
	return refused;
}

unsigned snap_rig_damage(void (*state)(struct snap *snap), void (*use)(void))
{
	struct snap *save = snap_new_save();
	state(save);
	size_t size;
	const uint8_t *data = snap_data(save, &size);
	uint8_t *broken = malloc(size);
	unsigned refused = 0;
	for (size_t i = 0; i < size; i++) {
		memcpy(broken, data, size);
		broken[i] ^= 0xff;
		refused += refuses(state, broken, size);
		use();
	}
	free(broken);
	snap_free(save);
	return refused;
}
