/* SPDX-License-Identifier: MIT */
/*
 * v1_request.h - read the requests of subprotocol pubsubd.v1.
 *
 * One JSON object per text frame.  Whatever is wrong with a request is answered
 * by an `error' in its place among the answers; only violations of WebSocket
 * itself close the connection.  An object without a type is a plain message.
 */

#ifndef WORKER_PROTOCOL_V1_REQUEST_H
#define WORKER_PROTOCOL_V1_REQUEST_H

#include "common/buf.h"
#include "common/json.h"
#include "worker/protocol/v1_publish.h"
#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stddef.h>

/* What reading a request needs: properties of the server, and memory. */
struct v1_reader {
	struct json_reader *json; /* borrowed */
	const char *epoch;        /* of this server's ring */
	size_t body_max;          /* longest message, bytes of JSON text */
	struct buf topic;         /* the decoded topic; owned */
	struct buf key;           /* the decoded key of a publish; owned */
};

/*
 * Read one request from a frame.  binary: its bytes have not been checked to be
 * UTF-8.  want is always filled in whole: with the request, or with an
 * INTAKE_ERROR that says what is wrong.  Its pointers go into data and into the
 * reader, so they are good until the next call.
 */
void v1_parse(struct v1_reader *reader, bool binary, const char *data,
    size_t len, struct intake_request *want);

/*
 * The same without the short way (v1_publish.h) that v1_parse() takes for most
 * of what a client publishes.  What comes out is the same.
 *
 * Callers: v1_parse(), and tests, which compare the two.
 */
void v1_parse_any(struct v1_reader *reader, bool binary, const char *data,
    size_t len, struct intake_request *want);

#endif
