/* SPDX-License-Identifier: MIT */
/* inspect_json.c - see inspect_json.h. */

#include "broker/cli/inspect_json.h"

#include "broker/status/overview.h"

#include <inttypes.h>
#include <string.h>

/* A string that may have been overwritten. */
static void
inspect_put_text(
    struct buf *buf, const char *key, const char *text, size_t size)
{
	text = inspected_text(text, size);
	buf_printf(buf, ",\"%s\":", key);
	buf_json_string(buf, text, strlen(text));
}

static void
inspect_put_run(struct buf *buf, const struct inspected *it)
{
	const struct layout_header *h = it->seg.header;

	buf_printf(buf, "{\"instance\":\"%s\",\"alive\":%s,\"owner\":%u",
	    it->name, it->is_alive ? "true" : "false", (unsigned)it->owner);
	buf_printf(buf, ",\"state\":\"%s\",\"pid\":%d,\"run\":%" PRIu64,
	    overview_state(h), atomic_load(&h->run.supervisor),
	    atomic_load(&h->run.id));
	buf_printf(
	    buf, ",\"started_at\":%" PRIu64, atomic_load(&h->run.started_at));
	inspect_put_text(
	    buf, "version", h->run.version, sizeof(h->run.version));
	inspect_put_text(buf, "user", h->run.user, sizeof(h->run.user));
	inspect_put_text(buf, "admin", h->run.admin, sizeof(h->run.admin));
	buf_printf(buf, ",\"epoch\":\"%s\",\"size\":%zu,\"drain_ms\":%" PRIu32,
	    h->epoch, it->seg.size, atomic_load(&h->run.drain_ms));
	buf_puts(buf, ",");
	overview_json_urls(
	    buf, inspected_text(h->run.urls, sizeof(h->run.urls)));
}

static void
inspect_put_ring(struct buf *buf, const struct inspected *it)
{
	const struct layout_header *h = it->seg.header;
	unsigned holder = layout_owner_slot(it->lock_owner);

	buf_printf(buf,
	    ",\"ring\":{\"size\":%" PRIu64 ",\"head\":%" PRIu64
	    ",\"applied\":%" PRIu64 ",\"reserve\":%" PRIu64,
	    it->seg.ring_size, it->head, it->applied, it->reserve);
	buf_printf(buf, ",\"sealed\":%s,\"lock\":",
	    atomic_load(&h->sealed) != 0 ? "true" : "false");
	if (holder < LAYOUT_WORKERS)
		buf_printf(buf, "%u}", holder);
	else
		buf_puts(buf, "null}");
	buf_printf(buf,
	    ",\"verdict\":\"%s\",\"why\":", inspected_verdict(it->verdict));
	if (it->verdict >= INSPECT_CHANGING)
		buf_json_string(buf, it->why, strlen(it->why));
	else
		buf_puts(buf, "null");
}

static void
inspect_put_workers(struct buf *buf, const struct inspected *it)
{
	unsigned workers = segment_workers(&it->seg);

	buf_puts(buf, ",\"workers\":[");
	for (unsigned slot = 0; slot < workers; slot++) {
		struct overview_worker worker = overview_worker(&it->seg, slot);

		buf_printf(buf,
		    "%s{\"slot\":%u,\"pid\":%d,\"state\":\"%s\""
		    ",\"starts\":%" PRIu32 ",\"cursor\":%" PRIu64
		    ",\"beat\":%" PRIu64,
		    slot == 0 ? "" : ",", slot, worker.pid, worker.state,
		    worker.starts, atomic_load(&worker.of->cursor),
		    atomic_load(&worker.of->beat));
		inspect_put_text(buf, "last_death", worker.of->last_death,
		    sizeof(worker.of->last_death));
		inspect_put_text(buf, "last_words", worker.of->last_words,
		    sizeof(worker.of->last_words));
		buf_puts(buf, "}");
	}
	buf_puts(buf, "]");
}

static void
inspect_put_topics(struct buf *buf, const struct inspected *it)
{
	uint32_t used = inspected_used(it);
	struct inspected_topic topic;
	const char *comma = "";

	buf_printf(buf,
	    ",\"topics\":{\"used\":%" PRIu32 ",\"max\":%" PRIu32 ",\"live\":[",
	    used, it->seg.topics_max);
	for (uint32_t slot = 0; slot < used; slot++) {
		if (!inspected_topic(it, slot, &topic))
			continue;
		buf_printf(
		    buf, "%s\n{\"slot\":%" PRIu32 ",\"topic\":", comma, slot);
		if (topic.name != NULL)
			buf_json_string(buf, topic.name, topic.name_len);
		else
			buf_puts(buf, "null");
		buf_printf(buf,
		    ",\"seq\":%" PRIu64 ",\"base\":%" PRIu64
		    ",\"last\":%" PRIu64 ",\"subscribers\":%" PRIu64 "}",
		    topic.seq, topic.base, topic.last, topic.subscribers);
		comma = ",";
	}
	buf_puts(buf, "]}");
}

void
inspect_put_json(struct buf *buf, const struct inspected *it)
{
	inspect_put_run(buf, it);
	inspect_put_ring(buf, it);
	inspect_put_workers(buf, it);
	inspect_put_topics(buf, it);
	buf_puts(buf, "}\n");
}
