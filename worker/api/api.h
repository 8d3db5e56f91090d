/* SPDX-License-Identifier: MIT */
/*
 * api.h - topics by HTTP, for clients without a WebSocket: curl, a cron job.
 *
 *	POST /topics/NAME		publish
 *	POST /publish			publish to many (batch.h)
 *	GET  /topics			a list (list.h)
 *	GET  /topics/NAME		how one stands
 *	GET  /topics/NAME/history	its past messages
 *	GET  /topics/NAME/presence	who is there
 *	GET  /topics/NAME/events	its messages as they come (events.h)
 *
 * NAME is percent-encoded, slashes too.  HEAD is GET without the body.
 *
 * Some proxies decode %2F, so there is a second way to name a topic:
 * ?topic=NAME with the paths /topics, /topics/history, /topics/presence and
 * /topics/events.  With a ?topic= the last three are never topics of these names.
 * Both ways at once must name the same topic.
 *
 * Pages of other origins may publish and follow events only if --allow-origin
 * says so (origin.h).  Then they can also read the answers, because each answer
 * carries the allowed origin back (CORS), and OPTIONS is answered.
 */

#ifndef WORKER_API_API_H
#define WORKER_API_API_H

#include <stdbool.h>

struct conn;
struct http_request;
struct http_text;

/* Whether a path is one of these. */
bool api_has(const struct http_text *path);

/* Answer one request, or begin to. */
void api_serve(struct conn *c, const struct http_request *req);

/* If this is a request for events that would be served at another time, say when
 * to come back, and close.  Returns false, with nothing done, if it is not. */
bool api_put_off_events(struct conn *c, const struct http_request *req);

#endif
