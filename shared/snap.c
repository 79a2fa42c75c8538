#include "shared/snap.h"

#include <stdarg.h>
#include <string.h>

#include <glib.h>

#include "shared/clock.h"

/* Each item: type, length of the name, the name, then for bytes a 32-bit
 * length, then the value; all little-endian. So a load that is one field out
 * of step says so instead of going on with nonsense. */
enum item {
	ITEM_SECTION = 'S', /* value: 32-bit version */
	ITEM_BOOL = 'b',
	ITEM_U8 = '1',
	ITEM_U16 = '2',
	ITEM_U32 = '4',
	ITEM_U64 = '8',
	ITEM_TIMER = 't',   /* value: 64-bit deadline */
	ITEM_BYTES = 'B',
	ITEM_BLOB = 'V',    /* as ITEM_BYTES; the loader learns the length */
};

#define SNAP_NAME_MAX 255u
/* Longer ones are dumped as length and hash. */
#define SNAP_DUMP_BYTES 256u
#define BLOB_STEP (1u << 20)

enum snap_mode { SNAP_SAVE, SNAP_LOAD, SNAP_DUMP };

struct snap {
	enum snap_mode mode;
	snap_put *put;       /* save */
	snap_get *get;       /* load */
	void *owner;
	GByteArray *saved;   /* what snap_new_save() gathers */
	const uint8_t *data; /* what snap_new_load() reads */
	size_t size, position;
	FILE *out;           /* dump */
	char *section;
	char *error;
};

static struct snap *new_snap(enum snap_mode mode)
{
	struct snap *snap = g_new0(struct snap, 1);
	snap->mode = mode;
	snap->owner = snap;
	snap->section = g_strdup("");
	return snap;
}

static bool put_memory(void *owner, const void *data, size_t size)
{
	g_byte_array_append(((struct snap *)owner)->saved, data, (guint)size);
	return true;
}

static bool get_memory(void *owner, void *to, size_t size)
{
	struct snap *snap = owner;
	if (size > snap->size - snap->position)
		return false;
	if (size)
		memcpy(to, snap->data + snap->position, size);
	snap->position += size;
	return true;
}

struct snap *snap_new_save(void)
{
	struct snap *snap = new_snap(SNAP_SAVE);
	snap->saved = g_byte_array_new();
	snap->put = put_memory;
	return snap;
}

struct snap *snap_new_load(const void *data, size_t size)
{
	struct snap *snap = new_snap(SNAP_LOAD);
	snap->get = get_memory;
	snap->data = data;
	snap->size = size;
	return snap;
}

struct snap *snap_new_put(snap_put *put, void *owner)
{
	struct snap *snap = new_snap(SNAP_SAVE);
	snap->put = put;
	snap->owner = owner;
	return snap;
}

struct snap *snap_new_get(snap_get *get, void *owner)
{
	struct snap *snap = new_snap(SNAP_LOAD);
	snap->get = get;
	snap->owner = owner;
	return snap;
}

struct snap *snap_new_dump(FILE *out)
{
	struct snap *snap = new_snap(SNAP_DUMP);
	snap->out = out;
	return snap;
}

void snap_free(struct snap *snap)
{
	if (!snap)
		return;
	if (snap->saved)
		g_byte_array_unref(snap->saved);
	g_free(snap->section);
	g_free(snap->error);
	g_free(snap);
}

const void *snap_data(const struct snap *snap, size_t *size)
{
	*size = snap->saved->len;
	return snap->saved->data;
}

bool snap_is_loading(const struct snap *snap)
{
	return snap->mode == SNAP_LOAD;
}

const char *snap_error(const struct snap *snap)
{
	return snap->error;
}

void snap_fail(struct snap *snap, const char *format, ...)
{
	if (snap->mode != SNAP_LOAD || snap->error)
		return;
	va_list arguments;
	va_start(arguments, format);
	char *message = g_strdup_vprintf(format, arguments);
	va_end(arguments);
	snap->error = *snap->section ? g_strdup_printf("%s: %s", snap->section, message)
	                             : g_strdup(message);
	g_free(message);
}

/* --- save ---------------------------------------------------------------- */

static void save_bytes(struct snap *snap, const void *bytes, size_t size)
{
	if (!snap->error && size && !snap->put(snap->owner, bytes, size))
		snap->error = g_strdup("what was saved could not be written");
}

static void save_number(struct snap *snap, uint64_t value, unsigned size)
{
	uint64_t little = GUINT64_TO_LE(value);
	save_bytes(snap, &little, size);
}

static void save_header(struct snap *snap, enum item item, const char *name)
{
	size_t length = MIN(strlen(name), SNAP_NAME_MAX);
	save_number(snap, item, 1);
	save_number(snap, length, 1);
	save_bytes(snap, name, length);
}

/* --- load ---------------------------------------------------------------- */

static bool take(struct snap *snap, void *to, size_t size, const char *name)
{
	if (snap->error)
		return false;
	if (!snap->get(snap->owner, to, size))
		snap_fail(snap, "cut off in %s", name);
	return !snap->error;
}

static bool load_number(struct snap *snap, const char *name, unsigned size, uint64_t *value)
{
	uint64_t little = 0;
	if (!take(snap, &little, size, name))
		return false;
	*value = GUINT64_FROM_LE(little);
	return true;
}

static bool load_header(struct snap *snap, enum item item, const char *name)
{
	size_t length = MIN(strlen(name), SNAP_NAME_MAX);
	uint8_t head[2], found[SNAP_NAME_MAX];
	if (!take(snap, head, sizeof head, name) || !take(snap, found, head[1], name))
		return false;
	if (head[1] != length || memcmp(found, name, length)) {
		/* What stands there may be anything: only its length is sure. */
		char *text = g_strndup((const char *)found, head[1]);
		char *shown = g_strescape(text, NULL);
		snap_fail(snap, "%s expected, %s found", name, shown);
		g_free(shown);
		g_free(text);
		return false;
	}
	if (head[0] != item) {
		snap_fail(snap, "%s is of another type", name);
		return false;
	}
	return true;
}

/* --- dump ---------------------------------------------------------------- */

static void dump_name(struct snap *snap, const char *name)
{
	fprintf(snap->out, *snap->section ? "%s.%s " : "%s%s ", snap->section, name);
}

static void dump_bytes(struct snap *snap, const uint8_t *bytes, size_t size)
{
	if (size > SNAP_DUMP_BYTES) {
		char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA1, bytes, size);
		fprintf(snap->out, "%zu bytes, sha1 %s\n", size, hash);
		g_free(hash);
		return;
	}
	for (size_t i = 0; i < size; i++)
		fprintf(snap->out, "%02x", bytes[i]);
	fputc('\n', snap->out);
}

/* --- items --------------------------------------------------------------- */

void snap_section(struct snap *snap, const char *name, uint32_t version)
{
	g_free(snap->section);
	snap->section = g_strdup(name);
	if (snap->mode == SNAP_SAVE) {
		save_header(snap, ITEM_SECTION, name);
		save_number(snap, version, 4);
		return;
	}
	uint64_t found;
	if (snap->mode == SNAP_DUMP || !load_header(snap, ITEM_SECTION, name) ||
	    !load_number(snap, name, 4, &found))
		return;
	if (found != version)
		snap_fail(snap, "version %u, not %u", (unsigned)found, version);
}

/* Returns true when a load has put a new value into *value. */
static bool number(struct snap *snap, enum item item, const char *name, unsigned size, uint64_t *value)
{
	switch (snap->mode) {
	case SNAP_SAVE:
		save_header(snap, item, name);
		save_number(snap, *value, size);
		return false;
	case SNAP_DUMP:
		dump_name(snap, name);
		fprintf(snap->out, "%#" G_GINT64_MODIFIER "x\n", *value);
		return false;
	case SNAP_LOAD:
		break;
	}
	return load_header(snap, item, name) && load_number(snap, name, size, value);
}

void snap_bool(struct snap *snap, const char *name, bool *value)
{
	uint64_t wide = *value;
	if (!number(snap, ITEM_BOOL, name, 1, &wide))
		return;
	if (wide > 1)
		snap_fail(snap, "%s is neither 0 nor 1", name);
	else
		*value = wide;
}

void snap_u8(struct snap *snap, const char *name, uint8_t *value)
{
	uint64_t wide = *value;
	if (number(snap, ITEM_U8, name, 1, &wide))
		*value = (uint8_t)wide;
}

void snap_u16(struct snap *snap, const char *name, uint16_t *value)
{
	uint64_t wide = *value;
	if (number(snap, ITEM_U16, name, 2, &wide))
		*value = (uint16_t)wide;
}

void snap_u32(struct snap *snap, const char *name, uint32_t *value)
{
	uint64_t wide = *value;
	if (number(snap, ITEM_U32, name, 4, &wide))
		*value = (uint32_t)wide;
}

void snap_u64(struct snap *snap, const char *name, uint64_t *value)
{
	uint64_t wide = *value;
	if (number(snap, ITEM_U64, name, 8, &wide))
		*value = wide;
}

static void load_bytes(struct snap *snap, const char *name, void *bytes, size_t size)
{
	uint64_t found;
	if (!load_header(snap, ITEM_BYTES, name) || !load_number(snap, name, 4, &found))
		return;
	if (found != size) {
		snap_fail(snap, "%s has %u bytes, not %zu", name, (unsigned)found, size);
		return;
	}
	take(snap, bytes, size, name);
}

void snap_bytes(struct snap *snap, const char *name, void *bytes, size_t size)
{
	switch (snap->mode) {
	case SNAP_SAVE:
		save_header(snap, ITEM_BYTES, name);
		save_number(snap, size, 4);
		save_bytes(snap, bytes, size);
		break;
	case SNAP_DUMP:
		dump_name(snap, name);
		dump_bytes(snap, bytes, size);
		break;
	case SNAP_LOAD:
		load_bytes(snap, name, bytes, size);
		break;
	}
}

/* Room is made as the bytes come: what a file says of its length costs nothing. */
static void load_blob(struct snap *snap, const char *name, struct snap_blob *blob, size_t max)
{
	uint64_t size;
	if (!load_header(snap, ITEM_BLOB, name) || !load_number(snap, name, 4, &size))
		return;
	if (size > max) {
		snap_fail(snap, "%s has %u bytes, more than %zu", name, (unsigned)size, max);
		return;
	}
	GByteArray *bytes = g_byte_array_new();
	while (bytes->len < size && !snap->error) {
		guint had = bytes->len, more = (guint)MIN(size - had, BLOB_STEP);
		g_byte_array_set_size(bytes, had + more);
		take(snap, bytes->data + had, more, name);
	}
	g_byte_array_append(bytes, (const guint8 *)"", 1);
	if (!snap->error) {
		g_free(blob->data);
		blob->size = size;
	}
	uint8_t *data = g_byte_array_free(bytes, snap->error != NULL);
	if (!snap->error)
		blob->data = data;
}

void snap_blob(struct snap *snap, const char *name, struct snap_blob *blob, size_t max)
{
	switch (snap->mode) {
	case SNAP_SAVE:
		save_header(snap, ITEM_BLOB, name);
		save_number(snap, blob->size, 4);
		save_bytes(snap, blob->data, blob->size);
		break;
	case SNAP_DUMP:
		dump_name(snap, name);
		dump_bytes(snap, blob->data, blob->size);
		break;
	case SNAP_LOAD:
		load_blob(snap, name, blob, max);
		break;
	}
}

void snap_timer(struct snap *snap, const char *name, struct clock_timer *timer)
{
	uint64_t deadline = clock_timer_deadline(timer);
	if (snap->mode == SNAP_DUMP && deadline == CLOCK_NEVER) {
		dump_name(snap, name);
		fputs("never\n", snap->out);
		return;
	}
	if (number(snap, ITEM_TIMER, name, 8, &deadline))
		clock_timer_set(timer, deadline);
}
