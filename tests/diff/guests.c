/* guests [--cases N] [--seed S] [--case N] [--jit MODE] [--no-qemu] GUEST: runs cases for what
 * user mode cannot run, one guest image for all of them, on the emulator and on
 * `qemu-system-i386 -accel tcg`, and compares the states that they end in. GUEST is
 * guest.asm, assembled. Where QEMU is known to be wrong, a rule says so. */
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "tests/diff/guest_cases.h"
#include "tests/diff/guest_rules.h"
#include "tests/insn/coverage.h"
#include "tests/insn/machine.h"

#define RAM_SIZE 0x400000u
#define CASES_MAX 4000
#define INSNS_FOR_CASE 200000ull

static gint cases = 2000, seed = 1, only = -1, show = 20;
static gboolean no_qemu;
static char *jit_name;
static enum emu_jit jit;
static const GOptionEntry options[] = {
	{ "cases", 0, 0, G_OPTION_ARG_INT, &cases, "how many, up to 4000 (2000)", "N" },
	{ "seed", 0, 0, G_OPTION_ARG_INT, &seed, "of the numbers (1)", "S" },
	{ "case", 0, 0, G_OPTION_ARG_INT, &only, "run only this one", "N" },
	{ "show", 0, 0, G_OPTION_ARG_INT, &show, "failures to show (20)", "N" },
	{ "jit", 0, 0, G_OPTION_ARG_STRING, &jit_name, "off, on, or always (off)", "MODE" },
	{ "no-qemu", 0, 0, G_OPTION_ARG_NONE, &no_qemu, "run on the emulator alone", NULL },
	{ NULL, 0, 0, 0, NULL, NULL, NULL },
};

/* The image from GUEST_BASE on. */
static GByteArray *make_image(const char *guest, struct guest_case *made, unsigned count, char **error)
{
	char *data;
	gsize size;
	GError *reason = NULL;
	if (!g_file_get_contents(guest, &data, &size, &reason)) {
		*error = g_strdup(reason->message);
		g_error_free(reason);
		return NULL;
	}
	GByteArray *image = g_byte_array_new();
	g_byte_array_set_size(image, GUEST_CASES - GUEST_BASE);
	memset(image->data, 0, image->len);
	memcpy(image->data, data, MIN(size, GUEST_TEMPLATE - GUEST_BASE));
	guest_template(image->data + GUEST_TEMPLATE - GUEST_BASE);
	memcpy(image->data + GUEST_COUNT - GUEST_BASE, &count, sizeof count);
	g_byte_array_append(image, (const uint8_t *)made, (guint)(count * sizeof *made));
	g_free(data);
	return image;
}

static void make_cases(struct guest_case *made, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct random random;
		random_seed(&random, (uint64_t)seed, (uint64_t)(only >= 0 ? only : (int)i));
		guest_case_make(&made[i], &random);
	}
}

/* --- on the emulator ------------------------------------------------------------------ */

static void collect(void *owner, uint16_t port, unsigned size, uint32_t value)
{
	uint8_t byte = (uint8_t)value;
	(void)port;
	(void)size;
	g_byte_array_append(owner, &byte, 1);
}

static const struct bus_ops debug_port = { .name = "debug", .max_size = 1, .write = collect };

/* As a multiboot loader leaves the processor. */
static void enter_flat(struct ctx *ctx, uint32_t entry)
{
	ctx->cr0 = CTX_CR0_PE | CTX_CR0_ET;
	for (unsigned i = CTX_ES; i < CTX_LDTR; i++)
		ctx->seg[i] = (struct ctx_seg){ .limit = 0xffffffff, .selector = i == CTX_CS ? 8 : 16, .access = i == CTX_CS ? 0xc09b : 0xc093 };
	ctx->rip = entry;
}

static GByteArray *run_emulator(const GByteArray *image, unsigned count)
{
	struct machine *machine = machine_new(RAM_SIZE, EMU_CPU_P6, jit);
	GByteArray *out = g_byte_array_new();
	uint32_t entry;
	memcpy(&entry, image->data + 28, sizeof entry);
	mem_write_bytes(machine->mem, GUEST_BASE, image->data, image->len);
	bus_claim(machine->bus, 0xe9, 0xe9, &debug_port, out);
	enter_flat(&machine->ctx, entry);
	enum stop_reason reason = machine_run(machine, INSNS_FOR_CASE * count);
	if (reason != STOP_HALT)
		printf("the emulator stopped: %s at %04x:%08x\n", stop_reason_name(reason),
		       machine->ctx.seg[CTX_CS].selector, (uint32_t)machine->ctx.rip);
	machine_free(machine);
	return out;
}

/* --- on QEMU ---------------------------------------------------------------------------- */

static GByteArray *read_file(const char *path)
{
	char *data;
	gsize size;
	if (!g_file_get_contents(path, &data, &size, NULL))
		return NULL;
	return g_byte_array_new_take((uint8_t *)data, size);
}

static GByteArray *run_qemu(const GByteArray *image, const char *folder)
{
	char *kernel = g_build_filename(folder, "kernel", NULL), *out = g_build_filename(folder, "out", NULL);
	char *debug = g_strdup_printf("file,id=d,path=%s", out);
	const char *const argv[] = {
		"timeout", "30", "qemu-system-i386", "-accel", "tcg", "-cpu", "pentium3", "-m", "16", "-display", "none", "-nodefaults",
		"-vga", "none", "-net", "none", "-no-reboot", "-chardev", debug, "-device", "isa-debugcon,iobase=0xe9,chardev=d",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-kernel", kernel, NULL,
	};
	GByteArray *result = NULL;
	if (g_file_set_contents(kernel, (const char *)image->data, image->len, NULL) &&
	    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL, NULL, NULL))
		result = read_file(out);
	g_remove(kernel);
	g_remove(out);
	g_free(debug);
	g_free(out);
	g_free(kernel);
	return result;
}

/* --- comparing --------------------------------------------------------------------------- */

static void print_words(const char *name, const uint32_t *got, const uint32_t *want, unsigned count)
{
	if (!memcmp(got, want, count * 4))
		return;
	printf("\t%s:", name);
	for (unsigned i = 0; i < count; i++)
		printf(got[i] == want[i] ? " %x" : " %x(%x)", got[i], want[i]);
	printf("\n");
}

static void print_failure(unsigned number, const struct guest_case *guest, const struct guest_record *got, const struct guest_record *want)
{
	printf("FAILED: guests --seed %d --case %u: %s, ring %u%s, code", seed, number, guest_kind_name(guest->kind),
	       guest->cs & 3, guest->outer == GUEST_VIRTUAL ? " (virtual-8086)" : "");
	for (unsigned i = 0; i < 16; i++)
		printf(" %02x", guest->code[i]);
	printf("; emulator(QEMU):\n");
	print_words("vector", &got->vector, &want->vector, 1);
	print_words("stack", got->stack, want->stack, 12);
	print_words("edi esi ebp esp ebx edx ecx eax", got->gpr, want->gpr, 8);
	print_words("ds es fs gs ss tr ldtr msw", &got->ds, &want->ds, 8);
	print_words("cr0 cr2 cr3 cr4", &got->cr0, &want->cr0, 4);
	print_words("changes", &got->changes, &want->changes, 1 + 2 * 15);
	for (unsigned i = 0; i < guest->poke_count; i++)
		printf("%s%x=%x", i ? " " : "\tgiven: ", guest->poke[i].address, guest->poke[i].value);
	printf(" eax=%x eflags=%x\n", guest->gpr[0], guest->eflags);
}

static unsigned first_number; /* of the image that runs */

static unsigned number_of(unsigned index)
{
	return only >= 0 ? (unsigned)only : first_number + index;
}

struct tally {
	unsigned passed, failed, skipped;
};

/* Returns the number of records that both sides have. */
static unsigned compare(const struct guest_case *made, unsigned count, const GByteArray *got, const GByteArray *want, struct tally *tally)
{
	const struct guest_record *ours = (const struct guest_record *)got->data;
	const struct guest_record *theirs = (const struct guest_record *)want->data;
	unsigned our_count = got->len / (unsigned)sizeof *ours, their_count = want->len / (unsigned)sizeof *ours;
	unsigned records = MIN(MIN(our_count, their_count), count);
	for (unsigned i = 0; i < records; i++) {
		if (guest_same(&made[i], &ours[i], &theirs[i]))
			tally->passed++;
		else if (guest_rule(&made[i], &ours[i], &theirs[i]))
			tally->skipped++;
		else if (tally->failed++ < (unsigned)show)
			print_failure(number_of(i), &made[i], &ours[i], &theirs[i]);
	}
	if (our_count != their_count) {
		printf("FAILED: guests --seed %d --case %u: %s: %s shuts down\n", seed, number_of(records),
		       guest_kind_name(made[records].kind), our_count < their_count ? "only the emulator" : "only QEMU");
		tally->failed++;
		tally->passed--;
	}
	return records;
}

/* Runs cases[first..count) in one image; how many gave records on both sides. A case
 * that shuts both down ends the image before its record. */
static unsigned run_image(const char *guest, struct guest_case *made, unsigned count, const char *folder, struct tally *tally)
{
	char *error = NULL;
	GByteArray *image = make_image(guest, made, count, &error);
	if (!image) {
		printf("FAILED: %s\n", error);
		tally->failed++;
		g_free(error);
		return count;
	}
	GByteArray *got = run_emulator(image, count), *want = no_qemu ? NULL : run_qemu(image, folder);
	unsigned done = got->len / (unsigned)sizeof(struct guest_record);
	if (want) {
		done = compare(made, count, got, want, tally);
		g_byte_array_unref(want);
	} else if (!no_qemu) {
		printf("skipped: QEMU as oracle: no qemu-system-i386 (Debian: apt install qemu-system-x86)\n");
		tally->skipped++;
		no_qemu = true;
	}
	g_byte_array_unref(got);
	g_byte_array_unref(image);
	return done;
}

static void run(const char *guest, struct guest_case *made, unsigned count, struct tally *tally)
{
	char *folder = g_dir_make_tmp("v2e-guests-XXXXXX", NULL);
	unsigned done = 0;
	while (folder && done < count) {
		first_number = done;
		done += run_image(guest, made + done, count - done, folder, tally);
		if (done < count) {
			tally->passed += !no_qemu; /* both shut down, or compare() has said so */
			done++;
		}
	}
	if (folder)
		g_rmdir(folder);
	g_free(folder);
}

int main(int argc, char **argv)
{
	GError *error = NULL;
	struct tally tally = { 0, 0, 0 };
	GOptionContext *context = g_option_context_new("GUEST");
	g_option_context_add_main_entries(context, options, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
		fprintf(stderr, "guests: %s\n", error ? error->message : "wants one GUEST");
		return 2;
	}
	g_option_context_free(context);
	if (!machine_parse_jit(jit_name, &jit)) {
		fprintf(stderr, "guests: unknown --jit mode '%s'; give off, on or always\n", jit_name);
		return 2;
	}
	coverage_init();
	unsigned count = only >= 0 ? 1 : (unsigned)CLAMP(cases, 1, CASES_MAX);
	struct guest_case *made = g_new0(struct guest_case, count);
	make_cases(made, count);
	run(argv[1], made, count, &tally);
	guest_rules_print();
	g_free(made);
	printf("%u passed, %u failed, %u skipped\n", tally.passed, tally.failed, tally.skipped);
	return tally.failed ? 1 : 0;
}
