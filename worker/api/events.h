/* SPDX-License-Identifier: MIT */
/*
 * events.h - GET /topics/NAME/events: a topic as server-sent events.
 *
 *	retry: 2718			when to come back; for each another time
 *	id: EPOCH:41			where the subscription begins, as an
 *	event: ready			object too
 *	data: {"type":"ready","topic":...,"epoch":...,"seq":41}
 *
 *	id: EPOCH:42			a message; its lines, one by one
 *	data: hello
 *
 *	event: gap			what was missed, as an object (gap.h)
 *	data: {"type":"gap",...}
 *	id: EPOCH:131			the place behind that
 *	:::				(a comment that keeps room for digits)
 *
 *	:				nothing: the connection still lives
 *
 * A client that comes back with the last id continues behind it, on any worker
 * (resume.h).  Browsers send the id in Last-Event-ID, libraries that cannot set a
 * header in ?lastEventId=, and anybody may in ?since=; of several the first named
 * here counts, and an empty one is none.  The first id comes before the first
 * message, so every client that ever got an answer can continue.  ?buffer= and
 * ?overflow= are those of /ws.
 *
 * Such a connection has one subscription (several: feed.h) and no other requests,
 * and ends when a subscription does.  Anything that its client sends is thrown away.
 */

#ifndef WORKER_API_EVENTS_H
#define WORKER_API_EVENTS_H

#include "worker/net/handler.h"

struct api_name;
struct buf;
struct conn;
struct http_request;

/* Of such a connection, once it is subscribed. */
extern const struct conn_handler events_handler;

/* The request, which asked for a stream and is subscribed, becomes one: its head is
 * queued, and it speaks events_handler from now on.  The client's form is set. */
void events_open(struct conn *c);

/* Queue what the text holds as the stream's next piece.  Callers: with what
 * api_text() gave. */
void events_send(struct conn *c, struct buf *text);

/* Answer a HEAD: the head that a GET would get, and no stream. */
void events_head(struct conn *c);

/* Subscribe; the answer follows when that is done. */
void events_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

#endif
