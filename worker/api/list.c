/* SPDX-License-Identifier: MIT */
/* list.c - see list.h. */

#include "worker/api/list.h"

#include "broker/cluster/tell.h"
#include "broker/ring/topic_page.h"
#include "common/bug.h"
#include "common/container.h"
#include "common/grants.h"
#include "common/xmalloc.h"
#include "worker/api/query.h"
#include "worker/api/reply.h"
#include "worker/net/feed.h"
#include "worker/requests/caller.h"
#include "worker/requests/inquiry.h"
#include "worker/requests/intake.h"
#include "worker/requests/presence.h"

#include <stdlib.h>

struct api_list {
	TAILQ_ENTRY(api_list) link; /* while it is in the line */
	struct conn *conn;
	struct api_name prefix, after;
	/* Its entries are made when it is the first in line. */
	struct topic_page page;
	/* In a cluster: */
	struct inquiry inquiry;
	struct part others; /* what the other hosts have told */
	bool is_in_line;
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

	if (list->is_in_line)
		TAILQ_REMOVE(&hub_of(c)->api->lists->line, list, link);
	inquiry_forget(hub_of(c), &list->inquiry);
	topic_page_fini(&list->page);
	part_fini(&list->others);
	free(list);
}

static bool
list_may_tell(void *arg, const char *name, size_t len)
{
	return caller_may(arg, GRANT_PRESENCE, name, len);
}

static void
list_get_in_line(struct hub *hub, struct api_list *list)
{
	list->is_in_line = true;
	TAILQ_INSERT_TAIL(&hub->api->lists->line, list, link);
}

/* The other hosts have told, or are silent. */
static void
list_told(struct hub *hub, struct inquiry *inquiry, const struct part *others)
{
	struct api_list *list = container_of(inquiry, struct api_list, inquiry);

	list->others.hosts = 0;
	part_merge(&list->others, others, list->page.limit);
	list_get_in_line(hub, list);
}

static void
list_ask_hosts(struct hub *hub, struct api_list *list)
{
	struct question question = {
		.kind = QUESTION_TOPICS,
		.has_after = list->page.has_after,
		.limit = list->page.limit,
		.name = list->prefix.at,
		.name_len = list->prefix.len,
		.after_name = list->after.at,
		.after_len = list->after.len,
	};
	struct buf patterns;

	buf_init(&patterns);
	question.has_patterns =
	    caller_put_patterns(list->conn, GRANT_PRESENCE, &patterns);
	question.patterns = patterns.at;
	question.patterns_len = patterns.len;
	inquiry_begin(hub, &list->inquiry, &question);
	buf_fini(&patterns);
}

void
api_list_begin(struct conn *c, const struct api_query *query)
{
	struct api_list *list = xcalloc(1, sizeof(*list));
	uint32_t limit = query->has_limit ? query->limit : API_LIST_DEFAULT;
	struct api_request *r = api_request_of(c);
	struct hub *hub = hub_of(c);

	list->conn = c;
	list->prefix = query->prefix;
	list->after = query->after;
	list->page = (struct topic_page){ .prefix = list->prefix.at,
		.prefix_len = list->prefix.len,
		.after = list->after.at,
		.after_len = list->after.len,
		.has_after = query->has_after,
		.limit = limit < API_LIST_MAX ? limit : API_LIST_MAX,
		.may_tell = list_may_tell,
		.arg = c };
	list->inquiry.told = list_told;
	part_init(&list->others);
	r->job = list;
	r->free_job = list_free;
	if (hub->waiting != NULL)
		list_ask_hosts(hub, list);
	else
		list_get_in_line(hub, list);
	conn_pause(c, PAUSE_INTAKE);
}

static void
list_put_entry(struct buf *text, const char *name, size_t len,
    uint64_t subscribers, uint64_t seq)
{
	buf_puts(text, "{\"topic\":");
	buf_json_string(text, name, len);
	buf_puts(text, ",\"subscribers\":");
	buf_number(text, subscribers);
	buf_puts(text, ",\"seq\":");
	buf_number(text, seq);
	buf_puts(text, "}");
}

/* The topics of this host. */
static void
list_put_own(struct buf *text, struct topic_page *page)
{
	uint32_t count;
	bool more;

	count = topic_page_sort(page, &more);
	for (uint32_t i = 0; i < count; i++) {
		const struct topic_page_entry *entry = topic_page_at(page, i);

		if (entry == NULL)
			continue;
		if (i > 0)
			buf_puts(text, ",");
		list_put_entry(text, entry->name, entry->len,
		    entry->subscribers, entry->seq);
	}
	buf_printf(text, "],\"more\":%s", more ? "true" : "false");
}

/* The topics of all hosts. */
static void
list_put_all(struct buf *text, struct api_list *list)
{
	struct part_entry entry;
	const char *comma = "";
	struct part all;
	size_t at = 0;

	part_init(&all);
	tell_topics(&list->page, true, &all);
	part_merge(&all, &list->others, list->page.limit);
	while (part_next(&all, &at, &entry)) {
		buf_puts(text, comma);
		list_put_entry(
		    text, entry.name, entry.name_len, entry.number, entry.seq);
		comma = ",";
	}
	buf_printf(text, "],\"more\":%s", all.has_more ? "true" : "false");
	presence_put_hosts(text, all.hosts, all.silent);
	part_fini(&all);
}

/* All slots have been looked at. */
static void
list_answer(struct hub *hub, struct api_list *list)
{
	struct conn *c = list->conn;
	struct buf *text = api_text(c);

	buf_puts(text, "{\"topics\":[");
	if (hub->waiting != NULL)
		list_put_all(text, list);
	else
		list_put_own(text, &list->page);
	buf_puts(text, "}");
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
	if (list->page.entries == NULL)
		topic_page_begin(&list->page);
	if (ring_lock(&hub->ring) == RING_BUSY) {
		ev_timer_set(&hub->api->lists->retry, INTAKE_RETRY_S, 0);
		ev_timer_start(hub->net->loop, &hub->api->lists->retry);
		return;
	}
	is_left = topic_page_slice(hub->seg, &list->page);
	ring_unlock(&hub->ring);
	if (!is_left)
		list_answer(hub, list);
	if (!TAILQ_EMPTY(&hub->api->lists->line))
		hub->net->more = true;
}
