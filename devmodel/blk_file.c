#include "devmodel/blk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/snap.h"

#define HASH_SIZE 32u /* SHA-256 */

#define HASH_STEP 2048u /* sectors */

/* What tells that a file is still the same. While the host's view of it is, its
 * contents are: nobody can set st_ctim. Else the hash says. */
struct identity {
	uint64_t device, inode, bytes, changed_s, changed_ns;
	uint8_t hash[HASH_SIZE];
};

struct blk_file {
	struct blk blk;
	char *path;
	int fd;
	uint64_t bytes; /* of the host's file */
	bool dirty;
	struct identity known; /* when somebody last asked */
};

/* What lies past the end of a file whose last sector is not whole. */
static int pad_tail(const struct blk_file *file, uint64_t offset, uint8_t *to, size_t size)
{
	if (offset < file->bytes)
		return -EIO; /* somebody has cut the file */
	memset(to, 0, size);
	return 0;
}

static int file_read(struct blk *blk, uint64_t sector, uint32_t count, void *to)
{
	struct blk_file *file = (struct blk_file *)blk;
	uint64_t offset = sector * BLK_SECTOR_SIZE;
	size_t left = (size_t)count * BLK_SECTOR_SIZE;
	uint8_t *at = to;

	while (left) {
		ssize_t got = pread(file->fd, at, left, (off_t)offset);
		if (got == 0)
			return pad_tail(file, offset, at, left);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		at += got;
		offset += (uint64_t)got;
		left -= (size_t)got;
	}
	return 0;
}

static int file_write(struct blk *blk, uint64_t sector, uint32_t count, const void *from)
{
	struct blk_file *file = (struct blk_file *)blk;
	uint64_t offset = sector * BLK_SECTOR_SIZE;
	size_t left = (size_t)count * BLK_SECTOR_SIZE;
	const uint8_t *at = from;

	file->dirty = true;
	file->known.bytes = 0;
	while (left) {
		ssize_t put = pwrite(file->fd, at, left, (off_t)offset);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -EIO;
		at += put;
		offset += (uint64_t)put;
		left -= (size_t)put;
	}
	if (offset > file->bytes)
		file->bytes = offset;
	return 0;
}

/* After a failed fsync the kernel has forgotten which pages it lost: the file
 * stays dirty, so that later flushes do not claim success without a try. */
static int file_flush(struct blk *blk)
{
	struct blk_file *file = (struct blk_file *)blk;

	if (!file->dirty)
		return 0;
	if (fdatasync(file->fd))
		return -errno;
	file->dirty = false;
	return 0;
}

/* All but the hash. A block device of the host changes without a trace. */
static bool look_at_host(const struct blk_file *file, struct identity *identity)
{
	struct stat status;

	memset(identity, 0, sizeof *identity);
	if (fstat(file->fd, &status) || !S_ISREG(status.st_mode))
		return false;
	identity->device = status.st_dev;
	identity->inode = status.st_ino;
	identity->bytes = (uint64_t)status.st_size;
	identity->changed_s = (uint64_t)status.st_ctim.tv_sec;
	identity->changed_ns = (uint64_t)status.st_ctim.tv_nsec;
	return true;
}

static bool same_to_host(const struct identity *a, const struct identity *b)
{
	return !memcmp(a, b, offsetof(struct identity, hash));
}

static int hash_file(struct blk_file *file, uint8_t *hash)
{
	uint8_t *bytes = g_malloc(HASH_STEP * BLK_SECTOR_SIZE);
	GChecksum *sum = g_checksum_new(G_CHECKSUM_SHA256);
	int error = 0;
	gsize size = HASH_SIZE;

	for (uint64_t at = 0; !error && at < file->blk.sectors; at += HASH_STEP) {
		uint32_t count = (uint32_t)MIN(HASH_STEP, file->blk.sectors - at);
		error = file_read(&file->blk, at, count, bytes);
		g_checksum_update(sum, bytes, (gssize)count * BLK_SECTOR_SIZE);
	}
	g_checksum_get_digest(sum, hash, &size);
	g_checksum_free(sum);
	g_free(bytes);
	return error;
}

/* `hint`: an older one, whose hash may still hold. */
static int identify(struct blk_file *file, const struct identity *hint, struct identity *now)
{
	bool regular = look_at_host(file, now);

	if (regular && hint->bytes && same_to_host(hint, now)) {
		memcpy(now->hash, hint->hash, HASH_SIZE);
		return 0;
	}
	return hash_file(file, now->hash);
}

static void identity_state(struct identity *identity, struct snap *snap)
{
	snap_u64(snap, "device", &identity->device);
	snap_u64(snap, "inode", &identity->inode);
	snap_u64(snap, "bytes", &identity->bytes);
	snap_u64(snap, "changed_s", &identity->changed_s);
	snap_u64(snap, "changed_ns", &identity->changed_ns);
	snap_bytes(snap, "sha256", identity->hash, HASH_SIZE);
}

/* A change within the same tick of the host's clock would leave st_ctim as it is,
 * so what is that new is not to be trusted later. */
static void distrust_new(struct identity *identity)
{
	if ((uint64_t)time(NULL) < identity->changed_s + 2)
		identity->changed_s = identity->changed_ns = 0;
}

static void save_identity(struct blk_file *file, struct snap *snap)
{
	struct identity now;
	file_flush(&file->blk);
	int error = identify(file, &file->known, &now);

	if (error)
		log_error("%s: cannot be read (%s): a saved state will not know it again", file->path, g_strerror(-error));
	file->known = now;
	distrust_new(&now);
	identity_state(&now, snap);
}

static void file_state(struct blk *blk, struct snap *snap)
{
	struct blk_file *file = (struct blk_file *)blk;
	struct identity now, saved;
	int error;

	if (!snap_is_loading(snap)) {
		save_identity(file, snap);
		return;
	}
	memset(&saved, 0, sizeof saved);
	identity_state(&saved, snap);
	if (snap_error(snap))
		return;
	error = identify(file, &saved, &now);
	if (error)
		snap_fail(snap, "%s cannot be read: %s", file->path, g_strerror(-error));
	else if (memcmp(now.hash, saved.hash, HASH_SIZE))
		snap_fail(snap, "%s has changed since the state was saved; give the image as it was then", file->path);
	file->known = now;
}

static void file_free(struct blk *blk)
{
	struct blk_file *file = (struct blk_file *)blk;

	close(file->fd);
	g_free(file->path);
	g_free(file);
}

static const struct blk_ops file_ops = {
	.name = "image file",
	.read = file_read,
	.write = file_write,
	.flush = file_flush,
	.state = file_state,
	.free = file_free,
};

/* NULL, or what is wrong with the thing at `fd`; sets *bytes. */
static const char *look_at(int fd, uint64_t *bytes)
{
	struct stat status;

	if (fstat(fd, &status))
		return g_strerror(errno);
	if (S_ISDIR(status.st_mode))
		return "is a directory";
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return "is neither a file nor a block device";
	off_t end = lseek(fd, 0, SEEK_END);
	if (end < 0)
		return g_strerror(errno);
	*bytes = (uint64_t)end;
	return end ? NULL : "is empty";
}

static const char *lock(int fd, bool read_only)
{
	if (!flock(fd, (read_only ? LOCK_SH : LOCK_EX) | LOCK_NB))
		return NULL;
	return errno == EWOULDBLOCK ? "is in use by another v2e" : g_strerror(errno);
}

static const char *open_failure(int error, bool read_only)
{
	switch (error) {
	case ENOENT:
		return "does not exist";
	case EISDIR:
		return "is a directory";
	case EACCES:
	case EPERM:
		return read_only ? "may not be read" : "may not be read and written";
	case EROFS:
		return "is on a read-only file system";
	default:
		return g_strerror(error);
	}
}

static struct blk *give_up(const char *path, const char *problem, int fd, char **error)
{
	if (error)
		*error = g_strdup_printf("%s: %s", path, problem);
	if (fd >= 0)
		close(fd);
	return NULL;
}

struct blk *blk_file_open(const char *path, bool read_only, char **error)
{
	uint64_t bytes = 0;
	/* O_NONBLOCK: a FIFO must not hold us up before we can refuse it. */
	int fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return give_up(path, open_failure(errno, read_only), -1, error);
	const char *problem = look_at(fd, &bytes);
	if (!problem)
		problem = lock(fd, read_only);
	if (problem)
		return give_up(path, problem, fd, error);

	struct blk_file *file = g_new0(struct blk_file, 1);
	file->blk.ops = &file_ops;
	file->blk.sectors = (bytes + BLK_SECTOR_SIZE - 1) / BLK_SECTOR_SIZE;
	file->blk.read_only = read_only;
	file->path = g_strdup(path);
	file->blk.name = file->path;
	file->fd = fd;
	file->bytes = bytes;
	if (bytes % BLK_SECTOR_SIZE)
		log_info("%s: size is no multiple of 512 bytes, the last sector is filled up with zeros", path);
	return &file->blk;
}
