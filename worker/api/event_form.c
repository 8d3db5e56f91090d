/* SPDX-License-Identifier: MIT */
/* event_form.c - see event_form.h. */

#include "worker/api/event_form.h"

#include "broker/ring/ring.h"
#include "common/buf.h"
#include "worker/delivery/form.h"
#include "worker/delivery/gap.h"
#include "worker/delivery/place.h"

void
event_put_lines(struct buf *out, const char *text, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '\n' && text[i] != '\r')
			continue;
		buf_puts(out, "data: ");
		buf_add(out, text + start, i - start);
		buf_puts(out, "\n");
		if (i + 1 < len && text[i] == '\r' && text[i + 1] == '\n')
			i++;
		start = i + 1;
	}
}

static void
event_put_data(struct buf *out, const struct ring_record *rec)
{
	struct buf text;

	buf_init(&text);
	buf_json_text(&text, rec->body, rec->body_len);
	event_put_lines(out, text.len > 0 ? text.at : "", text.len);
	buf_fini(&text);
}

/* Without an id: who comes back goes on behind the last that had one. */
static void
event_put_ephemeral(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	(void)topic;
	(void)epoch;
	event_put_data(out, rec);
	buf_puts(out, "\n");
}

/* The id comes behind the data: some clients take an id as soon as its line has
 * come (eventsource 2 and fetch-event-source of npm).  In front, the id of an
 * event that breaks off would have them resume behind a message that they never
 * got. */
static void
event_put_message(struct buf *out, const struct ring_record *rec,
    const struct sub_topic *topic, const char *epoch)
{
	char place[PLACE_TEXT_MAX];

	(void)topic;
	event_put_data(out, rec);
	buf_printf(out, "id: %s:", epoch);
	buf_number(out, rec->seq);
	/* The id is all that a client has: one without a place of its own says
	 * behind which it can go on at another host. */
	if (place_at(rec) != 0) {
		buf_puts(out, ":");
		buf_add(out, place, place_text(place, place_at(rec)));
	}
	buf_puts(out, "\n\n");
}

static struct outq_gap_places
event_put_gap(struct buf *out, const struct sub_topic *topic, uint64_t from,
    uint64_t to, enum gap_reason reason, const char *epoch)
{
	size_t start = out->len, digits, line;

	buf_puts(out, "event: gap\ndata: ");
	digits = gap_put_object(out, topic, from, to, reason, epoch);
	buf_printf(out, "\nid: %s:", epoch);
	line = out->len;
	outq_gap_line(buf_room(out, OUTQ_GAP_LINE), to);
	out->len += OUTQ_GAP_LINE;
	buf_puts(out, "\n\n");
	return (struct outq_gap_places){ .digits = (uint32_t)(digits - start),
		.line = (uint32_t)(line - start) };
}

const struct form event_form = {
	.message = event_put_message,
	.ephemeral = event_put_ephemeral,
	.gap = event_put_gap,
};

const struct form event_chunk_form = {
	.in_chunks = true,
	.message = event_put_message,
	.ephemeral = event_put_ephemeral,
	.gap = event_put_gap,
};
