#include "devmodel/chardev.h"

#include <string.h>

#include "devmodel/chardev_internal.h"
#include "shared/log.h"

/* Output goes on at a newline, when it is so long, and at each poll. */
#define FLUSH_SIZE 4096u

static void discard(struct chardev *chardev)
{
	g_string_truncate(chardev->output, 0);
}

static const struct chardev_ops none_ops = { .prefix = "none", .flush = discard };
static const struct chardev_ops memory_ops = { .prefix = "memory" };

static const struct chardev_ops *const back_ends[] = {
	&none_ops, &memory_ops, &chardev_stdio_ops, &chardev_file_ops, &chardev_unix_ops,
};

static bool matches(const struct chardev_ops *ops, const char *spec)
{
	return g_str_has_suffix(ops->prefix, ":") ? g_str_has_prefix(spec, ops->prefix) : !strcmp(spec, ops->prefix);
}

static const struct chardev_ops *find_back_end(const char *spec)
{
	for (unsigned i = 0; i < G_N_ELEMENTS(back_ends); i++)
		if (matches(back_ends[i], spec))
			return back_ends[i];
	return NULL;
}

struct chardev *chardev_new(const char *spec, char **error)
{
	const struct chardev_ops *ops = find_back_end(spec);
	if (!ops) {
		*error = g_strdup_printf("'%s' is none of none, stdio, file:PATH, unix:PATH and memory", spec);
		return NULL;
	}
	struct chardev *chardev = g_new0(struct chardev, 1);
	chardev->ops = ops;
	chardev->output = g_string_new(NULL);
	chardev->input = g_string_new(NULL);
	chardev->in = chardev->out = chardev->listener = -1;
	chardev->capture = ops == &memory_ops;
	if (ops->open && !ops->open(chardev, spec + strlen(ops->prefix), error)) {
		chardev_free(chardev);
		return NULL;
	}
	return chardev;
}

void chardev_free(struct chardev *chardev)
{
	if (!chardev)
		return;
	if (chardev->ops->close)
		chardev->ops->close(chardev);
	g_string_free(chardev->output, TRUE);
	g_string_free(chardev->input, TRUE);
	g_free(chardev->path);
	g_free(chardev);
}

static void keep_newest(struct chardev *chardev)
{
	if (chardev->output->len <= CHARDEV_PENDING_MAX)
		return;
	if (!chardev->capture && !chardev->failed)
		log_error("%s nobody reads, older output is lost", chardev->ops->prefix);
	chardev->failed = true;
	g_string_erase(chardev->output, 0, (gssize)(chardev->output->len - CHARDEV_PENDING_MAX / 2));
}

static void tap(struct chardev *chardev, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; chardev->tap && i < size; i++)
		chardev->tap(chardev->tap_owner, bytes[i]);
}

void chardev_write(struct chardev *chardev, const void *bytes, size_t size)
{
	g_string_append_len(chardev->output, bytes, (gssize)size);
	if (chardev->ops->flush && (memchr(bytes, '\n', size) || chardev->output->len >= FLUSH_SIZE))
		chardev->ops->flush(chardev);
	keep_newest(chardev);
	tap(chardev, bytes, size);
}

void chardev_set_tap(struct chardev *chardev, void (*call)(void *owner, uint8_t byte), void *owner)
{
	chardev->tap = call;
	chardev->tap_owner = owner;
}

void chardev_set_receiver(struct chardev *chardev, const struct chardev_receiver *receiver)
{
	chardev->receiver = receiver ? *receiver : (struct chardev_receiver){ 0 };
}

static void deliver(struct chardev *chardev)
{
	const struct chardev_receiver *receiver = &chardev->receiver;
	size_t size = receiver->room ? MIN(receiver->room(receiver->owner), chardev->input->len) : 0;
	for (size_t i = 0; i < size; i++)
		receiver->receive(receiver->owner, (uint8_t)chardev->input->str[i]);
	g_string_erase(chardev->input, 0, (gssize)size);
}

void chardev_feed(struct chardev *chardev, const void *bytes, size_t size)
{
	g_string_append_len(chardev->input, bytes, (gssize)size);
	deliver(chardev);
}

void chardev_poll(struct chardev *chardev)
{
	/* What comes in is bounded by what goes on to the guest. */
	if (chardev->ops->poll && !chardev->input->len)
		chardev->ops->poll(chardev);
	if (chardev->ops->flush && chardev->output->len)
		chardev->ops->flush(chardev);
	deliver(chardev);
}

const GString *chardev_captured(const struct chardev *chardev)
{
	return chardev->capture ? chardev->output : NULL;
}
