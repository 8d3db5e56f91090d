/* SPDX-License-Identifier: MIT */
/* ledger.c - see ledger.h. */

#include "tests/load/ledger.h"

enum ledger_verdict
ledger_enter(struct ledger *l, uint32_t number)
{
	uint32_t distance, bit;

	if (number > l->highest) {
		distance = number - l->highest;
		l->seen = distance < LEDGER_WINDOW ? l->seen << distance : 0;
		l->seen |= 1;
		l->highest = number;
		return LEDGER_NEW;
	}
	distance = l->highest - number;
	if (distance >= LEDGER_WINDOW)
		return LEDGER_DOUBLE;
	bit = (uint32_t)1 << distance;
	if (l->seen & bit)
		return LEDGER_DOUBLE;
	l->seen |= bit;
	return LEDGER_LATE;
}
