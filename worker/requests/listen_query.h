/* SPDX-License-Identifier: MIT */
/*
 * listen_query.h - the options in
 * /ws?buffer=N&overflow=HOW&topic=NAME&pattern=PATTERN.
 *
 * The whole query is checked before the handshake is answered, so that a client
 * with a mistake in it gets a 400 that says which, instead of a connection that
 * behaves otherwise than it thinks.  Keys that are not known are left alone: a
 * page may have its own, or be written for a later version.
 *
 * Topics and patterns are not copied: query_parse() checks and counts them, then
 * query_name_next() decodes them one by one.
 */

#ifndef WORKER_REQUESTS_LISTEN_QUERY_H
#define WORKER_REQUESTS_LISTEN_QUERY_H

#include "broker/shared/layout.h"
#include "common/config.h"
#include "common/http.h"
#include "worker/net/outq.h"
#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stdint.h>

/* Messages that may wait if nothing is said, or --max-buffer if that is less. */
#define QUERY_BUFFER_DEFAULT 256u

/* Bytes of the longest topic, every byte of it percent-encoded. */
#define QUERY_TOPIC_ROOM (3u * LAYOUT_TOPIC_NAME_MAX)

/* Likewise of a user's name, LAYOUT_USER_MAX bytes. */
#define QUERY_USER_ROOM (3u * LAYOUT_USER_MAX)

/* Whether a key or value, percent-decoded, is that word of 11 bytes at most. */
bool query_is(const struct http_text *text, const char *word);

enum query_status {
	QUERY_OK = 0,
	QUERY_REFUSED, /* 400, with ->why as the reason */
};

struct query_options {
	uint32_t buffer; /* messages; 0: none may wait */
	enum outq_overflow overflow;
	uint32_t topics;   /* how many topic= there are, repetitions included */
	uint32_t patterns; /* likewise */
	const char *why;   /* on QUERY_REFUSED: a static sentence */
};

/*
 * Check a query and read its options.  Of a repeated buffer or overflow the
 * last one counts; a buffer above --max-buffer is cut to it.  A repeated topic
 * is harmless, but counts towards --max-topics-per-conn, and so with patterns.
 *
 * Returns: QUERY_OK with all but why set, or QUERY_REFUSED with only why set.
 */
enum query_status query_parse(const struct config *config,
    struct http_text query, struct query_options *out);

/* What a query names. */
struct query_name {
	struct http_text text; /* decoded; maybe with no bytes */
	bool is_pattern;
};

/*
 * Find user=, the name of a client that shows no credential, and decode it into
 * room.  Of a repeated one the last counts.
 * Returns: whether there is one, and it can be a name.
 */
bool query_user(
    struct http_text query, char room[QUERY_USER_ROOM], size_t *len);

/*
 * Take the query up to and with its first topic= or pattern= off it and decode
 * that into room, where name->text then points.
 *
 * Callers: with a query that query_parse() accepted.
 * Returns: false when there is none left.
 */
bool query_name_next(struct http_text *query, char room[QUERY_TOPIC_ROOM],
    struct query_name *name);

/*
 * Ask for a subscription to each topic= and pattern=, in their order, each with
 * the answer and the options of `like'.  If that follows, all but the first do.
 * Callers: with a query that query_parse() accepted.
 */
void query_subscribe(
    struct conn *c, struct http_text query, const struct intake_request *like);

#endif
