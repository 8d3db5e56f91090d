/* SPDX-License-Identifier: MIT */
/* dice.h - random numbers that are the same in every run (xorshift64*). */

#ifndef TESTS_DICE_H
#define TESTS_DICE_H

#include <stdint.h>

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

#endif
