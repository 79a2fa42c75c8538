/* One walk over a device's fields serves save, load and dump: each chip has one
 * X_state(x, snap), so the three cannot drift apart. */
#ifndef V2E_SHARED_SNAP_H
#define V2E_SHARED_SNAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct snap;

struct snap *snap_new_save(void);
/* `data` must live as long as the snap. */
struct snap *snap_new_load(const void *data, size_t size);
/* To and from elsewhere, such as a file: false ends the saving or the loading with
 * an error. A get of 0 bytes may come. */
typedef bool snap_put(void *owner, const void *data, size_t size);
typedef bool snap_get(void *owner, void *to, size_t size);
struct snap *snap_new_put(snap_put *put, void *owner);
struct snap *snap_new_get(snap_get *get, void *owner);
/* Prints `section.field value`, one a line. */
struct snap *snap_new_dump(FILE *out);
void snap_free(struct snap *snap);

/* What snap_new_save() saved so far; owned by the snap. */
const void *snap_data(const struct snap *snap, size_t *size);

bool snap_is_loading(const struct snap *snap);
/* Load: an error message for the first thing that did not fit, owned by the snap,
 * or NULL. After an error loads leave fields untouched; only of the bytes in which
 * a `get` failed some may be new. Save: a `put` failed. */
const char *snap_error(const struct snap *snap);
/* A loading device refuses a value that would break it (index out of range). */
void snap_fail(struct snap *snap, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Starts a section; loading checks that name and version are the ones saved. */
void snap_section(struct snap *snap, const char *name, uint32_t version);

void snap_bool(struct snap *snap, const char *name, bool *value);
void snap_u8(struct snap *snap, const char *name, uint8_t *value);
void snap_u16(struct snap *snap, const char *name, uint16_t *value);
void snap_u32(struct snap *snap, const char *name, uint32_t *value);
void snap_u64(struct snap *snap, const char *name, uint64_t *value);
void snap_bytes(struct snap *snap, const char *name, void *bytes, size_t size);
/* Bytes that have no fixed number: at most `max`, g_free()d and made anew by a load,
 * with a zero behind them. */
struct snap_blob {
	uint8_t *data;
	size_t size;
};
void snap_blob(struct snap *snap, const char *name, struct snap_blob *blob, size_t max);
/* Deadline of a timer (or that it does not run). */
struct clock_timer;
void snap_timer(struct snap *snap, const char *name, struct clock_timer *timer);

#endif
