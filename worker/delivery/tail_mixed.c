/* SPDX-License-Identifier: MIT */
/* tail_mixed.c - see tail_mixed.h. */

#include "worker/delivery/tail_mixed.h"

#include "worker/delivery/hub.h"
#include "worker/delivery/tail_run.h"
#include "worker/net/outbox.h"

#include <string.h>

bool
tail_mixed_is_of(const struct sub_topic *topic, const struct ring_record *rec)
{
	return rec->name_len == topic->name_len &&
	       memcmp(rec->name, topic->name, rec->name_len) == 0;
}

/* Whether the subscription is to be given a record now; it counts as seen. */
static bool
tail_mixed_wants(struct sub *sub, const struct ring_record *rec)
{
	if (sub->replaying || sub->paced)
		return false;
	if ((rec->flags & RECORD_UNNUMBERED) != 0)
		return sub->seen == rec->seq;
	if (sub->seen >= rec->seq)
		return false;
	sub->seen = rec->seq;
	return true;
}

void
tail_mixed_send(struct hub *hub, const struct sub_topic *topic,
    const struct ring_record *rec)
{
	uint32_t frames[FORMS];

	for (int form = 0; form < FORMS; form++) {
		frames[form] = hub->net->arena.count;
		if (topic->forms[form] != 0)
			hub_put_record(hub, form, topic, rec);
	}
	for (uint32_t i = 0; i < topic->count; i++) {
		struct sub *sub = topic->subs[i];

		if (tail_mixed_wants(sub, rec) &&
		    !(sub->no_echo && tail_run_is_own(hub, rec, sub->client)))
			outbox_frames(&hub->net->outbox, &sub->client->conn,
			    frames[sub->client->form], 1);
	}
}
