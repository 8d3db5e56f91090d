/* SPDX-License-Identifier: MIT */
/* used_ring.c - see used_ring.h. */

#include "tests/unit/support/used_ring.h"

#include "tests/support/suite.h"

#include <stdio.h>

#define MESSAGES 40u

int
used_ring_setup(void **state)
{
	struct ringkit *kit =
	    ringkit_new(sizeof(*kit), USED_RING_SIZE, USED_RING_MAX);
	char name[16];

	for (uint32_t i = 0; i < USED_RING_TOPICS; i++) {
		snprintf(name, sizeof(name), "%u", i);
		hand_topic(&kit->ring, name);
	}
	for (unsigned i = 0; i < MESSAGES; i++)
		hand_publish(
		    &kit->ring, i % (USED_RING_TOPICS - 1), "\"text\"");
	*state = kit;
	return 0;
}

void
used_ring_check_good(struct ringkit *kit)
{
	char error[SEGMENT_ERROR_MAX];

	if (!ring_recover(&kit->t.seg, error))
		fail_msg("%s", error);
}
