#include "cli/test_artefacts.h"

#include <errno.h>
#include <string.h>

#include "cli/disassemble.h"
#include "cli/test_guest.h"
#include "devmodel/display_png.h"
#include "devmodel/vga.h"
#include "shared/log.h"
#include "shared/transition.h"

#define INSNS 32u

static void save_picture(const struct surface *surface, const char *path)
{
	g_autofree char *error = NULL;
	/* A screen that was never switched on has no pixels. */
	if (surface->width && surface->height && display_png_write(surface, path, &error) < 0)
		log_error("%s", error);
}

static void save_file(struct machine *machine, const struct test_modes *modes, const char *path,
                      void (*print)(struct machine *machine, const struct test_modes *modes, FILE *out))
{
	FILE *out = fopen(path, "we");
	if (out)
		print(machine, modes, out);
	if (!out || fclose(out))
		log_error("%s: %s", path, g_strerror(errno));
}

static void print_text(struct machine *machine, const struct test_modes *modes, FILE *out)
{
	(void)modes;
	g_autoptr(GString) text = g_string_new(NULL);
	if (vga_text_read(pc_vga(machine->pc), text, NULL, NULL))
		fputs(text->str, out);
	else
		fprintf(out, "(graphics, %ux%u)\n", machine->surface->width, machine->surface->height);
}

static void print_registers(struct machine *machine, const struct test_modes *modes, FILE *out)
{
	(void)modes;
	const struct ctx *ctx = pc_ctx(machine->pc);
	fprintf(out, "# %s mode%s\n", ctx_mode_name(ctx), ctx->halted ? ", halted" : "");
	ctx_print(ctx, out);
}

static void print_disassembly(struct machine *machine, const struct test_modes *modes, FILE *out)
{
	(void)modes;
	disassemble_print(pc_ctx(machine->pc), pc_mem(machine->pc), INSNS, out);
}

static void print_transitions(struct machine *machine, const struct test_modes *modes, FILE *out)
{
	test_modes_print(modes, out);
	if (!machine->transitions || !transition_log_total(machine->transitions))
		return;
	fputs("\nBetween engines:\n", out);
	transition_log_print(machine->transitions, TEST_MODES_KEPT, out);
}

void test_artefacts_save(struct machine *machine, const struct test_modes *modes)
{
	vga_render(pc_vga(machine->pc), machine->surface, VGA_BLINK_STEADY);
	save_picture(machine->surface, TEST_SCREEN_PNG);
	save_file(machine, modes, TEST_SCREEN_TEXT, print_text);
	save_file(machine, modes, TEST_REGISTERS, print_registers);
	save_file(machine, modes, TEST_DISASSEMBLY, print_disassembly);
	save_file(machine, modes, TEST_TRANSITIONS, print_transitions);
}

void test_artefacts_picture(const struct test_picture *how, const struct surface *seen, const struct surface *wanted)
{
	struct surface *difference = surface_new(0, 0);
	g_autofree char *why = NULL;
	if (wanted) {
		save_picture(wanted, TEST_REFERENCE_PNG);
		test_picture_equal(how, seen, wanted, difference, &why);
		save_picture(difference, TEST_DIFFERENCE_PNG);
	}
	surface_free(difference);
}
