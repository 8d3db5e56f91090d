/* SPDX-License-Identifier: MIT */
/* question.c - see question.h. */

#include "broker/cluster/question.h"

#include "broker/cluster/numbers.h"
#include "broker/ring/members.h"
#include "broker/ring/topic_page.h"
#include "common/buf.h"
#include "common/pattern.h"
#include "common/utf8.h"

#include <string.h>

#define QUESTION_HEAD 16u

enum {
	QUESTION_WANTS_MEMBERS = 1 << 0,
	QUESTION_COUNTS_MEMBERS = 1 << 1,
	QUESTION_HAS_AFTER = 1 << 2,
	QUESTION_HAS_PATTERNS = 1 << 3,
};

void
question_write(struct buf *out, const struct question *q)
{
	char *at = buf_room(out, QUESTION_HEAD);

	at[0] = (char)q->kind;
	at[1] = (char)((q->wants_members ? QUESTION_WANTS_MEMBERS : 0) |
		       (q->counts_members ? QUESTION_COUNTS_MEMBERS : 0) |
		       (q->has_after ? QUESTION_HAS_AFTER : 0) |
		       (q->has_patterns ? QUESTION_HAS_PATTERNS : 0));
	at[2] = (char)q->name_len;
	at[3] = (char)q->after_len;
	put_u32(at + 4, q->limit);
	put_u64(at + 8, q->after);
	out->len += QUESTION_HEAD;
	buf_add(out, q->name, q->name_len);
	buf_add(out, q->after_name, q->after_len);
	buf_add(out, q->patterns, q->patterns_len);
}

/* Whether all of it are patterns. */
static bool
question_checks(const struct question *q)
{
	const char *why;

	for (size_t at = 0, len; at < q->patterns_len; at += 1 + len) {
		len = (uint8_t)q->patterns[at];
		if (q->patterns_len - at - 1 < len ||
		    !pattern_valid(q->patterns + at + 1, len, &why))
			return false;
	}
	return true;
}

bool
question_read(const void *data, size_t len, struct question *q)
{
	const char *at = data;
	unsigned flags;

	if (len < QUESTION_HEAD)
		return false;
	flags = (uint8_t)at[1];
	*q = (struct question){
		.kind = (enum question_kind)at[0],
		.wants_members = (flags & QUESTION_WANTS_MEMBERS) != 0,
		.counts_members = (flags & QUESTION_COUNTS_MEMBERS) != 0,
		.has_after = (flags & QUESTION_HAS_AFTER) != 0,
		.has_patterns = (flags & QUESTION_HAS_PATTERNS) != 0,
		.name_len = (uint8_t)at[2],
		.after_len = (uint8_t)at[3],
		.limit = get_u32(at + 4),
		.after = get_u64(at + 8),
	};
	q->name = at + QUESTION_HEAD;
	q->after_name = q->name + q->name_len;
	q->patterns = q->after_name + q->after_len;
	if (len - QUESTION_HEAD < (size_t)q->name_len + q->after_len)
		return false;
	q->patterns_len = len - (size_t)(q->patterns - at);
	if ((q->kind != QUESTION_TOPIC && q->kind != QUESTION_TOPICS) ||
	    !utf8_valid(q->name, q->name_len))
		return false;
	return q->limit <= (q->kind == QUESTION_TOPIC ? MEMBERS_PAGE_MAX
						      : TOPIC_PAGE_MAX) &&
	       (q->limit > 0 ||
		   (q->kind == QUESTION_TOPIC && !q->wants_members)) &&
	       question_checks(q);
}

bool
question_may_tell(const struct question *q, const char *name, size_t name_len)
{
	if (!q->has_patterns)
		return true;
	for (size_t at = 0, len; at < q->patterns_len; at += 1 + len) {
		len = (uint8_t)q->patterns[at];
		if (pattern_matches(q->patterns + at + 1, len, name, name_len))
			return true;
	}
	return false;
}
