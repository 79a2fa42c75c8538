#include <string.h>

#include "cli/run_options_internal.h"
#include "shared/log.h"
#include "trace/steps.h"

/* Where the board has ports, or the firmware puts them; one of ours would hide
 * what is there. */
static const struct {
	uint16_t first, last;
	const char *owner;
} board_ports[] = {
	{ 0x0000, 0x001f, "the DMA controller" }, { 0x0020, 0x0021, "the interrupt controller" },
	{ 0x0040, 0x0043, "the timer" }, { 0x0060, 0x0064, "the keyboard controller" },
	{ 0x0070, 0x0071, "the clock" }, { 0x0080, 0x008f, "the DMA page registers" },
	{ 0x0092, 0x0092, "the A20 gate" }, { 0x00a0, 0x00a1, "the interrupt controller" },
	{ 0x00b2, 0x00b3, "the power management" }, { 0x00c0, 0x00df, "the DMA controller" },
	{ 0x00f0, 0x00f1, "the coprocessor" }, { 0x0170, 0x0177, "the IDE controller" },
	{ 0x01ce, 0x01d0, "the VGA" }, { 0x01f0, 0x01f7, "the IDE controller" },
	{ 0x02f8, 0x02ff, "the second serial port" }, { 0x0376, 0x0376, "the IDE controller" },
	{ 0x03b0, 0x03df, "the VGA" },
	{ 0x03f0, 0x03f7, "the floppy controller" }, { 0x03f8, 0x03ff, "the serial port" },
	{ 0x04d0, 0x04d1, "the interrupt controller" }, { 0x0510, 0x051b, "the firmware configuration" },
	{ 0x0600, 0x063f, "the power management" }, { 0x0700, 0x070f, "the SMBus" },
	{ 0x0cf8, 0x0cff, "PCI" }, { 0xafe0, 0xafe3, "the power management" },
	{ 0xb000, 0xb03f, "the power management" }, { 0xb100, 0xb10f, "the SMBus" },
	{ 0xc000, 0xffff, "the PCI devices" },
};

static bool check_port(const char *option, uint16_t port, char **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(board_ports); i++) {
		if (port < board_ports[i].first || port > board_ports[i].last)
			continue;
		*error = g_strdup_printf("--%s: port 0x%x belongs to %s; take a free one such as 0x402 or 0xf4",
		                         option, port, board_ports[i].owner);
		return false;
	}
	return true;
}

static bool check_ports(const struct run_options *options, char **error)
{
	if (options->exit_port && !check_port("exit-port", options->exit_port, error))
		return false;
	if (options->debug_file && !check_port("debugcon", options->debug_port, error))
		return false;
	if (options->exit_port && options->exit_port == options->debug_port) {
		*error = g_strdup_printf("--exit-port and --debugcon both want port 0x%x; give two ports", options->exit_port);
		return false;
	}
	return true;
}

static bool check_serials(const struct run_options *options, char **error)
{
	if (options->serials->len < 2)
		return true;
	const char *first = options->serials->pdata[0], *second = options->serials->pdata[1];
	if (strcmp(first, second) || !strcmp(first, "none"))
		return true;
	*error = g_strdup_printf("--serial: both ports go to %s; give the second one another place", first);
	return false;
}

static bool check_monitor(const struct run_options *options, char **error)
{
	for (unsigned i = 0; options->monitor && i < options->serials->len; i++)
		if (!strcmp(options->monitor, options->serials->pdata[i]))
			*error = g_strdup_printf("--monitor and --serial both want %s; give one another place", options->monitor);
	return !*error;
}

static bool check_policy(const struct run_options *options, char **error)
{
	if (options->policy == POLICY_ADAPTIVE && options->compare)
		*error = g_strdup("--policy adaptive goes by the host's time, and --compare has its own; give v2e");
	return !*error;
}

static bool check_compare(const struct run_options *options, char **error)
{
	const char *useless = options->gdb ? "gdb" : options->monitor ? "monitor" : options->transitions ? "transitions" :
	                      options->stats ? "stats" : NULL;
	if (options->compare && useless)
		*error = g_strdup_printf("--%s: --compare has two machines, and says itself what they did; leave one of them out", useless);
	return !*error;
}

static bool check_display(const struct run_options *options, char **error)
{
	bool is_term = options->display && !strcmp(options->display, "term");
	for (unsigned i = 0; is_term && i < options->serials->len; i++)
		if (!strcmp(options->serials->pdata[i], "stdio"))
			*error = g_strdup("--display term and --serial both want the terminal; give --serial another place");
	if (is_term && options->monitor && !strcmp(options->monitor, "stdio"))
		*error = g_strdup("--display term and --monitor both want the terminal; give --monitor unix:FILE");
	if (options->display && strcmp(options->display, "none") && options->compare)
		*error = g_strdup("--display: --compare shows nothing; leave one of them out");
	return !*error;
}

static bool check_gdb(const struct run_options *options, char **error)
{
	if (options->gdb_nowait && !options->gdb)
		*error = g_strdup("--gdb-nowait: there is no --gdb; give --gdb PORT as well");
	else if (options->gdb && options->engine == RUN_ENGINE_KVM && (options->trace & TRACE_STEPS))
		*error = g_strdup("--gdb and --trace: with KVM alone both stop the guest, for switch, int, block, insn and mem; leave one out, "
		                  "or give --engine emu");
	return !*error;
}

static bool check_restore(const struct run_options *options, char **error)
{
	const char *built_in = options->kernel ? "kernel" : options->option_roms->len ? "option-rom" : options->built_in;
	if (options->restore && built_in)
		*error = g_strdup_printf("--%s: the saved machine of --restore has its own; leave --%s out", built_in, built_in);
	else if (options->restore && options->compare)
		*error = g_strdup("--compare: both sides start anew; leave --restore out");
	return !*error;
}

static bool check_kernel(const struct run_options *options, char **error)
{
	bool flat = options->load_at != UINT64_MAX, has_file = options->image || options->kernel;
	if (options->type != RUN_TYPE_AUTO && !(run_type_is_kernel(options->type) ? has_file : options->image != NULL))
		*error = g_strdup_printf("--type: there is no %s; give one", run_type_is_kernel(options->type) ? "kernel and no IMAGE" : "IMAGE");
	else if (flat && options->type != RUN_TYPE_AUTO && options->type != RUN_TYPE_FLAT)
		*error = g_strdup("--load-at: only flat binaries have no address of their own; leave it out, or give --type flat");
	else if (!flat && options->type == RUN_TYPE_FLAT)
		*error = g_strdup("--type flat: nothing says where the code belongs; give --load-at ADDRESS");
	else if (flat && !has_file)
		*error = g_strdup("--load-at: there is no kernel; give --kernel FILE");
	return !*error;
}

static bool check_trace(const struct run_options *options, char **error)
{
	if (options->trace_format != RUN_TRACE_BY_NAME && !options->trace_file)
		*error = g_strdup("--trace-format: there is no --trace-file; give --trace-file FILE as well");
	else if (options->trace_file && !options->trace)
		*error = g_strdup("--trace-file: there is nothing to trace; give --trace LIST as well, or v2e trace");
	else if (options->trace_file && options->compare)
		*error = g_strdup("--trace-file and --compare: one trace of two machines; leave one of them out");
	return !*error;
}

bool run_options_check(const struct run_options *options, char **error)
{
	return check_ports(options, error) && check_gdb(options, error) && check_policy(options, error) && check_monitor(options, error) && check_compare(options, error) &&
	       check_serials(options, error) && check_restore(options, error) && check_kernel(options, error) &&
	       network_options_check(&options->network, error) && virtio_options_check(options, error) && check_trace(options, error) && check_display(options, error);
}
