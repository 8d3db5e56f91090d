/* SPDX-License-Identifier: MIT */
/* centrifuge_code.h - the numbers by which Centrifuge's clients know what went
 * wrong (centrifugal.dev, "Client protocol codes"). */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_CODE_H
#define WORKER_PROTOCOL_CENTRIFUGE_CODE_H

#include "worker/requests/intake.h"

#include <stdbool.h>

/* In the reply to a command; those that occur here. */
enum centrifuge_error {
	CENTRIFUGE_OK = 0,
	CENTRIFUGE_INTERNAL = 100,
	CENTRIFUGE_UNAUTHORIZED = 101,
	CENTRIFUGE_DENIED = 103,
	CENTRIFUGE_NO_METHOD = 104,
	CENTRIFUGE_ALREADY = 105,
	CENTRIFUGE_LIMIT = 106,
	CENTRIFUGE_BAD_REQUEST = 107,
	CENTRIFUGE_NOT_AVAILABLE = 108,
	CENTRIFUGE_TOKEN_EXPIRED = 109,
	CENTRIFUGE_TOO_MANY = 111,
	CENTRIFUGE_UNRECOVERABLE = 112,
};

/* In the push that ends a subscription: below 2500 the client leaves it at
 * that, from there on it subscribes again. */
enum centrifuge_unsubscribed {
	CENTRIFUGE_BY_SERVER = 2000,
	CENTRIFUGE_INSUFFICIENT = 2500,
};

/* In a close frame: below 3500 the client comes back. */
enum centrifuge_disconnect {
	CENTRIFUGE_SHUTDOWN = 3001,
	CENTRIFUGE_SERVER_ERROR = 3004,
	CENTRIFUGE_EXPIRED = 3005,
	CENTRIFUGE_SLOW = 3008,
	CENTRIFUGE_NO_PONG = 3012,
	CENTRIFUGE_INVALID_TOKEN = 3500,
	CENTRIFUGE_BAD_COMMAND = 3501,
	CENTRIFUGE_STALE = 3502,
	CENTRIFUGE_NO_SEND = 3508,
};

/* What an error is called: a static string. */
const char *centrifuge_error_name(enum centrifuge_error error);

/* The error that a request's result is; CENTRIFUGE_OK: it is none. */
enum centrifuge_error centrifuge_error_of(enum intake_result result);

/* Whether the same command may succeed a little later. */
static inline bool
centrifuge_error_passes(enum centrifuge_error error)
{
	return error == CENTRIFUGE_INTERNAL || error == CENTRIFUGE_TOO_MANY;
}

#endif
