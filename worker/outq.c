/* SPDX-License-Identifier: MIT */
/* outq.c - see outq.h. */

#include "worker/outq.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
outq_init(struct outq *q)
{
	memset(q, 0, sizeof(*q));
	STAILQ_INIT(&q->items);
}

void
outq_fini(struct outq *q)
{
	struct outq_item *item;

	while ((item = STAILQ_FIRST(&q->items)) != NULL) {
		STAILQ_REMOVE_HEAD(&q->items, link);
		free(item);
	}
	outq_init(q);
}

void
outq_add(struct outq *q, enum outq_kind kind, const void *data, uint32_t len)
{
	struct outq_item *item = xmalloc(sizeof(*item) + len);

	CHECK(len > 0);
	item->len = len;
	item->kind = (uint8_t)kind;
	memcpy(item->data, data, len);
	STAILQ_INSERT_TAIL(&q->items, item, link);
	q->bytes += len;
	if (kind == OUTQ_MESSAGE)
		q->messages++;
	else
		q->answer_bytes += len;
}

uint32_t
outq_drop_oldest(struct outq *q)
{
	struct outq_item *item;
	uint32_t len;

	STAILQ_FOREACH(item, &q->items, link)
	if (item->kind == OUTQ_MESSAGE)
		break;
	if (item == NULL)
		return 0;
	len = item->len;
	STAILQ_REMOVE(&q->items, item, outq_item, link);
	q->bytes -= len;
	q->messages--;
	free(item);
	return len;
}

int
outq_iov(struct outq *q, struct iovec *iov, int max)
{
	struct outq_item *item;
	uint32_t skip = q->begun;
	int n = 0;

	STAILQ_FOREACH(item, &q->items, link)
	{
		if (n == max)
			break;
		iov[n].iov_base = item->data + skip;
		iov[n].iov_len = item->len - skip;
		skip = 0;
		n++;
	}
	return n;
}

uint32_t
outq_sent(struct outq *q, size_t n)
{
	struct outq_item *item;
	uint32_t messages = 0;

	CHECK(n <= q->bytes);
	while (n > 0) {
		size_t part, left;

		item = STAILQ_FIRST(&q->items);
		left = item->len - q->begun;
		part = n < left ? n : left;
		if (item->kind == OUTQ_MESSAGE) {
			/* Begun, so its rest must follow: an answer. */
			item->kind = OUTQ_ANSWER;
			q->answer_bytes += left;
			q->messages--;
			messages++;
		}
		n -= part;
		q->bytes -= part;
		q->answer_bytes -= part;
		q->begun += (uint32_t)part;
		if (part < left)
			break;
		STAILQ_REMOVE_HEAD(&q->items, link);
		free(item);
		q->begun = 0;
	}
	return messages;
}
