/* SPDX-License-Identifier: MIT */
/* top.h - the command `top'. */

#ifndef BROKER_CLI_TOP_H
#define BROKER_CLI_TOP_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Show what the server does, again and again until told to quit, or (--once)
 * print it one time, with the rates of one interval.  Reads the segment alone,
 * so a server that hangs can be looked at.
 * Returns how the process should end.
 */
enum exit_status cli_top(const struct cli *cli);

#endif
