/* What a file is: any bytes, in a file of any size. The input: the file's head, from
 * which also its size and the bytes at its end are taken. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memfd_create */
#endif
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "loader/image.h"
#include "tests/fuzz/fuzz.h"

static int fd = -1;

/* Sizes that mean something are the likely ones. */
static uint64_t choose_size(const uint8_t *data, size_t size)
{
	static const uint64_t sizes[] = { 163840, 1474560, 2949120, 131072, 262144, 1 << 20, 32768 + 2048, 700 };
	return data[0] & 0x80 ? sizes[data[0] & 7] : size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char path[32];
	struct image image;
	char *error = NULL;
	if (size < 2)
		return 0;
	if (fd < 0) {
		fd = memfd_create("image", 0);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	uint64_t whole = choose_size(data, --size);
	if (ftruncate(fd, 0) || ftruncate(fd, (off_t)whole) || pwrite(fd, data + 1, MIN(size, whole), 0) < 0)
		return 0;
	if (whole > 16 && size > 16 && pwrite(fd, data + 1 + size - 16, 16, (off_t)(whole - 16)) < 0)
		return 0;
	for (int kind = -1; kind < IMAGE_KINDS; kind++) {
		bool fine = kind < 0 ? image_detect(path, &image, &error) : image_check(path, (enum image_kind)kind, &image, &error);
		if (fine == (error != NULL) || (fine && image.kind >= IMAGE_KINDS))
			abort();
		g_clear_pointer(&error, g_free);
	}
	return 0;
}
