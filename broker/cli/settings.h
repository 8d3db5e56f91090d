/* SPDX-License-Identifier: MIT */
/*
 * settings.h - values of options as they are said, in the file, the environment
 * and on the command line, and what is wrong with them.
 *
 * Each layer is applied after those that it outweighs.  A list (--listen,
 * --allow-origin) that a layer says replaces the list of the layers below.
 */

#ifndef BROKER_CLI_SETTINGS_H
#define BROKER_CLI_SETTINGS_H

#include "broker/cli/option.h"

#include <stdbool.h>

/* Have settings_free() free this.  Returns it. */
void *settings_own(struct cli *cli, void *memory);

/* Put a value where it belongs, and remember who said it.  The value is
 * borrowed until settings_free().  Returns false with a reason. */
bool settings_apply(struct cli *cli, const struct cli_setting *setting,
    char why[VALUES_WHY_MAX]);

/* Note that something is wrong, in one line. */
void settings_fault(struct cli *cli, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* The environment variable of an option, PUBSUBD_MAX_CONNS of --max-conns. */
#define SETTINGS_VARIABLE_MAX 64
const char *settings_variable(
    const struct option *option, char out[SETTINGS_VARIABLE_MAX]);

/*
 * Apply what the environment says of the options of the command.  A list has
 * blanks between its values.  A variable that names no option is not ours:
 * Kubernetes sets PUBSUBD_PORT for a service of our name.  One that is empty
 * says nothing.
 */
void settings_apply_environment(struct cli *cli);

/*
 * Warn on standard error of each variable that is not an option's but nearly:
 * PUBSUBD_MAX_CONN would otherwise be ignored without a word.
 */
void settings_warn_of_variables(void);

/*
 * Apply what the file of the instance says; that there is no file is a fault
 * only if --config names it.  All its lines are looked at, and the first fault
 * of each is noted as FILE:LINE: REASON.
 * Blocks: to read the file.
 */
void settings_apply_file(struct cli *cli);

/* Free all that cli_parse() allocated. */
void settings_free(struct cli *cli);

#endif
