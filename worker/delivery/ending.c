/* SPDX-License-Identifier: MIT */
/* ending.c - see ending.h. */

#include "worker/delivery/ending.h"

#include "worker/delivery/hub.h"

#include <stdlib.h>

void
endings_fini(struct endings *endings)
{
	free(endings->subs);
}

void
ending_begin(struct hub *hub, struct sub *sub)
{
	struct endings *endings = &hub->endings;

	if (sub->is_over || !hub->forms[sub->client->form]->ends_at_gap)
		return;
	sub->is_over = true;
	/* No number is behind that, so nothing live is for it.  A replay looks
	 * at is_over. */
	if (!sub->replaying)
		sub->seen = UINT64_MAX;
	if (endings->count == endings->max) {
		endings->max = endings->max * 2 + 16;
		endings->subs = xreallocarray(
		    endings->subs, endings->max, sizeof(struct sub *));
	}
	endings->subs[endings->count++] = sub;
}

void
ending_forget(struct endings *endings, const struct sub *sub)
{
	for (uint32_t i = 0; i < endings->count; i++)
		if (endings->subs[i] == sub)
			endings->subs[i] = NULL;
}

bool
ending_has(
    const struct endings *endings, const struct client *client, uint32_t slot)
{
	for (uint32_t i = 0; i < endings->count; i++) {
		const struct sub *sub = endings->subs[i];

		if (sub != NULL && sub->client == client &&
		    sub->topic->slot == slot)
			return true;
	}
	return false;
}
