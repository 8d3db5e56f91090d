/* SPDX-License-Identifier: MIT */
/* centrifuge.c - see centrifuge.h. */

#include "worker/protocol/centrifuge.h"

#include "common/grants.h"
#include "common/http.h"
#include "common/handshake.h"
#include "common/jwt.h"
#include "common/utf8.h"
#include "common/ws.h"
#include "worker/access/access.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/net/rate.h"
#include "worker/protocol/centrifuge_command.h"
#include "worker/protocol/centrifuge_reply.h"
#include "worker/protocol/protocols.h"
#include "worker/requests/caller.h"
#include "worker/requests/listen_query.h"
#include "worker/ws/protocol.h"
#include "worker/ws/ws_conn.h"

#include <stdio.h>
#include <string.h>

/* What these clients have for a ping, and for its answer. */
#define CENTRIFUGE_PING "{}"

/* A client is connected from its first command on, and then has its form; one
 * without a token that it needs, or with one that is over, stays as it came and
 * is refused. */
static bool
centrifuge_is_connected(struct conn *c)
{
	return client_of(c)->form == FORM_PUSH;
}

static bool
centrifuge_accept(
    struct conn *c, const struct http_request *req, const char **why)
{
	struct http_text query = req->query;
	struct query_name name;
	char room[QUERY_TOPIC_ROOM];

	*why = "Protobuf is not spoken here, only Centrifuge's JSON";
	if (handshake_offers(req, "centrifuge-protobuf") &&
	    !handshake_offers(req, "centrifuge-json"))
		return false;
	if (!protocols_accept(c, req, why))
		return false;
	*why = "topics and patterns of the query are not for Centrifuge's "
	       "clients";
	return !query_name_next(&query, room, &name);
}

static void
centrifuge_begin(struct conn *c, const struct http_request *req)
{
	if (protocols_admit(c, req, CENTRIFUGE_INVALID_TOKEN))
		caller_await(c);
}

/* Note a command that is answered by an error. */
static void
centrifuge_refuse_command(struct conn *c, struct centrifuge_command *command,
    enum centrifuge_error error, const char *detail)
{
	struct intake_request *want = &command->want;

	command->error = error;
	want->kind = INTAKE_ERROR;
	want->limit = error;
	want->topic_len = 0;
	want->body = detail != NULL ? detail : "";
	want->body_len = (uint32_t)strlen(want->body);
	want->answer = centrifuge_answer_to(command);
	intake_add(c, want);
}

/* No more of it is read, until it goes or has had --auth-timeout. */
static void
centrifuge_refuse_connect(struct conn *c, struct centrifuge_command *command,
    enum centrifuge_error error, const char *detail)
{
	client_of(c)->is_refused = true;
	centrifuge_refuse_command(c, command, error, detail);
}

/* A token is not taken.  Returns whether the connection goes on. */
static bool
centrifuge_refuse_token(struct conn *c, struct centrifuge_command *command,
    enum caller_status status, const char *why)
{
	bool connects = command->method == CENTRIFUGE_CONNECT;

	if (status == CALLER_BAD && strcmp(why, jwt_reason(JWT_EXPIRED)) != 0) {
		ws_close(c, CENTRIFUGE_INVALID_TOKEN, "invalid token");
		return false;
	}
	if (status == CALLER_BAD && !connects) {
		ws_close(c, CENTRIFUGE_EXPIRED, "connection expired");
		return false;
	}
	if (connects)
		centrifuge_refuse_connect(c, command,
		    status == CALLER_BAD ? CENTRIFUGE_TOKEN_EXPIRED
					 : CENTRIFUGE_TOO_MANY,
		    NULL);
	else
		centrifuge_refuse_command(c, command, CENTRIFUGE_TOO_MANY, why);
	return !connects;
}

/* From here on it is connected; its request has no body any more. */
static void
centrifuge_admit(struct conn *c, struct intake_request *want)
{
	want->body = NULL;
	want->body_len = 0;
	client_of(c)->form = FORM_PUSH;
	intake_add(c, want);
}

/* Look into the token of connect or refresh; then it is a request to be that.
 * Returns whether the connection goes on. */
static bool
centrifuge_take_identity(struct conn *c, struct centrifuge_command *command)
{
	struct intake_request *want = &command->want;
	enum caller_status status;
	const char *why;

	status =
	    caller_verify(c, want->body, want->body_len, &want->identity, &why);
	if (status != CALLER_OK)
		return centrifuge_refuse_token(c, command, status, why);
	want->kind = INTAKE_AUTH;
	centrifuge_admit(c, want);
	return true;
}

static bool
centrifuge_connect(struct conn *c, struct centrifuge_command *command)
{
	struct intake_request *want = &command->want;

	if (command->error != CENTRIFUGE_OK) {
		centrifuge_refuse_connect(
		    c, command, command->error, command->detail);
		return false;
	}
	if (want->body_len > 0 && !access_is_open(hub_of(c)->access))
		return centrifuge_take_identity(c, command);
	if (!caller_is_known(c) && !caller_may_some(c, GRANT_ALL)) {
		centrifuge_refuse_connect(
		    c, command, CENTRIFUGE_UNAUTHORIZED, NULL);
		return false;
	}
	centrifuge_admit(c, want);
	return true;
}

/* Note what a connected client wants. */
static void
centrifuge_note(struct conn *c, struct centrifuge_command *command)
{
	struct intake_request *want = &command->want;
	const char *body = want->body;
	char *room;

	if (want->kind == INTAKE_PUBLISH)
		want->body = NULL;
	room = intake_add(c, want);
	if (want->kind == INTAKE_PUBLISH)
		json_normalise(body, want->body_len, room);
	if (!command->join_leave)
		return;
	want->kind = INTAKE_PRESENCE;
	want->answer = NULL;
	want->id_len = 0;
	want->has_since = false;
	want->is_behind = true;
	want->watch = INTAKE_WATCH_BEGIN;
	intake_add(c, want);
}

/* Do a command.  Returns whether the next one is to be looked at. */
static bool
centrifuge_take_command(struct conn *c, struct centrifuge_command *command)
{
	if (command->method == CENTRIFUGE_PONG)
		return true;
	if (centrifuge_is_connected(c) ==
	    (command->method == CENTRIFUGE_CONNECT)) {
		ws_close(c, CENTRIFUGE_BAD_COMMAND,
		    command->method == CENTRIFUGE_CONNECT
			? "bad request: connected already"
			: "bad request: connect comes first");
		return false;
	}
	if (command->method == CENTRIFUGE_CONNECT)
		return centrifuge_connect(c, command);
	if (command->method == CENTRIFUGE_SEND) {
		ws_close(c, CENTRIFUGE_NO_SEND, "not available: send");
		return false;
	}
	if (command->error != CENTRIFUGE_OK)
		centrifuge_refuse_command(
		    c, command, command->error, command->detail);
	else if (command->method == CENTRIFUGE_REFRESH)
		return centrifuge_take_identity(c, command);
	else
		centrifuge_note(c, command);
	return true;
}

/* Take one line.  is_behind: not the first of its frame.  Returns whether the
 * next one is to be looked at. */
static bool
centrifuge_take_line(
    struct conn *c, const char *line, size_t len, bool is_behind)
{
	struct centrifuge_command command;
	char reason[WS_REASON_MAX + 1];
	const char *why;
	bool goes_on;

	if (!centrifuge_read(
		&hub_of(c)->protocols->centrifuge, line, len, &command, &why)) {
		stats_add(&c->net->stats, STATS_PROTOCOL_ERRORS, 1);
		snprintf(reason, sizeof(reason), "bad request: %s", why);
		ws_close(c, CENTRIFUGE_BAD_COMMAND, reason);
		return false;
	}
	command.want.is_behind = is_behind;
	command.want.answer = centrifuge_answer_to(&command);
	goes_on = centrifuge_take_command(c, &command);
	if (intake_reads_past(&command.want))
		conn_pause(c, PAUSE_INTAKE);
	return goes_on;
}

static void
centrifuge_message(struct conn *c, bool binary, const char *data, size_t len)
{
	const char *end = data + len;
	uint32_t lines = 0;

	if (client_of(c)->is_refused)
		return;
	if (binary && !utf8_valid(data, len)) {
		stats_add(&c->net->stats, STATS_PROTOCOL_ERRORS, 1);
		ws_close(c, CENTRIFUGE_BAD_COMMAND, "bad request: not UTF-8");
		return;
	}
	for (bool goes_on = true; goes_on && data < end;) {
		const char *stop = memchr(data, '\n', (size_t)(end - data));
		size_t line = (size_t)((stop != NULL ? stop : end) - data);

		if (line > 0)
			goes_on =
			    centrifuge_take_line(c, data, line, lines++ > 0);
		data += line + 1;
	}
	rate_count_messages(c, lines);
	if (lines > 1 && c->state == CONN_OPEN)
		rate_hold(c);
}

static void
centrifuge_ping(struct conn *c)
{
	char frame[WS_HEADER_MAX + sizeof(CENTRIFUGE_PING)];
	size_t len = ws_frame_header(
	    (uint8_t *)frame, WS_TEXT, sizeof(CENTRIFUGE_PING) - 1);

	memcpy(frame + len, CENTRIFUGE_PING, sizeof(CENTRIFUGE_PING) - 1);
	conn_answer(c, frame, len + sizeof(CENTRIFUGE_PING) - 1);
}

static void
centrifuge_unanswered(struct conn *c)
{
	stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
	ws_close(c, CENTRIFUGE_NO_PONG, "no pong");
}

static unsigned
centrifuge_close_code(unsigned code)
{
	switch (code) {
	case WS_CODE_GOING_AWAY:
		return CENTRIFUGE_SHUTDOWN;
	case WS_CODE_INTERNAL:
		return CENTRIFUGE_SERVER_ERROR;
	case WS_CODE_UNAUTHORIZED:
		return CENTRIFUGE_STALE;
	case WS_CODE_EXPIRED:
		return CENTRIFUGE_EXPIRED;
	case WS_CODE_TOO_SLOW:
		return CENTRIFUGE_SLOW;
	default:
		return code;
	}
}

static void
centrifuge_revoked(
    struct conn *c, const char *name, size_t len, bool is_pattern)
{
	struct buf *text = &hub_of(c)->protocols->text;
	size_t start;

	(void)is_pattern; /* it has none */
	buf_reset(text);
	start = ws_text_open(text);
	buf_puts(text, "{\"push\":{\"channel\":");
	buf_json_string(text, name, len);
	buf_printf(text,
	    ",\"unsubscribe\":{\"code\":%d,\"reason\":\"permission "
	    "denied\"}}}",
	    CENTRIFUGE_BY_SERVER);
	ws_text_close(text, start);
	conn_answer(c, text->at, text->len);
}

const struct protocol centrifuge_protocol = {
	.name = "centrifuge-json",
	.path = "/connection/websocket",
	.restart_code = CENTRIFUGE_SHUTDOWN,
	.accept = centrifuge_accept,
	.begin = centrifuge_begin,
	.message = centrifuge_message,
	.ping = centrifuge_ping,
	.unanswered = centrifuge_unanswered,
	.close_code = centrifuge_close_code,
	.revoked = centrifuge_revoked,
	.written = replays_resume,
	.dropped = gap_dropped,
	.end = subscribe_end_all,
};
