/* SPDX-License-Identifier: MIT */
/* out.c - see out.h. */

#include "tests/unit/support/out.h"

struct buf out;

int
out_setup(void **state)
{
	(void)state;
	buf_init(&out);
	return 0;
}

int
out_teardown(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}
