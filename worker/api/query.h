/* SPDX-License-Identifier: MIT */
/*
 * query.h - names and options in the URLs of the HTTP interface.
 *
 * As in listen_query.h, a mistake is refused with a sentence that says which, and keys
 * that are not known are left alone.
 */

#ifndef WORKER_API_QUERY_H
#define WORKER_API_QUERY_H

#include "broker/shared/layout.h"
#include "common/http.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of an epoch and a number, "EPOCH:SEQ", and more than enough. */
#define API_PLACE_MAX 64u

/* The name of a topic. */
struct api_name {
	uint8_t len;
	char at[LAYOUT_TOPIC_NAME_MAX];
};

/* A place as a query has it: the id of an event, decoded. */
struct api_query_place {
	bool given;  /* with a value: an empty one says nothing */
	uint8_t len; /* 0: it is too long, or broken, to be a place */
	char at[API_PLACE_MAX];
};

struct api_query {
	bool has_limit, has_before, has_after;
	bool is_ephemeral;      /* ephemeral=true */
	uint32_t limit;         /* 1 or more; above UINT32_MAX: that */
	uint64_t before;        /* above UINT64_MAX: that */
	uint64_t after_serial;  /* after as a number; 0: it is none */
	bool retain;            /* as the topic's last value */
	bool says_retain;       /* or that it is not */
	bool last;              /* begin with that */
	uint32_t every_ms;      /* at most one message in that time; 0: all */
	struct api_name prefix; /* empty: all begin with it */
	struct api_name after;
	struct api_query_place since;
	struct api_query_place last_event_id; /* later than since */
	const char *why; /* when refused: a static sentence */
};

/* Read a whole number; one that is too large counts as the maximum.  Returns
 * false if it is none. */
bool api_number(const struct http_text *text, uint64_t max, uint64_t *number);

/* Where in a topic somebody was. */
struct api_place {
	bool is_other_epoch;
	uint64_t seq;
	bool has_place; /* in a cluster, with one in its log: */
	uint64_t place; /* 0: of another log */
};

/*
 * Decode a piece of a path that is a topic's name, and look whether it can be
 * one.  Empty is none.
 *
 * Returns: true, or false with *why set to a static sentence.
 */
bool api_name_parse(
    const struct http_text *text, struct api_name *name, const char **why);

/*
 * Read ?topic=, the other way to name a topic; *given says whether there is one.
 * Named twice, it has to be the same.
 *
 * Returns: true, or false with *why set to a static sentence.
 */
bool api_query_topic(struct http_text query, struct api_name *name, bool *given,
    const char **why);

/* Whether two names are the same. */
bool api_name_equal(const struct api_name *a, const struct api_name *b);

/* Read all options of a query.  Of a repeated one the last counts.
 * Returns: true, or false with only why set. */
bool api_query_parse(struct http_text query, struct api_query *out);

/*
 * Read "EPOCH:SEQ", the id of an event.  Any other text (from another server,
 * or made up) is read as a number that no topic has ever reached.
 */
struct api_place api_place_parse(
    const char *text, size_t len, const char *epoch);

#endif
