/* SPDX-License-Identifier: MIT */
/* drops.c - see drops.h. */

#include "worker/net/drops.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <stdlib.h>

#define uthash_malloc(size) xmalloc(size)
#define uthash_fatal(why)   BUG(why)
#include <uthash.h>

struct drops {
	UT_hash_handle hh;
	const struct conn *conn; /* the key */
	uint64_t count;
};

static struct drops *
drops_find(const struct conn *c)
{
	struct drops *found;

	if (!c->dropped)
		return NULL;
	HASH_FIND_PTR(c->net->drops, &c, found);
	return found;
}

void
drops_add(struct conn *c, enum stats_id why)
{
	struct drops *entry = drops_find(c);

	stats_add(&c->net->stats, why, 1);
	if (entry == NULL) {
		entry = xcalloc(1, sizeof(*entry));
		entry->conn = c;
		HASH_ADD_PTR(c->net->drops, conn, entry);
		c->dropped = true;
	}
	entry->count++;
}

uint64_t
drops_of(const struct conn *c)
{
	const struct drops *entry = drops_find(c);

	return entry != NULL ? entry->count : 0;
}

void
drops_forget(struct conn *c)
{
	struct drops *entry = drops_find(c);

	if (entry == NULL)
		return;
	HASH_DEL(c->net->drops, entry);
	free(entry);
	c->dropped = false;
}
