/* What the back ends of chardev.c share with it; nobody else includes this. */
#ifndef V2E_DEVMODEL_CHARDEV_INTERNAL_H
#define V2E_DEVMODEL_CHARDEV_INTERNAL_H

#include "devmodel/chardev.h"

struct chardev_ops {
	const char *prefix; /* of the spec; ends with ':' where an argument follows */
	/* Returns false with a message in *error. */
	bool (*open)(struct chardev *chardev, const char *argument, char **error);
	void (*close)(struct chardev *chardev);
	/* Sends what it can of chardev->output, and takes it off. */
	void (*flush)(struct chardev *chardev);
	/* Sees to clients and reads without waiting, into chardev->input. */
	void (*poll)(struct chardev *chardev);
};

struct chardev {
	const struct chardev_ops *ops;
	GString *output; /* waits for the host */
	GString *input;  /* waits for the receiver */
	struct chardev_receiver receiver;
	void (*tap)(void *owner, uint8_t byte);
	void *tap_owner;
	int in, out;   /* descriptors, or -1 */
	int listener;  /* unix */
	char *path;    /* unix: to remove */
	bool failed;   /* the host refused output; it was said once */
	bool capture;  /* memory: output stays */
	bool is_terminal; /* stdio: raw mode was asked for */
};

extern const struct chardev_ops chardev_stdio_ops, chardev_file_ops, chardev_unix_ops;

/* Writes chardev->output to the descriptor `out` as far as the host takes it
 * without waiting. Returns 0, -EAGAIN, or the negative errno that ended it. */
int chardev_send(struct chardev *chardev);
/* The same, waiting for the host. Other errors are said once and drop the output. */
void chardev_send_all(struct chardev *chardev);
/* Reads what there is from `in`. Returns false at the end of the stream. */
bool chardev_receive(struct chardev *chardev);

#endif
