/* SPDX-License-Identifier: MIT */
/* centrifuge_reply.c - see centrifuge_reply.h. */

#include "worker/protocol/centrifuge_reply.h"

#include "common/clock.h"
#include "common/config.h"
#include "common/ws.h"
#include "worker/access/identities.h"
#include "worker/delivery/subscribe.h"
#include "worker/protocol/centrifuge_command.h"
#include "worker/protocol/centrifuge_info.h"
#include "worker/protocol/centrifuge_past.h"
#include "worker/protocol/protocols.h"
#include "worker/requests/caller.h"
#include "worker/requests/resume.h"
#include "worker/ws/ws_conn.h"

#include <inttypes.h>
#include <string.h>

/* A client is told so much less than its token has left, seconds, or half of
 * that, for it renews only when that is over. */
#define CENTRIFUGE_RENEW_S IDENTITY_WARN_S

/* Begin a reply: {"id":N */
static size_t
centrifuge_open(struct hub *hub, const struct intake_op *op)
{
	struct buf *text = &hub->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_puts(text, "{\"id\":");
	buf_add(text, intake_id(hub->intake, op), op->want.id_len);
	return start;
}

/* Finish it with these closing braces, and queue it. */
static void
centrifuge_close(
    struct hub *hub, const struct intake_op *op, size_t start, const char *end)
{
	struct buf *text = &hub->protocols->text;

	buf_puts(text, end);
	ws_text_close(text, start);
	conn_answer(op->conn, text->at, text->len);
}

/* detail: "", or where the error is. */
static void
centrifuge_fail(struct hub *hub, const struct intake_op *op,
    enum centrifuge_error error, const char *detail, size_t detail_len)
{
	struct buf *text = &hub->protocols->text;
	const char *name = centrifuge_error_name(error);
	size_t start = centrifuge_open(hub, op);
	struct buf message;

	buf_init(&message);
	buf_puts(&message, name);
	if (detail_len > 0) {
		buf_puts(&message, ": ");
		buf_add(&message, detail, detail_len);
	}
	buf_printf(text, ",\"error\":{\"code\":%d,\"message\":", error);
	buf_json_string(text, message.at, message.len);
	if (centrifuge_error_passes(error))
		buf_puts(text, ",\"temporary\":true");
	buf_fini(&message);
	centrifuge_close(hub, op, start, "}}");
}

/* Tell why a request could not be done.  Returns false if it could. */
static bool
centrifuge_failed(struct hub *hub, const struct intake_op *op)
{
	enum centrifuge_error error = centrifuge_error_of(op->result);
	static const char leaving[] = "the server is leaving";

	if (error == CENTRIFUGE_OK)
		return false;
	centrifuge_fail(hub, op, error, leaving,
	    op->result == INTAKE_DRAINING ? sizeof(leaving) - 1 : 0);
	return true;
}

/* A reply that says no more than that it is done. */
static void
centrifuge_done(struct hub *hub, const struct intake_op *op, const char *method)
{
	size_t start;

	if (centrifuge_failed(hub, op))
		return;
	start = centrifuge_open(hub, op);
	buf_printf(&hub->protocols->text, ",\"%s\":{", method);
	centrifuge_close(hub, op, start, "}}");
}

static void
centrifuge_answer_publish(struct hub *hub, const struct intake_op *op)
{
	centrifuge_done(hub, op, "publish");
}

static void
centrifuge_answer_unsubscribe(struct hub *hub, const struct intake_op *op)
{
	centrifuge_done(hub, op, "unsubscribe");
}

/* "expires":true,"ttl":N; nothing for whom no token lets in. */
static void
centrifuge_put_ttl(struct hub *hub, struct conn *c, const char *comma)
{
	const struct identity *identity = caller_identity(c);
	uint64_t now_s = clock_wall_ms() / 1000, left;

	if (identity == NULL || identity->is_key)
		return;
	left = identity->expires_s > now_s ? identity->expires_s - now_s : 0;
	left = left > 2 * CENTRIFUGE_RENEW_S ? left - CENTRIFUGE_RENEW_S
	                                     : left / 2;
	buf_printf(&hub->protocols->text, "%s\"expires\":true,\"ttl\":%" PRIu64,
	    comma, left > 0 ? left : 1);
}

static void
centrifuge_answer_connect(struct hub *hub, const struct intake_op *op)
{
	struct buf *text = &hub->protocols->text;
	const struct config *config = hub->net->config;
	size_t start;

	if (op->result != INTAKE_DONE) {
		ws_close(op->conn, CENTRIFUGE_INVALID_TOKEN,
		    "invalid token: it is another user's");
		return;
	}
	start = centrifuge_open(hub, op);
	buf_printf(text,
	    ",\"connect\":{\"client\":\"%u.%" PRIu64
	    "\",\"version\":\"pubsubd/%s\"",
	    hub->slot, op->conn->number, PUBSUBD_VERSION);
	if (config->ping_interval_ms > 0)
		buf_printf(text, ",\"ping\":%u,\"pong\":true",
		    (config->ping_interval_ms + 999) / 1000);
	centrifuge_put_ttl(hub, op->conn, ",");
	centrifuge_close(hub, op, start, "}}");
}

/* Then the client hears what it may not follow any more. */
static void
centrifuge_answer_refresh(struct hub *hub, const struct intake_op *op)
{
	size_t start;

	if (centrifuge_failed(hub, op))
		return;
	start = centrifuge_open(hub, op);
	buf_puts(&hub->protocols->text, ",\"refresh\":{");
	centrifuge_put_ttl(hub, op->conn, "");
	centrifuge_close(hub, op, start, "}}");
	caller_narrow(op->conn);
}

/* What the reply has of a recovery: "publications" if it can be.  Returns the
 * number behind those; 0: it cannot be recovered after all. */
static uint64_t
centrifuge_put_recovered(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	struct buf *text = &hub->protocols->text;
	const struct outq *out = op->conn->out;
	size_t before = text->len;
	uint64_t next;

	if (resume->how != RESUME_REPLAY)
		return op->start.seq + 1;
	buf_puts(text, ",\"publications\":");
	next = centrifuge_put_recovery(hub, resume,
	    out == NULL || out->answer_bytes <= CONN_ANSWERS_MAX, text);
	if (next == 0)
		text->len = before;
	return next;
}

/* where: offset of the client, or of the channel. */
static void
centrifuge_put_position(struct hub *hub, uint64_t offset)
{
	buf_printf(&hub->protocols->text,
	    "\"epoch\":\"%s\",\"offset\":%" PRIu64, hub->seg->header->epoch,
	    offset);
}

/* A subscription has begun.  If everything is there that its client missed, the
 * reply says where the client was, and what follows begins there; else where the
 * channel is. */
static void
centrifuge_subscribed(
    struct hub *hub, const struct intake_op *op, struct resume *resume)
{
	struct buf *text = &hub->protocols->text;
	size_t start = centrifuge_open(hub, op);
	uint64_t next = 0;

	buf_puts(text, ",\"subscribe\":{\"recoverable\":true,"
		       "\"positioned\":true");
	if (op->want.has_since)
		buf_puts(text, ",\"was_recovering\":true");
	if (resume->recovered)
		next = centrifuge_put_recovered(hub, op, resume);
	buf_puts(text, next != 0 ? ",\"recovered\":true," : ",");
	centrifuge_put_position(
	    hub, next != 0 ? op->want.since : op->start.seq);
	centrifuge_close(hub, op, start, "}}");
	if (next != 0 && resume->how == RESUME_REPLAY)
		resume_begin_at(hub, op, resume, next);
	else
		resume_begin_live(resume);
}

/* or_not: the client wants to be refused if something is missing. */
static void
centrifuge_subscribe(struct hub *hub, const struct intake_op *op, bool or_not)
{
	struct resume resume;

	if (centrifuge_failed(hub, op))
		return;
	if (op->already) {
		centrifuge_fail(hub, op, CENTRIFUGE_ALREADY, "", 0);
		return;
	}
	resume_plan(hub, op, &resume);
	if (!or_not || !op->want.has_since || resume.recovered) {
		centrifuge_subscribed(hub, op, &resume);
		return;
	}
	resume_begin_live(&resume);
	if (resume.sub != NULL)
		subscribe_end(hub, resume.sub);
	centrifuge_fail(hub, op, CENTRIFUGE_UNRECOVERABLE, "", 0);
}

static void
centrifuge_answer_subscribe(struct hub *hub, const struct intake_op *op)
{
	centrifuge_subscribe(hub, op, false);
}

static void
centrifuge_answer_subscribe_or_not(struct hub *hub, const struct intake_op *op)
{
	centrifuge_subscribe(hub, op, true);
}

static void
centrifuge_answer_history(
    struct hub *hub, const struct intake_op *op, enum centrifuge_history which)
{
	struct buf *text = &hub->protocols->text;
	size_t start;

	if (centrifuge_failed(hub, op))
		return;
	start = centrifuge_open(hub, op);
	buf_puts(text, ",\"history\":{\"publications\":");
	if (op->result == INTAKE_NO_TOPIC && !op->want.is_other_epoch) {
		buf_puts(text, "[]");
	} else if (centrifuge_put_history(hub, op, which, text) !=
		   CENTRIFUGE_OK) {
		centrifuge_fail(hub, op, CENTRIFUGE_UNRECOVERABLE, "", 0);
		return;
	}
	buf_puts(text, ",");
	centrifuge_put_position(hub, op->start.seq);
	centrifuge_close(hub, op, start, "}}");
}

static void
centrifuge_answer_since(struct hub *hub, const struct intake_op *op)
{
	centrifuge_answer_history(hub, op, CENTRIFUGE_SINCE);
}

static void
centrifuge_answer_from_oldest(struct hub *hub, const struct intake_op *op)
{
	centrifuge_answer_history(hub, op, CENTRIFUGE_FROM_OLDEST);
}

static void
centrifuge_answer_newest_first(struct hub *hub, const struct intake_op *op)
{
	centrifuge_answer_history(hub, op, CENTRIFUGE_NEWEST_FIRST);
}

/* Too many to be told at once: there are no pages here, and a part of them would
 * look like all. */
static void
centrifuge_answer_presence(struct hub *hub, const struct intake_op *op)
{
	struct protocols *protocols = hub->protocols;
	size_t start;

	if (centrifuge_failed(hub, op))
		return;
	start = centrifuge_open(hub, op);
	buf_puts(&protocols->text, ",\"presence\":{\"presence\":");
	if (!centrifuge_put_infos(&protocols->text, &protocols->json,
		&protocols->json_inner,
		hub->intake->members.at + op->members_at, op->members_len))
		centrifuge_fail(hub, op, CENTRIFUGE_LIMIT, "", 0);
	else
		centrifuge_close(hub, op, start, "}}");
}

static void
centrifuge_answer_stats(struct hub *hub, const struct intake_op *op)
{
	size_t start;

	if (centrifuge_failed(hub, op))
		return;
	start = centrifuge_open(hub, op);
	buf_printf(&hub->protocols->text,
	    ",\"presence_stats\":{\"num_clients\":%" PRIu64
	    ",\"num_users\":%" PRIu64,
	    op->count, op->members);
	centrifuge_close(hub, op, start, "}}");
}

/* What was wrong with a command. */
static void
centrifuge_answer_error(struct hub *hub, const struct intake_op *op)
{
	centrifuge_fail(hub, op, (enum centrifuge_error)op->want.limit,
	    intake_body(hub->intake, op), op->want.body_len);
}

void (*centrifuge_answer_to(const struct centrifuge_command *command))(
    struct hub *hub, const struct intake_op *op)
{
	if (command->error != CENTRIFUGE_OK)
		return centrifuge_answer_error;
	switch (command->method) {
	case CENTRIFUGE_CONNECT:
		return centrifuge_answer_connect;
	case CENTRIFUGE_SUBSCRIBE:
		return command->or_not ? centrifuge_answer_subscribe_or_not
		                       : centrifuge_answer_subscribe;
	case CENTRIFUGE_UNSUBSCRIBE:
		return centrifuge_answer_unsubscribe;
	case CENTRIFUGE_PUBLISH:
		return centrifuge_answer_publish;
	case CENTRIFUGE_PRESENCE:
		return centrifuge_answer_presence;
	case CENTRIFUGE_PRESENCE_STATS:
		return centrifuge_answer_stats;
	case CENTRIFUGE_HISTORY:
		return command->newest_first  ? centrifuge_answer_newest_first
		       : command->from_oldest ? centrifuge_answer_from_oldest
		                              : centrifuge_answer_since;
	case CENTRIFUGE_REFRESH:
		return centrifuge_answer_refresh;
	case CENTRIFUGE_SEND:
	case CENTRIFUGE_OTHER:
	case CENTRIFUGE_PONG:
		break;
	}
	return NULL;
}
