/* SPDX-License-Identifier: MIT */
/* cluster.h - the command `cluster': init, status, check. */

#ifndef BROKER_CLI_CLUSTER_H
#define BROKER_CLI_CLUSTER_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/* Whether the program is there that knows the cluster's servers, if it is
 * needed; if not, that is told. */
bool cli_check_bridge(const struct cli *cli);

/*
 * Become that program, with the word of the command line (pubsubd-bridge does
 * what it says; broker/bridge/words.c).
 * Returns only if that failed: how the process should end, having told why.
 */
enum exit_status cli_cluster(const struct cli *cli);

#endif
