/* SPDX-License-Identifier: MIT */
/* http_get.h - ask a server's HTTP interface. */

#ifndef BROKER_CLI_CLIENT_HTTP_GET_H
#define BROKER_CLI_CLIENT_HTTP_GET_H

#include "broker/cli/client/retry.h"
#include "common/url.h"
#include "broker/cli/client/tls_client.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * GET what stands under the URL's base: target, its path and query; tls: of
 * client_find(); lines: of the request's head, each with its CRLF.  The body
 * replaces what is in buf.
 * Blocks:  until all of it is there; for 10 s at most between two pieces.
 * Returns: whether the answer was 200; otherwise *end says why not, with the
 *          reason that the server gives.
 */
bool client_get(const struct url *url, const struct tls_client_context *tls,
    const char *target, const char *lines, struct buf *body,
    struct outcome *end);

/* Append text to a target: what is not a letter or digit becomes %XX. */
void client_put_escaped(struct buf *target, const char *text, size_t len);

#endif
