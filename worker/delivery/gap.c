/* SPDX-License-Identifier: MIT */
/* gap.c - see gap.h. */

#include "worker/delivery/gap.h"

#include "common/buf.h"
#include "common/bug.h"
#include "worker/delivery/ending.h"
#include "worker/delivery/hub.h"
#include "worker/delivery/patterns.h"
#include "worker/delivery/watch.h"
#include "worker/net/drops.h"

#include <inttypes.h>

static const char *const gap_reasons[] = {
	[GAP_SLOW] = "slow",
	[GAP_LAPPED] = "lapped",
	[GAP_EXPIRED] = "expired",
	[GAP_UNKNOWN] = "unknown",
	[GAP_EPOCH] = "epoch",
	[GAP_WITHHELD] = "forbidden",
	[GAP_CLUSTER] = "cluster",
	[GAP_LOST] = "cluster",
	[GAP_CONFLATED] = "conflated",
	[GAP_MOVED] = "epoch",
};

/* Whether it comes while a subscription goes on, and no ack says where. */
static bool
gap_goes_on(enum gap_reason reason)
{
	return reason == GAP_MOVED || reason == GAP_LOST;
}

/* Who has come to another ring is told which, as it would be by an ack. */
static void
gap_put_reason(struct buf *buf, enum gap_reason reason, const char *epoch)
{
	buf_printf(buf, ",\"reason\":\"%s\"", gap_reasons[reason]);
	if (gap_goes_on(reason))
		buf_printf(buf, ",\"epoch\":\"%s\"", epoch);
}

size_t
gap_put_object(struct buf *buf, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason, const char *epoch)
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
	gap_put_reason(buf, reason, epoch);
	if (gap_goes_on(reason))
		buf_printf(buf, ",\"seq\":%" PRIu64, to);
	buf_puts(buf, "}");
	return digits_at;
}

/* Count a gap that a client is told. */
static void
gap_count(struct stats *stats, uint64_t from, enum gap_reason reason)
{
	stats_add(stats, STATS_GAPS, 1);
	if (reason == GAP_CLUSTER)
		stats_add(stats, STATS_CLUSTER_GAPS, 1);
	if (reason == GAP_EXPIRED && from == 0)
		stats_add(stats, STATS_CLUSTER_GAPS_EXPIRED, 1);
}

void
gap_tell(struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason)
{
	struct conn *c = &sub->client->conn;
	const struct form *form = hub_of(c)->forms[sub->client->form];
	struct buf text;

	if (form->gap == NULL)
		return;
	gap_count(&c->net->stats, from, reason);
	buf_init(&text);
	form_put_gap(form, &text, sub->topic, from, to, reason,
	    hub_of(c)->seg->header->epoch);
	conn_answer(c, text.at, text.len);
	buf_fini(&text);
	ending_begin(hub_of(c), sub);
}

size_t
gap_put_pattern_object(struct buf *buf, const char *pattern, size_t len,
    uint64_t count, enum gap_reason reason, const char *epoch)
{
	size_t digits_at = 0;

	buf_puts(buf, "{\"type\":\"gap\",\"pattern\":");
	buf_json_string(buf, pattern, len);
	if (count != 0) {
		buf_puts(buf, ",\"count\":");
		digits_at = buf->len;
		outq_gap_digits(buf_room(buf, OUTQ_GAP_DIGITS), count);
		buf->len += OUTQ_GAP_DIGITS;
	}
	gap_put_reason(buf, reason, epoch);
	buf_puts(buf, "}");
	return digits_at;
}

void
gap_tell_pattern(const struct pattern_sub *sub, enum gap_reason reason)
{
	struct conn *c = &sub->client->client->conn;
	const struct form *form = hub_of(c)->forms[client_of(c)->form];
	struct buf text;

	if (form->pattern_gap == NULL)
		return;
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	form_put_pattern_gap(form, &text, sub->pattern->text, sub->pattern->len,
	    0, reason, hub_of(c)->seg->header->epoch);
	conn_answer(c, text.at, text.len);
	buf_fini(&text);
}

/* In a queue, gaps of patterns are those of topics that no directory has. */
static uint32_t
gap_key(const struct pattern_sub *sub)
{
	return UINT32_MAX - sub->number;
}

/* The pattern that a dropped message came by; the client's last one, if the
 * message's topic is not known any more. */
static const struct pattern_sub *
gap_pattern_of(
    struct hub *hub, const struct client *client, uint32_t slot, uint64_t seq)
{
	const struct pattern_client *pc = patterns_of(hub, client);
	const struct pattern_topic *pt = patterns_topic_of(hub, slot, seq);
	const struct pattern_sub *sub =
	    pt != NULL ? patterns_match_of(pc, pt->topic) : NULL;

	return sub != NULL ? sub : SLIST_FIRST(&pc->subs);
}

/* A message that came by a pattern was dropped. */
static void
gap_dropped_by_pattern(
    struct conn *c, uint32_t slot, uint64_t seq, struct outq_item *before)
{
	struct hub *hub = hub_of(c);
	const struct client *client = client_of(c);
	const struct form *form = hub->forms[client->form];
	const struct pattern_sub *sub = gap_pattern_of(hub, client, slot, seq);
	struct outq_gap_places at;
	struct buf text;

	if (form->pattern_gap == NULL || outq_count_gap(c->out, gap_key(sub)))
		return;
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	at = form_put_pattern_gap(form, &text, sub->pattern->text,
	    sub->pattern->len, 1, GAP_SLOW, hub->seg->header->epoch);
	outq_add_gap(
	    c->out, gap_key(sub), 1, before, text.at, (uint32_t)text.len, at);
	buf_fini(&text);
}

/* Whether a client follows the topic in that slot itself. */
static bool
gap_is_of_sub(const struct client *client, const struct sub_topic *topic)
{
	return topic != NULL &&
	       subs_find_of_client(&client->subs, topic) != NULL;
}

/* A message of a topic was dropped whose subscription does not outlive that.
 * Those of the topic that came behind the dropped one go, too: they wait behind
 * `before', if that is not NULL. */
static void
gap_dropped_for_good(
    struct conn *c, struct sub_topic *topic, uint64_t seq, bool has_behind)
{
	struct sub *sub = subs_find_of_client(&client_of(c)->subs, topic);
	const struct form *form = hub_of(c)->forms[client_of(c)->form];
	struct buf text;

	if (sub->is_over)
		return;
	if (has_behind)
		for (uint32_t n = outq_drop_topic(c->out, topic->slot); n > 0;
		     n--)
			drops_add(c, STATS_DROPS);
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	form_put_gap(form, &text, topic, seq, seq, GAP_SLOW,
	    hub_of(c)->seg->header->epoch);
	outq_add_answer(c->out, text.at, (uint32_t)text.len);
	buf_fini(&text);
	ending_begin(hub_of(c), sub);
}

void
gap_dropped(
    struct conn *c, uint32_t slot, uint64_t seq, struct outq_item *before)
{
	const struct client *client = client_of(c);
	const struct form *form = hub_of(c)->forms[client->form];
	struct sub_topic *topic = hub_of(c)->subs.by_slot[slot];
	struct outq_gap_places at;
	struct buf text;

	if (seq == ARENA_MEMBER) {
		watch_dropped(c, slot);
		return;
	}
	if (seq == ARENA_UNNUMBERED)
		return;
	if (client->has_patterns && !gap_is_of_sub(client, topic)) {
		gap_dropped_by_pattern(c, slot, seq, before);
		return;
	}
	if (form->gap == NULL || outq_extend_gap(c->out, slot, seq))
		return;
	/* No message of a topic that the client left is dropped, see
	 * outq_leave_topic(). */
	CHECK(gap_is_of_sub(client, topic));
	if (form->ends_at_gap) {
		gap_dropped_for_good(c, topic, seq, before != NULL);
		return;
	}
	stats_add(&c->net->stats, STATS_GAPS, 1);
	buf_init(&text);
	at = form_put_gap(form, &text, topic, seq, seq, GAP_SLOW,
	    hub_of(c)->seg->header->epoch);
	outq_add_gap(
	    c->out, slot, seq, before, text.at, (uint32_t)text.len, at);
	buf_fini(&text);
}
