/* SPDX-License-Identifier: MIT */
/*
 * terms.h - what two programs have to agree on for an upgrade.
 *
 *	handover 1, layout 5d3b..., --workers 2, --ring-size 33554432, ...
 *	move 1
 *
 * A program that would be upgraded to says the first line of itself with its
 * options, and the second if it can be the nursery of a move (nursery.c).  Programs
 * from before there were moves compare the whole first line, and look at nothing
 * else; so what stands there stays as it is.
 */

#ifndef BROKER_SUPERVISOR_TERMS_H
#define BROKER_SUPERVISOR_TERMS_H

#include "broker/supervisor/args.h"

enum terms {
	TERMS_SAME = 0, /* it goes on in this segment */
	TERMS_MOVE,     /* all can go to a segment of its own */
	TERMS_OTHER,    /* it cannot go on with these connections */
};

/*
 * Compare what a program has said with what this one has.
 * Returns: what follows, with what differs in why, if anything does: its own terms,
 *          each with ours.
 */
enum terms supervisor_compare_terms(const struct config *config,
    const char *said, char why[SUPERVISOR_WHY_MAX]);

#endif
