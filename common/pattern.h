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

#endif
