/* SPDX-License-Identifier: MIT */
/* centrifuge_code.c - see centrifuge_code.h. */

#include "worker/protocol/centrifuge_code.h"

#include "common/bug.h"

const char *
centrifuge_error_name(enum centrifuge_error error)
{
	switch (error) {
	case CENTRIFUGE_OK:
		break;
	case CENTRIFUGE_INTERNAL:
		return "internal server error";
	case CENTRIFUGE_UNAUTHORIZED:
		return "unauthorized";
	case CENTRIFUGE_DENIED:
		return "permission denied";
	case CENTRIFUGE_NO_METHOD:
		return "method not found";
	case CENTRIFUGE_ALREADY:
		return "already subscribed";
	case CENTRIFUGE_LIMIT:
		return "limit exceeded";
	case CENTRIFUGE_BAD_REQUEST:
		return "bad request";
	case CENTRIFUGE_NOT_AVAILABLE:
		return "not available";
	case CENTRIFUGE_TOKEN_EXPIRED:
		return "token expired";
	case CENTRIFUGE_TOO_MANY:
		return "too many requests";
	case CENTRIFUGE_UNRECOVERABLE:
		return "unrecoverable position";
	}
	BUG("no error is told as one");
}

enum centrifuge_error
centrifuge_error_of(enum intake_result result)
{
	switch (result) {
	case INTAKE_DONE:
	case INTAKE_NO_TOPIC:
	case INTAKE_NOT_SUBSCRIBED: /* to be left: it is so already */
	case INTAKE_LATER:
	case INTAKE_WAITING:
	case INTAKE_PUT_OFF:
		break;
	case INTAKE_TOO_MANY:
	case INTAKE_TOO_MANY_MEMBERS:
	case INTAKE_HOLDS_TOO_MANY:
	case INTAKE_DIRECTORY_FULL:
	case INTAKE_TOO_MANY_PATTERNS:
	case INTAKE_PATTERNS_FULL:
	case INTAKE_KEYS_FULL:
	case INTAKE_RETAIN_FULL:
		return CENTRIFUGE_LIMIT;
	case INTAKE_DRAINING:
	case INTAKE_CLUSTER_DOWN:
	case INTAKE_MEMBERS_FULL:
		return CENTRIFUGE_INTERNAL;
	case INTAKE_RESUBSCRIBED:
		return CENTRIFUGE_ALREADY;
	case INTAKE_FORBIDDEN:
		return CENTRIFUGE_DENIED;
	case INTAKE_UNAUTHORIZED:
		return CENTRIFUGE_UNAUTHORIZED;
	case INTAKE_TOO_FAST:
		return CENTRIFUGE_TOO_MANY;
	case INTAKE_NOT_IN_CLUSTER:
		return CENTRIFUGE_NOT_AVAILABLE;
	}
	return CENTRIFUGE_OK;
}
