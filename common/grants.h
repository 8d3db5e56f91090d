/* SPDX-License-Identifier: MIT */
/*
 * grants.h - what somebody may do, and with which topics.
 *
 *	"pubsubd":{"subscribe":["room/+"],"publish":["room/1"]}		a token
 *	subscribe,history:room/+					an option
 *
 * A grant is some kinds of access and a pattern of topics (pattern.h).  Grants
 * only add up: what none of them allows is forbidden.
 */

#ifndef COMMON_GRANTS_H
#define COMMON_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define GRANTS_MAX 256u /* of one owner */

/* In a pattern of an option, the name of who asks. */
#define GRANTS_SUB "{sub}"

enum grant_kind {
	GRANT_SUBSCRIBE = 1 << 0,
	GRANT_PUBLISH = 1 << 1,
	GRANT_PRESENCE = 1 << 2, /* see how many others there are */
	GRANT_HISTORY = 1 << 3,  /* read what came before */
};

#define GRANT_ALL 0xfu

struct grants {
	unsigned char *entries; /* owned: kinds, length, pattern; each */
	size_t len;             /* bytes of these */
	unsigned count;
	unsigned kinds; /* all that occur, or-ed */
};

/* All zero is none.  Free what it holds. */
void grants_fini(struct grants *grants);

/*
 * Which of these kinds of access to a topic no grant allows; 0: all are allowed,
 * by one or by several together.  kinds: enum grant_kind, or-ed.  Pure.
 */
unsigned grants_left(const struct grants *grants, unsigned kinds,
    const char *topic, size_t topic_len);

/*
 * The same for access to all topics that a pattern stands for: a kind is allowed if
 * one grant of it covers the pattern (pattern_covers()).
 */
unsigned grants_left_of_pattern(const struct grants *grants, unsigned kinds,
    const char *pattern, size_t len);

/*
 * Add one grant.
 * Returns: true; or false with nothing added and *why set to a static phrase.
 */
bool grants_add(struct grants *grants, unsigned kinds, const char *pattern,
    size_t len, const char **why);

/*
 * Add what a text of the form KIND,KIND:PATTERN grants; "all" is each kind.  A
 * pattern may hold GRANTS_SUB only if has_sub.
 * Returns: as above.
 */
bool grants_add_text(struct grants *grants, const char *text, size_t len,
    bool has_sub, const char **why);

/*
 * Add what the object of a token grants: lists of patterns by kind.  Members of
 * other names mean nothing.
 * Returns: as above, but some may have been added.
 */
bool grants_add_object(
    struct grants *grants, const char *json, size_t len, const char **why);

/*
 * Add all grants of another owner, with sub in the place of GRANTS_SUB.  A name
 * that would change the meaning of a pattern (empty, of several levels, or a
 * wildcard) does not get those that have its place; nor does one that makes
 * them too long.
 */
void grants_add_for(struct grants *grants, const struct grants *from,
    const char *sub, size_t sub_len);

/* Append the patterns of all grants of a kind, each as its length, a byte, and so
 * many bytes. */
void grants_put_patterns(
    const struct grants *grants, unsigned kind, struct buf *out);

/* Append the object of a token that grants the same: lists of patterns by kind.
 * The patterns are UTF-8. */
void grants_put_object(const struct grants *grants, struct buf *json);

#endif
