/* SPDX-License-Identifier: MIT */
/* pattern.c - see pattern.h. */

#include "common/pattern.h"

#include <string.h>

size_t
pattern_level(const char *text, size_t len)
{
	const char *slash = len > 0 ? memchr(text, '/', len) : NULL;

	return slash != NULL ? (size_t)(slash - text) : len;
}

bool
pattern_level_is(const char *level, size_t len, char wildcard)
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
		if (pattern_level_is(pattern, level, '#'))
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
		if (pattern_level_is(pattern, wanted, '#'))
			return true;
		level = pattern_level(name, name_len);
		if (!pattern_level_is(pattern, wanted, '+') &&
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

/* Take the level that a text begins with, and the "/" behind it, off the text.
 * Returns whether there is another one. */
static bool
pattern_next(const char **text, size_t *len, size_t level)
{
	if (level == *len)
		return false;
	*text += level + 1;
	*len -= level + 1;
	return true;
}

bool
pattern_covers(
    const char *wide, size_t wide_len, const char *pattern, size_t pattern_len)
{
	bool wide_goes_on, goes_on;

	for (;;) {
		size_t any = pattern_level(wide, wide_len);
		size_t level = pattern_level(pattern, pattern_len);

		if (pattern_level_is(wide, any, '#'))
			return true;
		if (pattern_level_is(pattern, level, '#'))
			return false;
		if (!pattern_level_is(wide, any, '+') &&
		    (any != level || memcmp(wide, pattern, level) != 0))
			return false;
		wide_goes_on = pattern_next(&wide, &wide_len, any);
		goes_on = pattern_next(&pattern, &pattern_len, level);
		if (!goes_on)
			return !wide_goes_on ||
			       pattern_level_is(wide, wide_len, '#');
		if (!wide_goes_on)
			return false;
	}
}

bool
pattern_has_wildcard(const char *text, size_t len)
{
	size_t level;

	do {
		level = pattern_level(text, len);
		if (pattern_level_is(text, level, '+') ||
		    pattern_level_is(text, level, '#'))
			return true;
	} while (pattern_next(&text, &len, level));
	return false;
}
