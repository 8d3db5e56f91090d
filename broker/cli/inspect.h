/* SPDX-License-Identifier: MIT */
/* inspect.h - the command `inspect'. */

#ifndef BROKER_CLI_INSPECT_H
#define BROKER_CLI_INSPECT_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Print what is in the segment of an instance, whose server may be dead, and
 * whether it can be believed.  A dead server's is repaired as the next start
 * would, but in a private copy: the segment itself is only read.
 * Returns how the process should end: failed if it is damaged.
 */
enum exit_status cli_inspect(const struct cli *cli);

#endif
