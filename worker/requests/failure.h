/* SPDX-License-Identifier: MIT */
/*
 * failure.h - why a request was not done, as the protocols tell it.
 *
 * The codes are those of worker/protocol/README.md.  Each protocol has its own
 * way to say them: an error frame, a close code, a status of HTTP.
 */

#ifndef WORKER_REQUESTS_FAILURE_H
#define WORKER_REQUESTS_FAILURE_H

#include <stdbool.h>
#include <stdint.h>

struct hub;
struct intake_op;

struct failure {
	const char *code; /* for programs; static string */
	const char
	    *reason;    /* for people; static string, ASCII without a quote */
	uint32_t limit; /* that was reached, before the reason; 0: none */
};

/* Bytes of a failure's text, NUL included: fits into the reason of a close
 * frame behind the longest code (RFC 6455, 5.5.1). */
#define FAILURE_TEXT_MAX 80

/*
 * Why a request was not done.
 * Returns: false if it is no failure: the request was done, or waits.
 */
bool failure_of(
    const struct hub *hub, const struct intake_op *op, struct failure *failure);

/* The reason, with the limit in front of it: "128 topics per connection". */
void failure_text(const struct failure *failure, char text[FAILURE_TEXT_MAX]);

#endif
