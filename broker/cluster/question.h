/* SPDX-License-Identifier: MIT */
/*
 * question.h - what a host asks the others, as bytes: in the segment, from worker
 * to bridge, and between bridges.  Numbers are little-endian.
 *
 *	| kind u8 | flags u8 | name_len u8 | after_len u8 | limit u32 |
 *	| after u64 | name | after |
 *	| patterns: each a length u8 and so many bytes; to the end |
 *
 * Who asks for a list of topics may know some of them only: the patterns of those
 * go with the question, so that each host's page has what can be told, and no page
 * is cut for what cannot.
 */

#ifndef BROKER_CLUSTER_QUESTION_H
#define BROKER_CLUSTER_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum question_kind {
	QUESTION_TOPIC = 1, /* who is in a topic, or how many */
	QUESTION_TOPICS,    /* which topics there are */
};

struct question {
	enum question_kind kind;
	bool wants_members;  /* of a topic: who; those behind a key: after */
	bool counts_members; /* of a topic: how many those are */
	bool has_after;      /* of topics: those behind a name */
	bool has_patterns;   /* of topics: only those of these */
	uint8_t name_len, after_len;
	uint32_t limit; /* entries */
	uint64_t after;
	/* Borrowed. */
	const char *name; /* of the topic; or what their names begin with */
	const char *after_name;
	const char *patterns;
	size_t patterns_len;
};

/* Append a question. */
void question_write(struct buf *out, const struct question *question);

/* Read one, which borrows from the bytes.  Returns false if it is none. */
bool question_read(const void *data, size_t len, struct question *question);

/* Whether a topic may be told of, for the patterns. */
bool question_may_tell(
    const struct question *question, const char *name, size_t len);

#endif
