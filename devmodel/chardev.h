/* Streams of bytes between a device and the host.
 *
 * Output is never lost while the host takes it: what the host does not take at
 * once waits here, and chardev_free() flushes. No call waits for a client of a
 * socket; a file, a pipe or a terminal that is slow is waited for. */
#ifndef V2E_DEVMODEL_CHARDEV_H
#define V2E_DEVMODEL_CHARDEV_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What waits for a client that is not there or does not read; then the oldest
 * bytes go, with a message, and such a client is dropped. Also what a memory
 * back end remembers. */
#define CHARDEV_PENDING_MAX (1u << 20)

struct chardev;

/* The device's side of input. */
struct chardev_receiver {
	/* How many bytes it can take now. */
	size_t (*room)(void *owner);
	/* Takes one; called no more often than room() allowed. */
	void (*receive)(void *owner, uint8_t byte);
	void *owner;
};

/* `spec` is one of:
 *   none        output vanishes
 *   stdio       standard input and output; a terminal goes into raw mode (but
 *               for signals) and is restored on free and at exit
 *   file:PATH   output into a new file
 *   unix:PATH   listening stream socket, one client at a time; the socket is
 *               replaced when it exists, and removed on free
 *   memory      keeps the last output for chardev_captured()
 * Returns NULL with a message in *error (to be freed with g_free). */
struct chardev *chardev_new(const char *spec, char **error);
/* Flushes; gives up on a client that takes nothing for a second. NULL is fine. */
void chardev_free(struct chardev *chardev);

void chardev_write(struct chardev *chardev, const void *bytes, size_t size);
/* Calls `tap` with each byte written from now on; NULL ends it. One at a time. */
void chardev_set_tap(struct chardev *chardev, void (*tap)(void *owner, uint8_t byte), void *owner);

/* Who gets the input; NULL for nobody, then it waits. */
void chardev_set_receiver(struct chardev *chardev, const struct chardev_receiver *receiver);
/* Input as if it came from the host: kept until the receiver has room. */
void chardev_feed(struct chardev *chardev, const void *bytes, size_t size);
/* To be called every few milliseconds: accepts a client, sends what waits, reads
 * what the host has and hands it to the receiver as far as it has room. */
void chardev_poll(struct chardev *chardev);

/* Memory: the newest of what was written, CHARDEV_PENDING_MAX bytes at most; owned
 * by the chardev. NULL for other back ends. */
const GString *chardev_captured(const struct chardev *chardev);

#endif
