/* SPDX-License-Identifier: MIT */
/*
 * fuzz_grants.c - how far grants reach: one of an option, the object of a token,
 * a topic and a name, each on a line.
 *
 * Another reading of patterns, level by level, says what is to come out.
 */

#include "common/buf.h"
#include "common/grants.h"
#include "common/json.h"
#include "common/pattern.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

#define LINES      4
#define LEVELS_MAX 512

struct line {
	char *at; /* owned; a block of exactly len bytes */
	size_t len;
};

/* A text between slashes. */
struct levels {
	size_t count;
	struct line level[LEVELS_MAX]; /* borrowed */
};

static bool
split(char *text, size_t len, struct levels *levels)
{
	size_t from = 0;

	levels->count = 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && text[i] != '/')
			continue;
		if (levels->count == LEVELS_MAX)
			return false;
		levels->level[levels->count++] =
		    (struct line){ text + from, i - from };
		from = i + 1;
	}
	return true;
}

static bool
is(const struct line *level, char wildcard)
{
	return level->len == 1 && level->at[0] == wildcard;
}

/* Whether a pattern stands for a topic. */
static bool
reaches(const struct levels *pattern, const struct levels *topic)
{
	for (size_t i = 0; i < pattern->count; i++) {
		const struct line *level = &pattern->level[i];

		if (is(level, '#'))
			return true;
		if (i == topic->count)
			return false;
		if (!is(level, '+') &&
		    (level->len != topic->level[i].len ||
			memcmp(level->at, topic->level[i].at, level->len) != 0))
			return false;
	}
	return pattern->count == topic->count;
}

/* Whether a grant of one kind or several reaches a topic as it should. */
static void
check_reach(const struct grants *grants, struct line *topic)
{
	struct levels pattern, name;
	unsigned kinds = grants->entries[0];
	size_t len = grants->entries[1];

	CHECK(grants->count == 1 && grants->len == len + 2);
	CHECK(kinds != 0 && (kinds & ~GRANT_ALL) == 0 && len <= PATTERN_MAX);
	CHECK(split((char *)grants->entries + 2, len, &pattern));
	for (size_t i = 0; i + 1 < pattern.count; i++)
		CHECK(!is(&pattern.level[i], '#'));
	if (!split(topic->at, topic->len, &name))
		return;
	kinds = reaches(&pattern, &name) ? GRANT_ALL & ~kinds : GRANT_ALL;
	CHECK(grants_left(grants, GRANT_ALL, topic->at, topic->len) == kinds);
	for (unsigned kind = 1; kind <= GRANT_HISTORY; kind <<= 1)
		CHECK(grants_left(grants, kind, topic->at, topic->len) ==
		      (kinds & kind));
}

/* With a name in it a pattern has the levels that it had, and no wildcard that
 * it had not; without a name it grants nothing. */
static void
check_name(const struct grants *grants, const struct line *sub)
{
	bool is_name = sub->len > 0 && memchr(sub->at, '/', sub->len) == NULL &&
	               !is(sub, '+') && !is(sub, '#');
	struct levels before, after;
	struct grants named = { 0 };

	grants_add_for(&named, grants, sub->at, sub->len);
	CHECK(named.count == 0 || is_name ||
	      memmem(grants->entries + 2, grants->entries[1], GRANTS_SUB,
		  strlen(GRANTS_SUB)) == NULL);
	if (named.count == 0) {
		CHECK(named.kinds == 0 && named.len == 0);
		CHECK(memmem(grants->entries + 2, grants->entries[1],
			  GRANTS_SUB, strlen(GRANTS_SUB)) != NULL);
		return;
	}
	CHECK(named.count == 1 && named.kinds == grants->kinds);
	CHECK(split((char *)grants->entries + 2, grants->entries[1], &before));
	CHECK(split((char *)named.entries + 2, named.entries[1], &after));
	CHECK(before.count == after.count);
	for (size_t i = 0; i < before.count; i++)
		for (const char *w = "+#"; *w != '\0'; w++)
			CHECK(is(&before.level[i], *w) ==
			      is(&after.level[i], *w));
	grants_fini(&named);
}

/* A grant of an option. */
static void
check_text(struct line lines[LINES], bool has_sub)
{
	struct grants grants = { 0 };
	const char *why = NULL;

	if (grants_add_text(
		&grants, lines[0].at, lines[0].len, has_sub, &why)) {
		check_reach(&grants, &lines[2]);
		check_name(&grants, &lines[3]);
		CHECK(has_sub || memmem(lines[0].at, lines[0].len, GRANTS_SUB,
				     strlen(GRANTS_SUB)) == NULL);
	} else {
		CHECK(why != NULL && grants.entries == NULL);
	}
	grants_fini(&grants);
}

/* What a token grants comes back by the object that is made of it. */
static void
check_object(const struct line *object, const struct line *topic)
{
	struct grants grants = { 0 }, again = { 0 };
	const char *why = NULL;
	struct buf json;

	if (!grants_add_object(&grants, object->at, object->len, &why)) {
		CHECK(why != NULL);
		grants_fini(&grants);
		return;
	}
	CHECK(grants.count <= GRANTS_MAX);
	buf_init(&json);
	grants_put_object(&grants, &json);
	CHECK(grants_add_object(&again, json.at, json.len, &why));
	CHECK(again.count == grants.count && again.kinds == grants.kinds);
	for (unsigned kinds = 1; kinds <= GRANT_ALL; kinds++)
		CHECK(grants_left(&grants, kinds, topic->at, topic->len) ==
		      grants_left(&again, kinds, topic->at, topic->len));
	buf_fini(&json);
	grants_fini(&grants);
	grants_fini(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line lines[LINES];
	size_t at = 0;

	for (size_t i = 0; i < LINES; i++) {
		const uint8_t *end =
		    at < size ? memchr(data + at, '\n', size - at) : NULL;
		size_t len = end != NULL ? (size_t)(end - data) - at
		             : at < size ? size - at
		                         : 0;

		lines[i].at = fuzz_copy(len > 0 ? data + at : NULL, len);
		lines[i].len = len;
		at += len + 1;
	}
	check_text(lines, true);
	check_text(lines, false);
	check_object(&lines[1], &lines[2]);
	for (size_t i = 0; i < LINES; i++)
		free(lines[i].at);
	return 0;
}
