#include "cli/state.h"

#include "cli/state_file.h"
#include "hv/hv.h"

static void machine_state(struct machine *machine, struct snap *snap)
{
	machine_start_state(machine, snap);
	pc_state(machine->pc, snap);
	snap_section(snap, "end", 1);
}

bool state_save(struct machine *machine, const char *path, char **error)
{
	struct state_writer *writer = state_writer_new(path, error);
	if (!writer)
		return false;
	struct snap *snap = snap_new_put(state_writer_put, writer);
	setup_state(&machine->setup, snap);
	machine_state(machine, snap);
	snap_free(snap);
	return state_writer_finish(writer, error);
}

/* Returns false with *error when something did not fit. */
static bool went_well(struct snap *snap, char **error)
{
	if (snap_error(snap))
		*error = g_strdup(snap_error(snap));
	return !snap_error(snap);
}

/* What RSM reads lies in the saved memory, as the engine that took the SMI wrote it. */
static bool can_leave_smm(const struct machine *machine, char **error)
{
	const struct ctx *ctx = pc_ctx(machine->pc);
	bool by_emulator = ctx->smm_map == CTX_SMM_MAP_EMULATOR, emulated = machine->engines.emu;
	if (!ctx->smm || (by_emulator == emulated && (emulated || ctx->smm_map == hv_smm_map(machine->kvm))))
		return true;
	if (by_emulator)
		*error = g_strdup("smm_map: the emulator took a system management interrupt, and KVM cannot return from it; give --engine emu or hybrid");
	else if (emulated)
		*error = g_strdup("smm_map: KVM took a system management interrupt, and the emulator cannot return from it; give --engine kvm");
	else
		*error = g_strdup("smm_map: the KVM that took a system management interrupt was another kind; give a host with such a KVM, or a "
		                  "machine saved at another moment");
	return false;
}

static bool fill(struct machine *machine, struct snap *snap, struct state_reader *reader, char **error)
{
	machine_state(machine, snap);
	if (!went_well(snap, error))
		return false;
	if (!state_reader_is_done(reader))
		*error = g_strdup("more follows than the machine has a place for; give another copy");
	return !*error && can_leave_smm(machine, error);
}

static struct machine *load(struct state_reader *reader, const struct run_options *options, char **error)
{
	struct snap *snap = snap_new_get(state_reader_get, reader);
	struct setup setup = { 0 };
	struct machine *machine = NULL;
	setup_state(&setup, snap);
	if (went_well(snap, error) && (machine = machine_new_like(&setup, options, error)) && !fill(machine, snap, reader, error)) {
		machine_free(machine);
		machine = NULL;
	}
	setup_clear(&setup);
	snap_free(snap);
	return machine;
}

struct machine *state_restore(const struct run_options *options, char **error)
{
	struct state_reader *reader = state_reader_new(options->restore, error);
	if (!reader)
		return NULL;
	g_autofree char *problem = NULL;
	struct machine *machine = load(reader, options, &problem);
	if (!machine)
		*error = g_strdup_printf("%s: %s", options->restore, problem);
	state_reader_free(reader);
	return machine;
}
