/* SPDX-License-Identifier: MIT */
/*
 * wheel.h - one deadline per connection, thousands of them, no timers.
 *
 * A wheel of buckets, one per tick.  An entry lies in the bucket of a tick not
 * later than its deadline; when that tick comes and the deadline has meanwhile
 * moved on, it is put in again.  So putting a deadline off, which every byte
 * from a client does, is one store, and only bringing it forward moves the
 * entry (libev's manual, "Be smart about timeouts", method 3, shared by all).
 *
 * Pure: time comes in as ticks, due entries come out.  No libev here.
 */

#ifndef WORKER_NET_WHEEL_H
#define WORKER_NET_WHEEL_H

#include <stdint.h>
#include <sys/queue.h>

#define WHEEL_TICK_MS 250u
#define WHEEL_BUCKETS 256u /* a power of two: 64 seconds around */

struct wheel_entry {
	LIST_ENTRY(wheel_entry) link;
	uint32_t due; /* tick at which it is due */
	uint32_t at;  /* tick of the bucket it lies in */
};

LIST_HEAD(wheel_bucket, wheel_entry);

struct wheel {
	uint32_t now; /* ticks that have been turned */
	struct wheel_bucket buckets[WHEEL_BUCKETS];
};

void wheel_init(struct wheel *wheel);

/* Ticks that last at least this long, one or more. */
uint32_t wheel_ticks(uint64_t ms);

/* Put an entry in, due after this many ticks (0 counts as 1). */
void wheel_add(struct wheel *wheel, struct wheel_entry *entry, uint32_t ticks);

/* Change the deadline of an entry that is in. */
void wheel_set(struct wheel *wheel, struct wheel_entry *entry, uint32_t ticks);

/* Take an entry out. */
void wheel_remove(struct wheel_entry *entry);

/*
 * Turn by one tick and call due() for every entry whose deadline has come.
 * due() finds the entry still in, due at once again: it gives it a new deadline
 * by wheel_set(), or takes it out.
 */
void wheel_turn(struct wheel *wheel,
    void (*due)(struct wheel_entry *entry, void *arg), void *arg);

#endif
