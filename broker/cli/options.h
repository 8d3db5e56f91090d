/* SPDX-License-Identifier: MIT */
/*
 * options.h - read a command line.
 *
 * One table has every option with its default and its help.  Defaults go
 * through the same parser as what an operator writes, so the help text, the
 * README and the program cannot disagree.
 */

#ifndef BROKER_CLI_OPTIONS_H
#define BROKER_CLI_OPTIONS_H

#include "broker/cli/cli.h"

#include <stdbool.h>

/*
 * Parse a command line; argv[0] is skipped.  Options may stand among the words;
 * behind "--" everything is a word.  Looks at the environment for the
 * defaults (cores, home directory, IPv6), opens nothing.
 * Owns: strings and argv live until the process ends.
 * Returns false with a reason that names the option.
 */
bool cli_parse(struct cli *cli, char **argv, char error[CLI_ERROR_MAX]);

#endif
