/* SPDX-License-Identifier: MIT */
/*
 * feed.h - GET /events?topic=NAME&pattern=PATTERN: several topics and patterns of
 * topics as one stream of server-sent events.  Both may be repeated.
 *
 *	retry: 2718
 *	id: EPOCH
 *	event: ready
 *	data: {"type":"ready","epoch":EPOCH}
 *
 *	data: {"topic":"room/1","seq":42,"time":...,"message":"hello"}
 *
 *	data: {"topic":"room/1","ephemeral":true,"time":...,"message":...}
 *
 *	event: gap			what was missed, as an object (gap.h)
 *	data: {"type":"gap",...}
 *
 * An id is one word for the whole stream, and where a client stands in many topics
 * is not one number: frames are shared by all who get them, and a worker hands
 * topics over one after another.  So messages have no id, and the stream begins
 * with what comes.  The first event's id is the epoch; a browser sends it when it
 * comes back, and is then told, before anything else, that it may have missed
 * something:
 *
 *	data: {"type":"gap","reason":"reconnected"}	or "epoch"
 *
 * With ?last=true the topics' last values come first, each with
 * "retained":true; with ?every_ms= each topic has at most one message in that
 * time.  Both are of topics, not of patterns.
 *
 * It knows which numbers it had, and asks for the history of what matters.
 * ?lastEventId= and ?since= say the same; ?buffer= and ?overflow= are those of
 * /ws.
 */

#ifndef WORKER_API_FEED_H
#define WORKER_API_FEED_H

struct conn;
struct http_request;

/* Subscribe to all; the answer follows when that is done, or one is refused. */
void feed_begin(struct conn *c, const struct http_request *req);

#endif
