/* SPDX-License-Identifier: MIT */
/* help.h - what the commands and options are, printed for people. */

#ifndef BROKER_CLI_HELP_H
#define BROKER_CLI_HELP_H

#include <stdbool.h>

/* Print all commands and options with their defaults, or those of one command.
 * Returns false if there is no such command. */
bool cli_print_help(const char *command);

#endif
