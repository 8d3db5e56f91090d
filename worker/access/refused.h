/* SPDX-License-Identifier: MIT */
/*
 * refused.h - what is said of a request whose Host or Origin is not let in
 * (origin.h): to its client, and to the operator.
 *
 * A browser shows a page nothing of a handshake that was refused, so it is the
 * operator who must find out: the log names the value that was seen and the
 * option that would let it in.
 */

#ifndef WORKER_ACCESS_REFUSED_H
#define WORKER_ACCESS_REFUSED_H

#include "broker/shared/stats.h"
#include "worker/access/origin.h"

#define REFUSED_REASON_SIZE 640u

/* What is quoted of a client's value, bytes. */
#define REFUSED_VALUE_MAX 128u

/* How long what has been logged is not logged again, milliseconds. */
#define REFUSED_QUIET_MS 600000u

/*
 * Say why, with the values that were seen.  The text is visible ASCII without
 * quotes and backslashes, so that it can be logged, and stand in a JSON string,
 * as it is; any other byte of a value is written as a question mark.
 *
 * Callers: with a verdict that is not ORIGIN_OK.
 */
void refused_explain(enum origin_verdict verdict,
    const struct http_request *req, char reason[REFUSED_REASON_SIZE]);

/* The same, and count it (STATS_REFUSED_ORIGIN) and log it as a warning: the
 * same text once in REFUSED_QUIET_MS, with the address of the first to whom it
 * happened, and LOG_BURST texts a second. */
void refused_report(struct stats *stats, enum origin_verdict verdict,
    const struct http_request *req, const char *address,
    char reason[REFUSED_REASON_SIZE]);

#endif
