/* SPDX-License-Identifier: MIT */
/* hosts.c - see hosts.h. */

#include "tests/support/hosts.h"

#include "common/bug.h"

#include <string.h>

#define HOSTS_WORKER 1u /* whose clients publish */

void
host_open(struct host *host, uint64_t ring_size, uint32_t topics_max)
{
	const struct ring_log_state genesis = { .pos = 0 };

	testseg_open(&host->t, ring_size, topics_max);
	ring_attach(&host->ring, &host->t.seg, ring_bridge_slot(&host->t.seg));
	hand_lock(&host->ring);
	ring_log_join(&host->ring, &genesis, "first", 0);
	ring_unlock(&host->ring);
	ingest_init(&host->in, &host->ring, HOSTS_BODY_MAX);
	sender_init(&host->sender, &host->t.seg);
}

void
host_close(struct host *host)
{
	sender_fini(&host->sender);
	ring_detach(&host->ring);
	testseg_close(&host->t);
}

static uint64_t
host_put(struct host *host, const char *topic, const char *text,
    const struct ring_mark *mark)
{
	struct ring worker;
	struct ring_msg msg;

	ring_attach(&worker, &host->t.seg, HOSTS_WORKER);
	msg = hand_msg(hand_topic(&worker, topic), text);
	msg.mark = mark;
	msg.conn = 7;
	hand_lock(&worker);
	CHECK(ring_publish(&worker, &msg, 1) == RING_OK);
	ring_unlock(&worker);
	ring_detach(&worker);
	return msg.out;
}

uint64_t
host_accept(struct host *host, const char *topic, const char *text)
{
	return host_put(host, topic, text, &ring_to_outbox);
}

uint64_t
host_publish(struct host *host, const char *topic, const char *text)
{
	return host_put(host, topic, text, &ring_local);
}

uint64_t
host_show(struct host *host)
{
	struct ring worker;
	uint64_t who;

	ring_attach(&worker, &host->t.seg, HOSTS_WORKER + 1);
	hand_lock(&worker);
	who = ring_show(&worker, HOSTS_BODY_MAX);
	ring_unlock(&worker);
	ring_detach(&worker);
	return who;
}

uint64_t
stream_add(struct stream *stream, const void *data, size_t len)
{
	CHECK(stream->last < HOSTS_STREAM_MAX);
	buf_init(&stream->messages[++stream->last]);
	buf_add(&stream->messages[stream->last], data, len);
	return stream->last;
}

void
stream_close(struct stream *stream)
{
	for (; stream->last > 0; stream->last--)
		buf_fini(&stream->messages[stream->last]);
}

void
host_send(struct host *host, struct stream *stream)
{
	const struct buf *batch;

	CHECK(sender_fill(&host->sender));
	while ((batch = sender_next(&host->sender)) != NULL)
		stream_add(stream, batch->at, batch->len);
}

void
host_checkpoint(struct host *host, struct stream *stream)
{
	struct ring_log_state state;
	struct buf bytes;

	buf_init(&bytes);
	ring_log_state(&host->t.seg, &state);
	log_checkpoint(&bytes, LOG_CHECKPOINT, host->t.seg.header->cluster.self,
	    "host", &state);
	stream_add(stream, bytes.at, bytes.len);
	buf_fini(&bytes);
}

enum ingest_result
host_take(struct host *host, const struct stream *stream, uint64_t message)
{
	const struct buf *bytes = &stream->messages[message];
	uint64_t self = host->t.seg.header->cluster.self, last;
	enum ingest_result result;

	hand_lock(&host->ring);
	result = ingest_message(&host->in, message, bytes->at, bytes->len);
	ring_unlock(&host->ring);
	last = ring_origin_last(&host->t.seg, self);
	sender_came_back(&host->sender, last);
	if (result == INGEST_CHECKPOINT && host->in.head.origin != self)
		sender_confirm(&host->sender,
		    ring_state_last(&host->in.state, self), last);
	return result;
}

void
host_catch_up(struct host *host, const struct stream *stream)
{
	uint64_t pos = atomic_load(&host->t.seg.header->cluster.pos);
	uint64_t message = pos >> LAYOUT_PLACE_BITS;

	for (message += message == 0; message <= stream->last; message++)
		CHECK(!ingest_is_end(host_take(host, stream, message)));
}
