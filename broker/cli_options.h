/* SPDX-License-Identifier: MIT */
/*
 * cli_options.h - the command line: what can be said, and what was said.
 *
 * One table has every option with its default and its help.  Defaults go
 * through the same parser as what an operator writes, so the help text, the
 * README and the program cannot disagree.
 */

#ifndef BROKER_CLI_OPTIONS_H
#define BROKER_CLI_OPTIONS_H

#include "common/config.h"

#include <stdbool.h>

#define CLI_ERROR_MAX 512 /* bytes of a reason */

enum cli_command {
	CLI_RUN = 0,
	CLI_START,
	CLI_STOP,
	CLI_RESTART,
	CLI_STATUS,
	CLI_VERSION,
	CLI_HELP,
};

struct cli {
	enum cli_command command;
	struct config config;
	bool default_pidfile; /* its directory is ours to make; likewise: */
	bool default_log;
	bool json; /* status --json */
	/* The same call for a later execv(2): paths are absolute, so that the
	 * working directory does not matter.  Ends with NULL. */
	char **argv;
};

/*
 * Parse a command line; argv[0] is skipped.  Looks at the environment for the
 * defaults (cores, home directory, IPv6), opens nothing.
 * Owns: strings and argv live until the process ends.
 * Returns false with a reason that names the option.
 */
bool cli_parse(struct cli *cli, char **argv, char error[CLI_ERROR_MAX]);

/* Print all commands and options with their defaults. */
void cli_print_help(void);

#endif
