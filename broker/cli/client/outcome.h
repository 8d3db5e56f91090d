/* SPDX-License-Identifier: MIT */
/* outcome.h - how a connection of a client ended. */

#ifndef BROKER_CLI_CLIENT_OUTCOME_H
#define BROKER_CLI_CLIENT_OUTCOME_H

#include "common/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum outcome_kind {
	CLIENT_UNREACHABLE = 0, /* nobody answers there */
	CLIENT_REFUSED,         /* with an HTTP status */
	CLIENT_ALIEN,           /* what answers is no such server */
	CLIENT_LOST,            /* cut, or silent for too long */
	CLIENT_CLOSED,          /* by the server, with a close code */
	CLIENT_UNREADY,         /* we cannot say who we are */
	CLIENT_DONE,            /* as we wanted */
};

struct outcome {
	enum outcome_kind kind;
	unsigned code;           /* HTTP status or close code */
	uint64_t retry_after_ms; /* as a refusal asked for */
	char why[320];           /* to be printed behind the URL */
};

struct http_answer;

/* Note an end without a code. */
void outcome_set(struct outcome *end, enum outcome_kind kind,
    const char *format, ...) LOG_FMT(3);

/* Note that the server refused us with this answer. */
void outcome_refused(struct outcome *end, const struct http_answer *answer);

/* Note what the frames' parser told (ws.h, closing). */
void outcome_told(struct outcome *end, bool by_peer, unsigned code,
    const char *reason, size_t reason_len);

#endif
