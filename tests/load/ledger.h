/* SPDX-License-Identifier: MIT */
/*
 * ledger.h - which numbers of one sender have come to one receiver.
 *
 * A sender numbers its messages 1, 2, 3 …  Eight bytes per pair must do, for
 * there are CLIENTS x ROOM_SIZE pairs: the highest number and which of the 32
 * up to it were seen.  What never came is the difference of two counts.
 */

#ifndef LOAD_LEDGER_H
#define LOAD_LEDGER_H

#include <stdint.h>

#define LEDGER_WINDOW 32u /* numbers remembered */

/* A zeroed one has seen nothing. */
struct ledger {
	uint32_t highest;
	uint32_t seen; /* bit n: highest - n */
};

enum ledger_verdict {
	LEDGER_NEW,    /* beyond all before it */
	LEDGER_LATE,   /* not seen before, but a later one was */
	LEDGER_DOUBLE, /* seen before, or too old to tell */
};

/* Enter number, at least 1. */
enum ledger_verdict ledger_enter(struct ledger *l, uint32_t number);

#endif
