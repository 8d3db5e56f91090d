/* SPDX-License-Identifier: MIT */
/*
 * pattern.h - names of topics with wildcards, by levels, as in MQTT (5.0, 4.7.1).
 *
 * A name is levels with "/" between them.  In a pattern
 *
 *	+	as a whole level stands for any one level, an empty one too
 *	#	as the last level stands for the rest, the level above included:
 *		room/# is room, room/ and room/1/log, and is not rooms
 *
 * Every other byte stands for itself, also a "+" or "#" beside others in a level;
 * upper and lower case differ.
 */

#ifndef COMMON_PATTERN_H
#define COMMON_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX 255u /* bytes, as many as a topic's name has */

/*
 * Whether a text is a pattern: not too long, and no level behind a "#".  A name
 * without a wildcard is one, too.
 * Returns: true, or false with *why set to a static phrase.
 */
bool pattern_valid(const char *pattern, size_t len, const char **why);

/* Whether a name is one of those that a valid pattern stands for.  Its cost
 * grows with the length of the pattern alone, or with that of the name. */
bool pattern_matches(
    const char *pattern, size_t pattern_len, const char *name, size_t name_len);

/*
 * Whether every name that a valid pattern stands for is one that another, `wide',
 * stands for as well.  Levels are compared one by one, so a few that do are not
 * seen: "+/#" stands for every name, and is not taken for as wide as "#".
 */
bool pattern_covers(
    const char *wide, size_t wide_len, const char *pattern, size_t pattern_len);

/* Whether a text has a wildcard: a level that is "+" or "#". */
bool pattern_has_wildcard(const char *text, size_t len);

/* Bytes of the level that a text begins with; behind it is the text's end, or a
 * "/". */
size_t pattern_level(const char *text, size_t len);

/* Whether a level is that wildcard. */
bool pattern_level_is(const char *level, size_t len, char wildcard);

#endif
