/* Block devices behind disks, CD-ROMs and floppies: sectors of 512 bytes.
 * Every request completes before the call returns, with 0 or a negative errno.
 * A back end is written against struct blk_ops; devices use the calls below,
 * which have checked range and read-only flag before a back end is asked. */
#ifndef V2E_DEVMODEL_BLK_H
#define V2E_DEVMODEL_BLK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLK_SECTOR_SIZE 512u

struct blk;
struct snap;

struct blk_ops {
	const char *name;
	/* `count` is at least 1 and sector + count within the device. Nothing
	 * less than everything is success. */
	int (*read)(struct blk *blk, uint64_t sector, uint32_t count, void *to);
	int (*write)(struct blk *blk, uint64_t sector, uint32_t count, const void *from);
	/* All that was written is safe when this returns 0. NULL: always safe. */
	int (*flush)(struct blk *blk);
	/* Contents that live with the machine; of those that live outside, what tells
	 * on load that they are the same. NULL: none. */
	void (*state)(struct blk *blk, struct snap *snap);
	/* An overlay's: what lies below it, and to forget all that was written. NULL:
	 * this is none. */
	struct blk *(*below)(struct blk *blk);
	void (*forget)(struct blk *blk);
	/* Has been flushed before. */
	void (*free)(struct blk *blk);
};

/* The first member of each back end's own struct. */
struct blk {
	const struct blk_ops *ops;
	const char *name; /* of the file, for messages; NULL: there is none */
	uint64_t sectors;
	bool read_only;
};

/* 0; -ERANGE past the end; -EROFS; or what the host said, mostly -EIO. After
 * an error of a read the buffer's contents are undefined. count 0 is fine. */
int blk_read(struct blk *blk, uint64_t sector, uint32_t count, void *to);
int blk_write(struct blk *blk, uint64_t sector, uint32_t count, const void *from);
int blk_flush(struct blk *blk);
/* To be called within the section of the device that uses `blk`. Loading refuses
 * a medium of another size or with other contents. What was saved without an
 * overlay may be loaded under one, which is empty then. */
void blk_state(struct blk *blk, struct snap *snap);
/* Flushes; a failure of that is logged. NULL is fine. */
void blk_free(struct blk *blk);

/* A raw image or a block device of the host. A size that is no multiple of 512
 * is rounded up, the tail reads as zeros, and log_info() says so; a write to the
 * last sector makes the file a multiple. Locks the image by flock(2): shared when
 * read-only, else exclusive. Returns NULL with *error set to one sentence that
 * names the path; the caller frees it with g_free(). `error` may be NULL. */
struct blk *blk_file_open(const char *path, bool read_only, char **error);

/* Keeps in memory what is written, in clusters of 64 KiB, and shows it over
 * `below`, which is only read. Takes `below` over. Never read-only. */
struct blk *blk_snapshot_new(struct blk *below);
/* Bytes of memory that the written clusters take. */
size_t blk_snapshot_used(const struct blk *blk);

/* `size` bytes of zeroed memory, rounded up to sectors; at least one sector. */
struct blk *blk_memory_new(size_t size, bool read_only);
/* The contents, always writable. */
uint8_t *blk_memory_data(struct blk *blk);
/* From now on requests that touch sectors first..last fail with `error` (negative
 * errno), and flushes too; 0 ends it. */
void blk_memory_fail(struct blk *blk, uint64_t first, uint64_t last, int error);
/* How often it was flushed. */
unsigned blk_memory_flushes(const struct blk *blk);

#endif
