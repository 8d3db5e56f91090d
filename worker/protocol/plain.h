/* SPDX-License-Identifier: MIT */
/*
 * plain.h - the plain contract: {"topic":"room","message":"hello"}.
 *
 * A client that sends this is subscribed to the topic, if it is not yet.  The
 * message goes to every subscriber, the sender included, as one text frame with
 * the message's text and nothing else (README.md, here).
 */

#ifndef WORKER_PROTOCOL_PLAIN_H
#define WORKER_PROTOCOL_PLAIN_H

#include "broker/shared/layout.h"
#include "common/json.h"
#include "common/ws.h"

#include <stdbool.h>
#include <stddef.h>

struct form;
struct protocol;

/* A message, read. */
struct plain_request {
	char topic[6 * LAYOUT_TOPIC_NAME_MAX]; /* not NUL-terminated */
	size_t topic_len;                      /* <= LAYOUT_TOPIC_NAME_MAX */
	const char *body; /* a JSON string as it came in; borrowed */
	size_t body_len;  /* bytes, quotes included */
};

/* Why a message is refused. */
struct plain_error {
	unsigned code; /* to close with */
	char reason[WS_REASON_MAX + 1];
};

/*
 * Read one message.  binary: its bytes have not been checked to be UTF-8.
 * body_max is the longest message allowed, in bytes of its JSON text.
 * Returns: true with req filled in, or false with error filled in.
 */
bool plain_parse(struct json_reader *reader, bool binary, const char *data,
    size_t len, size_t body_max, struct plain_request *req,
    struct plain_error *error);

extern const struct protocol plain_protocol;

/* FORM_TEXT: the message's text alone. */
extern const struct form plain_form;

#endif
