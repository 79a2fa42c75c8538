/* --display: which front end, and whether this v2e was built with it. */
#ifndef V2E_CLI_DISPLAYS_H
#define V2E_CLI_DISPLAYS_H

#include "cli/machine.h"
#include "devmodel/display.h"

/* Is it one of none, term, sdl, vnc=[HOST:]PORT[,password=FILE]? */
bool displays_names_one(const char *spec);

/* *display stays NULL for none. Returns false with *error (g_free), one line. */
bool displays_open(const char *spec, struct machine *machine, struct display **display, char **error);

#endif
