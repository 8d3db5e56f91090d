/* SPDX-License-Identifier: MIT */
/* grants.c - see grants.h. */

#include "common/grants.h"

#include "common/buf.h"
#include "common/jose_object.h"
#include "common/pattern.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

#define GRANTS_SUB_LEN (sizeof(GRANTS_SUB) - 1)

static const struct {
	const char *name;
	unsigned kinds;
} grants_names[] = {
	{ "subscribe", GRANT_SUBSCRIBE },
	{ "publish", GRANT_PUBLISH },
	{ "presence", GRANT_PRESENCE },
	{ "history", GRANT_HISTORY },
	{ "all", GRANT_ALL },
};

#define GRANTS_NAMES (sizeof(grants_names) / sizeof(grants_names[0]))

/* One grant of a list. */
struct grant {
	unsigned kinds;
	const char *pattern;
	size_t len;
};

/* Take the grant at *at, which moves behind it.  Returns false at the end. */
static bool
grants_next(const struct grants *grants, size_t *at, struct grant *grant)
{
	const unsigned char *entry;

	if (*at == grants->len)
		return false;
	entry = grants->entries + *at;
	grant->kinds = entry[0];
	grant->len = entry[1];
	grant->pattern = (const char *)entry + 2;
	*at += 2 + grant->len;
	return true;
}

void
grants_fini(struct grants *grants)
{
	free(grants->entries);
	memset(grants, 0, sizeof(*grants));
}

/* Which kinds no grant allows to a text, by how a grant's pattern is compared
 * with it. */
static unsigned
grants_left_by(const struct grants *grants, unsigned kinds, const char *text,
    size_t len,
    bool (*allows)(
	const char *pattern, size_t pattern_len, const char *text, size_t len))
{
	struct grant grant;
	size_t at = 0;

	if ((kinds & grants->kinds) == 0)
		return kinds;
	while (kinds != 0 && grants_next(grants, &at, &grant))
		if ((grant.kinds & kinds) != 0 &&
		    allows(grant.pattern, grant.len, text, len))
			kinds &= ~grant.kinds;
	return kinds;
}

unsigned
grants_left(const struct grants *grants, unsigned kinds, const char *topic,
    size_t topic_len)
{
	return grants_left_by(grants, kinds, topic, topic_len, pattern_matches);
}

unsigned
grants_left_of_pattern(const struct grants *grants, unsigned kinds,
    const char *pattern, size_t len)
{
	return grants_left_by(grants, kinds, pattern, len, pattern_covers);
}

bool
grants_add(struct grants *grants, unsigned kinds, const char *pattern,
    size_t len, const char **why)
{
	unsigned char *entry;

	if (!pattern_valid(pattern, len, why))
		return false;
	*why = "more than 256 grants";
	if (grants->count == GRANTS_MAX)
		return false;
	grants->entries =
	    xreallocarray(grants->entries, grants->len + 2 + len, 1);
	entry = grants->entries + grants->len;
	entry[0] = (unsigned char)kinds;
	entry[1] = (unsigned char)len;
	memcpy(entry + 2, pattern, len);
	grants->len += 2 + len;
	grants->count++;
	grants->kinds |= kinds;
	return true;
}

/* The kinds of a name, 0 if it is none. */
static unsigned
grants_kinds_named(const char *name, size_t len)
{
	for (size_t i = 0; i < GRANTS_NAMES; i++)
		if (strlen(grants_names[i].name) == len &&
		    memcmp(grants_names[i].name, name, len) == 0)
			return grants_names[i].kinds;
	return 0;
}

/* Read names with commas between them.  Returns 0 if one is none. */
static unsigned
grants_kinds_of(const char *names, size_t len)
{
	unsigned kinds = 0, one;

	for (;;) {
		const char *comma = memchr(names, ',', len);
		size_t name_len = comma != NULL ? (size_t)(comma - names) : len;

		one = grants_kinds_named(names, name_len);
		if (one == 0)
			return 0;
		kinds |= one;
		if (comma == NULL)
			return kinds;
		names += name_len + 1;
		len -= name_len + 1;
	}
}

bool
grants_add_text(struct grants *grants, const char *text, size_t len,
    bool has_sub, const char **why)
{
	const char *colon = memchr(text, ':', len);
	size_t names_len = colon != NULL ? (size_t)(colon - text) : 0;
	unsigned kinds = grants_kinds_of(text, names_len);

	*why = "a grant is KIND[,KIND...]:PATTERN; the kinds are subscribe, "
	       "publish, presence, history, all";
	if (kinds == 0)
		return false;
	text += names_len + 1;
	len -= names_len + 1;
	*why = "{sub} is for --grant, where it is known who asks";
	if (!has_sub && memmem(text, len, GRANTS_SUB, GRANTS_SUB_LEN) != NULL)
		return false;
	return grants_add(grants, kinds, text, len, why);
}

/* Add the patterns of a list. */
static bool
grants_add_list(struct grants *grants, unsigned kind,
    const struct json_token *list, const char **why)
{
	char pattern[PATTERN_MAX];
	struct json_reader reader;
	struct json_token element;
	bool ok = list->kind == JSON_ARRAY;
	size_t len;

	*why = "a list of grants is no array of patterns";
	if (!ok)
		return false;
	json_reader_init(&reader);
	ok = json_array_open(&reader, list->raw, list->raw_len) == JSON_OK;
	while (ok && json_element_next(&reader, &element)) {
		ok = jose_string(&element, pattern, sizeof(pattern), &len);
		ok = ok && grants_add(grants, kind, pattern, len, why);
	}
	json_reader_fini(&reader);
	return ok;
}

bool
grants_add_object(
    struct grants *grants, const char *json, size_t len, const char **why)
{
	struct jose_object object;
	unsigned kind;

	*why = "the grants are no object with each member once";
	if (!jose_object_read(&object, json, len))
		return false;
	for (size_t i = 0; i < object.count; i++) {
		const struct jose_member *member = &object.members[i];

		kind = grants_kinds_named(member->name, member->name_len);
		if (kind != 0 && kind != GRANT_ALL &&
		    !grants_add_list(grants, kind, &member->value, why))
			return false;
	}
	return true;
}

/* Whether a name stands for itself as a part of a level. */
static bool
grants_is_plain(const char *sub, size_t len)
{
	return len > 0 && memchr(sub, '/', len) == NULL &&
	       !(len == 1 && (sub[0] == '+' || sub[0] == '#'));
}

/* Copy a pattern with sub in each place for it.  Returns the length, or
 * PATTERN_MAX + 1 if that is too long. */
static size_t
grants_fill_in(const struct grant *grant, const char *sub, size_t sub_len,
    char out[PATTERN_MAX])
{
	const char *at = grant->pattern, *end = at + grant->len, *place;
	size_t len = 0, piece;

	while (at < end) {
		place =
		    memmem(at, (size_t)(end - at), GRANTS_SUB, GRANTS_SUB_LEN);
		piece = (size_t)((place != NULL ? place : end) - at);
		if (len + piece + (place != NULL ? sub_len : 0) > PATTERN_MAX)
			return PATTERN_MAX + 1;
		memcpy(out + len, at, piece);
		len += piece;
		if (place == NULL)
			break;
		memcpy(out + len, sub, sub_len);
		len += sub_len;
		at = place + GRANTS_SUB_LEN;
	}
	return len;
}

void
grants_add_for(struct grants *grants, const struct grants *from,
    const char *sub, size_t sub_len)
{
	bool is_plain = grants_is_plain(sub, sub_len);
	char pattern[PATTERN_MAX];
	struct grant grant;
	const char *why;
	size_t at = 0, len;

	while (grants_next(from, &at, &grant)) {
		if (memmem(grant.pattern, grant.len, GRANTS_SUB,
			GRANTS_SUB_LEN) != NULL &&
		    !is_plain)
			continue;
		len = grants_fill_in(&grant, sub, sub_len, pattern);
		if (len <= PATTERN_MAX)
			grants_add(grants, grant.kinds, pattern, len, &why);
	}
}

void
grants_put_patterns(const struct grants *grants, unsigned kind, struct buf *out)
{
	struct grant grant;
	size_t at = 0;
	char len;

	while (grants_next(grants, &at, &grant)) {
		if ((grant.kinds & kind) == 0)
			continue;
		len = (char)grant.len;
		buf_add(out, &len, 1);
		buf_add(out, grant.pattern, grant.len);
	}
}

/* Append the list of the patterns of one kind, which occurs. */
static void
grants_put_list(const struct grants *grants, unsigned kind, struct buf *json)
{
	struct grant grant;
	size_t at = 0;
	char mark = '[';

	while (grants_next(grants, &at, &grant)) {
		if ((grant.kinds & kind) == 0)
			continue;
		buf_add(json, &mark, 1);
		buf_json_string(json, grant.pattern, grant.len);
		mark = ',';
	}
	buf_puts(json, "]");
}

void
grants_put_object(const struct grants *grants, struct buf *json)
{
	const char *comma = "";

	buf_puts(json, "{");
	for (size_t i = 0; i < GRANTS_NAMES; i++) {
		unsigned kind = grants_names[i].kinds;

		if (kind == GRANT_ALL || (kind & grants->kinds) == 0)
			continue;
		buf_printf(json, "%s\"%s\":", comma, grants_names[i].name);
		grants_put_list(grants, kind, json);
		comma = ",";
	}
	buf_puts(json, "}");
}
