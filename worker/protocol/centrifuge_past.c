/* SPDX-License-Identifier: MIT */
/* centrifuge_past.c - see centrifuge_past.h. */

#include "worker/protocol/centrifuge_past.h"

#include "worker/net/rate.h"
#include "worker/protocol/centrifuge_data.h"
#include "worker/requests/history.h"
#include "worker/requests/resume.h"

/* A list that is being put together. */
struct centrifuge_list {
	struct buf *out;
	size_t start;
	uint32_t count, count_max;
	size_t bytes_max;
};

static void
centrifuge_list_open(struct centrifuge_list *list, struct buf *out,
    uint32_t count_max, size_t bytes_max)
{
	*list = (struct centrifuge_list){
		.out = out, .count_max = count_max, .bytes_max = bytes_max
	};
	buf_puts(out, "[");
	list->start = out->len;
}

/* Whether another message may follow.  The first one may, however long. */
static bool
centrifuge_list_has_room(const struct centrifuge_list *list)
{
	return list->count < list->count_max &&
	       list->out->len - list->start < list->bytes_max;
}

static void
centrifuge_list_add(struct centrifuge_list *list, const struct ring_record *rec)
{
	buf_puts(list->out, list->count > 0 ? ",{\"data\":" : "{\"data\":");
	centrifuge_copy(
	    buf_room(list->out, rec->body_len), rec->body, rec->body_len);
	list->out->len += rec->body_len;
	buf_puts(list->out, ",\"offset\":");
	buf_number(list->out, rec->seq);
	buf_puts(list->out, "}");
	list->count++;
}

uint64_t
centrifuge_put_recovery(
    struct hub *hub, struct resume *resume, bool room, struct buf *out)
{
	struct chain *chain = &resume->chain;
	size_t before = out->len;
	uint64_t number = chain->low;
	struct centrifuge_list list;
	struct ring_record rec;

	centrifuge_list_open(&list, out, room ? CENTRIFUGE_RECOVERY_MAX : 0,
	    CENTRIFUGE_RECOVERY_BYTES_MAX);
	while (number <= chain->seq && centrifuge_list_has_room(&list)) {
		if (!history_read(hub, chain, number, &rec)) {
			out->len = before;
			return 0;
		}
		if (ring_expired(rec.expires_ms))
			break; /* for the replay to tell */
		centrifuge_list_add(&list, &rec);
		number++;
	}
	buf_puts(out, "]");
	return number;
}

/* From number `first' on.  The ring loses the oldest first: if one is gone, those
 * before it go from the list, too.  Returns the number of the first that
 * stays. */
static uint64_t
centrifuge_put_forwards(struct hub *hub, struct chain *chain, uint64_t first,
    struct centrifuge_list *list)
{
	struct ring_record rec;

	for (uint64_t number = first;
	     number <= chain->seq && centrifuge_list_has_room(list); number++) {
		if (!history_read(hub, chain, number, &rec)) {
			list->out->len = list->start;
			list->count = 0;
			first = number + 1;
		} else if (!ring_expired(rec.expires_ms)) {
			centrifuge_list_add(list, &rec);
		}
	}
	return first;
}

static void
centrifuge_put_backwards(struct hub *hub, struct chain *chain, uint64_t last,
    struct centrifuge_list *list)
{
	struct ring_record rec;

	for (uint64_t number = last;
	     number >= chain->low && centrifuge_list_has_room(list) &&
	     history_read(hub, chain, number, &rec);
	     number--)
		if (!ring_expired(rec.expires_ms))
			centrifuge_list_add(list, &rec);
}

/* The last number of those before the place that was said. */
static uint64_t
centrifuge_last(const struct intake_op *op)
{
	if (!op->want.has_before || op->want.before > op->start.seq)
		return op->start.seq;
	return op->want.before == 0 ? 0 : op->want.before - 1;
}

/* The lowest number that is looked for. */
static uint64_t
centrifuge_first(const struct intake_op *op, enum centrifuge_history which)
{
	uint64_t base = op->start.base, last;

	if (which == CENTRIFUGE_FROM_OLDEST)
		return base + 1;
	if (which == CENTRIFUGE_SINCE)
		return op->want.since > base ? op->want.since + 1 : base + 1;
	last = centrifuge_last(op);
	return last > base + op->want.limit ? last - op->want.limit + 1
	                                    : base + 1;
}

/* Whether the client cannot have been at the place that it says. */
static bool
centrifuge_is_lost(const struct intake_op *op, enum centrifuge_history which)
{
	uint64_t place = which == CENTRIFUGE_SINCE ? op->want.since
	                 : op->want.has_before     ? op->want.before
	                                           : op->start.seq;

	if (op->want.is_other_epoch || place > op->start.seq + 1)
		return true;
	return which == CENTRIFUGE_SINCE &&
	       (place < op->start.base || place > op->start.seq);
}

enum centrifuge_error
centrifuge_put_history(struct hub *hub, const struct intake_op *op,
    enum centrifuge_history which, struct buf *out)
{
	uint64_t first = centrifuge_first(op, which);
	size_t before = out->len;
	struct centrifuge_list list;
	struct chain chain;

	if (centrifuge_is_lost(op, which))
		return CENTRIFUGE_UNRECOVERABLE;
	chain_init(
	    &chain, hub->seg, op->start.slot, op->start.seq, op->start.pos);
	if (op->want.limit > 0) {
		chain_walk(&chain, first);
		rate_charge(op->conn, chain.seq + 1 - chain.low);
	}
	centrifuge_list_open(&list, out, op->want.limit, HISTORY_BYTES_MAX);
	if (which == CENTRIFUGE_NEWEST_FIRST)
		centrifuge_put_backwards(
		    hub, &chain, centrifuge_last(op), &list);
	else if (op->want.limit > 0)
		chain.low =
		    centrifuge_put_forwards(hub, &chain, chain.low, &list);
	buf_puts(out, "]");
	if (which == CENTRIFUGE_SINCE && op->want.limit > 0 &&
	    chain.low > first) {
		out->len = before;
		chain_fini(&chain);
		return CENTRIFUGE_UNRECOVERABLE;
	}
	chain_fini(&chain);
	return CENTRIFUGE_OK;
}
