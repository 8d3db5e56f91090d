/* SPDX-License-Identifier: MIT */
/* control.h - the commands that tell a running server to do something, and
 * wait for the outcome. */

#ifndef BROKER_CLI_CONTROL_H
#define BROKER_CLI_CONTROL_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Drain and stop.  If the supervisor was killed, wait for the workers that it
 * left: they drain by themselves.
 * Blocks:  until the server is gone; longer than its drain time only if it
 *          does not obey, and then this fails.
 * Returns: how the process should end.
 */
enum exit_status cli_stop(const struct cli *cli);

/*
 * Drain, and serve on with the program now on disk.
 * Blocks:  until the new run is ready, or the restart has failed.
 * Returns: how the process should end.
 */
enum exit_status cli_restart(const struct cli *cli);

/*
 * Have the server read its options again, and wait until they are in force in
 * all its workers.  If it refuses, print why.
 */
enum exit_status cli_reload(const struct cli *cli);

/*
 * Have the server serve with the program now on disk, and wait until every
 * worker does; nobody is disconnected.
 */
enum exit_status cli_upgrade(const struct cli *cli);

#endif
