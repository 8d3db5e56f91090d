/* SPDX-License-Identifier: MIT */
/* pattern.c - see pattern.h. */

#include "common/pattern.h"

#include <string.h>

/* Bytes of the level that a text begins with. */
static size_t
pattern_level(const char *text, size_t len)
{
	const char *slash = len > 0 ? memchr(text, '/', len) : NULL;

	return slash != NULL ? (size_t)(slash - text) : len;
}

static bool
pattern_is(const char *level, size_t len, char wildcard)
{
	return len == 1 && level[0] == wildcard;
}

bool
pattern_valid(const char *pattern, size_t len, const char **why)
{
	size_t level;

	*why = "a pattern is longer than 255 bytes";
	if (len > PATTERN_MAX)
		return false;
	*why = "in a pattern, # is the last level";
	for (;;) {
		level = pattern_level(pattern, len);
		if (level == len)
			return true;
		if (pattern_is(pattern, level, '#'))
			return false;
		pattern += level + 1;
		len -= level + 1;
	}
}

bool
pattern_matches(
    const char *pattern, size_t pattern_len, const char *name, size_t name_len)
{
	size_t wanted, level;

	for (;;) {
		wanted = pattern_level(pattern, pattern_len);
		if (pattern_is(pattern, wanted, '#'))
			return true;
		level = pattern_level(name, name_len);
		if (!pattern_is(pattern, wanted, '+') &&
		    (wanted != level || memcmp(pattern, name, level) != 0))
			return false;
		pattern += wanted;
		pattern_len -= wanted;
		name += level;
		name_len -= level;
		if (name_len == 0)
			/* "#" stands for no further level as well. */
			return pattern_len == 0 ||
			       (pattern_len == 2 && pattern[1] == '#');
		if (pattern_len == 0)
			return false;
		pattern++;
		pattern_len--;
		name++;
		name_len--;
	}
}
