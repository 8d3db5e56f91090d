/* SPDX-License-Identifier: MIT */
/*
 * publish_options.h - what a POST asks for beyond being published
 * (requests/extras.h):
 *
 *	?ttl=30
 *	?retain=true
 *	Idempotency-Key: "8e03978e-40d5"	or ?key=
 *
 * The header is that of draft-ietf-httpapi-idempotency-key-header, a string in
 * quotes (RFC 9651, 3.3.3); without them it is taken as it is, as many clients
 * write it.  It comes before ?key=.
 */

#ifndef WORKER_API_PUBLISH_OPTIONS_H
#define WORKER_API_PUBLISH_OPTIONS_H

#include "worker/requests/extras.h"

#include <stdbool.h>
#include <stdint.h>

struct api_query;
struct http_request;
struct intake_request;
struct json_token;

struct publish_options {
	uint32_t ttl_s; /* 0: none */
	bool retain;
	bool says_retain; /* or that it is not */
	uint8_t key_len;  /* 0: none */
	char key[EXTRAS_KEY_MAX];
};

/* Read those of a request, whose query has been read.  Returns NULL, or a static
 * sentence: what is wrong. */
const char *publish_options_read(const struct http_request *req,
    const struct api_query *query, struct publish_options *options);

/* Have a publish ask for them.  The options are borrowed until intake_add().
 * Returns: NULL, or a static sentence: why it cannot, as extras_contradict(). */
const char *publish_options_want(
    const struct publish_options *options, struct intake_request *want);

/* Read them from the members of an object (raw == NULL: not there), and have a
 * publish ask for them.  Returns likewise. */
const char *publish_options_take(const struct json_token *ttl,
    const struct json_token *key, const struct json_token *retain,
    struct publish_options *options, struct intake_request *want);

#endif
