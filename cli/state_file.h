/* The file that holds a saved machine, as a stream of bytes: "V2ESTATE", a 32-bit
 * version and 32 zero bits (little-endian), the bytes compressed by zlib, and the
 * SHA-256 of all that stands before it. What the bytes mean is state.c's. */
#ifndef V2E_CLI_STATE_FILE_H
#define V2E_CLI_STATE_FILE_H

#include <stdbool.h>
#include <stddef.h>

struct state_writer;
struct state_reader;

/* What is written goes to a new file beside `path` and takes its place only when
 * all of it is safe on the disk; whatever comes in between, there is either the old
 * file or the new one. `path` may be a link to the file. Returns NULL with *error
 * (g_free): one line that names the file. */
struct state_writer *state_writer_new(const char *path, char **error);
/* A snap_put. After a failure all further ones fail. */
bool state_writer_put(void *writer, const void *data, size_t size);
/* Puts the file into its place and frees the writer. False with *error: then the
 * old file is as it was, and nothing of the new one is left. */
bool state_writer_finish(struct state_writer *writer, char **error);

/* Checks size, version and checksum of the whole file before a byte of it is given
 * out. Returns NULL with *error. */
struct state_reader *state_reader_new(const char *path, char **error);
/* A snap_get; false at the end, or for what zlib does not take. */
bool state_reader_get(void *reader, void *to, size_t size);
/* Has everything been read? */
bool state_reader_is_done(struct state_reader *reader);
void state_reader_free(struct state_reader *reader); /* NULL is fine */

#endif
