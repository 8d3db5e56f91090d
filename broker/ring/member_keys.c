/* SPDX-License-Identifier: MIT */
/* member_keys.c - see member_keys.h.  The smallest are kept in a heap, with the
 * greatest of them on top, which a smaller one replaces. */

#include "broker/ring/member_keys.h"

#include <stdlib.h>

/* The last of the heap is new: bring it up to its place. */
static void
member_keys_rise(uint64_t *heap, uint32_t at)
{
	while (at > 0 && heap[at] > heap[(at - 1) / 2]) {
		uint64_t value = heap[at];

		heap[at] = heap[(at - 1) / 2];
		at = (at - 1) / 2;
		heap[at] = value;
	}
}

/* The top is new: bring it down to its place. */
static void
member_keys_sink(uint64_t *heap, uint32_t n)
{
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < n) {
		uint64_t value = heap[at];

		if (child + 1 < n && heap[child + 1] > heap[child])
			child++;
		if (heap[child] <= value)
			return;
		heap[at] = heap[child];
		heap[child] = value;
		at = child;
	}
}

static int
member_keys_compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* More than the limit are there: leave out the last, and who has its key. */
static void
member_keys_cut(struct member_keys *page)
{
	uint32_t n = page->count - 1;

	page->has_more = true;
	while (n > 0 && page->at[n - 1] >> 32 == page->at[n] >> 32)
		n--;
	/* All have one key.  What is beyond the page's room is lost. */
	page->count = n > 0 ? n : page->count;
}

void
member_keys_page(const struct segment *seg, uint32_t topic, uint64_t after,
    uint32_t limit, struct member_keys *page)
{
	uint32_t room = limit < MEMBERS_PAGE_MAX ? limit + 1 : MEMBER_KEYS_MAX;
	uint32_t at = seg->attendance[topic].first;

	page->count = page->total = 0;
	page->has_more = false;
	for (; at != 0; at = seg->members[at - 1].behind) {
		uint64_t word =
		    (uint64_t)seg->members[at - 1].key << 32 | (at - 1);

		page->total++;
		if (word >> 32 <= after)
			continue;
		if (page->count < room) {
			page->at[page->count] = word;
			member_keys_rise(page->at, page->count++);
		} else if (word < page->at[0]) {
			page->at[0] = word;
			member_keys_sink(page->at, room);
		}
	}
	qsort(page->at, page->count, sizeof(page->at[0]), member_keys_compare);
	if (page->count == room)
		member_keys_cut(page);
}
