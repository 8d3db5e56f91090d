/* SPDX-License-Identifier: MIT */
/* find.h - which servers pub, sub and topics talk to. */

#ifndef BROKER_CLI_CLIENT_FIND_H
#define BROKER_CLI_CLIENT_FIND_H

#include "broker/cli/client/hosts.h"
#include "broker/cli/client/outcome.h"
#include "broker/cli/client/tls_client.h"
#include "common/url.h"
#include "broker/cli/cli.h"
#include "broker/host/report.h"

/*
 * Fill in the URLs that --url gives, or the one that the instance of --name or
 * --pidfile has on this host, or the default; and, if one is for TLS, whom to
 * trust, else NULL.
 * Returns EXIT_STATUS_OK, or what to end with; the reason has been told.
 * Owns: the caller, hosts_fini() and tls_client_context_free(), either way.
 */
enum exit_status client_find(const struct cli *cli, struct hosts *hosts,
    struct tls_client_context **tls);

/* Tell why there is no connection to the host where they are, and which is
 * tried next. */
void client_report_next(const struct hosts *hosts, const struct outcome *end);

/*
 * Tell why there is no connection, and more if the text `more' is not empty.
 * Returns what to end with: EXIT_STATUS_NOT_RUNNING if nobody answers.
 */
enum exit_status client_report(
    const struct url *url, const struct outcome *end, const char *more);

#endif
