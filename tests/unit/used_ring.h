/* SPDX-License-Identifier: MIT */
/*
 * used_ring.h - a ring as a server leaves it: some topics, many messages, and
 * ring_verify() has nothing against it.
 */

#ifndef UNIT_USED_RING_H
#define UNIT_USED_RING_H

#include "tests/support/testseg.h"

#define USED_RING_SIZE   8192u
#define USED_RING_MAX    8u /* topics there could be */
#define USED_RING_TOPICS 6u /* that there are, in the first slots */
#define USED_RING_SILENT 5u /* slot of the one with no message */

struct used_ring {
	struct testseg t;
	struct ring ring; /* who has written it */
};

/* For cmocka_unit_test_setup_teardown(); *state is the struct used_ring. */
int used_ring_setup(void **state);
int used_ring_teardown(void **state);

/* Fails the test if ring_verify() finds anything. */
void used_ring_check_good(const struct used_ring *u);

#endif
