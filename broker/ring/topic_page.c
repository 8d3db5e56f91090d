/* SPDX-License-Identifier: MIT */
/* topic_page.c - see topic_page.h. */

#include "broker/ring/topic_page.h"

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
topic_page_begin(struct topic_page *page)
{
	page->next = page->count = 0;
	page->entries = xcalloc(page->limit + 1, sizeof(*page->entries));
	page->heap = xcalloc(page->limit + 1, sizeof(*page->heap));
}

void
topic_page_fini(struct topic_page *page)
{
	free(page->entries);
	free(page->heap);
	page->entries = NULL;
	page->heap = NULL;
}

int
topic_page_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order != 0)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

/* Whether the name at heap position a is greater than that at b. */
static bool
topic_page_is_above(const struct topic_page *page, uint32_t a, uint32_t b)
{
	const struct topic_page_entry *x = &page->entries[page->heap[a]];
	const struct topic_page_entry *y = &page->entries[page->heap[b]];

	return topic_page_compare(x->name, x->len, y->name, y->len) > 0;
}

static void
topic_page_swap(struct topic_page *page, uint32_t a, uint32_t b)
{
	uint16_t entry = page->heap[a];

	page->heap[a] = page->heap[b];
	page->heap[b] = entry;
}

/* The last of the heap is new: bring it up to its place. */
static void
topic_page_rise(struct topic_page *page)
{
	uint32_t at = page->count - 1;

	while (at > 0 && topic_page_is_above(page, at, (at - 1) / 2)) {
		topic_page_swap(page, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

/* The top is new: bring it down to its place among the first n. */
static void
topic_page_sink(struct topic_page *page, uint32_t n)
{
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n &&
		    topic_page_is_above(page, child + 1, child))
			child++;
		if (!topic_page_is_above(page, child, at))
			return;
		topic_page_swap(page, at, child);
		at = child;
	}
}

/* Whether a name fits, and either there is room for one more or it is smaller
 * than the greatest that is kept. */
static bool
topic_page_wants(const struct topic_page *page, const char *name, uint8_t len)
{
	const struct topic_page_entry *top;

	if (len < page->prefix_len ||
	    memcmp(name, page->prefix, page->prefix_len) != 0)
		return false;
	if (page->has_after &&
	    topic_page_compare(name, len, page->after, page->after_len) <= 0)
		return false;
	if (page->count <= page->limit)
		return true;
	top = &page->entries[page->heap[0]];
	return topic_page_compare(name, len, top->name, top->len) < 0;
}

static void
topic_page_keep(
    const struct segment *seg, struct topic_page *page, uint32_t slot)
{
	const struct layout_topic *topic = &seg->topics[slot];
	bool is_full = page->count > page->limit;
	uint16_t index = is_full ? page->heap[0] : (uint16_t)page->count;
	struct topic_page_entry *entry = &page->entries[index];

	entry->len = topic->name_len;
	memcpy(entry->name, seg->names[slot].name, topic->name_len);
	entry->seq = ring_topic_seq(seg, slot);
	entry->subscribers = topics_subscribers(seg, slot);
	if (is_full) {
		topic_page_sink(page, page->count);
	} else {
		page->heap[page->count++] = index;
		topic_page_rise(page);
	}
}

bool
topic_page_slice(const struct segment *seg, struct topic_page *page)
{
	uint32_t used = atomic_load(&seg->header->used);
	uint32_t end = used - page->next > TOPIC_PAGE_SLICE
	                   ? page->next + TOPIC_PAGE_SLICE
	                   : used;

	for (; page->next < end; page->next++) {
		const struct layout_topic *topic = &seg->topics[page->next];
		const char *name = seg->names[page->next].name;

		if (topic->state == TOPIC_LIVE &&
		    topic_page_wants(page, name, topic->name_len) &&
		    page->may_tell(page->arg, name, topic->name_len))
			topic_page_keep(seg, page, page->next);
	}
	return end < used;
}

/* The greatest to the end, again and again. */
uint32_t
topic_page_sort(struct topic_page *page, bool *more)
{
	for (uint32_t n = page->count; n > 1; n--) {
		topic_page_swap(page, 0, n - 1);
		topic_page_sink(page, n - 1);
	}
	*more = page->count > page->limit;
	return *more ? page->limit : page->count;
}

const struct topic_page_entry *
topic_page_at(const struct topic_page *page, uint32_t i)
{
	if (i > 0 && !topic_page_is_above(page, i, i - 1))
		return NULL;
	return &page->entries[page->heap[i]];
}
