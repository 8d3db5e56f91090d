/* SPDX-License-Identifier: MIT */
/*
 * centrifuge_command.h - read the commands of Centrifuge's clients.
 *
 *	{"id":2,"subscribe":{"channel":"room","recover":true,"offset":41}}
 *
 * A command is an object with its number and one member that says what is to be
 * done; the empty object is the answer to a ping.  A command of which no answer
 * could say by its number that it was not understood ends the connection; else a
 * faulty one is answered by an error.
 */

#ifndef WORKER_PROTOCOL_CENTRIFUGE_COMMAND_H
#define WORKER_PROTOCOL_CENTRIFUGE_COMMAND_H

#include "common/buf.h"
#include "common/json.h"
#include "worker/protocol/centrifuge_code.h"
#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stddef.h>

#define CENTRIFUGE_ID_MAX 10u /* digits: an id is below 2^32 */

enum centrifuge_method {
	CENTRIFUGE_CONNECT,
	CENTRIFUGE_SUBSCRIBE,
	CENTRIFUGE_UNSUBSCRIBE,
	CENTRIFUGE_PUBLISH,
	CENTRIFUGE_PRESENCE,
	CENTRIFUGE_PRESENCE_STATS,
	CENTRIFUGE_HISTORY,
	CENTRIFUGE_REFRESH,
	CENTRIFUGE_SEND,
	CENTRIFUGE_OTHER, /* there is none of it here: `error' says so */
	CENTRIFUGE_PONG,
};

struct centrifuge_command {
	enum centrifuge_method method;

	/* What is wrong with it, and where: a static sentence or NULL.  Then
	 * all that holds of `want' is the id. */
	enum centrifuge_error error;
	const char *detail;

	/* As a request, but for who answers it; of connect and refresh the body
	 * is the token, with no bytes: none. */
	struct intake_request want;

	bool join_leave;   /* subscribe: tell of members */
	bool or_not;       /* subscribe: only if nothing is missing */
	bool from_oldest;  /* history: no place to begin behind was said */
	bool newest_first; /* history: backwards */
};

/* What reading needs: properties of the server, and memory. */
struct centrifuge_reader {
	struct json_reader *json; /* borrowed */
	const char *epoch;        /* of this server's ring */
	size_t body_max;          /* longest message, bytes of JSON text */
	struct buf text;          /* a decoded channel or token; owned */
};

/*
 * Read one line, which is UTF-8.  Pointers of the command go into it and into
 * the reader, so they are good until the next call.
 *
 * Returns: false if it is no command, with *why a static sentence.
 */
bool centrifuge_read(struct centrifuge_reader *reader, const char *line,
    size_t len, struct centrifuge_command *command, const char **why);

#endif
