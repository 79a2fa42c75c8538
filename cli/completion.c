#include "cli/completion.h"

#include <string.h>

/* What bash sees of `--name=value` is three words. A list's last word is completed. */
static const char script[] =
	"_v2e()\n"
	"{\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' values list=''\n"
	"\tlocal i\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tcase ${COMP_WORDS[i]} in\n"
	"\t\t-*) ;;\n"
	"\t\t*) command=${COMP_WORDS[i]}; break ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [ \"$word\" = = ]; then\n"
	"\t\tword=''\n"
	"\telif [ \"$before\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
	"\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tCOMPREPLY=()\n"
	"\tif values=$(_v2e_values \"$command\" \"$before\"); then\n"
	"\t\tcase $values in\n"
	"\t\t@folder) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$word\"); return ;;\n"
	"\t\t@list*)\n"
	"\t\t\tvalues=${values#@list}\n"
	"\t\t\tcase $word in\n"
	"\t\t\t*,*) list=${word%,*}, ;;\n"
	"\t\t\tesac ;;\n"
	"\t\tesac\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -P \"$list\" -W \"$values\" -- \"${word##*,}\")\n"
	"\t\treturn\n"
	"\tfi\n"
	"\tcase $word in\n"
	"\t-*) mapfile -t COMPREPLY < <(compgen -W \"$(_v2e_options \"$command\")\" -- \"$word\") ;;\n"
	"\t*) [ -n \"$command\" ] || mapfile -t COMPREPLY < <(compgen -W \"$(_v2e_commands)\" -- \"$word\") ;;\n"
	"\tesac\n"
	"}\n"
	"complete -o bashdefault -o default -F _v2e v2e\n";

static void print_commands(const struct completion_command *commands, unsigned count, FILE *out)
{
	fputs("_v2e_commands()\n{\n\techo '", out);
	for (unsigned n = 0, shown = 0; n < count; n++)
		if (commands[n].name)
			fprintf(out, "%s%s", shown++ ? " " : "", commands[n].name);
	fputs("'\n}\n", out);
}

static void print_options_of(const struct completion_command *command, FILE *out)
{
	fprintf(out, "\t'%s') echo '", command->name ? command->name : "");
	for (unsigned n = 0; n < command->table->count; n++) {
		const struct option_row *row = &command->table->rows[n];
		fprintf(out, "%s--%s", n ? " " : "", row->name);
		if (row->letter)
			fprintf(out, " -%c", row->letter);
	}
	fputs("' ;;\n", out);
}

static void print_options(const struct completion_command *commands, unsigned count, FILE *out)
{
	fputs("_v2e_options() # COMMAND\n{\n\tcase $1 in\n", out);
	for (unsigned n = 0; n < count; n++)
		print_options_of(&commands[n], out);
	fputs("\tesac\n}\n", out);
}

/* Nothing is known of other values: bash offers files. */
static const char *values_of(const struct option_row *row)
{
	if (row->values)
		return row->values;
	return !strcmp(row->argument, "FOLDER") ? "@folder" : "";
}

static void print_values_of(const struct completion_command *command, FILE *out)
{
	for (unsigned n = 0; n < command->table->count; n++) {
		const struct option_row *row = &command->table->rows[n];
		if (!row->argument)
			continue;
		fprintf(out, "\t'%s --%s'", command->name ? command->name : "", row->name);
		if (row->letter)
			fprintf(out, " | '%s -%c'", command->name ? command->name : "", row->letter);
		fprintf(out, ") echo '%s%s' ;;\n", row->values && !strcmp(row->argument, "LIST") ? "@list" : "", values_of(row));
	}
}

/* Fails where the option takes no value. */
static void print_values(const struct completion_command *commands, unsigned count, FILE *out)
{
	fputs("_v2e_values() # COMMAND OPTION\n{\n\tcase \"$1 $2\" in\n", out);
	for (unsigned n = 0; n < count; n++)
		print_values_of(&commands[n], out);
	fputs("\t*) return 1 ;;\n\tesac\n}\n", out);
}

void completion_print(const struct completion_command *commands, unsigned count, FILE *out)
{
	fputs("# Bash's completion for v2e, written by v2e --completion.\n", out);
	print_commands(commands, count, out);
	print_options(commands, count, out);
	print_values(commands, count, out);
	fputs(script, out);
}
