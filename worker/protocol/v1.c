/* SPDX-License-Identifier: MIT */
/* v1.c - see v1.h. */

#include "worker/protocol/v1.h"

#include "common/config.h"
#include "common/utf8.h"
#include "common/ws.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/replay.h"
#include "worker/delivery/subscribe.h"
#include "worker/protocol/protocols.h"
#include "worker/protocol/v1_answer.h"
#include "worker/ws/protocol.h"

#include <inttypes.h>

/* When a client may come back, milliseconds: at random between these. */
#define V1_RETRY_MIN_MS 500
#define V1_RETRY_MAX_MS 15000

static void
v1_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	size_t start = ws_text_open(out);

	(void)epoch; /* it was in the ack */
	buf_puts(out, "{\"type\":\"message\",\"topic\":");
	buf_add(out, topic->json.at, topic->json.len);
	buf_puts(out, ",\"seq\":");
	buf_number(out, rec->seq);
	buf_puts(out, ",\"time\":");
	buf_number(out, rec->time_ms);
	buf_puts(out, ",\"message\":");
	buf_add(out, rec->body, rec->body_len);
	buf_puts(out, "}");
	ws_text_close(out, start);
}

static size_t
v1_put_gap(struct buf *out, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason)
{
	size_t start = ws_text_open(out);
	size_t digits_at = gap_put_object(out, topic, from, to, reason);

	return digits_at - ws_text_close(out, start) - start;
}

const struct form v1_form = { .message = v1_put_message, .gap = v1_put_gap };

/* Finish what begins at `start' and queue it. */
static void
v1_send(struct conn *c, size_t start)
{
	struct buf *text = &hub_of(c)->protocols->text;

	buf_puts(text, "}");
	ws_text_close(text, start);
	conn_answer(c, text->at, text->len);
}

static void
v1_welcome(struct conn *c)
{
	struct hub *hub = hub_of(c);
	struct buf *text = &hub->protocols->text;
	const struct config *config = c->net->config;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text,
	    "{\"type\":\"welcome\",\"version\":1,\"server\":\"pubsubd/%s\","
	    "\"epoch\":\"%s\",\"limits\":{\"message\":%u,\"topics\":%u,"
	    "\"rate\":%u},\"ping\":%u,"
	    "\"retry\":{\"min_ms\":%d,\"max_ms\":%d}",
	    PUBSUBD_VERSION, hub->seg->header->epoch, config->max_message,
	    config->max_topics_per_conn, config->rate,
	    config->ping_interval_ms / 1000, V1_RETRY_MIN_MS, V1_RETRY_MAX_MS);
	v1_send(c, start);
}

static void
v1_drain(struct conn *c, uint64_t in_ms, uint64_t spread_ms)
{
	struct hub *hub = hub_of(c);
	struct buf *text = &hub->protocols->text;
	size_t start;

	buf_reset(text);
	start = ws_text_open(text);
	buf_printf(text,
	    "{\"type\":\"drain\",\"in_ms\":%" PRIu64
	    ",\"retry\":{\"min_ms\":0,\"max_ms\":%" PRIu64 "}",
	    in_ms, spread_ms);
	v1_send(c, start);
}

static void
v1_begin(struct conn *c, const struct http_request *req)
{
	client_of(c)->form = FORM_ENVELOPE;
	v1_welcome(c);
	protocols_subscribe(c, req, v1_answer);
}

static void
v1_message(struct conn *c, bool binary, const char *data, size_t len)
{
	struct protocols *protocols = hub_of(c)->protocols;
	struct intake_request want;
	const char *body;
	char *room;

	if (binary && !utf8_valid(data, len)) {
		v1_request_refuse(
		    &want, "bad_json", "the binary frame is not UTF-8");
	} else {
		v1_parse(&protocols->v1, data, len, &want);
	}
	want.answer = v1_answer;
	body = want.body;
	if (want.kind == INTAKE_PLAIN || want.kind == INTAKE_PUBLISH)
		want.body = NULL;
	room = intake_add(c, &want);
	if (want.body == NULL && want.body_len > 0)
		json_normalise(body, want.body_len, room);
	if (intake_reads_past(&want))
		conn_pause(c, PAUSE_INTAKE);
}

const struct protocol v1_protocol = {
	.name = "pubsubd.v1",
	.restart_code = WS_CODE_RESTART,
	.accept = protocols_accept,
	.begin = v1_begin,
	.message = v1_message,
	.drain = v1_drain,
	.written = replays_resume,
	.dropped = gap_dropped,
	.end = subscribe_end_all,
};
