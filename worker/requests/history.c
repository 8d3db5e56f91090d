/* SPDX-License-Identifier: MIT */
/* history.c - see history.h. */

#include "worker/requests/history.h"

#include "broker/ring/chain.h"
#include "worker/net/rate.h"

static void
history_put_message(struct buf *out, const struct ring_record *rec)
{
	buf_puts(out, "{\"seq\":");
	buf_number(out, rec->seq);
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

	while (number > first && number > chain->low) {
		if (chain_read(chain, number - 1, hub->intake->record,
			hub->intake->record_size, &rec) != RING_OK)
			break;
		bytes += rec.body_len + 64;
		if (bytes > HISTORY_BYTES_MAX && number <= last)
			break;
		number--;
	}
	return number;
}

bool
history_put(struct hub *hub, const struct intake_op *op, struct buf *out)
{
	uint64_t last, first = history_range(op, &last);
	struct ring_record rec;
	struct chain chain;
	const char *comma = "";
	bool more;

	chain_init(
	    &chain, hub->seg, op->start.slot, op->start.seq, op->start.pos);
	/* Look one further, to know whether there are older ones. */
	chain_walk(&chain, first > op->start.base + 1 ? first - 1 : first);
	rate_charge(op->conn, chain.seq + 1 - chain.low);
	first = history_fit(hub, &chain, first, last);
	more = first > chain.low;
	buf_puts(out, "[");
	for (uint64_t number = first; number <= last; number++) {
		if (chain_read(&chain, number, hub->intake->record,
			hub->intake->record_size, &rec) != RING_OK)
			continue; /* overwritten meanwhile */
		buf_puts(out, comma);
		history_put_message(out, &rec);
		comma = ",";
	}
	buf_puts(out, "]");
	chain_fini(&chain);
	return more;
}
