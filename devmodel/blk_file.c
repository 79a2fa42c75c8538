#include "devmodel/blk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/log.h"

struct blk_file {
	struct blk blk;
	char *path;
	int fd;
	uint64_t bytes; /* of the host's file */
	bool dirty;
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
	file->fd = fd;
	file->bytes = bytes;
	if (bytes % BLK_SECTOR_SIZE)
		log_info("%s: size is no multiple of 512 bytes, the last sector is filled up with zeros", path);
	return &file->blk;
}
