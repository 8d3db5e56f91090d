/* SPDX-License-Identifier: MIT */
/* tail_run.c - see tail_run.h. */

#include "worker/delivery/tail_run.h"

struct tail_run
tail_run_encode(struct hub *hub, const struct sub_topic *topic,
    enum form_id form, struct tail_records records, uint32_t first)
{
	struct tail_run run = { .from = hub->net->arena.count,
		.first_seq = records.at[first - 1].seq,
		.last_seq = topic->seq };

	for (uint32_t at = first; at != 0; at = records.next[at - 1])
		hub_put_record(hub, form, topic, &records.at[at - 1]);
	run.count = hub->net->arena.count - run.from;
	return run;
}
