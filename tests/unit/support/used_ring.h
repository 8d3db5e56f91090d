/* SPDX-License-Identifier: MIT */
/*
 * used_ring.h - a ring as a server leaves it: some topics, many messages, and
 * ring_verify() has nothing against it.  Its teardown is ringkit's.
 */

#ifndef UNIT_USED_RING_H
#define UNIT_USED_RING_H

#include "tests/support/ringkit.h"

#define USED_RING_SIZE   8192u
#define USED_RING_MAX    8u /* topics there could be */
#define USED_RING_TOPICS 6u /* that there are, in the first slots */
#define USED_RING_SILENT 5u /* slot of the one with no message */

/* For cmocka_unit_test_setup_teardown(); *state is the struct ringkit. */
int used_ring_setup(void **state);

/* Fails the test if ring_verify() finds anything. */
void used_ring_check_good(struct ringkit *kit);

#endif
