#include "cli/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>
#include <zlib.h>

#define MAGIC "V2ESTATE"
#define MAGIC_SIZE 8u
#define STATE_VERSION 1u
#define SUM_SIZE 32u
#define CHUNK 65536u

struct header {
	char magic[MAGIC_SIZE];
	uint32_t version, reserved; /* little-endian */
};

struct state_writer {
	char *path, *temporary;
	int fd;
	int problem; /* errno of the first failure */
	GChecksum *sum;
	z_stream zlib;
	uint8_t chunk[CHUNK];
};

struct state_reader {
	int fd;
	uint64_t left; /* compressed bytes that were not read yet */
	bool at_end;   /* zlib's own end was seen */
	z_stream zlib;
	uint8_t chunk[CHUNK];
};

/* --- writing ------------------------------------------------------------------------ */

static void write_all(struct state_writer *writer, const void *data, size_t size)
{
	const uint8_t *at = data;
	while (size && !writer->problem) {
		ssize_t done = write(writer->fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0) {
			writer->problem = done ? errno : EIO;
			break;
		}
		at += done;
		size -= (size_t)done;
	}
}

static void write_summed(struct state_writer *writer, const void *data, size_t size)
{
	g_checksum_update(writer->sum, data, (gssize)size);
	write_all(writer, data, size);
}

/* Compresses what zlib was given, and with Z_FINISH all that it holds back. */
static void squeeze(struct state_writer *writer, int flush)
{
	do {
		writer->zlib.next_out = writer->chunk;
		writer->zlib.avail_out = CHUNK;
		deflate(&writer->zlib, flush);
		write_summed(writer, writer->chunk, CHUNK - writer->zlib.avail_out);
	} while (!writer->zlib.avail_out && !writer->problem);
}

bool state_writer_put(void *owner, const void *data, size_t size)
{
	struct state_writer *writer = owner;
	const uint8_t *at = data;
	while (size && !writer->problem) {
		size_t part = MIN(size, 1u << 30);
		writer->zlib.next_in = (uint8_t *)at;
		writer->zlib.avail_in = (uInt)part;
		squeeze(writer, Z_NO_FLUSH);
		at += part;
		size -= part;
	}
	return !writer->problem;
}

/* Of a file that is not there yet. Links that go round are told by stat(). */
static char *follow_links(const char *path)
{
	char *at = g_strdup(path);
	for (char *next; (next = g_file_read_link(at, NULL)); at = next) {
		g_autofree char *folder = g_path_get_dirname(at), *name = next;
		next = g_path_is_absolute(name) ? g_steal_pointer(&name) : g_build_filename(folder, name, NULL);
		g_free(at);
	}
	return at;
}

/* Where the file is or will be, links followed. NULL with *error. */
static char *find_target(const char *path, char **error)
{
	struct stat status;
	if (stat(path, &status)) {
		if (errno == ENOENT)
			return follow_links(path);
	} else if (S_ISREG(status.st_mode)) {
		char *found = realpath(path, NULL), *target = g_strdup(found);
		free(found);
		if (target)
			return target;
	} else {
		*error = g_strdup_printf("%s: is no regular file; give another name", path);
		return NULL;
	}
	*error = g_strdup_printf("%s: %s; give a file that can be written", path, g_strerror(errno));
	return NULL;
}

static void free_writer(struct state_writer *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	g_checksum_free(writer->sum);
	deflateEnd(&writer->zlib);
	g_free(writer->path);
	g_free(writer->temporary);
	g_free(writer);
}

struct state_writer *state_writer_new(const char *path, char **error)
{
	char *target = find_target(path, error);
	if (!target)
		return NULL;
	struct state_writer *writer = g_new0(struct state_writer, 1);
	writer->path = target;
	writer->temporary = g_strconcat(target, ".XXXXXX", NULL);
	writer->sum = g_checksum_new(G_CHECKSUM_SHA256);
	if (deflateInit(&writer->zlib, Z_BEST_SPEED) != Z_OK)
		abort(); /* out of memory, as with g_new0() */
	writer->fd = g_mkstemp_full(writer->temporary, O_RDWR | O_CLOEXEC, 0600);
	if (writer->fd < 0) {
		*error = g_strdup_printf("%s: %s; give a file that can be written", path, g_strerror(errno));
		free_writer(writer);
		return NULL;
	}
	struct header header = { MAGIC, GUINT32_TO_LE(STATE_VERSION), 0 };
	write_summed(writer, &header, sizeof header);
	return writer;
}

/* The name is in the folder, so that is what has to be safe as well. */
static void sync_folder(const char *path)
{
	g_autofree char *folder = g_path_get_dirname(path);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

bool state_writer_finish(struct state_writer *writer, char **error)
{
	uint8_t sum[SUM_SIZE];
	gsize size = sizeof sum;
	writer->zlib.avail_in = 0;
	squeeze(writer, Z_FINISH);
	g_checksum_get_digest(writer->sum, sum, &size);
	write_all(writer, sum, sizeof sum);
	if (!writer->problem && (fsync(writer->fd) || rename(writer->temporary, writer->path)))
		writer->problem = errno;
	bool fine = !writer->problem;
	if (fine) {
		sync_folder(writer->path);
	} else {
		unlink(writer->temporary);
		*error = g_strdup_printf("%s: %s; nothing was saved, an older file is as it was", writer->path,
		                         g_strerror(writer->problem));
	}
	free_writer(writer);
	return fine;
}

/* --- reading ------------------------------------------------------------------------- */

static bool read_all(int fd, void *to, size_t size)
{
	uint8_t *at = to;
	while (size) {
		ssize_t done = read(fd, at, size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		at += done;
		size -= (size_t)done;
	}
	return true;
}

/* What is wrong with the beginning, or NULL; leaves the file behind it. */
static char *check_header(int fd, GChecksum *sum)
{
	struct header header;
	if (!read_all(fd, &header, sizeof header) || memcmp(header.magic, MAGIC, MAGIC_SIZE))
		return g_strdup("is no saved state; give a file that `save` wrote");
	uint32_t version = GUINT32_FROM_LE(header.version);
	if (version != STATE_VERSION || header.reserved)
		return g_strdup_printf("is of format %u, this v2e reads %u; restore it with the v2e that saved it", version, STATE_VERSION);
	g_checksum_update(sum, (const guchar *)&header, sizeof header);
	return NULL;
}

static bool sum_fits(struct state_reader *reader, GChecksum *sum)
{
	uint8_t found[SUM_SIZE], wanted[SUM_SIZE];
	gsize size = sizeof found;
	for (uint64_t left = reader->left; left;) {
		size_t part = MIN(left, CHUNK);
		if (!read_all(reader->fd, reader->chunk, part))
			return false;
		g_checksum_update(sum, reader->chunk, (gssize)part);
		left -= part;
	}
	g_checksum_get_digest(sum, found, &size);
	return read_all(reader->fd, wanted, sizeof wanted) && !memcmp(found, wanted, sizeof wanted);
}

static char *check_file(struct state_reader *reader, GChecksum *sum)
{
	struct stat status;
	if (fstat(reader->fd, &status) || !S_ISREG(status.st_mode))
		return g_strdup("is no regular file; give a file that `save` wrote");
	char *problem = check_header(reader->fd, sum);
	if (problem)
		return problem;
	if ((uint64_t)status.st_size < sizeof(struct header) + SUM_SIZE)
		return g_strdup("is cut off; give another copy");
	reader->left = (uint64_t)status.st_size - sizeof(struct header) - SUM_SIZE;
	if (!sum_fits(reader, sum))
		return g_strdup("is cut off or damaged (its checksum does not fit); give another copy");
	if (lseek(reader->fd, sizeof(struct header), SEEK_SET) < 0)
		return g_strdup(g_strerror(errno));
	return NULL;
}

struct state_reader *state_reader_new(const char *path, char **error)
{
	/* O_NONBLOCK: a FIFO must not hold us up before we can refuse it. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		*error = g_strdup_printf("%s: %s; give a file that `save` wrote", path, g_strerror(errno));
		return NULL;
	}
	struct state_reader *reader = g_new0(struct state_reader, 1);
	reader->fd = fd;
	if (inflateInit(&reader->zlib) != Z_OK)
		abort(); /* out of memory, as with g_new0() */
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	g_autofree char *problem = check_file(reader, sum);
	g_checksum_free(sum);
	if (!problem)
		return reader;
	*error = g_strdup_printf("%s: %s", path, problem);
	state_reader_free(reader);
	return NULL;
}

static bool refill(struct state_reader *reader)
{
	size_t part = MIN(reader->left, CHUNK);
	if (!part || !read_all(reader->fd, reader->chunk, part))
		return false;
	reader->left -= part;
	reader->zlib.next_in = reader->chunk;
	reader->zlib.avail_in = (uInt)part;
	return true;
}

/* Returns whether there was something to expand. */
static bool expand(struct state_reader *reader)
{
	if (reader->at_end || (!reader->zlib.avail_in && !refill(reader)))
		return false;
	int result = inflate(&reader->zlib, Z_NO_FLUSH);
	reader->at_end = result == Z_STREAM_END;
	return result == Z_OK || reader->at_end;
}

bool state_reader_get(void *owner, void *to, size_t size)
{
	struct state_reader *reader = owner;
	uint8_t *at = to;
	while (size) {
		size_t part = MIN(size, 1u << 30);
		reader->zlib.next_out = at;
		reader->zlib.avail_out = (uInt)part;
		bool fine = expand(reader);
		part -= reader->zlib.avail_out;
		if (!fine && !part)
			return false;
		at += part;
		size -= part;
	}
	return true;
}

bool state_reader_is_done(struct state_reader *reader)
{
	uint8_t more;
	return !state_reader_get(reader, &more, 1) && reader->at_end && !reader->zlib.avail_in && !reader->left;
}

void state_reader_free(struct state_reader *reader)
{
	if (!reader)
		return;
	close(reader->fd);
	inflateEnd(&reader->zlib);
	g_free(reader);
}
