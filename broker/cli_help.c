/* SPDX-License-Identifier: MIT */
/* cli_help.c - print the tables of commands and options. */

#include "broker/cli_table.h"

#include <stdio.h>
#include <string.h>

#define CLI_HELP_COLUMN 29 /* where the text of an option begins */
#define CLI_HELP_WIDTH  80

static const char cli_help_end[] =
    "Pidfile: /run/pubsubd/NAME.pid for root, otherwise in\n"
    "$XDG_RUNTIME_DIR/pubsubd or /tmp/pubsubd-UID.  Log: standard error with\n"
    "'run'; with 'start' /var/log/pubsubd/NAME.log for root, otherwise in\n"
    "~/.local/state/pubsubd.  A value stands behind its option or behind '='.\n"
    "Exit status: 0 ok, 1 failed, 2 usage, 3 not running, 4 already running.\n";

/* One option, with its default on the same line if there is room. */
static void
cli_print_option(const struct option *option)
{
	const char *initial =
	    option->initial != NULL ? option->initial : option->words;
	char left[CLI_HELP_COLUMN];
	int width;

	snprintf(left, sizeof(left), "--%s %s", option->name,
	    option->arg != NULL ? option->arg : "");
	width = printf("  %-*s%s", CLI_HELP_COLUMN - 2, left, option->help);
	if (initial != NULL) {
		if (width + (int)strlen(initial) + 3 > CLI_HELP_WIDTH)
			printf("\n%*s", CLI_HELP_COLUMN - 1, "");
		printf(" [%s]", initial);
	}
	printf("\n");
}

void
cli_print_help(void)
{
	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < cli_command_count; i++)
		printf(
		    "  %-10s %s\n", cli_commands[i].name, cli_commands[i].help);
	printf("\nstop, restart and status know --name and --pidfile; status "
	       "also --json.\n\n");
	for (size_t i = 0; i < cli_option_count; i++)
		cli_print_option(&cli_options[i]);
	printf("\n%s", cli_help_end);
}
