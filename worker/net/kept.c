/* SPDX-License-Identifier: MIT */
/* kept.c - see kept.h. */

#include "worker/net/kept.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

struct kept *
kept_room(uint32_t len)
{
	struct kept *kept = xmalloc(sizeof(*kept) + len);

	CHECK(len > 0);
	kept->references = 1;
	kept->len = len;
	return kept;
}

struct kept *
kept_new(const void *data, uint32_t len)
{
	struct kept *kept = kept_room(len);

	memcpy(kept->bytes, data, len);
	return kept;
}

struct kept *
kept_take(struct kept *kept)
{
	kept->references++;
	return kept;
}

void
kept_drop(struct kept **keptp)
{
	struct kept *kept = *keptp;

	*keptp = NULL;
	CHECK(kept->references > 0);
	if (--kept->references == 0)
		free(kept);
}
