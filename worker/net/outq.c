/* SPDX-License-Identifier: MIT */
/* outq.c - see outq.h. */

#include "worker/net/outq.h"

#include "common/buf.h"
#include "common/bug.h"
#include "common/xmalloc.h"
#include "worker/net/budget.h"
#include "worker/net/kept.h"

#include <stdlib.h>
#include <string.h>

struct outq *
outq_new(struct budget *budget)
{
	struct outq *q = xcalloc(1, sizeof(*q));

	TAILQ_INIT(&q->items);
	TAILQ_INIT(&q->droppable);
	q->budget = budget;
	return q;
}

static void
outq_item_free(struct outq_item *item)
{
	if (item->kept != NULL)
		kept_drop(&item->kept);
	free(item);
}

/* The queue holds n bytes now. */
static void
outq_set_bytes(struct outq *q, size_t n)
{
	if (q->budget != NULL)
		budget_change(q->budget, BUDGET_OUTPUT, q->bytes, n);
	q->bytes = n;
}

void
outq_free(struct outq **qp)
{
	struct outq *q = *qp;
	struct outq_item *item;

	*qp = NULL;
	while ((item = TAILQ_FIRST(&q->items)) != NULL) {
		TAILQ_REMOVE(&q->items, item, link);
		outq_item_free(item);
	}
	outq_set_bytes(q, 0);
	free(q->gaps);
	free(q);
}

/* Make an item that must be sent, without its place.  Its bytes are those that
 * are kept, or (NULL) the caller's to write. */
static struct outq_item *
outq_item_new(struct outq *q, uint32_t len, struct kept *kept)
{
	struct outq_item *item = xmalloc(sizeof(*item) + (kept ? 0 : len));

	CHECK(len > 0);
	item->kept = kept;
	item->len = len;
	item->kind = OUTQ_ANSWER;
	item->topic = 0;
	item->seq = 0;
	q->answer_bytes += len;
	outq_set_bytes(q, q->bytes + len);
	return item;
}

/* A message cannot be dropped any more. */
static void
outq_make_answer(struct outq *q, struct outq_item *item, size_t left)
{
	item->kind = OUTQ_ANSWER;
	q->answer_bytes += left;
	q->messages--;
	TAILQ_REMOVE(&q->droppable, item, next_droppable);
}

void *
outq_answer_room(struct outq *q, uint32_t len)
{
	struct outq_item *item = outq_item_new(q, len, NULL);

	TAILQ_INSERT_TAIL(&q->items, item, link);
	return item->data;
}

void
outq_add_answer(struct outq *q, const void *data, uint32_t len)
{
	memcpy(outq_answer_room(q, len), data, len);
}

void
outq_add_kept(struct outq *q, struct kept *kept)
{
	struct outq_item *item = outq_item_new(q, kept->len, kept_take(kept));

	TAILQ_INSERT_TAIL(&q->items, item, link);
}

void
outq_add_message(
    struct outq *q, uint32_t topic, uint64_t seq, struct kept *kept)
{
	struct outq_item *item = outq_item_new(q, kept->len, kept_take(kept));

	CHECK(topic <= INT32_MAX);
	item->kind = OUTQ_MESSAGE;
	item->topic = topic & INT32_MAX;
	item->seq = seq;
	q->answer_bytes -= kept->len;
	q->messages++;
	TAILQ_INSERT_TAIL(&q->items, item, link);
	TAILQ_INSERT_TAIL(&q->droppable, item, next_droppable);
}

/* Take a message out of the queue. */
static void
outq_drop(struct outq *q, struct outq_item *item)
{
	TAILQ_REMOVE(&q->items, item, link);
	TAILQ_REMOVE(&q->droppable, item, next_droppable);
	outq_set_bytes(q, q->bytes - item->len);
	q->messages--;
	outq_item_free(item);
}

bool
outq_drop_oldest(struct outq *q, struct outq_dropped *dropped)
{
	struct outq_item *item = TAILQ_FIRST(&q->droppable);

	if (item == NULL)
		return false;
	dropped->len = item->len;
	dropped->topic = item->topic;
	dropped->seq = item->seq;
	dropped->next = TAILQ_NEXT(item, link);
	outq_drop(q, item);
	return true;
}

uint32_t
outq_drop_topic(struct outq *q, uint32_t topic)
{
	struct outq_item *item, *next;
	uint32_t count = 0;

	for (item = TAILQ_FIRST(&q->droppable); item != NULL; item = next) {
		next = TAILQ_NEXT(item, next_droppable);
		if (item->topic != topic)
			continue;
		outq_drop(q, item);
		count++;
	}
	return count;
}

static struct outq_gap *
outq_find_gap(struct outq *q, uint32_t topic)
{
	for (uint32_t i = 0; i < q->gaps_count; i++)
		if (q->gaps[i].topic == topic)
			return &q->gaps[i];
	return NULL;
}

static void
outq_remove_gap(struct outq *q, struct outq_gap *gap)
{
	*gap = q->gaps[--q->gaps_count];
}

/* Returns: how many digits there are, at the start of out. */
static size_t
outq_put_digits(char out[OUTQ_GAP_DIGITS], uint64_t to)
{
	char digits[BUF_DIGITS_MAX];
	size_t len = buf_digits(digits, to);

	CHECK(len <= OUTQ_GAP_DIGITS);
	memcpy(out, digits, len);
	return len;
}

void
outq_gap_digits(char out[OUTQ_GAP_DIGITS], uint64_t to)
{
	size_t len = outq_put_digits(out, to);

	memset(out + len, ' ', OUTQ_GAP_DIGITS - len);
}

void
outq_gap_line(char out[OUTQ_GAP_LINE], uint64_t to)
{
	size_t len = outq_put_digits(out, to);

	out[len++] = '\n';
	memset(out + len, ':', OUTQ_GAP_LINE - len);
}

/* Write the second number into the item. */
static void
outq_write_gap(const struct outq_gap *gap)
{
	char *data = (char *)gap->item->data;

	outq_gap_digits(data + gap->at.digits, gap->to);
	if (gap->at.line != 0)
		outq_gap_line(data + gap->at.line, gap->to);
}

bool
outq_extend_gap(struct outq *q, uint32_t topic, uint64_t seq)
{
	struct outq_gap *gap = outq_find_gap(q, topic);

	if (gap == NULL || gap->to + 1 != seq)
		return false;
	gap->to = seq;
	outq_write_gap(gap);
	return true;
}

bool
outq_count_gap(struct outq *q, uint32_t topic)
{
	const struct outq_gap *gap = outq_find_gap(q, topic);

	return gap != NULL && outq_extend_gap(q, topic, gap->to + 1);
}

void
outq_add_gap(struct outq *q, uint32_t topic, uint64_t seq,
    struct outq_item *before, const void *frame, uint32_t len,
    struct outq_gap_places at)
{
	struct outq_item *item = outq_item_new(q, len, NULL);
	struct outq_gap *gap = outq_find_gap(q, topic);

	CHECK(at.digits + OUTQ_GAP_DIGITS <= len);
	CHECK(at.line == 0 || at.line + OUTQ_GAP_LINE <= len);
	memcpy(item->data, frame, len);
	if (before != NULL)
		TAILQ_INSERT_BEFORE(before, item, link);
	else
		TAILQ_INSERT_TAIL(&q->items, item, link);
	if (gap == NULL) {
		if (q->gaps_count == q->gaps_max) {
			q->gaps_max = q->gaps_max * 2 + 1;
			q->gaps = xreallocarray(
			    q->gaps, q->gaps_max, sizeof(*q->gaps));
		}
		gap = &q->gaps[q->gaps_count++];
	}
	*gap = (struct outq_gap){
		.item = item, .topic = topic, .at = at, .to = seq
	};
	outq_write_gap(gap);
}

void
outq_leave_topic(struct outq *q, uint32_t topic)
{
	struct outq_gap *gap = outq_find_gap(q, topic);
	struct outq_item *item, *next;

	if (gap != NULL)
		outq_remove_gap(q, gap);
	for (item = TAILQ_FIRST(&q->droppable); item != NULL; item = next) {
		next = TAILQ_NEXT(item, next_droppable);
		if (item->topic == topic)
			outq_make_answer(q, item, item->len);
	}
}

void
outq_leave_all(struct outq *q)
{
	struct outq_item *item;

	q->gaps_count = 0;
	while ((item = TAILQ_FIRST(&q->droppable)) != NULL)
		outq_make_answer(q, item, item->len);
}

int
outq_iov(struct outq *q, struct iovec *iov, int max)
{
	struct outq_item *item;
	uint32_t skip = q->begun;
	int n = 0;

	TAILQ_FOREACH(item, &q->items, link) {
		if (n == max)
			break;
		iov[n].iov_base =
		    (item->kept != NULL ? item->kept->bytes : item->data) +
		    skip;
		iov[n].iov_len = item->len - skip;
		skip = 0;
		n++;
	}
	return n;
}

/* An item has been begun: if it is a gap, it can grow no more. */
static void
outq_settle_gap(struct outq *q, const struct outq_item *item)
{
	for (uint32_t i = 0; i < q->gaps_count; i++)
		if (q->gaps[i].item == item) {
			outq_remove_gap(q, &q->gaps[i]);
			return;
		}
}

uint32_t
outq_sent(struct outq *q, size_t n)
{
	struct outq_item *item;
	uint32_t messages = 0;

	CHECK(n <= q->bytes);
	while (n > 0) {
		size_t part, left;

		item = TAILQ_FIRST(&q->items);
		left = item->len - q->begun;
		part = n < left ? n : left;
		messages += q->begun == 0 && item->seq != 0;
		if (item->kind == OUTQ_MESSAGE)
			outq_make_answer(q, item, left); /* it is begun */
		else
			outq_settle_gap(q, item);
		n -= part;
		outq_set_bytes(q, q->bytes - part);
		q->answer_bytes -= part;
		q->begun += (uint32_t)part;
		if (part < left)
			break;
		TAILQ_REMOVE(&q->items, item, link);
		outq_item_free(item);
		q->begun = 0;
	}
	return messages;
}
