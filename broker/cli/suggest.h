/* SPDX-License-Identifier: MIT */
/* suggest.h - the name that a mistyped word probably stands for. */

#ifndef BROKER_CLI_SUGGEST_H
#define BROKER_CLI_SUGGEST_H

#include <stddef.h>

/* The search for the closest of some names.  Zeroed, but for `word'. */
struct suggestion {
	const char *word; /* as it was typed; borrowed */
	const char *best; /* the closest name so far, borrowed; NULL: none */
	size_t distance;  /* of that */
};

/*
 * Look at one name.  It comes into question if the word is the beginning of it,
 * three characters at least, or becomes it by two changes at most: one
 * character more, fewer, another, or two that changed places.
 */
void suggestion_try(struct suggestion *suggestion, const char *name);

#endif
