/* SPDX-License-Identifier: MIT */
/* help.c - see help.h. */

#include "broker/cli/help.h"

#include "broker/cli/option_table.h"

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

/* The options that any of these commands knows, but not those that one of the
 * others knows, too. */
static void
cli_print_options(const char *title, unsigned of, unsigned others)
{
	printf("\n%s\n", title);
	for (size_t i = 0; i < cli_option_count; i++)
		if ((cli_options[i].commands & of) != 0 &&
		    (cli_options[i].commands & others) == 0)
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

static void
cli_print_all(void)
{
	const unsigned serving = 1u << CLI_RUN | 1u << CLI_START;

	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < cli_command_count; i++)
		cli_print_command(&cli_commands[i]);
	cli_print_options(
	    "run and start; --name and --pidfile go with all that "
	    "deal with a server:",
	    serving, 0);
	cli_print_options("status, pub, sub and topics:", ~serving, serving);
	printf("\n%s", cli_help_end);
}

bool
cli_print_help(const char *name)
{
	if (name == NULL) {
		cli_print_all();
		return true;
	}
	for (size_t i = 0; i < cli_command_count; i++) {
		const struct command *command = &cli_commands[i];
		const char *words = command->words;

		if (strcmp(command->name, name) != 0)
			continue;
		printf("usage: pubsubd %s%s%s [OPTIONS]\n\n%s\n", name,
		    words != NULL ? " " : "", words != NULL ? words : "",
		    command->help);
		cli_print_options("options:", 1u << i, 0);
		printf("\n%s", cli_help_end);
		return true;
	}
	return false;
}
