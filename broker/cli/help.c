/* SPDX-License-Identifier: MIT */
/* help.c - see help.h. */

#include "broker/cli/help.h"

#include "broker/cli/option_table.h"

#include <stdio.h>
#include <string.h>

#define CLI_HELP_COLUMN 29 /* where the text of an option begins */
#define CLI_HELP_WIDTH  80

static const char cli_help_end[] =
    "Files: NAME.lock, NAME.log (of 'start'; 'run' logs to standard error) "
    "and\n"
    "NAME.pid in $XDG_STATE_HOME/pubsubd, by default ~/.local/state/pubsubd; "
    "for\n"
    "root in /var/log/pubsubd, NAME.pid in /run/pubsubd.  A value stands "
    "behind\n"
    "its option or behind '='.\n"
    "Exit status: 0 ok, 1 failed, 2 usage, 3 not running, 4 already running.\n";

/* Append which of these commands know an option, unless all of them do: its
 * help is of them alone then. */
static void
cli_put_commands(char *text, size_t size, unsigned known, unsigned of)
{
	const char *comma = "";

	text[0] = '\0';
	if ((known & of) == of)
		return;
	for (size_t i = 0; i < cli_command_count; i++) {
		size_t len = strlen(text);

		if ((known & of & 1u << i) == 0)
			continue;
		snprintf(text + len, size - len, "%s%s", comma,
		    cli_commands[i].name);
		comma = ", ";
	}
	strncat(text, ": ", size - strlen(text) - 1);
}

/* One option of these commands, with its default on the same line if there is
 * room. */
static void
cli_print_option(const struct option *option, unsigned of)
{
	const char *initial =
	    option->initial != NULL ? option->initial : option->words;
	char left[CLI_HELP_COLUMN], letter[8] = "", commands[48];
	int width;

	if (option->letter != '\0')
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(left, sizeof(left), "%s--%s %s", letter, option->name,
	    option->arg != NULL ? option->arg : "");
	cli_put_commands(commands, sizeof(commands), option->commands, of);
	width = printf(
	    "  %-*s%s%s", CLI_HELP_COLUMN - 2, left, commands, option->help);
	if (initial != NULL) {
		if (width + (int)strlen(initial) + 3 > CLI_HELP_WIDTH)
			printf("\n%*s", CLI_HELP_COLUMN - 1, "");
		printf(" [%s]", initial);
	}
	printf("\n");
}

/* The options that any of these commands knows, but not those that one of the
 * others knows, too.  Nothing, and no title, if there are none. */
static void
cli_print_options(const char *title, unsigned of, unsigned others)
{
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		if ((option->commands & of) == 0 ||
		    (option->commands & others) != 0)
			continue;
		if (title != NULL)
			printf("\n%s\n", title);
		title = NULL;
		cli_print_option(option, of);
	}
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
	const unsigned clients =
	    1u << CLI_PUB | 1u << CLI_SUB | 1u << CLI_TOPICS;

	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < cli_command_count; i++)
		cli_print_command(&cli_commands[i]);
	cli_print_options(
	    "run and start; --name and --pidfile go with all that "
	    "deal with a server:",
	    serving, 0);
	cli_print_options("status:", 1u << CLI_STATUS, serving);
	cli_print_options("top:", 1u << CLI_TOP, serving);
	cli_print_options("conns and kick:", 1u << CLI_CONNS | 1u << CLI_KICK,
	    serving | 1u << CLI_STATUS);
	cli_print_options("tap:", 1u << CLI_TAP, serving);
	cli_print_options("pub, sub and topics:", clients, serving);
	cli_print_options("token:", 1u << CLI_TOKEN, 0);
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
		if (command->examples != NULL)
			printf("\nexamples:\n%s", command->examples);
		printf("\n%s", cli_help_end);
		return true;
	}
	return false;
}
