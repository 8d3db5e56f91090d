/* SPDX-License-Identifier: MIT */
/* ringkit.c - see ringkit.h. */

#include "tests/support/ringkit.h"

#include "common/bug.h"
#include "common/xmalloc.h"
#include "tests/support/mp.h"

#include <stdlib.h>

void *
ringkit_new(size_t size, uint64_t ring_size, uint32_t topics_max)
{
	struct ringkit *kit;

	CHECK(size >= sizeof(*kit));
	kit = xcalloc(1, size);
	testseg_open(&kit->t, ring_size, topics_max);
	ring_attach(&kit->ring, &kit->t.seg, 0);
	reader_open(&kit->reader, &kit->t.seg,
	    ring_size / sizeof(struct layout_record), ring_size);
	return kit;
}

void
ringkit_free(void *state)
{
	struct ringkit *kit = state;

	reader_close(&kit->reader);
	ring_detach(&kit->ring);
	testseg_close(&kit->t);
	free(kit);
}

int
ringkit_teardown(void **state)
{
	ringkit_free(*state);
	return 0;
}

int
ringkit_mp_teardown(void **state)
{
	int result = mp_teardown(NULL);

	ringkit_free(*state);
	return result;
}
