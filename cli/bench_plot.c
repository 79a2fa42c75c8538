#include "cli/bench_plot.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/bench_sample.h"

bool bench_plot_check(const char *folder, char **error)
{
	g_autofree char *path = g_find_program_in_path("gnuplot");
	if (!path)
		*error = g_strdup("no gnuplot (Debian: apt install gnuplot-nox); leave --plot out, or install it");
	else if (g_mkdir_with_parents(folder, 0777))
		*error = g_strdup_printf("%s: %s; name a folder that can be made", folder, g_strerror(errno));
	return !*error;
}

/* --- data: blocks parted by two empty lines, each with its name -------------------------------- */

/* A line of a diagram: which cases, and where each is on the x axis. */
struct line {
	const char *name;
	bool (*has)(const struct bench_plan *plan, const struct bench_case *one, const struct line *line);
	double (*x)(const struct bench_plan *plan, const struct bench_case *one);
	uint64_t number;
	enum policy_kind policy;
};

static unsigned add_points(const struct bench_plan *plan, const struct line *line, GString *data)
{
	unsigned points = 0;
	g_string_append_printf(data, "\"%s\"\n", line->name);
	for (unsigned n = 0; n < plan->cases->len; n++) {
		const struct bench_case *one = bench_plan_case(plan, n);
		if (!one->samples || !line->has(plan, one, line))
			continue;
		g_string_append_printf(data, "%.6g %.1f %.1f %.1f\n", line->x(plan, one), bench_quantile(one->ns, one->samples, 0.5),
		                       bench_quantile(one->ns, one->samples, 0.25), bench_quantile(one->ns, one->samples, 0.75));
		points++;
	}
	g_string_append(data, "\n\n");
	return points;
}

/* On a logarithmic axis 0 has its place left of 1, and infinity right of all. */
static double place(uint64_t number)
{
	if (number == UINT64_MAX)
		return 100000;
	return number ? (double)number : 0.1;
}

static double x_threshold(const struct bench_plan *plan, const struct bench_case *one)
{
	const struct bench_subject *subject = bench_plan_subject(plan, one);
	return subject->policy == POLICY_ADAPTIVE ? 1000000 : place(subject->threshold);
}

static double x_protected(const struct bench_plan *plan, const struct bench_case *one)
{
	(void)plan;
	return one->order.protected_turns ? one->order.protected_turns * 2.0 : 1;
}

static bool is_threshold(const struct bench_plan *plan, const struct bench_case *one, const struct line *line)
{
	(void)plan, (void)line;
	return one->question == BENCH_Q_THRESHOLD;
}

static bool is_mixture(const struct bench_plan *plan, const struct bench_case *one, const struct line *line)
{
	const struct bench_subject *subject = bench_plan_subject(plan, one);
	return one->question == BENCH_Q_MIXTURE && subject->policy == line->policy && subject->threshold == line->number;
}

static const struct line threshold_lines[] = {
	{ "threshold", is_threshold, x_threshold, 0, POLICY_V2E },
	{ NULL, NULL, NULL, 0, POLICY_V2E },
};
static const struct line mixture_lines[] = {
	{ "hand over at once", is_mixture, x_protected, 0, POLICY_V2E },
	{ "after 1,000 blocks", is_mixture, x_protected, 1000, POLICY_V2E },
	{ "never", is_mixture, x_protected, UINT64_MAX, POLICY_V2E },
	{ "adaptive", is_mixture, x_protected, 0, POLICY_ADAPTIVE },
	{ NULL, NULL, NULL, 0, POLICY_V2E },
};

/* A row a guest, a column an engine. */
static const struct {
	const char *name;
	enum bench_kind kind;
	uint64_t threshold;
	enum policy_kind policy;
} columns[] = {
	{ "emu", BENCH_EMU, 0, POLICY_V2E }, { "kvm", BENCH_KVM, 0, POLICY_V2E },
	{ "hybrid 0", BENCH_HYBRID, 0, POLICY_V2E }, { "hybrid 1000", BENCH_HYBRID, 1000, POLICY_V2E },
	{ "hybrid adaptive", BENCH_HYBRID, 0, POLICY_ADAPTIVE },
	{ "qemu-tcg", BENCH_QEMU_TCG, 0, POLICY_V2E }, { "qemu-kvm", BENCH_QEMU_KVM, 0, POLICY_V2E },
};

static const struct bench_case *find_switch(const struct bench_plan *plan, unsigned guest, unsigned column)
{
	for (unsigned n = 0; n < plan->cases->len; n++) {
		const struct bench_case *one = bench_plan_case(plan, n);
		const struct bench_subject *subject = bench_plan_subject(plan, one);
		if (one->question == BENCH_Q_SWITCH && one->samples && one->order.guest == guest &&
		    subject->kind == columns[column].kind &&
		    subject->policy == columns[column].policy && subject->threshold == columns[column].threshold)
			return one;
	}
	return NULL;
}

static unsigned add_guests(const struct bench_plan *plan, GString *data)
{
	unsigned points = 0;
	g_string_append(data, "guest");
	for (unsigned column = 0; column < G_N_ELEMENTS(columns); column++)
		g_string_append_printf(data, " \"%s\"", columns[column].name);
	g_string_append_c(data, '\n');
	for (unsigned guest = 0; guest < BENCH_GUESTS; guest++) {
		g_string_append(data, bench_guest_name((enum bench_guest_number)guest));
		for (unsigned column = 0; column < G_N_ELEMENTS(columns); column++) {
			const struct bench_case *one = find_switch(plan, guest, column);
			if (one)
				g_string_append_printf(data, " %.1f", bench_quantile(one->ns, one->samples, 0.5));
			else
				g_string_append(data, " -");
			points += !!one;
		}
		g_string_append_c(data, '\n');
	}
	return points;
}

/* --- the diagrams --------------------------------------------------------------------------------- */

#define AXES "set logscale y\nset ylabel 'ns a round trip'\nset grid\nset key outside top center horizontal\nset format y '%.0s %c'\n"
#define BARS "with yerrorlines lw 2 pt 7 ps 0.5"

static const struct diagram {
	const char *name, *script;
	const struct line *lines; /* NULL: guests by engine */
} diagrams[] = {
	{ "guests", AXES
	  "set style data histogram\nset style fill solid 0.8\nset datafile missing '-'\nset xtics rotate by -30\n"
	  "set title 'Round trip by guest and engine'\n"
	  "plot for [c=2:8] 'guests.dat' using c:xtic(1) title columnheader(c)\n", NULL },
	{ "threshold", AXES
	  "set logscale x\nset xlabel 'threshold (blocks)'\nset title 'Round trip with 1,000 instructions of protected mode'\n"
	  "set xtics ('0' 0.1, '1' 1, '10' 10, '100' 100, '1,000' 1000, '10,000' 10000, 'inf' 100000, 'adaptive' 1000000)\n"
	  "plot 'threshold.dat' index 0 using 1:2:3:4 " BARS " title columnheader(1)\n", threshold_lines },
	{ "mixture", AXES
	  "set logscale x\nset xlabel 'instructions of protected mode between two switches'\n"
	  "set title 'Where handing over pays (100 instructions of real mode)'\n"
	  "plot for [i=0:3] 'mixture.dat' index i using 1:2:3:4 " BARS " title columnheader(1)\n", mixture_lines },
};

static bool write_file(const char *folder, const char *name, const char *ending, const char *text, char **error)
{
	g_autofree char *file = g_strconcat(name, ending, NULL);
	g_autofree char *path = g_build_filename(folder, file, NULL);
	GError *problem = NULL;
	if (g_file_set_contents(path, text, -1, &problem))
		return true;
	*error = g_strdup_printf("%s; name a folder that can be written", problem->message);
	g_error_free(problem);
	return false;
}

static bool run_gnuplot(const char *folder, const char *name, char **error)
{
	g_autofree char *script = g_strconcat(name, ".gp", NULL);
	g_autofree char *said = NULL;
	char *argv[] = { "gnuplot", script, NULL };
	GError *problem = NULL;
	int status;
	if (g_spawn_sync(folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said, &status, &problem) &&
	    g_spawn_check_wait_status(status, &problem))
		return true;
	*error = g_strdup_printf("gnuplot %s/%s: %s", folder, script, said && *said ? g_strstrip(said) : problem->message);
	g_clear_error(&problem);
	return false;
}

static bool draw(const struct bench_plan *plan, const struct diagram *diagram, const char *folder, char **error)
{
	g_autoptr(GString) data = g_string_new(NULL);
	unsigned points = diagram->lines ? 0 : add_guests(plan, data);
	for (const struct line *line = diagram->lines; line && line->name; line++)
		points += add_points(plan, line, data);
	if (!points)
		return true;
	g_autofree char *script =
		g_strdup_printf("%sset terminal svg size 900,600 background 'white'\nset output '%s.svg'\nreplot\n"
	                        "set terminal pngcairo size 900,600\nset output '%s.png'\nreplot\n",
	                        diagram->script, diagram->name, diagram->name);
	g_autofree char *whole = g_strconcat("set terminal unknown\n", script, NULL);
	return write_file(folder, diagram->name, ".dat", data->str, error) &&
	       write_file(folder, diagram->name, ".gp", whole, error) && run_gnuplot(folder, diagram->name, error);
}

bool bench_plot_draw(const struct bench_plan *plan, const char *folder, char **error)
{
	for (size_t n = 0; n < G_N_ELEMENTS(diagrams); n++)
		if (!draw(plan, &diagrams[n], folder, error))
			return false;
	return true;
}
