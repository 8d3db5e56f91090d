/* SPDX-License-Identifier: MIT */
/* busiest.c - see busiest.h. */

#include "broker/status/busiest.h"

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"

#include <string.h>

/* How often a name is looked for: its record can be overwritten meanwhile. */
#define BUSIEST_TRIES 3

/* Messages of a slot between the looks.  The numbers of a slot that was given to
 * another topic meanwhile go on far above those of the one before. */
static uint64_t
busiest_messages(const struct segment *seg, const struct look *now,
    const struct look *before, uint32_t slot)
{
	uint64_t from = slot < before->topics ? before->seqs[slot] : 0;
	uint64_t base = atomic_load(&seg->topics[slot].base);

	if (from < base)
		from = base;
	return now->seqs[slot] > from ? now->seqs[slot] - from : 0;
}

/* Put a topic into its place among those found so far. */
static size_t
busiest_insert(
    struct busy_topic *out, size_t count, size_t max, struct busy_topic found)
{
	size_t at = count < max ? count : max - 1;

	while (at > 0 && out[at - 1].messages < found.messages) {
		out[at] = out[at - 1];
		at--;
	}
	out[at] = found;
	return count < max ? count + 1 : max;
}

static bool
busiest_name(const struct segment *seg, struct busy_topic *topic)
{
	for (int i = 0; i < BUSIEST_TRIES; i++) {
		uint64_t last = atomic_load(&seg->topics[topic->slot].last);

		if (ring_fetch_name(seg, last, topic->slot, topic->name,
			&topic->name_len) == RING_OK)
			return true;
	}
	return false;
}

size_t
busiest_find(const struct segment *seg, const struct look *now,
    const struct look *before, struct busy_topic *out, size_t max)
{
	size_t count = 0, kept = 0;

	if (!look_follows(now, before) || max == 0)
		return 0;
	for (uint32_t slot = 0; slot < now->topics; slot++) {
		struct busy_topic found = { .slot = slot };

		found.messages = busiest_messages(seg, now, before, slot);
		if (found.messages > 0 &&
		    (count < max || found.messages > out[max - 1].messages))
			count = busiest_insert(out, count, max, found);
	}
	for (size_t i = 0; i < count; i++) {
		struct busy_topic *topic = &out[i];

		if (!busiest_name(seg, topic))
			continue;
		topic->seq = now->seqs[topic->slot];
		topic->subscribers = topics_subscribers(seg, topic->slot);
		topic->rate = (double)topic->messages * 1e9 /
		              (double)(now->at_ns - before->at_ns);
		out[kept++] = *topic;
	}
	return kept;
}
