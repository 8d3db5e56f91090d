/* SPDX-License-Identifier: MIT */
/* named_files.h - judge the files that the options name, before a server needs
 * them: keys, certificates, the directory of the static files. */

#ifndef BROKER_CLI_NAMED_FILES_H
#define BROKER_CLI_NAMED_FILES_H

#include "broker/cli/cli.h"

#include <stdbool.h>

/*
 * Whether a server can start with the files of these options.  The first that
 * it could not start with is told by report_failure(), in one line that names
 * option and file.
 * Callers: start, run and check.
 * Blocks:  to read the files.
 */
bool cli_check_named_files(const struct cli *cli);

#endif
