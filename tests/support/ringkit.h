/* SPDX-License-Identifier: MIT */
/*
 * ringkit.h - what most tests of the ring begin with: a segment in plain
 * memory, a worker who writes, and a reader of everything.
 *
 * A test that needs more has a struct of its own which begins with the kit.
 */

#ifndef TESTS_RINGKIT_H
#define TESTS_RINGKIT_H

#include "tests/support/testseg.h"

#include <stddef.h>
#include <stdint.h>

struct ringkit {
	struct testseg t;
	struct ring ring;     /* of worker 0, who writes */
	struct reader reader; /* from the first record on; its batch has room
	                         for a whole ring */
};

/*
 * Make a test's state: size bytes that begin with a struct ringkit, and the
 * rest is zero.  The ring is empty and there is no topic.
 *
 * Owns: the caller, by ringkit_free().
 */
void *ringkit_new(size_t size, uint64_t ring_size, uint32_t topics_max);

/* Free it, whatever it is that begins with a kit. */
void ringkit_free(void *state);

/* For cmocka_unit_test_setup_teardown(), where *state needs no more than
 * ringkit_free(). */
int ringkit_teardown(void **state);

/* The same for a test that has children too, see tests/support/mp.h. */
int ringkit_mp_teardown(void **state);

#endif
