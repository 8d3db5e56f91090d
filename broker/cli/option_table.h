/* SPDX-License-Identifier: MIT */
/*
 * option_table.h - every command and every option, as data; only for options.c
 * and help.c.
 */

#ifndef BROKER_CLI_OPTION_TABLE_H
#define BROKER_CLI_OPTION_TABLE_H

#include "broker/cli/option.h"

#include <stddef.h>

extern const struct option cli_options[];
extern const size_t cli_option_count;

struct command {
	const char *name;
	const char *help;
	const char *words; /* what stands behind it, for the help; or NULL */
	size_t words_min, words_max;
	const char *examples; /* lines; NULL: none */
};

/* By enum cli_command. */
extern const struct command cli_commands[];
extern const size_t cli_command_count;

#endif
