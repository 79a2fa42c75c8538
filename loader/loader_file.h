/* A file that a loader takes apart: mapped, read-only, not trusted. */
#ifndef V2E_LOADER_LOADER_FILE_H
#define V2E_LOADER_LOADER_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

struct loader_file {
	const char *path;    /* as the user wrote it, for messages; not owned */
	const uint8_t *data;
	uint64_t size;
	GMappedFile *map;    /* NULL: the bytes are somebody else's */
};

/* Maps `path`, a regular file that is not empty. Returns false with *error (g_free):
 * file, problem, remedy. `path` must outlive it. */
bool loader_file_open(struct loader_file *file, const char *path, char **error);
void loader_file_close(struct loader_file *file); /* of zeros is fine */

/* Are there `size` bytes at `offset`? Neither can overflow. */
static inline bool loader_file_has(const struct loader_file *file, uint64_t offset, uint64_t size)
{
	return size <= file->size && offset <= file->size - size;
}

/* Little-endian numbers at an offset that loader_file_has(). */
static inline uint16_t loader_file_16(const struct loader_file *file, uint64_t offset)
{
	uint16_t value;
	memcpy(&value, file->data + offset, sizeof value);
	return GUINT16_FROM_LE(value);
}

static inline uint32_t loader_file_32(const struct loader_file *file, uint64_t offset)
{
	uint32_t value;
	memcpy(&value, file->data + offset, sizeof value);
	return GUINT32_FROM_LE(value);
}

static inline uint64_t loader_file_64(const struct loader_file *file, uint64_t offset)
{
	uint64_t value;
	memcpy(&value, file->data + offset, sizeof value);
	return GUINT64_FROM_LE(value);
}

/* Sets *error to "PATH: ..." and returns false. */
bool loader_refuse(const char *path, char **error, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
