/* SPDX-License-Identifier: MIT */
/* start.h - the commands `run' and `start'. */

#ifndef BROKER_CLI_START_H
#define BROKER_CLI_START_H

#include "broker/cli/options.h"
#include "broker/report.h"
#include "broker/worker_args.h"

/* Serve, in this process.  Returns how it should end. */
enum exit_status cli_run(const struct cli *cli, worker_main_fn *worker_main);

/*
 * Serve in the background.
 * Blocks:  until the server is ready, or has failed and is gone.
 * Returns: how the process should end; both in the process that was called and,
 *          much later, in the server itself.
 */
enum exit_status cli_start(const struct cli *cli, worker_main_fn *worker_main);

#endif
