/* SPDX-License-Identifier: MIT */
/* check.h - `pubsubd check': the options in force, and what is wrong with
 * them. */

#ifndef BROKER_CLI_CHECK_H
#define BROKER_CLI_CHECK_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Print each option with what changes it in a server that runs, its value, and
 * who says that: a line `FILE:LINE', the variable, the flag, or the default.  A
 * list has a line for each of its values.  The first line names the columns.
 * Then the files that the options name are judged as a start does it; one that
 * is wrong is told, and EXIT_STATUS_FAILED returned.  A variable of the
 * environment that is nearly an option's is warned of.
 */
enum exit_status cli_print_options_in_force(const struct cli *cli);

/* Print what is wrong, a line for each fault; error is the reason of a cli_parse()
 * that failed.  Returns EXIT_STATUS_USAGE. */
enum exit_status cli_print_faults(const struct cli *cli, const char *error);

#endif
