/* Pictures of what `v2e bench` found, by gnuplot. */
#ifndef V2E_CLI_BENCH_PLOT_H
#define V2E_CLI_BENCH_PLOT_H

#include "cli/bench_plan.h"

/* Is there a gnuplot, and a folder (made if need be)? Before anything is measured. */
bool bench_plot_check(const char *folder, char **error);

/* Writes for each question that has results NAME.svg and NAME.png, and NAME.dat and
 * NAME.gp, of which they are made. Returns false with *error (g_free). */
bool bench_plot_draw(const struct bench_plan *plan, const char *folder, char **error);

#endif
