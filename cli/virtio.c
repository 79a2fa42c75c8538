#include "cli/virtio.h"

#include <string.h>

#include "cli/run_options_internal.h"
#include "cli/setup.h"

#define DISK_SLOTS (((1u << PC_VIRTIO_DISKS) - 1) << PC_VIRTIO_DISK)

void virtio_options_init(struct virtio_options *virtio)
{
	*virtio = (struct virtio_options){ .disks = g_ptr_array_new_with_free_func(g_free) };
}

void virtio_options_clear(struct virtio_options *virtio)
{
	g_ptr_array_unref(virtio->disks);
	g_free(virtio->console);
}

/* --- setters ------------------------------------------------------------------------------ */

bool virtio_add_disk(void *target, const char *value, char **error)
{
	struct virtio_options *virtio = &((struct run_options *)target)->virtio;
	if (virtio->disks->len < PC_VIRTIO_DISKS)
		return run_options_add_file(virtio->disks, value, error);
	*error = g_strdup_printf("there are only %u places; give at most %u", PC_VIRTIO_DISKS, PC_VIRTIO_DISKS);
	return false;
}

bool virtio_set_console(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (run_options_names_port(value))
		return run_options_set_file(&options->virtio.console, value, error);
	*error = g_strdup_printf("'%s' is no place for a console; give stdio, file:FILE, unix:SOCKET or none", value);
	return false;
}

bool virtio_set_rng(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->built_in = "virtio-rng";
	return options->virtio.rng = true;
}

bool virtio_set_legacy(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->built_in = "virtio-legacy";
	return options->virtio.legacy = true;
}

bool virtio_set_notify(void *target, const char *value, char **error)
{
	static const char *const names[] = { "auto", "bus", "ioeventfd" };
	for (unsigned n = 0; n < G_N_ELEMENTS(names); n++) {
		if (strcmp(value, names[n]))
			continue;
		((struct run_options *)target)->virtio.notify = (enum virtio_notify)n;
		return true;
	}
	*error = g_strdup_printf("'%s' is no way for notifications; give auto, bus or ioeventfd", value);
	return false;
}

/* --- checks ------------------------------------------------------------------------------- */

/* Who else has the place that the console wants, or NULL. */
static const char *find_rival(const struct run_options *options)
{
	const char *console = options->virtio.console;
	if (!console || !strcmp(console, "none"))
		return NULL;
	for (unsigned n = 0; n < options->serials->len; n++)
		if (!strcmp(console, options->serials->pdata[n]))
			return "serial";
	if (options->monitor && !strcmp(console, options->monitor))
		return "monitor";
	return options->display && !strcmp(options->display, "term") && !strcmp(console, "stdio") ? "display" : NULL;
}

static bool boots_from_network(const struct run_options *options)
{
	unsigned n = 0;
	while (options->boot[n] != PC_BOOT_END && options->boot[n] != PC_BOOT_NETWORK)
		n++;
	return options->boot[n] == PC_BOOT_NETWORK;
}

bool virtio_options_check(const struct run_options *options, char **error)
{
	const char *rival = find_rival(options);
	bool is_virtio_card = options->network.card && options->network.is_virtio;
	if (rival)
		*error = g_strdup_printf("--virtio-console and --%s both want %s; give one another place", rival, options->virtio.console);
	else if (is_virtio_card && options->network.rom)
		*error = g_strdup("--net-rom: a virtio card has no ROM; give --net-model e1000");
	else if (is_virtio_card && boots_from_network(options))
		*error = g_strdup("--boot network: the firmware does not know the virtio card; give --net-model e1000");
	else if (options->virtio.legacy && !options->restore && !virtio_slots(options))
		*error = g_strdup("--virtio-legacy: there is no virtio device; give one");
	else if (options->virtio.notify == VIRTIO_NOTIFY_IOEVENTFD && options->compare)
		*error = g_strdup("--virtio-notify ioeventfd: --compare has its own time, in which nothing comes late; give bus");
	return !*error;
}

uint8_t virtio_slots(const struct run_options *options)
{
	unsigned slots = ((1u << options->virtio.disks->len) - 1) << PC_VIRTIO_DISK;
	if (options->virtio.rng)
		slots |= 1u << PC_VIRTIO_RNG;
	if (options->virtio.console)
		slots |= 1u << PC_VIRTIO_CONSOLE;
	if (options->network.card && options->network.is_virtio)
		slots |= 1u << PC_VIRTIO_NET;
	return (uint8_t)slots;
}

bool virtio_fits(const struct setup *setup, const struct run_options *options, bool named, char **error)
{
	if (options->virtio.console && !(setup->virtio >> PC_VIRTIO_CONSOLE & 1))
		*error = g_strdup("--virtio-console: the saved machine has none; leave it out");
	else if (named && (setup->virtio & DISK_SLOTS) != (virtio_slots(options) & DISK_SLOTS))
		*error = g_strdup_printf("--virtio-disk: the saved machine has %d; name as many, or no image at all",
		                         __builtin_popcount(setup->virtio & DISK_SLOTS));
	return !*error;
}
