/* SPDX-License-Identifier: MIT */
/* topics.h - `pubsubd topics': list the topics of a server. */

#ifndef BROKER_CLI_CLIENT_TOPICS_H
#define BROKER_CLI_CLIENT_TOPICS_H

#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Ask the server's HTTP interface, page by page, and print a table, or with
 * --json one array of the server's objects.
 * Blocks:  until all is printed.
 * Returns: how to end.
 */
enum exit_status cli_topics(const struct cli *cli);

#endif
