/* SPDX-License-Identifier: MIT */
/*
 * option_find.h - which command or option a word means, and what to say of one
 * that means none: what may have been meant, or where to look.
 */

#ifndef BROKER_CLI_OPTION_FIND_H
#define BROKER_CLI_OPTION_FIND_H

#include "broker/cli/option.h"

#include <stdbool.h>

/* The command that is called so; name may be NULL, for there was none.  Returns
 * false with a reason. */
bool cli_find_command(
    enum cli_command *command, const char *name, char error[CLI_ERROR_MAX]);

/*
 * The option of this command that arg names, which begins with a hyphen; it may
 * have its value behind '=', or behind its letter.  One that means something
 * else to another command is in the table once for each meaning.
 * Returns: static, or NULL with a reason.
 */
const struct option *cli_find_option(
    enum cli_command command, const char *arg, char error[CLI_ERROR_MAX]);

/* The option that a line of the configuration file names.  Returns: static, or
 * NULL with a reason. */
const struct option *cli_find_setting(
    const char *name, char error[CLI_ERROR_MAX]);

/* A word stands behind a command that takes none.  Returns false with a
 * reason. */
bool cli_no_words(
    enum cli_command command, const char *word, char error[CLI_ERROR_MAX]);

#endif
