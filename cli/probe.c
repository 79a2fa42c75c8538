#include "cli/probe.h"

#include <stdio.h>

#include <glib.h>

#include "cli/engines.h"
#include "cli/json.h"
#include "hv/hv.h"

enum { PROBE_USABLE = 0, PROBE_UNUSABLE = 1, PROBE_USAGE = 2 };

struct choice {
	bool json, help, man;
};

static bool set_json(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->json = true;
}

static bool set_help(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->help = true;
}

static bool set_man(void *target, const char *value, char **error)
{
	struct choice *choice = target;
	(void)value, (void)error;
	return choice->man = true;
}

static bool refuse_operand(void *target, const char *value, char **error)
{
	(void)target;
	*error = g_strdup_printf("'%s' is too much; v2e probe takes options only", value);
	return false;
}

static const struct option_row rows[] = {
	{ .heading = "What to show", .name = "json", .help = "print JSON, for scripts",
	  .manual = "Times are in nanoseconds; what is not known is null.", .set = set_json },
	{ .heading = "Help", .name = "help", .letter = 'h', .help = "show this help", .set = set_help },
	{ .name = "man", .help = "print the options as man(7) source", .set = set_man },
};

const struct option_table probe_options_table = {
	.command = "v2e probe",
	.arguments = "",
	.summary = "Show what KVM can do on this host, and what --engine auto does.",
	.rows = rows,
	.count = G_N_ELEMENTS(rows),
	.operand = refuse_operand,
};

/* --- for people ------------------------------------------------------------------------ */

static const char *yes_no(int value)
{
	return value < 0 ? "unknown" : value ? "yes" : "no";
}

static void print_modes(const struct hv_probe *probe)
{
	for (unsigned mode = 0; mode < HV_MODES; mode++) {
		printf("%-24s%s", hv_mode_name((enum hv_mode)mode), hv_runs_name(probe->mode[mode].runs));
		if (probe->mode[mode].runs != HV_REFUSED)
			printf(", %.1f million instructions a second", (double)probe->mode[mode].insns_per_second / 1e6);
		putchar('\n');
	}
}

static void print_watches(const struct hv_probe *probe)
{
	for (unsigned kind = HV_WATCH_TRACE; kind < HV_WATCHES; kind++) {
		g_autofree char *name = g_strconcat("watch ", hv_watch_name((enum hv_watch)kind), NULL);
		if (probe->watch[kind].usable)
			printf("%-24susable, %s, %.1f us a stop\n", name, probe->watch[kind].exact ? "exact" : "late",
			       (double)probe->watch[kind].stop_ns / 1e3);
		else
			printf("%-24snot usable: %s\n", name, probe->watch[kind].remedy);
	}
}

static const char *debug_registers(const struct hv_probe *probe)
{
	if (probe->guards)
		return "guarded: they cost nothing until the guest looks";
	return probe->witnesses ? "with watch trace read only where the guest used them" : "read at each hand-over";
}

static void print_signals(const struct hv_probe *probe)
{
	if (probe->ioeventfd)
		printf("%-24snot usable: %s\n", "ioeventfd", g_strerror(-probe->ioeventfd));
	else
		printf("%-24susable, for --virtio-notify\n", "ioeventfd");
	if (probe->irqfd)
		printf("%-24snot usable: %s, as the interrupt controllers are v2e's\n", "irqfd", g_strerror(-probe->irqfd));
	else
		printf("%-24susable\n", "irqfd");
}

static void print_smm(const struct hv_probe *probe)
{
	if (probe->smm_missing)
		printf("%-24snot by KVM alone, which lacks %s\n", "SMI", probe->smm_missing);
	else
		printf("%-24sby KVM alone as well\n", "SMI");
}

static void print_text(const struct hv_probe *probe, const char *why)
{
	if (probe->error) {
		printf("%-24sno: %s\n", "KVM", probe->error);
	} else {
		printf("%-24susable\n%-24s%s\n", "KVM", "vendor", hv_vendor_name(probe->vendor));
		if (probe->vendor == HV_VENDOR_INTEL)
			printf("%-24s%s\n%-24s%s\n", "unrestricted guest", yes_no(probe->unrestricted_guest), "ept", yes_no(probe->ept));
		print_modes(probe);
		printf("%-24s%.1f us\n", "exit and back", (double)probe->exit_ns / 1e3);
		printf("%-24s%s\n", "debug registers", debug_registers(probe));
		print_signals(probe);
		print_smm(probe);
		print_watches(probe);
		if (probe->window.interpreted)
			printf("%-24s%s%s\n", "interrupt windows", probe->window.seen ? "seen" : "missed: ", probe->window.seen ? "" : probe->window.remedy);
	}
	printf("%-24s%s\n", "--engine auto", why);
}

/* --- for scripts ------------------------------------------------------------------------- */

static void print_bool_or_null(const char *name, int value)
{
	printf("  \"%s\": %s,\n", name, value < 0 ? "null" : value ? "true" : "false");
}

static void print_modes_json(const struct hv_probe *probe)
{
	printf("  \"modes\": {");
	for (unsigned mode = 0; mode < HV_MODES; mode++)
		printf("%s\n    \"%s\": { \"runs\": \"%s\", \"insns_per_second\": %" G_GUINT64_FORMAT " }", mode ? "," : "",
		       hv_mode_name((enum hv_mode)mode), hv_runs_name(probe->mode[mode].runs), probe->mode[mode].insns_per_second);
	printf("\n  },\n");
}

static void print_watches_json(const struct hv_probe *probe)
{
	printf("  \"watch\": {");
	for (unsigned kind = HV_WATCH_TRACE; kind < HV_WATCHES; kind++) {
		bool usable = probe->watch[kind].usable;
		printf("%s\n    \"%s\": { \"usable\": %s, ", kind > HV_WATCH_TRACE ? "," : "", hv_watch_name((enum hv_watch)kind),
		       usable ? "true" : "false");
		if (usable) {
			printf("\"exact\": %s, \"stop_ns\": %" G_GUINT64_FORMAT " }", probe->watch[kind].exact ? "true" : "false",
			       probe->watch[kind].stop_ns);
		} else {
			printf("\"remedy\": ");
			json_print_string(probe->watch[kind].remedy, stdout);
			printf(" }");
		}
	}
	printf("\n  },\n");
}

static void print_window_json(const struct hv_probe *probe)
{
	print_bool_or_null("windows", probe->window.interpreted ? probe->window.seen : -1);
	if (!probe->window.remedy)
		return;
	printf("  \"windows_remedy\": ");
	json_print_string(probe->window.remedy, stdout);
	printf(",\n");
}

static void print_json(const struct hv_probe *probe, bool hybrid, const char *why)
{
	printf("{\n  \"kvm\": %s,\n", probe->error ? "false" : "true");
	if (probe->error) {
		printf("  \"error\": ");
		json_print_string(probe->error, stdout);
		printf(",\n");
	} else {
		printf("  \"vendor\": \"%s\",\n", hv_vendor_name(probe->vendor));
		print_bool_or_null("unrestricted_guest", probe->unrestricted_guest);
		print_bool_or_null("ept", probe->ept);
		print_modes_json(probe);
		printf("  \"ioeventfd\": %s,\n  \"irqfd\": %s,\n", probe->ioeventfd ? "false" : "true", probe->irqfd ? "false" : "true");
		printf("  \"exit_ns\": %" G_GUINT64_FORMAT ",\n  \"guards\": %s,\n  \"witnesses\": %s,\n", probe->exit_ns,
		       probe->guards ? "true" : "false", probe->witnesses ? "true" : "false");
		printf("  \"smi\": %s,\n", probe->smm_missing ? "false" : "true");
		if (probe->smm_missing)
			printf("  \"smi_missing\": \"%s\",\n", probe->smm_missing);
		print_watches_json(probe);
		print_window_json(probe);
	}
	printf("  \"auto\": \"%s\",\n  \"why\": ", hybrid ? "hybrid" : "emu");
	json_print_string(why, stdout);
	printf("\n}\n");
}

/* --- the command ---------------------------------------------------------------------------- */

static int probe_host(bool json)
{
	g_autofree char *why = NULL;
	struct hv_probe *probe = hv_probe();
	bool hybrid = engines_auto(probe, &why);
	if (json)
		print_json(probe, hybrid, why);
	else
		print_text(probe, why);
	int status = probe->error ? PROBE_UNUSABLE : PROBE_USABLE;
	hv_probe_free(probe);
	return status;
}

static void print_man(void)
{
	fputs(".SH OPTIONS\n", stdout);
	options_print_man(&probe_options_table, stdout);
}

int probe_main(int argc, char *const *argv)
{
	struct choice choice = { false, false, false };
	char *error = NULL;
	if (!options_parse(&probe_options_table, argc, argv, &choice, &error)) {
		fprintf(stderr, "v2e probe: %s\n", error);
		g_free(error);
		return PROBE_USAGE;
	}
	if (choice.man)
		print_man();
	else if (choice.help)
		options_print_help(&probe_options_table, stdout);
	else
		return probe_host(choice.json);
	return PROBE_USABLE;
}
