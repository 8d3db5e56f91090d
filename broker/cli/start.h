/* SPDX-License-Identifier: MIT */
/* start.h - the commands `run' and `start'. */

#ifndef BROKER_CLI_START_H
#define BROKER_CLI_START_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"
#include "broker/shared/worker_args.h"

/* Serve, in this process.  Returns how it should end. */
enum exit_status cli_run(const struct cli *cli, worker_main_fn *worker_main);

/*
 * Serve in the background.
 * Blocks:  until the server is ready, or has failed and is gone.
 * Returns: how the process should end; both in the process that was called and,
 *          much later, in the server itself.
 */
enum exit_status cli_start(const struct cli *cli, worker_main_fn *worker_main);

/*
 * Say whether run or start would begin to serve, as far as that can be known
 * without the pidfile, the port and the segment: a server that runs has them,
 * and asks this before it restarts or upgrades (args.h: word).
 * Returns: how the process should end.
 */
enum exit_status cli_try(const struct cli *cli, const char *word);

#endif
