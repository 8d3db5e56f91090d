/* SPDX-License-Identifier: MIT */
/*
 * retry.h - whether and when to try again.
 */

#ifndef BROKER_CLI_CLIENT_RETRY_H
#define BROKER_CLI_CLIENT_RETRY_H

#include "broker/cli/client/outcome.h"
#include "broker/cli/client/server_message.h"

#include <stdbool.h>
#include <stdint.h>

/* Zeros at first; what the server would like comes with its welcome. */
struct retry {
	unsigned attempt; /* in a row, so far */
	struct server_message_retry welcome;
	struct server_message_retry drain;
	bool has_drain; /* said since the connection was made */
};

/* Whether another try may end better: not if the server is none, or said that
 * it does not want us or what we say. */
bool retry_makes_sense(const struct outcome *end);

/* Whether the server only cut us off for being slow: come back at once. */
bool retry_at_once(const struct outcome *end);

/*
 * How long to wait before the next try.  At random, so that clients that were
 * cut off together do not come back together: below a ceiling that doubles with
 * every try in a row, or as a draining server has asked for.
 */
uint64_t retry_delay(
    struct retry *retry, const struct outcome *end, uint32_t random);

#endif
