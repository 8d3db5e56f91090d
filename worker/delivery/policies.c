/* SPDX-License-Identifier: MIT */
/* policies.c - see policies.h. */

#include "worker/delivery/policies.h"

#include "common/config.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

/* What was found for a slot. */
struct policies_entry {
	struct policy policy;
	uint32_t reading; /* of the sections; 0: none */
	uint32_t hash;    /* of the name, and the next: which life it was */
	uint64_t base;
};

struct policies_table {
	uint32_t reading;
	struct policies_entry entries[]; /* by slot */
};

void
policies_renew(struct hub *hub)
{
	uint32_t topics_max = hub->seg->topics_max;

	if (hub->net->config->policies.count == 0) {
		policies_close(hub);
		return;
	}
	if (hub->policies == NULL)
		hub->policies =
		    xcalloc(1, sizeof(*hub->policies) +
				   topics_max * sizeof(struct policies_entry));
	hub->policies->reading++;
}

void
policies_close(struct hub *hub)
{
	free(hub->policies);
	hub->policies = NULL;
}

const struct policy *
policies_find(struct hub *hub, uint32_t slot)
{
	const struct layout_topic *topic = &hub->seg->topics[slot];
	struct policies_entry *entry = &hub->policies->entries[slot];
	uint64_t base =
	    atomic_load_explicit(&topic->base, memory_order_relaxed);

	if (entry->reading == hub->policies->reading && entry->base == base &&
	    entry->hash == topic->hash)
		return &entry->policy;
	policies_look_up(&hub->net->config->policies,
	    hub->seg->names[slot].name, topic->name_len, &entry->policy);
	entry->reading = hub->policies->reading;
	entry->base = base;
	entry->hash = topic->hash;
	return &entry->policy;
}
