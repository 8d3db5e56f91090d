/* SPDX-License-Identifier: MIT */
/* used_ring.c - see used_ring.h. */

#include "tests/unit/used_ring.h"

#include "common/xmalloc.h"
#include "tests/support/suite.h"

#include <stdio.h>
#include <stdlib.h>

#define MESSAGES 40u

int
used_ring_setup(void **state)
{
	struct used_ring *u = xcalloc(1, sizeof(*u));
	char name[16];

	testseg_open(&u->t, USED_RING_SIZE, USED_RING_MAX);
	ring_attach(&u->ring, &u->t.seg, 0);
	for (uint32_t i = 0; i < USED_RING_TOPICS; i++) {
		snprintf(name, sizeof(name), "%u", i);
		hand_topic(&u->ring, name);
	}
	for (unsigned i = 0; i < MESSAGES; i++)
		hand_publish(&u->ring, i % (USED_RING_TOPICS - 1), "\"text\"");
	*state = u;
	return 0;
}

int
used_ring_teardown(void **state)
{
	struct used_ring *u = *state;

	ring_detach(&u->ring);
	testseg_close(&u->t);
	free(u);
	return 0;
}

void
used_ring_check_good(const struct used_ring *u)
{
	char error[SEGMENT_ERROR_MAX];

	if (!ring_verify(&u->t.seg, error))
		fail_msg("%s", error);
}
