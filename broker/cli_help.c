/* SPDX-License-Identifier: MIT */
/* cli_help.c - print the table of options. */

#include "broker/cli_table.h"

#include <stdio.h>

static const char *
cli_default_text(const struct option *option)
{
	if (option->initial != NULL)
		return option->initial;
	return option->words != NULL ? option->words : "off";
}

void
cli_print_help(void)
{
	char left[64];

	printf("usage: pubsubd COMMAND [OPTIONS]\n\n");
	for (size_t i = 0; i < cli_command_count; i++)
		printf(
		    "  %-10s %s\n", cli_commands[i].name, cli_commands[i].help);
	printf("\nstop, restart and status know --name and --pidfile; status "
	       "also --json.\n\n");
	for (size_t i = 0; i < cli_option_count; i++) {
		const struct option *option = &cli_options[i];

		snprintf(left, sizeof(left), "--%s %s", option->name,
		    option->arg != NULL ? option->arg : "");
		printf("  %-26s %s [%s]\n", left, option->help,
		    cli_default_text(option));
	}
	printf(
	    "\nPidfile: /run/pubsubd/NAME.pid for root, otherwise in "
	    "$XDG_RUNTIME_DIR/pubsubd or\n/tmp/pubsubd-UID.  Log of `start': "
	    "/var/log/pubsubd/NAME.log for root, otherwise\nin "
	    "~/.local/state/pubsubd.  An option's value may follow after a "
	    "space or after '='.\n"
	    "Exit status: 0 ok, 1 failed, 2 usage, 3 not running, 4 already "
	    "running.\n");
}
