/* SPDX-License-Identifier: MIT */
/* help.c - print the tables of commands and options. */

#include "broker/cli/table.h"

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
	char left[CLI_HELP_COLUMN], letter[8] = "";
	int width;

	if (option->letter != '\0')
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s %s", letter, option->name,
	    option->arg != NULL ? option->arg : "");
	width = printf("  %-*s%s", CLI_HELP_COLUMN - 2, left, option->help);
	if (initial != NULL) {
		if (width + (int)strlen(initial) + 3 > CLI_HELP_WIDTH)
			printf("\n%*s", CLI_HELP_COLUMN - 1, "");
		printf(" [%s]", initial);
	}
	printf("\n");
}

/* The options of run and start, or those that only others know. */
static void
cli_print_options(const char *title, bool serving)
{
	printf("\n%s\n", title);
	for (size_t i = 0; i < cli_option_count; i++)
		if (((cli_options[i].commands & 1u << CLI_RUN) != 0) == serving)
			cli_print_option(&cli_options[i]);
}

static void
cli_print_command(const struct command *command)
{
	char left[48];

	snprintf(left, sizeof(left), "%s %s", command->name,
	    command->words != NULL ? command->words : "");
	printf("  %-*s%s\n", CLI_HELP_COLUMN - 2, left, command->help);
}

void
cli_print_help(void)
{
	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < cli_command_count; i++)
		cli_print_command(&cli_commands[i]);
	cli_print_options("run and start; --name and --pidfile go with all "
			  "commands:",
	    true);
	cli_print_options("status, pub, sub and topics:", false);
	printf("\n%s", cli_help_end);
}
