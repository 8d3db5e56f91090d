/* SPDX-License-Identifier: MIT */
/*
 * batch.h - POST /publish: many messages in one request.
 *
 *	[{"topic":"room/1","message":{"any":"JSON"}},	the body, of any type
 *	 {"topic":"","message":1}]
 *
 *	{"epoch":EPOCH,"results":[			the answer, in that order
 *	 {"seq":42,"subscribers":3},
 *	 {"error":{"code":"bad_topic","reason":...}}]}
 *
 * Each item has the outcome that a POST /topics/NAME with that message would
 * have, also where others of the same request fail, and counts as one message
 * for --rate.  The items are published one behind another in their order; other
 * clients' messages may come in between.  Only a body that is no such array, or
 * too long a one, fails as a whole, and then nothing of it is published.
 */

#ifndef WORKER_API_BATCH_H
#define WORKER_API_BATCH_H

struct conn;
struct http_request;

/* In one request: items, and bytes (or one message, if that may be longer). */
#define BATCH_ITEMS_MAX 1000u
#define BATCH_BYTES_MAX (1024u * 1024)

/* Begin to read the body. */
void batch_begin(struct conn *c, const struct http_request *req);

#endif
