/* SPDX-License-Identifier: MIT */
/* centrifuge_form.c - what is pushed to Centrifuge's clients; see centrifuge.h. */

#include "worker/protocol/centrifuge.h"

#include "broker/ring/ring.h"
#include "common/ws.h"
#include "worker/delivery/subs.h"
#include "worker/protocol/centrifuge_code.h"
#include "worker/protocol/centrifuge_data.h"
#include "worker/protocol/centrifuge_info.h"

#include <string.h>

/* The words of a publication. */
#define PUSH_CHANNEL "{\"push\":{\"channel\":"
#define PUSH_DATA    ",\"pub\":{\"data\":"
#define PUSH_OFFSET  ",\"offset\":"
#define PUSH_END     "}}}"

/* Copy bytes.  Returns where they end. */
static char *
push_put(char *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

#define PUSH_PUT(at, word) push_put(at, word, sizeof(word) - 1)

/* The length of the text decides that of the header, so the number is written
 * first; digits_len 0: the message has none. */
static void
push_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *digits, size_t digits_len)
{
	size_t len = sizeof(PUSH_CHANNEL PUSH_DATA PUSH_END) - 1 +
	             topic->json.len + rec->body_len +
	             (digits_len > 0 ? sizeof(PUSH_OFFSET) - 1 : 0) +
	             digits_len;
	char *start = buf_room(out, WS_HEADER_MAX + len);
	char *at = start + ws_frame_header((uint8_t *)start, WS_TEXT, len);

	at = PUSH_PUT(at, PUSH_CHANNEL);
	at = push_put(at, topic->json.at, topic->json.len);
	at = PUSH_PUT(at, PUSH_DATA);
	at = centrifuge_copy(at, rec->body, rec->body_len);
	if (digits_len > 0) {
		at = PUSH_PUT(at, PUSH_OFFSET);
		at = push_put(at, digits, digits_len);
	}
	at = PUSH_PUT(at, PUSH_END);
	out->len += (size_t)(at - start);
}

static void
push_put_numbered(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	char digits[BUF_DIGITS_MAX];

	(void)epoch; /* it was in the reply */
	push_put_message(out, rec, topic, digits, buf_digits(digits, rec->seq));
}

static void
push_put_ephemeral(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	(void)epoch;
	push_put_message(out, rec, topic, NULL, 0);
}

/* Begin a push about a topic. */
static size_t
push_open(struct buf *out, const struct sub_topic *topic)
{
	size_t start = ws_text_open(out);

	buf_puts(out, PUSH_CHANNEL);
	buf_add(out, topic->json.at, topic->json.len);
	return start;
}

/* Records of members are few, and their reader need not be as many as forms. */
static void
push_put_member(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic)
{
	static struct json_reader json;
	size_t start = push_open(out, topic);

	buf_puts(out, (rec->flags & RECORD_JOIN) != 0
			  ? ",\"join\":{\"info\":"
			  : ",\"leave\":{\"info\":");
	centrifuge_put_info(out, &json, rec->body, rec->body_len);
	buf_puts(out, PUSH_END);
	ws_text_close(out, start);
}

/* Whatever is missing: subscribe again, from where you are. */
static void
push_put_insufficient(struct buf *out, const struct sub_topic *topic)
{
	size_t start = push_open(out, topic);

	buf_printf(out,
	    ",\"unsubscribe\":{\"code\":%d,\"reason\":\"insufficient "
	    "state\"}}}",
	    CENTRIFUGE_INSUFFICIENT);
	ws_text_close(out, start);
}

static void
push_put_unwatched(
    struct buf *out, const struct sub_topic *topic, enum watch_end why)
{
	(void)why;
	push_put_insufficient(out, topic);
}

static struct outq_gap_places
push_put_gap(struct buf *out, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason, const char *epoch)
{
	(void)from;
	(void)to;
	(void)reason;
	(void)epoch;
	push_put_insufficient(out, topic);
	return (struct outq_gap_places){ 0 };
}

const struct form centrifuge_form = {
	.ends_at_gap = true,
	.message = push_put_numbered,
	.ephemeral = push_put_ephemeral,
	.member = push_put_member,
	.unwatched = push_put_unwatched,
	.gap = push_put_gap,
};
