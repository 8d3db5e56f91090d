/* SPDX-License-Identifier: MIT */
/*
 * listen_query.h - the options in /ws?buffer=N&overflow=HOW&topic=NAME.
 *
 * The whole query is checked before the handshake is answered, so that a client
 * with a mistake in it gets a 400 that says which, instead of a connection that
 * behaves otherwise than it thinks.  Keys that are not known are left alone: a
 * page may have its own, or be written for a later version.
 *
 * Topics are not copied: query_parse() checks and counts them, then
 * query_topic_next() decodes them one by one.
 */

#ifndef WORKER_REQUESTS_LISTEN_QUERY_H
#define WORKER_REQUESTS_LISTEN_QUERY_H

#include "broker/shared/layout.h"
#include "common/config.h"
#include "common/http.h"
#include "worker/net/outq.h"

#include <stdbool.h>
#include <stdint.h>

#define QUERY_BUFFER_DEFAULT \
	256u /* messages, or --max-buffer if that's less \
	      */

/* Bytes of the longest topic, every byte of it percent-encoded. */
#define QUERY_TOPIC_ROOM (3u * LAYOUT_TOPIC_NAME_MAX)

/* Whether a key or value, percent-decoded, is that word of 11 bytes at most. */
bool query_is(const struct http_text *text, const char *word);

enum query_status {
	QUERY_OK = 0,
	QUERY_REFUSED, /* 400, with ->why as the reason */
};

struct query_options {
	uint32_t buffer; /* messages; 0: none may wait */
	enum outq_overflow overflow;
	uint32_t topics; /* how many topic= there are, repetitions included */
	const char *why; /* on QUERY_REFUSED: a static sentence */
};

/*
 * Check a query and read its options.  Of a repeated buffer or overflow the
 * last one counts; a buffer above --max-buffer is cut to it.  A repeated topic
 * is harmless, but counts towards --max-topics-per-conn.
 *
 * Returns: QUERY_OK with all but why set, or QUERY_REFUSED with only why set.
 */
enum query_status query_parse(const struct config *config,
    struct http_text query, struct query_options *out);

/*
 * Take the query up to and with its first topic= off it and decode that name
 * into room; *topic then points there, maybe with no bytes.
 *
 * Callers: with a query that query_parse() accepted.
 * Returns: false when there is none left.
 */
bool query_topic_next(struct http_text *query, char room[QUERY_TOPIC_ROOM],
    struct http_text *topic);

#endif
