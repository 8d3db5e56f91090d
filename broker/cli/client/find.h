/* SPDX-License-Identifier: MIT */
/* find.h - which server pub, sub and topics talk to. */

#ifndef BROKER_CLI_CLIENT_FIND_H
#define BROKER_CLI_CLIENT_FIND_H

#include "broker/cli/client/retry.h"
#include "broker/cli/client/tls_client.h"
#include "common/url.h"
#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Fill in the URL that --url gives, or that the instance of --name or --pidfile
 * has on this host, or the default; and, if it is one for TLS, whom to trust,
 * else NULL.
 * Returns EXIT_STATUS_OK, or what to end with; the reason has been told.
 * Owns: *tls the caller, tls_client_context_free().
 */
enum exit_status client_find(
    const struct cli *cli, struct url *url, struct tls_client_context **tls);

/*
 * Tell why there is no connection, and more if the text `more' is not empty.
 * Returns what to end with: EXIT_STATUS_NOT_RUNNING if nobody answers.
 */
enum exit_status client_report(
    const struct url *url, const struct outcome *end, const char *more);

#endif
