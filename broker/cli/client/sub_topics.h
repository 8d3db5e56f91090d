/* SPDX-License-Identifier: MIT */
/*
 * sub_topics.h - the topics that are subscribed to, and where we are in each; and
 * patterns of topics.
 *
 * A topic's number, from 0, is its place on the command line; the id of the
 * request that subscribes to it is one more.
 */

#ifndef BROKER_CLI_CLIENT_SUB_TOPICS_H
#define BROKER_CLI_CLIENT_SUB_TOPICS_H

#include "broker/cli/cli.h"
#include "broker/cli/client/resume_point.h"
#include "common/buf.h"
#include "common/json.h"

#include <stdbool.h>
#include <stddef.h>

struct sub_topic {
	const char *name; /* borrowed from the command line */
	bool is_pattern;  /* it is of any number of topics, and has no place */
	struct resume_point place;
};

struct sub_topics {
	struct sub_topic *all; /* owned */
	size_t len;
	size_t patterns;   /* how many of these are patterns */
	bool wants_last;   /* --last */
	uint32_t every_ms; /* --every; 0: all */
};

/* Take the topics off the command line, each once, with the place that it says.
 * Returns false if one is not UTF-8; sub_topics_fini() either way. */
bool sub_topics_init(struct sub_topics *topics, const struct cli *cli);
void sub_topics_fini(struct sub_topics *topics);

/* Whether a word is a pattern of topics: with a level (between slashes) that is +
 * or, at the end, #. */
bool sub_topics_is_pattern(const char *word);

/* Tell of each topic on the command line that looks like a pattern elsewhere, with
 * a star, what it is. */
void sub_topics_warn(const struct cli *cli);

/* The topic with the name in this token; NULL: none. */
struct sub_topic *sub_topics_find(
    const struct sub_topics *topics, const struct json_token *name);

/* The same with a pattern. */
struct sub_topic *sub_topics_find_pattern(
    const struct sub_topics *topics, const struct json_token *pattern);

/* Append the request that subscribes to topic i from where we are in it, on a
 * server of this epoch. */
void sub_topics_request(
    struct sub_topics *topics, size_t i, const char *epoch, struct buf *text);

#endif
