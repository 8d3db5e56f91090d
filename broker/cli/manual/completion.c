/* SPDX-License-Identifier: MIT */
/*
 * completion.c - the blocks of the shell's completion; see blocks.h.
 *
 * Each is a line, or the cases of a bash case statement, for
 * scripts/completion.bash.in.  What stands between the quotes has no quotes in
 * it, which a test looks at.
 */

#include "broker/cli/manual/blocks.h"
#include "broker/cli/option_table.h"

#include <string.h>

void
manual_print_completion_commands(FILE *out)
{
	const char *before = "_pubsubd_commands='";

	for (size_t i = 0; i < cli_command_count; i++) {
		fprintf(out, "%s%s", before, cli_commands[i].name);
		before = " ";
	}
	fputs("'\n", out);
}

/* A case for each command: its options. */
void
manual_print_completion_options(FILE *out)
{
	for (size_t i = 0; i < cli_command_count; i++) {
		fprintf(out, "\t%s) options='--help", cli_commands[i].name);
		for (size_t k = 0; k < cli_option_count; k++)
			if ((cli_options[k].commands & 1u << i) != 0)
				fprintf(out, " --%s", cli_options[k].name);
		fputs("' ;;\n", out);
	}
}

/* Whether an earlier entry has the same name: one that means something else to
 * another command, with a value of the same kind. */
static bool
completion_is_again(size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(cli_options[i].name, cli_options[at].name) == 0)
			return true;
	return false;
}

/* A case for each option that takes a value: its kind, as the help has it. */
void
manual_print_completion_values(FILE *out)
{
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if (option->arg == NULL || completion_is_again(i))
			continue;
		fputc('\t', out);
		if (option->letter != '\0')
			fprintf(out, "-%c | ", option->letter);
		fprintf(out, "--%s) kind='%s' ;;\n", option->name, option->arg);
	}
}

/* A case for each command that takes words. */
void
manual_print_completion_words(FILE *out)
{
	for (size_t i = 0; i < cli_command_count; i++)
		if (cli_commands[i].words != NULL)
			fprintf(out, "\t%s) kind='%s' ;;\n",
			    cli_commands[i].name, cli_commands[i].words);
}
