/* SPDX-License-Identifier: MIT */
/*
 * options.h - read a command line.
 *
 * One table has every option with its default and its help.  Defaults go
 * through the same parser as what an operator writes, so the help text, the
 * page of options and the program cannot disagree.
 */

#ifndef BROKER_CLI_OPTIONS_H
#define BROKER_CLI_OPTIONS_H

#include "broker/cli/cli.h"

#include <stdbool.h>

/*
 * Parse a command line; argv[0] is skipped.  Options may stand among the words;
 * behind "--" everything is a word.  An option that the command line does not
 * say is looked for in the environment (PUBSUBD_MAX_CONNS for --max-conns), and,
 * of `run', `start' and `check', in the configuration file; last comes the
 * default, which may depend on the host (cores, home directory, IPv6).
 * Blocks: to read the file; opens nothing else.
 * Owns: the caller, by settings_free(); argv and what it points to stay
 *       borrowed.
 * Returns false with a reason that names the option; what else is wrong is in
 * cli->faults.
 */
bool cli_parse(struct cli *cli, char **argv, char error[CLI_ERROR_MAX]);

#endif
