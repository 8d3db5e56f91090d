/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */

#include "worker/requests/history.h"

#include "worker/delivery/place.h"
#include "worker/net/rate.h"

static void
history_put_message(struct buf *out, const struct ring_record *rec)
{
	buf_puts(out, "{\"seq\":");
	buf_number(out, rec->seq);
	if (ring_expired(rec->expires_ms)) {
		buf_puts(out, ",\"expired\":true}");
		return;
	}
	if (place_of(rec) != 0)
		place_put(out, place_of(rec));
	buf_puts(out, ",\"time\":");
	buf_number(out, rec->time_ms);
	buf_puts(out, ",\"message\":");
	buf_add(out, rec->body, rec->body_len);
	buf_puts(out, "}");
}

/* The numbers asked for: at most limit, up to *last.  Returns the first. */
static uint64_t
history_range(const struct intake_op *op, uint64_t *last)
{
	const struct subs_start *start = &op->start;

	*last = start->seq;
	if (op->want.has_before && op->want.before <= start->seq)
		*last = op->want.before == 0 ? 0 : op->want.before - 1;
	if (*last > start->base + op->want.limit)
		return *last - op->want.limit + 1;
	return start->base + 1;
}

bool
history_read(struct hub *hub, struct chain *chain, uint64_t number,
    struct ring_record *rec)
{
	return number >= chain->low && number <= chain->seq &&
	       chain_read(chain, number, hub->intake->record,
		   hub->intake->record_size, rec) == RING_OK;
}

/*
 * The lowest number from which on all up to `last' fit into one answer.  The
 * newest messages matter most, so this looks from the last one back.
 */
static uint64_t
history_fit(struct hub *hub, struct chain *chain, uint64_t first, uint64_t last)
{
	struct ring_record rec;
	size_t bytes = 0;
	uint64_t number = last + 1;

	while (number > first && history_read(hub, chain, number - 1, &rec)) {
		bytes += rec.body_len + 64;
		if (bytes > HISTORY_BYTES_MAX && number <= last)
			break;
		number--;
	}
	return number;
}

/*
 * Append these messages, separated by commas.  The ring loses the oldest first:
 * if one is gone, those before it go from the answer, too.  Returns the number
 * of the first one that stays, last + 1 if none does.
 */
static uint64_t
history_put_messages(struct hub *hub, struct chain *chain, uint64_t first,
    uint64_t last, struct buf *out)
{
	struct ring_record rec;
	size_t start = out->len;

	for (uint64_t number = first; number <= last; number++) {
		if (!history_read(hub, chain, number, &rec)) {
			out->len = start;
			first = number + 1;
			continue;
		}
		if (number > first)
			buf_puts(out, ",");
		history_put_message(out, &rec);
	}
	return first;
}

bool
history_put_chain(struct hub *hub, struct chain *chain, uint64_t first,
    uint64_t last, struct buf *out)
{
	struct ring_record rec;

	first = history_fit(hub, chain, first, last);
	buf_puts(out, "[");
	first = history_put_messages(hub, chain, first, last, out);
	buf_puts(out, "]");
	/* Last: what was there at the walk may be gone by now. */
	return first <= last && history_read(hub, chain, first - 1, &rec);
}

bool
history_put(struct hub *hub, const struct intake_op *op, struct buf *out)
{
	uint64_t last, first = history_range(op, &last);
	struct chain chain;
	bool more;

	chain_init(
	    &chain, hub->seg, op->start.slot, op->start.seq, op->start.pos);
	/* Look one further, to know whether there are older ones. */
	chain_walk(&chain, first > op->start.base + 1 ? first - 1 : first);
	rate_charge(op->conn, chain.seq + 1 - chain.low);
	more = history_put_chain(hub, &chain, first, last, out);
	chain_fini(&chain);
	return more;
}
