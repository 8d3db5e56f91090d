/* SPDX-License-Identifier: MIT */
/* gap.c - see gap.h. */

#include "worker/delivery/gap.h"

#include "common/ws.h"
#include "worker/state.h"

#include <inttypes.h>

static const char *const gap_reasons[] = {
	[GAP_SLOW] = "slow",
	[GAP_LAPPED] = "lapped",
	[GAP_EXPIRED] = "expired",
	[GAP_UNKNOWN] = "unknown",
	[GAP_EPOCH] = "epoch",
};

/* The object itself; returns the offset of the second number's digits. */
static size_t
gap_put_object(struct buf *buf, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason)
{
	size_t digits_at = 0;

	buf_puts(buf, "{\"type\":\"gap\",\"topic\":");
	buf_add(buf, topic->json.at, topic->json.len);
	if (from != 0) {
		buf_printf(buf, ",\"from\":%" PRIu64 ",\"to\":", from);
		digits_at = buf->len;
		buf_printf(buf, "%-*" PRIu64, OUTQ_GAP_DIGITS, to);
	}
	buf_printf(buf, ",\"reason\":\"%s\"}", gap_reasons[reason]);
	return digits_at;
}

uint32_t
gap_put(struct buf *buf, enum frames_form form, const struct sub_topic *topic,
    uint64_t from, uint64_t to, enum gap_reason reason)
{
	size_t start = buf->len, digits_at;

	if (form == FRAMES_EVENT) {
		buf_puts(buf, "event: gap\ndata: ");
		digits_at = gap_put_object(buf, topic, from, to, reason);
		buf_puts(buf, "\n\n");
		return (uint32_t)(digits_at - start);
	}
	frames_open(buf);
	digits_at = gap_put_object(buf, topic, from, to, reason);
	return (uint32_t)(digits_at - frames_close(buf, start) - start);
}

void
gap_tell(struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason)
{
	struct conn *c = sub->conn;
	struct buf *text = &c->w->text;

	if (c->form == FRAMES_RAW)
		return;
	stats_add(&c->w->stats, STATS_GAPS, 1);
	buf_reset(text);
	gap_put(text, (enum frames_form)c->form, sub->topic, from, to, reason);
	conn_answer(c, text->at, text->len);
}
