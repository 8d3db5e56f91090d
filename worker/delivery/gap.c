/* SPDX-License-Identifier: MIT */
/* gap.c - see gap.h. */

#include "worker/delivery/gap.h"

#include "common/buf.h"
#include "common/bug.h"
#include "worker/delivery/hub.h"

#include <inttypes.h>

static const char *const gap_reasons[] = {
	[GAP_SLOW] = "slow",
	[GAP_LAPPED] = "lapped",
	[GAP_EXPIRED] = "expired",
	[GAP_UNKNOWN] = "unknown",
	[GAP_EPOCH] = "epoch",
	[GAP_WITHHELD] = "forbidden",
};

size_t
gap_put_object(struct buf *buf, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason)
{
	size_t digits_at = 0;

	buf_puts(buf, "{\"type\":\"gap\",\"topic\":");
	buf_add(buf, topic->json.at, topic->json.len);
	if (from != 0) {
		buf_printf(buf, ",\"from\":%" PRIu64 ",\"to\":", from);
		digits_at = buf->len;
		outq_gap_digits(buf_room(buf, OUTQ_GAP_DIGITS), to);
		buf->len += OUTQ_GAP_DIGITS;
	}
	buf_printf(buf, ",\"reason\":\"%s\"}", gap_reasons[reason]);
	return digits_at;
}

void
gap_tell(struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason)
{
	struct conn *c = &sub->client->conn;
	const struct form *form = hub_of(c)->forms[sub->client->form];
	struct buf text;

	if (form->gap == NULL)
		return;
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	form->gap(
	    &text, sub->topic, from, to, reason, hub_of(c)->seg->header->epoch);
	conn_answer(c, text.at, text.len);
	buf_fini(&text);
}

void
gap_dropped(
    struct conn *c, uint32_t slot, uint64_t seq, struct outq_item *before)
{
	const struct client *client = client_of(c);
	const struct form *form = hub_of(c)->forms[client->form];
	const struct sub_topic *topic = hub_of(c)->subs.by_slot[slot];
	struct outq_gap_places at;
	struct buf text;

	if (form->gap == NULL || outq_extend_gap(c->out, slot, seq))
		return;
	/* No message of a topic that the client left is dropped, see
	 * outq_leave_topic(). */
	CHECK(
	    topic != NULL && subs_find_of_client(&client->subs, topic) != NULL);
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	at = form->gap(
	    &text, topic, seq, seq, GAP_SLOW, hub_of(c)->seg->header->epoch);
	outq_add_gap(
	    c->out, slot, seq, before, text.at, (uint32_t)text.len, at);
	buf_fini(&text);
}
