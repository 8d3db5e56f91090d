/* SPDX-License-Identifier: MIT */
/* suggest.c - see suggest.h. */

#include "broker/cli/suggest.h"

#include <string.h>

#define SUGGEST_NAME_MAX     32u /* bytes; none of ours is longer */
#define SUGGEST_DISTANCE_MAX 2u
#define SUGGEST_PREFIX_MIN   3u /* bytes */

static size_t
suggest_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many changes make one text the other: the optimal string alignment, row
 * by row, of which the last three are kept.
 */
static size_t
suggest_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][SUGGEST_NAME_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2], *spare;

	for (size_t j = 0; j <= b_len; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] =
			    suggest_min(last[j - 1] + (a[i - 1] != b[j - 1]),
				1 + suggest_min(last[j], row[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				row[j] = suggest_min(row[j], before[j - 2] + 1);
		}
		spare = before;
		before = last;
		last = row;
		row = spare;
	}
	return last[b_len];
}

void
suggestion_try(struct suggestion *suggestion, const char *name)
{
	const char *word = suggestion->word;
	size_t len = strlen(word), name_len = strlen(name), distance;

	if (len > SUGGEST_NAME_MAX || name_len > SUGGEST_NAME_MAX)
		return;
	distance = suggest_distance(word, len, name, name_len);
	/* Of a short word two changes leave nothing. */
	if (distance > SUGGEST_DISTANCE_MAX || 2 * distance >= len) {
		if (len < SUGGEST_PREFIX_MIN || strncmp(word, name, len) != 0)
			return;
	}
	if (suggestion->best != NULL && suggestion->distance <= distance)
		return;
	suggestion->best = name;
	suggestion->distance = distance;
}
