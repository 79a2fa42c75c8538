/* Images, firmware, and what the machine has. */
#include <string.h>

#include "cli/displays.h"
#include "cli/run_options_internal.h"
#include "cli/units.h"

#define MIB (UINT64_C(1) << 20)

bool run_options_set_image(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (options->image) {
		*error = g_strdup_printf("two images, '%s' and '%s'; give the second one with --cdrom, --disk or --floppy",
		                         options->image, value);
		return false;
	}
	return run_options_set_file(&options->image, value, error);
}

bool run_options_add_cdrom(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_add_file(options->cdroms, value, error);
}

bool run_options_add_disk(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_add_file(options->disks, value, error);
}

bool run_options_add_floppy(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_add_file(options->floppies, value, error);
}

bool run_options_set_snapshot(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	(void)value, (void)error;
	options->snapshot = true;
	return true;
}

bool run_options_set_restore(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	return run_options_set_file(&options->restore, value, error);
}

bool run_options_set_bios(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->built_in = "bios";
	return run_options_set_file(&options->bios, value, error);
}

bool run_options_set_vgabios(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->built_in = "vgabios";
	return run_options_set_file(&options->vgabios, value, error);
}

static bool add_boot(struct run_options *options, const char *word, char **error)
{
	static const char *const names[] = { "floppy", "disk", "cdrom", "network", NULL };
	static const enum pc_boot boots[] = { PC_BOOT_FLOPPY, PC_BOOT_DISK, PC_BOOT_CDROM, PC_BOOT_NETWORK };
	if (!strcmp(word, "menu"))
		return options->boot_menu = true;
	for (unsigned i = 0; names[i]; i++) {
		if (strcmp(names[i], word))
			continue;
		unsigned n = 0;
		for (; options->boot[n] != PC_BOOT_END && options->boot[n] != boots[i]; n++)
			;
		if (options->boot[n] == boots[i]) {
			*error = g_strdup_printf("'%s' is named twice; name it once", word);
			return false;
		}
		options->boot[n] = boots[i];
		return true;
	}
	*error = g_strdup_printf("'%s' is nothing to boot from; join some of floppy, disk, cdrom, network and menu by commas", word);
	return false;
}

bool run_options_set_boot(void *target, const char *value, char **error)
{
	((struct run_options *)target)->built_in = "boot";
	g_auto(GStrv) words = g_strsplit(value, ",", -1);
	if (!words[0])
		return add_boot(target, "", error);
	for (unsigned i = 0; words[i]; i++)
		if (!add_boot(target, words[i], error))
			return false;
	return true;
}

bool run_options_set_memory(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->built_in = "memory";
	if (!units_parse_size(value, PC_RAM_MIN, PC_RAM_MAX, &options->memory, error))
		return false;
	if (options->memory % MIB) {
		*error = g_strdup_printf("'%s' is not a whole number of MiB; give one such as 64M", value);
		return false;
	}
	return true;
}

bool run_options_set_cpu(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	options->built_in = "cpu";
	if (emu_cpu_parse(value, &options->cpu))
		return options->cpu_given = true;
	*error = g_strdup_printf("unknown CPU '%s'; give 386, 486, pentium, p6 or x86-64", value);
	return false;
}

bool run_options_set_display(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (displays_names_one(value))
		return run_options_set_file(&options->display, value, error);
	*error = g_strdup_printf("unknown display '%s'; give none, term, sdl or vnc=[HOST:]PORT[,password=FILE]", value);
	return false;
}

bool run_options_names_port(const char *value)
{
	return !strcmp(value, "none") || !strcmp(value, "stdio") ||
	       ((g_str_has_prefix(value, "file:") || g_str_has_prefix(value, "unix:")) && value[5]);
}

bool run_options_add_serial(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	if (!run_options_names_port(value)) {
		*error = g_strdup_printf("'%s' is no place for serial output; give stdio, file:FILE, unix:SOCKET or none", value);
		return false;
	}
	if (options->serials->len == PC_SERIAL) {
		*error = g_strdup_printf("there are only %u serial ports; give at most %u", PC_SERIAL, PC_SERIAL);
		return false;
	}
	g_ptr_array_add(options->serials, g_strdup(value));
	return true;
}

bool run_options_set_debugcon(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	const char *colon = strchr(value, ':');
	if (!colon || !colon[1]) {
		*error = g_strdup_printf("'%s' is not PORT:FILE; give such as 0x402:- or 0x402:bios.log", value);
		return false;
	}
	g_autofree char *port = g_strndup(value, (size_t)(colon - value));
	uint64_t number;
	if (!units_parse_number(port, 1, UINT16_MAX, &number, error))
		return false;
	options->debug_port = (uint16_t)number;
	options->debug_file = g_strdup(colon + 1);
	return true;
}

bool run_options_set_exit_port(void *target, const char *value, char **error)
{
	struct run_options *options = target;
	uint64_t number;
	if (!units_parse_number(value, 1, UINT16_MAX, &number, error))
		return false;
	options->exit_port = (uint16_t)number;
	return true;
}
