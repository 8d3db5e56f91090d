/* SPDX-License-Identifier: MIT */
/* look.c - see look.h. */

#include "broker/status/look.h"

#include "broker/ring/ring.h"
#include "common/clock.h"
#include "common/xmalloc.h"

#include <stdlib.h>
#include <string.h>

void
look_init(struct look *look)
{
	memset(look, 0, sizeof(*look));
}

void
look_fini(struct look *look)
{
	free(look->seqs);
	look_init(look);
}

static void
look_take_workers(struct look *look, const struct segment *seg)
{
	look->workers = segment_workers(seg);
	memset(look->counters, 0, sizeof(look->counters));
	memset(look->delays, 0, sizeof(look->delays));
	for (unsigned slot = 0; slot < look->workers; slot++) {
		const struct layout_worker *worker = &seg->workers[slot];

		for (int i = 0; i < STATS_COUNT; i++)
			look->counters[slot][i] =
			    stats_get(worker->counters, (enum stats_id)i);
		for (int i = 0; i <= STATS_DELAY_BOUNDS; i++)
			look->delays[i] +=
			    stats_get_word(&worker->delays.count[i]);
	}
}

static void
look_take_topics(struct look *look, const struct segment *seg)
{
	uint32_t used = atomic_load(&seg->header->used);

	look->topics = used < seg->topics_max ? used : seg->topics_max;
	if (look->topics > look->topics_size) {
		look->topics_size = look->topics;
		look->seqs = xreallocarray(
		    look->seqs, look->topics_size, sizeof(*look->seqs));
	}
	for (uint32_t slot = 0; slot < look->topics; slot++)
		look->seqs[slot] = ring_topic_seq(seg, slot);
}

void
look_take(struct look *look, const struct segment *seg)
{
	const struct layout_header *header = seg->header;

	look->at_ns = clock_monotonic_ns();
	look->run = atomic_load(&header->run.id);
	memcpy(look->epoch, header->epoch, sizeof(look->epoch));
	look->head = ring_head(seg);
	look_take_workers(look, seg);
	look_take_topics(look, seg);
}

bool
look_follows(const struct look *now, const struct look *before)
{
	return before->at_ns != 0 && before->at_ns < now->at_ns &&
	       before->run == now->run &&
	       memcmp(before->epoch, now->epoch, sizeof(now->epoch)) == 0;
}

/* How much there was more in a second. */
static double
look_per_second(const struct look *now, const struct look *before,
    uint64_t value, uint64_t value_before)
{
	if (!look_follows(now, before) || value < value_before)
		return 0;
	return (double)(value - value_before) * 1e9 /
	       (double)(now->at_ns - before->at_ns);
}

uint64_t
look_total(const struct look *look, unsigned worker, enum stats_id id)
{
	uint64_t sum = 0;

	if (worker != LOOK_ALL)
		return look->counters[worker][id];
	for (unsigned slot = 0; slot < look->workers; slot++)
		sum += look->counters[slot][id];
	return sum;
}

double
look_rate(const struct look *now, const struct look *before, unsigned worker,
    enum stats_id id)
{
	return look_per_second(now, before, look_total(now, worker, id),
	    look_total(before, worker, id));
}

double
look_ring_rate(const struct look *now, const struct look *before)
{
	return look_per_second(now, before, now->head, before->head);
}

uint64_t
look_delay(const struct look *now, const struct look *before, unsigned percent)
{
	uint64_t counts[STATS_DELAY_BOUNDS + 1], all = 0, sum = 0;

	if (!look_follows(now, before))
		return 0;
	for (int i = 0; i <= STATS_DELAY_BOUNDS; i++) {
		counts[i] = now->delays[i] - before->delays[i];
		all += counts[i];
	}
	if (all == 0)
		return 0;
	for (int i = 0; i < STATS_DELAY_BOUNDS; i++) {
		sum += counts[i];
		if ((double)sum * 100 >= (double)all * percent)
			return stats_delay_bounds_ns[i];
	}
	return UINT64_MAX;
}
