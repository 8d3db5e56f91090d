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
 *
 *	:				nothing: the connection still lives
 *
 * Who comes back with the last id, in Last-Event-ID as browsers do, in
 * ?lastEventId= as libraries do that cannot set a header, or in ?since=, goes on
 * behind it, on any worker (resume.h); of several the first named here counts,
 * and an empty one is none.  Since the first id comes before the first message,
 * nobody has to begin anew who ever had an answer.  ?buffer= and ?overflow= are
 * those of /ws.
 *
 * Such a connection is subscribed to one topic, has no other requests, and ends
 * with it: what its client sends is thrown away.
 */

#ifndef WORKER_API_EVENTS_H
#define WORKER_API_EVENTS_H

struct api_name;
struct conn;
struct form;
struct http_request;

/* FORM_EVENT: a server-sent event. */
extern const struct form events_form;

/* Subscribe; the answer follows when that is done. */
void events_begin(struct conn *c, const struct http_request *req,
    const struct api_name *topic);

#endif
