/* SPDX-License-Identifier: MIT */
/*
 * protocols.h - shared by all contracts: memory to work with, and the query
 * that a client connects with.
 */

#ifndef WORKER_PROTOCOL_PROTOCOLS_H
#define WORKER_PROTOCOL_PROTOCOLS_H

#include "common/buf.h"
#include "common/json.h"
#include "worker/protocol/centrifuge_command.h"
#include "worker/protocol/v1_request.h"
#include "worker/requests/intake.h"

#include <stdbool.h>

struct http_request;

/* Of one worker: hub->protocols. */
struct protocols {
	struct json_reader json;
	struct json_reader json_inner; /* of what the other is a list of */
	struct v1_reader v1;
	struct centrifuge_reader centrifuge;
	struct buf text; /* an answer while it is put together */
};

/* epoch is the ring's, borrowed; max_message: bytes of JSON text. */
void protocols_init(
    struct protocols *protocols, const char *epoch, uint32_t max_message);
void protocols_fini(struct protocols *protocols);

/* Read ?buffer=, ?overflow= and ?topic=, protocol.accept (ws/protocol.h). */
bool protocols_accept(
    struct conn *c, const struct http_request *req, const char **why);

/*
 * Have a client that has just connected be who its handshake says.  One whose
 * token is not accepted is closed with this code; a browser could not read why a
 * handshake was refused.
 * Returns: whether it may go on.
 */
bool protocols_admit(
    struct conn *c, const struct http_request *req, unsigned code);

#endif
