#include "cli/machine.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/drives.h"
#include "cli/emulator.h"
#include "cli/state.h"
#include "devmodel/display_png.h"
#include "devmodel/ps2_keyboard.h"
#include "devmodel/surface.h"
#include "devmodel/vga.h"
#include "loader/boot_start.h"
#include "loader/firmware.h"
#include "shared/log.h"
#include "shared/trace.h"

/* Ports */

static void write_stdout(void *owner, uint8_t byte)
{
	(void)owner;
	putchar(byte);
	if (byte == '\n')
		fflush(stdout);
}

/* Standard output of --debugcon is no terminal session: the stdio back end would
 * switch the terminal to raw mode and take its input. */
static struct chardev *open_debug(const char *file, char **error)
{
	if (strcmp(file, "-")) {
		g_autofree char *spec = g_strconcat("file:", file, NULL);
		return chardev_new(spec, error);
	}
	struct chardev *chardev = chardev_new("none", error);
	if (chardev)
		chardev_set_tap(chardev, write_stdout, NULL);
	return chardev;
}

/* A saved machine keeps its ports, whether somebody listens to them now or not. */
static bool ports_fit(const struct setup *setup, const struct run_options *options, char **error)
{
	if (options->serials->len > setup->serials)
		*error = g_strdup_printf("--serial: the saved machine has %u serial port(s); give no more", setup->serials);
	else if (options->debug_file && options->debug_port != setup->debug_port)
		*error = g_strdup_printf("--debugcon: the saved machine's port is 0x%x, not 0x%x; give that one%s", setup->debug_port,
		                         options->debug_port, setup->debug_port ? "" : " (0x0: leave --debugcon out)");
	else if (options->network.card && !setup_has_card(setup))
		*error = g_strdup("--net: the saved machine has no network card; leave it out");
	else if (options->exit_port && options->exit_port != setup->exit_port)
		*error = g_strdup_printf("--exit-port: the saved machine's port is 0x%x, not 0x%x; leave --exit-port out",
		                         setup->exit_port, options->exit_port);
	return !*error;
}

static bool open_console(struct machine *machine, const struct setup *setup, const struct run_options *options, char **error)
{
	const char *spec = options->virtio.console;
	if (!spec && setup && setup->virtio >> PC_VIRTIO_CONSOLE & 1)
		spec = "none";
	return !spec || (machine->console = chardev_new(spec, error));
}

static bool open_ports(struct machine *machine, const struct setup *setup, const struct run_options *options, char **error)
{
	unsigned given = options->serials->len;
	unsigned count = setup ? setup->serials : MAX(1, given); /* COM1 is always fitted */
	for (unsigned i = 0; i < count; i++)
		if (!(machine->serial[i] = chardev_new(i < given ? options->serials->pdata[i] : "none", error)))
			return false;
	if (!open_console(machine, setup, options, error))
		return false;
	if (options->debug_file)
		return (machine->debug = open_debug(options->debug_file, error));
	return !setup || !setup->debug_port || (machine->debug = chardev_new("none", error));
}

void machine_poll_ports(struct machine *machine)
{
	for (unsigned i = 0; i < PC_SERIAL; i++)
		if (machine->serial[i])
			chardev_poll(machine->serial[i]);
	if (machine->debug)
		chardev_poll(machine->debug);
	if (machine->console)
		chardev_poll(machine->console);
	if (machine->network)
		network_poll(machine->network);
}

/* Board */

static bool load_firmware(const struct setup *setup, const struct run_options *options, const struct payload *payload, struct firmware *bios,
                          struct firmware *vgabios, char **error)
{
	if (!setup)
		return firmware_load_bios(payload->bios, bios, error) && firmware_load_vgabios(options->vgabios, vgabios, error);
	if (payload->bios || payload->kernel.kind != KERNEL_NONE) {
		*error = g_strdup_printf("%s: is a %s, and the saved machine of --restore has its own; leave it out", options->image,
		                         payload->bios ? "BIOS" : "kernel");
		return false;
	}
	*bios = (struct firmware){ g_memdup2(setup->bios.data, setup->bios.size), setup->bios.size };
	*vgabios = (struct firmware){ g_memdup2(setup->vgabios.data, setup->vgabios.size), setup->vgabios.size };
	return true;
}

static bool open_drives(const struct setup *setup, const struct run_options *options, const struct payload *payload, struct pc_config *config, char **error)
{
	bool named = payload->drive || options->cdroms->len || options->disks->len || options->floppies->len || options->virtio.disks->len;
	if (setup && !virtio_fits(setup, options, named, error))
		return false;
	return setup && !named ? drives_reopen(options, setup, config, error) : drives_open(options, payload, config, error);
}

static struct pc *build_board(struct machine *machine, const struct setup *setup, const struct run_options *options,
                              struct pc_config *config, char **error)
{
	struct firmware bios = { NULL, 0 }, vgabios = { NULL, 0 };
	struct pc *pc = NULL;
	if (load_firmware(setup, options, &machine->payload, &bios, &vgabios, error) && open_drives(setup, options, &machine->payload, config, error)) {
		config->bios = bios.data;
		config->bios_size = bios.size;
		config->vgabios = vgabios.data;
		config->vgabios_size = vgabios.size;
		if (network_open(&options->network, setup ? &setup->nic_rom : NULL, machine->clock, config, &machine->network, error)) {
			setup_describe(&machine->setup, machine->engines.cpu, config);
			pc = pc_new(config, error);
		} else {
			drives_close(config);
		}
	}
	firmware_clear(&bios);
	firmware_clear(&vgabios);
	network_close_rom(config);
	return pc;
}

/* NULL: the firmware runs first. */
static const struct boot_plan *direct_plan(const struct machine *machine)
{
	return machine->start.pieces ? &machine->start : payload_direct_plan(&machine->payload);
}

/* What needs no firmware starts at once, from each reset on. */
static void start_kernel(struct machine *machine)
{
	const struct boot_plan *plan = direct_plan(machine);
	if (plan)
		boot_start_direct(plan, machine->pc);
}

void machine_start_state(struct machine *machine, struct snap *snap)
{
	const struct boot_plan *plan = direct_plan(machine);
	bool is_direct = plan;
	snap_section(snap, "start", 1);
	snap_bool(snap, "direct", &is_direct);
	if (is_direct && snap_is_loading(snap)) {
		boot_plan_init(&machine->start, "kernel", BOOT_DIRECT, machine->setup.memory);
		boot_start_load(&machine->start, snap);
	} else if (is_direct) {
		boot_start_save(plan, snap);
	}
}

static bool open_board(struct machine *machine, const struct setup *setup, const struct run_options *options, char **error)
{
	struct pc_config config = {
		.ram_size = options->memory,
		.boot_menu = options->boot_menu,
		.boot_menu_wait_ms = 5000,
		.serial = { machine->serial[0], machine->serial[1] },
		.debug = machine->debug,
		.debug_port = options->debug_port,
		.exit_port = options->exit_port,
		.virtio = setup ? setup->virtio : virtio_slots(options),
		.virtio_legacy = setup ? setup->virtio_legacy : options->virtio.legacy,
		.virtio_console = machine->console,
		.clock = machine->clock,
		.rtc_start = options->clock == CLOCK_KIND_VIRTUAL ? MACHINE_VIRTUAL_DATE : (int64_t)time(NULL),
		.cpu_signature = emu_cpu_signature(machine->engines.cpu),
	};
	if (!payload_open(&machine->payload, options, &config, error) ||
	    !(machine->pc = build_board(machine, setup, options, &config, error)))
		return false;
	start_kernel(machine);
	return true;
}

/* Engine and conductor */

/* A PC's board answers the processor's shutdown cycle with a reset. */
static bool reset_board(void *owner, bool from_shutdown)
{
	struct machine *machine = owner;
	(void)from_shutdown;
	pc_reset(machine->pc);
	start_kernel(machine);
	return true;
}

static bool open_kvm(struct machine *machine, const struct run_options *options, char **error)
{
	if (!(machine->kvm = engines_open_kvm(&machine->engines, options, machine->pc, error)))
		return false;
	machine->kvm_channel = channel_new_inline(machine->kvm);
	if (!machine->kvm_channel)
		*error = g_strdup("the engine cannot start: free some memory");
	return machine->kvm_channel;
}

static bool open_engines(struct machine *machine, const struct run_options *options, char **error)
{
	if (machine->engines.emu && !(machine->channel = emulator_open(options, &machine->engines, machine->pc, &machine->engine, error)))
		return false;
	return !machine->engines.kvm || open_kvm(machine, options, error);
}

static struct policy *open_policy(const struct machine *machine, const struct run_options *options)
{
	struct policy_config config = engines_costs(&machine->engines, machine->kvm);
	config.kind = options->policy;
	config.threshold = options->threshold;
	return policy_new(&config);
}

/* KVM comes first: the emulator could run everything. */
static bool open_conduct(struct machine *machine, const struct run_options *options)
{
	struct pc *pc = machine->pc;
	struct conduct_config conduct = {
		.ctx = pc_ctx(pc), .clock = machine->clock, .pins = pc_pins(pc),
		.threshold = options->threshold, .reset = reset_board, .owner = machine,
	};
	bool recorded = trace_is_json() && (options->trace & LOG_TRACE_SWITCH);
	if (options->transitions || options->stats || recorded)
		conduct.transitions = machine->transitions = transition_log_new(TRANSITION_RING);
	if (recorded)
		transition_log_record(machine->transitions, pc_mem(pc));
	conduct.policy = machine->policy = open_policy(machine, options);
	if (machine->kvm_channel)
		conduct.channel[conduct.channels++] = machine->kvm_channel;
	if (machine->channel)
		conduct.channel[conduct.channels++] = machine->channel;
	machine->conduct = conduct_new(&conduct);
	return true;
}

/* NULL: *gives_up says whether it was KVM alone that failed, though the probe had found it. */
static struct machine *assemble(const struct setup *setup, const struct run_options *options, bool *gives_up, char **error)
{
	struct machine *machine = g_new0(struct machine, 1);
	machine->clock = clock_new(options->clock);
	machine->surface = surface_new(0, 0);
	if (engines_choose(&machine->engines, options, error) && open_ports(machine, setup, options, error) &&
	    open_board(machine, setup, options, error) && open_engines(machine, options, error) && open_conduct(machine, options))
		return machine;
	*gives_up = machine->channel && machine->engines.kvm;
	machine_free(machine);
	return NULL;
}

/* Board and emulator were made for what KVM runs, so without it all is made anew. */
static struct machine *build(const struct setup *setup, const struct run_options *options, char **error)
{
	bool gives_up = false;
	struct machine *machine = assemble(setup, options, &gives_up, error);
	if (machine || !gives_up || options->engine != RUN_ENGINE_AUTO)
		return machine;
	g_autofree char *why = g_steal_pointer(error);
	struct run_options alone = *options;
	alone.engine = RUN_ENGINE_EMU;
	log_error("%s; KVM is not used", why);
	if ((machine = assemble(setup, &alone, &gives_up, error))) {
		g_free(machine->engines.why);
		machine->engines.why = g_strdup_printf("emu: %s", why);
	}
	return machine;
}

struct machine *machine_new(const struct run_options *options, char **error)
{
	return build(NULL, options, error);
}

struct machine *machine_new_like(const struct setup *setup, const struct run_options *options, char **error)
{
	struct run_options adapted = *options;
	if (!ports_fit(setup, options, error))
		return NULL;
	adapted.memory = setup->memory;
	adapted.cpu = (enum emu_cpu)setup->cpu;
	adapted.cpu_given = true;
	adapted.network.card = setup_has_card(setup);
	adapted.network.is_virtio = !setup->nic;
	memcpy(adapted.network.mac, setup->mac, sizeof setup->mac);
	adapted.debug_port = setup->debug_port;
	adapted.exit_port = setup->exit_port;
	return build(setup, &adapted, error);
}

void machine_free(struct machine *machine)
{
	if (!machine)
		return;
	if (machine->conduct)
		conduct_free(machine->conduct);
	policy_free(machine->policy);
	transition_log_free(machine->transitions);
	if (machine->channel)
		channel_free(machine->channel);
	if (machine->engine)
		machine->engine->ops->free(machine->engine);
	if (machine->kvm_channel)
		channel_free(machine->kvm_channel);
	if (machine->kvm)
		machine->kvm->ops->free(machine->kvm);
	pc_free(machine->pc);
	payload_clear(&machine->payload);
	boot_plan_clear(&machine->start);
	network_free(machine->network);
	for (unsigned i = 0; i < PC_SERIAL; i++)
		chardev_free(machine->serial[i]);
	chardev_free(machine->debug);
	chardev_free(machine->console);
	engines_clear(&machine->engines);
	surface_free(machine->surface);
	setup_clear(&machine->setup);
	clock_free(machine->clock);
	g_free(machine);
}

/* Running */

void machine_set_attendant(struct machine *machine, void (*attend)(void *attendant), void *attendant)
{
	machine->attend = attend;
	machine->attendant = attendant;
}

void machine_attend(struct machine *machine)
{
	if (!machine->kvm) {
		machine->attend(machine->attendant);
		return;
	}
	machine->attend_due = true;
	conduct_stop(machine->conduct);
}

void machine_attend_due(struct machine *machine)
{
	if (!machine->attend_due)
		return;
	machine->attend_due = false;
	machine->attend(machine->attendant);
}

/* Who wants to end the run stops it again. */
enum conduct_end machine_run(struct machine *machine)
{
	int status;
	for (;;) {
		enum conduct_end end = conduct_run(machine->conduct);
		bool go_on = machine->attend_due && end == CONDUCT_STOPPED && pc_end(machine->pc, &status) == PC_RUNNING;
		machine_attend_due(machine);
		if (!go_on)
			return end;
	}
}

/* Screen and keyboard */

static bool read_text(void *owner, GString *text)
{
	struct machine *machine = owner;
	return vga_text_read(pc_vga(machine->pc), text, NULL, NULL);
}

static uint64_t hash_picture(void *owner)
{
	struct machine *machine = owner;
	vga_render(pc_vga(machine->pc), machine->surface, VGA_BLINK_STEADY);
	return surface_hash(machine->surface);
}

static unsigned count_colours(void *owner, const struct surface_area *area, unsigned limit)
{
	struct machine *machine = owner;
	const struct surface *surface = machine->surface;
	vga_render(pc_vga(machine->pc), machine->surface, VGA_BLINK_STEADY);
	struct surface_area whole = { 0, 0, surface->width, surface->height };
	return surface_count_colors(surface, area->width ? area : &whole, limit);
}

static bool save_picture(void *owner, const char *path, char **error)
{
	struct machine *machine = owner;
	vga_render(pc_vga(machine->pc), machine->surface, VGA_BLINK_STEADY);
	if (!machine->surface->width || !machine->surface->height) {
		*error = g_strdup("the guest has not switched the screen on yet; wait first");
		return false;
	}
	return !display_png_write(machine->surface, path, error);
}

static bool save_state(void *owner, const char *path, char **error)
{
	return state_save(owner, path, error);
}

static bool key_room(void *owner)
{
	struct machine *machine = owner;
	return ps2_keyboard_room(pc_keyboard(machine->pc));
}

static void press_key(void *owner, enum key key, bool down)
{
	struct machine *machine = owner;
	ps2_keyboard_key(pc_keyboard(machine->pc), key, down);
}

static void press_nmi(void *owner)
{
	struct machine *machine = owner;
	pc_press_nmi_button(machine->pc);
}

/* KVM keeps nothing of that kind. */
static void flush_code(void *owner)
{
	struct machine *machine = owner;
	struct engine *engine = machine->channel ? machine->channel->engine : NULL;
	if (engine && engine->ops->flush)
		engine->ops->flush(engine);
}

struct script_guest machine_guest(struct machine *machine)
{
	return (struct script_guest){
		.read_text = read_text, .hash_picture = hash_picture, .count_colours = count_colours, .save_picture = save_picture,
		.save_state = save_state,
		.key_room = key_room, .key = press_key, .nmi = press_nmi, .flush = flush_code, .owner = machine,
	};
}
