/* SPDX-License-Identifier: MIT */
/* list.c - see list.h. */

#include "worker/api/list.h"

#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/grants.h"
#include "common/xmalloc.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/net/feed.h"
#include "worker/requests/caller.h"
#include "worker/requests/intake.h"

#include <stdlib.h>
#include <string.h>

/* A topic that the list keeps. */
struct list_entry {
	struct api_name name;
	uint64_t seq;
	uint64_t subscribers;
};

struct api_list {
	TAILQ_ENTRY(api_list) link;
	struct conn *conn;
	struct api_name prefix, after;
	bool has_after;
	uint32_t limit;
	uint32_t next; /* slot to be looked at next */
	/* One more than the limit, to know whether there are more; owned, NULL
	 * until it is the first in line. */
	struct list_entry *entries;
	uint16_t *heap; /* owned: which entries, the greatest name on top */
	uint32_t count;
};

/* Makes sure that there is another turn. */
static void
lists_retry_cb(struct ev_loop *loop, ev_timer *timer, int revents)
{
	(void)loop;
	(void)timer;
	(void)revents;
}

void
api_lists_init(struct api_lists *lists)
{
	TAILQ_INIT(&lists->line);
	ev_timer_init(&lists->retry, lists_retry_cb, INTAKE_RETRY_S, 0);
}

void
api_lists_fini(struct api_lists *lists, struct ev_loop *loop)
{
	CHECK(TAILQ_EMPTY(&lists->line));
	ev_timer_stop(loop, &lists->retry);
}

static void
list_free(struct conn *c, void *job)
{
	struct api_list *list = job;

	TAILQ_REMOVE(&hub_of(c)->api->lists->line, list, link);
	free(list->entries);
	free(list->heap);
	free(list);
}

void
api_list_begin(struct conn *c, const struct api_query *query)
{
	struct api_list *list = xcalloc(1, sizeof(*list));
	struct api_request *r = api_request_of(c);

	list->conn = c;
	list->prefix = query->prefix;
	list->after = query->after;
	list->has_after = query->has_after;
	list->limit = query->has_limit ? query->limit : API_LIST_DEFAULT;
	if (list->limit > API_LIST_MAX)
		list->limit = API_LIST_MAX;
	r->job = list;
	r->free_job = list_free;
	TAILQ_INSERT_TAIL(&hub_of(c)->api->lists->line, list, link);
	conn_pause(c, PAUSE_INTAKE);
}

/* Compare names byte by byte; a name comes before those that it begins. */
static int
list_compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
	int order = memcmp(a, b, a_len < b_len ? a_len : b_len);

	if (order != 0)
		return order;
	return (a_len > b_len) - (a_len < b_len);
}

/* Whether the name at heap position a is greater than that at b. */
static bool
list_is_above(const struct api_list *list, uint32_t a, uint32_t b)
{
	const struct api_name *x = &list->entries[list->heap[a]].name;
	const struct api_name *y = &list->entries[list->heap[b]].name;

	return list_compare(x->at, x->len, y->at, y->len) > 0;
}

static void
list_swap(struct api_list *list, uint32_t a, uint32_t b)
{
	uint16_t entry = list->heap[a];

	list->heap[a] = list->heap[b];
	list->heap[b] = entry;
}

/* The last of the heap is new: bring it up to its place. */
static void
list_rise(struct api_list *list)
{
	uint32_t at = list->count - 1;

	while (at > 0 && list_is_above(list, at, (at - 1) / 2)) {
		list_swap(list, at, (at - 1) / 2);
		at = (at - 1) / 2;
	}
}

/* The top is new: bring it down to its place among the first n. */
static void
list_sink(struct api_list *list, uint32_t n)
{
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && list_is_above(list, child + 1, child))
			child++;
		if (!list_is_above(list, child, at))
			return;
		list_swap(list, at, child);
		at = child;
	}
}

/* Whether a name fits the request, and either there is room for one more or it
 * is smaller than the greatest that is kept. */
static bool
list_wants(const struct api_list *list, const char *name, uint8_t len)
{
	const struct api_name *top;

	if (len < list->prefix.len ||
	    memcmp(name, list->prefix.at, list->prefix.len) != 0)
		return false;
	if (list->has_after &&
	    list_compare(name, len, list->after.at, list->after.len) <= 0)
		return false;
	if (list->count <= list->limit)
		return true;
	top = &list->entries[list->heap[0]].name;
	return list_compare(name, len, top->at, top->len) < 0;
}

static void
list_keep(struct hub *hub, struct api_list *list, uint32_t slot)
{
	const struct layout_topic *topic = &hub->seg->topics[slot];
	bool is_full = list->count > list->limit;
	uint16_t index = is_full ? list->heap[0] : (uint16_t)list->count;
	struct list_entry *entry = &list->entries[index];

	entry->name.len = topic->name_len;
	memcpy(entry->name.at, hub->seg->names[slot].name, topic->name_len);
	entry->seq = ring_topic_seq(hub->seg, slot);
	entry->subscribers = topics_subscribers(hub->seg, slot);
	if (is_full) {
		list_sink(list, list->count);
	} else {
		list->heap[list->count++] = index;
		list_rise(list);
	}
}

/* Look at some slots, under the lock.  Returns whether any are left. */
static bool
list_slice(struct hub *hub, struct api_list *list)
{
	uint32_t used = atomic_load(&hub->seg->header->used);
	uint32_t end = used - list->next > API_LIST_SLICE
	                   ? list->next + API_LIST_SLICE
	                   : used;

	for (; list->next < end; list->next++) {
		const struct layout_topic *topic =
		    &hub->seg->topics[list->next];

		const char *name = hub->seg->names[list->next].name;

		if (topic->state == TOPIC_LIVE &&
		    list_wants(list, name, topic->name_len) &&
		    caller_may(
			list->conn, GRANT_PRESENCE, name, topic->name_len))
			list_keep(hub, list, list->next);
	}
	return end < used;
}

/* Put the heap in order: the greatest to the end, again and again. */
static void
list_sort(struct api_list *list)
{
	for (uint32_t n = list->count; n > 1; n--) {
		list_swap(list, 0, n - 1);
		list_sink(list, n - 1);
	}
}

/* Whether a topic was found twice: it was freed in one slot and made anew in a
 * later one. */
static bool
list_is_again(const struct api_list *list, uint32_t i)
{
	return i > 0 && !list_is_above(list, i, i - 1);
}

static void
list_put_entry(struct buf *text, const struct list_entry *entry)
{
	buf_puts(text, "{\"topic\":");
	buf_json_string(text, entry->name.at, entry->name.len);
	buf_puts(text, ",\"subscribers\":");
	buf_number(text, entry->subscribers);
	buf_puts(text, ",\"seq\":");
	buf_number(text, entry->seq);
	buf_puts(text, "}");
}

/* All slots have been looked at. */
static void
list_answer(struct api_list *list)
{
	struct conn *c = list->conn;
	bool more = list->count > list->limit;
	uint32_t count = more ? list->limit : list->count;
	struct buf *text = api_text(c);

	list_sort(list);
	buf_puts(text, "{\"topics\":[");
	for (uint32_t i = 0; i < count; i++) {
		if (list_is_again(list, i))
			continue;
		if (i > 0)
			buf_puts(text, ",");
		list_put_entry(text, &list->entries[list->heap[i]]);
	}
	buf_printf(text, "],\"more\":%s}", more ? "true" : "false");
	api_reply(c, 200);
	conn_resume(c, PAUSE_INTAKE);
}

void
api_lists_turn(struct hub *hub)
{
	struct api_list *list = TAILQ_FIRST(&hub->api->lists->line);
	bool is_left;

	if (list == NULL)
		return;
	if (list->entries == NULL) {
		list->entries =
		    xcalloc(list->limit + 1, sizeof(*list->entries));
		list->heap = xcalloc(list->limit + 1, sizeof(*list->heap));
	}
	if (ring_lock(&hub->ring) == RING_BUSY) {
		ev_timer_set(&hub->api->lists->retry, INTAKE_RETRY_S, 0);
		ev_timer_start(hub->net->loop, &hub->api->lists->retry);
		return;
	}
	is_left = list_slice(hub, list);
	ring_unlock(&hub->ring);
	if (!is_left)
		list_answer(list);
	if (!TAILQ_EMPTY(&hub->api->lists->line))
		hub->net->more = true;
}
