/* The options of `v2e bench`. */
#ifndef V2E_CLI_BENCH_OPTIONS_H
#define V2E_CLI_BENCH_OPTIONS_H

#include "cli/bench_subject.h"
#include "cli/options.h"

struct bench_options {
	/* What was selected, as uint64_t; empty: nothing was said. */
	GArray *guests, *engines, *channels, *jits, *watches, *thresholds, *policies; /* enums; blocks */
	GArray *reals, *protecteds; /* instructions */
	unsigned samples; /* 0: nothing was said */
	bool quick, targets;
	char *csv, *json, *plot; /* NULL: none */
	bool help, man;
};

extern const struct option_table bench_options_table;

void bench_options_init(struct bench_options *options);
void bench_options_clear(struct bench_options *options);
/* See options_parse(). */
bool bench_options_parse(struct bench_options *options, int argc, char *const *argv, char **error);
/* Was any of the lists given? */
bool bench_options_selected(const struct bench_options *options);

#endif
