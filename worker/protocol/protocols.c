/* SPDX-License-Identifier: MIT */
/* protocols.c - see protocols.h. */

#include "worker/protocol/protocols.h"

#include "common/http.h"
#include "worker/requests/caller.h"
#include "worker/requests/listen_query.h"
#include "worker/ws/ws_conn.h"

#include <stdio.h>

void
protocols_init(
    struct protocols *protocols, const char *epoch, uint32_t max_message)
{
	json_reader_init(&protocols->json);
	json_reader_init(&protocols->json_inner);
	buf_init(&protocols->text);
	protocols->v1 = (struct v1_reader){ .json = &protocols->json,
		.epoch = epoch,
		.body_max = max_message };
	protocols->centrifuge =
	    (struct centrifuge_reader){ .json = &protocols->json,
		    .epoch = epoch,
		    .body_max = max_message };
}

void
protocols_fini(struct protocols *protocols)
{
	json_reader_fini(&protocols->json);
	json_reader_fini(&protocols->json_inner);
	buf_fini(&protocols->centrifuge.text);
	buf_fini(&protocols->v1.topic);
	buf_fini(&protocols->v1.key);
	buf_fini(&protocols->text);
}

bool
protocols_accept(
    struct conn *c, const struct http_request *req, const char **why)
{
	struct query_options options;

	if (query_parse(c->net->config, req->query, &options) != QUERY_OK) {
		*why = options.why;
		return false;
	}
	c->buffer_max = options.buffer;
	c->overflow = (uint8_t)options.overflow;
	return true;
}

bool
protocols_admit(struct conn *c, const struct http_request *req, unsigned code)
{
	char reason[WS_REASON_MAX + 1];
	const char *why;

	switch (caller_identify(c, req, true, &why)) {
	case CALLER_OK:
		return true;
	case CALLER_BAD:
		snprintf(reason, sizeof(reason), "bad token: %s", why);
		ws_close(c, code, reason);
		break;
	case CALLER_LATER:
		ws_close(c, WS_CODE_TRY_LATER, why);
		break;
	}
	return false;
}
