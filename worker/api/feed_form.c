/* SPDX-License-Identifier: MIT */
/* feed_form.c - see feed_form.h. */

#include "worker/api/feed_form.h"

#include "broker/ring/ring.h"
#include "common/buf.h"
#include "worker/api/event_form.h"
#include "worker/delivery/form.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/subs.h"

#include <stdbool.h>

static void
feed_put(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, bool is_ephemeral)
{
	struct buf text;

	buf_init(&text);
	buf_puts(&text, "{\"topic\":");
	buf_add(&text, topic->json.at, topic->json.len);
	if (is_ephemeral) {
		buf_puts(&text, ",\"ephemeral\":true");
	} else {
		buf_puts(&text, ",\"seq\":");
		buf_number(&text, rec->seq);
		if (rec->pos == 0) /* not from the ring */
			buf_puts(&text, ",\"retained\":true");
	}
	buf_puts(&text, ",\"time\":");
	buf_number(&text, rec->time_ms);
	buf_puts(&text, ",\"message\":");
	buf_add(&text, rec->body, rec->body_len);
	buf_puts(&text, "}");
	event_put_lines(out, text.at, text.len);
	buf_puts(out, "\n");
	buf_fini(&text);
}

static void
feed_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	(void)epoch; /* it was in the first event */
	feed_put(out, rec, topic, false);
}

static void
feed_put_ephemeral(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	(void)epoch;
	feed_put(out, rec, topic, true);
}

/* Open a gap's event.  Returns where it starts. */
static size_t
feed_open_gap(struct buf *out)
{
	size_t start = out->len;

	buf_puts(out, "event: gap\ndata: ");
	return start;
}

/* Close it; the digits of its second number are at that place of out.  In another
 * ring, the client's place is that from now on. */
static struct outq_gap_places
feed_close_gap(struct buf *out, size_t start, size_t digits,
    enum gap_reason reason, const char *epoch)
{
	if (reason == GAP_MOVED)
		buf_printf(out, "\nid: %s", epoch);
	buf_puts(out, "\n\n");
	return (struct outq_gap_places){ .digits = (uint32_t)(digits - start) };
}

static struct outq_gap_places
feed_put_gap(struct buf *out, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason, const char *epoch)
{
	size_t start = feed_open_gap(out);
	size_t digits = gap_put_object(out, topic, from, to, reason, epoch);

	return feed_close_gap(out, start, digits, reason, epoch);
}

static struct outq_gap_places
feed_put_pattern_gap(struct buf *out, const char *pattern, size_t len,
    uint64_t count, enum gap_reason reason, const char *epoch)
{
	size_t start = feed_open_gap(out);
	size_t digits =
	    gap_put_pattern_object(out, pattern, len, count, reason, epoch);

	return feed_close_gap(out, start, digits, reason, epoch);
}

const struct form feed_form = {
	.message = feed_put_message,
	.ephemeral = feed_put_ephemeral,
	.gap = feed_put_gap,
	.pattern_gap = feed_put_pattern_gap,
};

const struct form feed_chunk_form = {
	.in_chunks = true,
	.message = feed_put_message,
	.ephemeral = feed_put_ephemeral,
	.gap = feed_put_gap,
	.pattern_gap = feed_put_pattern_gap,
};
