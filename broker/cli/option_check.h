/* SPDX-License-Identifier: MIT */
/* option_check.h - what no option alone can know: whether all of them go
 * together. */

#ifndef BROKER_CLI_OPTION_CHECK_H
#define BROKER_CLI_OPTION_CHECK_H

#include "broker/cli/cli.h"

#include <stdbool.h>

/* Check a command line whose defaults are filled in.  Opens nothing.
 * Returns false with a reason that names the option. */
bool cli_check(const struct cli *cli, char error[CLI_ERROR_MAX]);

#endif
