/* SPDX-License-Identifier: MIT */
/* wheel.c - see wheel.h. */

#include "worker/net/wheel.h"

#include "common/bug.h"

#include <stddef.h>

void
wheel_init(struct wheel *wheel)
{
	wheel->now = 0;
	for (unsigned i = 0; i < WHEEL_BUCKETS; i++)
		LIST_INIT(&wheel->buckets[i]);
}

uint32_t
wheel_ticks(uint64_t ms)
{
	uint64_t ticks = (ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;

	return ticks == 0 ? 1 : (uint32_t)ticks;
}

/* Lay an entry into the bucket of its deadline, or the farthest there is. */
static void
wheel_lay(struct wheel *wheel, struct wheel_entry *entry)
{
	uint32_t ahead = entry->due - wheel->now;

	CHECK(ahead >= 1 && ahead <= INT32_MAX);
	if (ahead >= WHEEL_BUCKETS)
		ahead = WHEEL_BUCKETS - 1;
	entry->at = wheel->now + ahead;
	LIST_INSERT_HEAD(
	    &wheel->buckets[entry->at % WHEEL_BUCKETS], entry, link);
}

void
wheel_add(struct wheel *wheel, struct wheel_entry *entry, uint32_t ticks)
{
	entry->due = wheel->now + (ticks == 0 ? 1 : ticks);
	wheel_lay(wheel, entry);
}

void
wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint32_t ticks)
{
	entry->due = wheel->now + (ticks == 0 ? 1 : ticks);
	if ((int32_t)(entry->at - entry->due) <= 0 && entry->at != wheel->now)
		return; /* it lies early enough; looked at again then */
	LIST_REMOVE(entry, link);
	wheel_lay(wheel, entry);
}

void
wheel_remove(struct wheel_entry *entry)
{
	LIST_REMOVE(entry, link);
}

void
wheel_turn(struct wheel *wheel,
    void (*due)(struct wheel_entry *entry, void *arg), void *arg)
{
	struct wheel_bucket *bucket;
	struct wheel_entry *entry;

	wheel->now++;
	bucket = &wheel->buckets[wheel->now % WHEEL_BUCKETS];
	while ((entry = LIST_FIRST(bucket)) != NULL) {
		/* Nobody has touched the next one for a long time. */
		__builtin_prefetch(LIST_NEXT(entry, link));
		if ((int32_t)(entry->due - wheel->now) > 0) {
			LIST_REMOVE(entry, link);
			wheel_lay(wheel, entry);
			continue;
		}
		due(entry, arg);
		CHECK(LIST_FIRST(bucket) != entry); /* or this never ends */
	}
}
