/* SPDX-License-Identifier: MIT */
/* dice.h - random numbers that are the same in every run (xorshift64*). */

#ifndef TESTS_DICE_H
#define TESTS_DICE_H

#include <stdint.h>
#include <string.h>

struct dice {
	uint64_t state; /* not 0: the seed */
};

static inline uint64_t
dice_roll(struct dice *dice)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return dice->state * UINT64_C(0x2545f4914f6cdd1d);
}

/* A number below n; n > 0. */
static inline uint64_t
dice_below(struct dice *dice, uint64_t n)
{
	return (dice_roll(dice) >> 16) % n;
}

/* Change one byte of a text into one of these, leave it out, or double it; the
 * text is not empty and has room for one byte more. */
static inline void
dice_mutate(struct dice *dice, char *text, const char *bytes)
{
	char *at = text + dice_below(dice, strlen(text));
	size_t len = strlen(at);

	switch (dice_below(dice, 3)) {
	case 0:
		*at = bytes[dice_below(dice, strlen(bytes))];
		break;
	case 1:
		memmove(at, at + 1, len);
		break;
	case 2:
		memmove(at + 1, at, len + 1);
		break;
	}
}

#endif
