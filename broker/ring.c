/* SPDX-License-Identifier: MIT */
/*
 * ring.c - the writers' side: lock, repair, publish; see ring.h.
 *
 * The steps of a publish; names like these number the steps of the whole
 * protocol, in all files, and the models in tests/model/ use the same:
 *	publish-1   reserve = max(reserve, end of this batch); release fence
 *	publish-2   copy the records in behind head
 *	publish-3   head = end, one release store: the commit
 *	publish-4   each topic's seq and last
 *	publish-5   applied = head, a release store
 *	wake-1      one seq_cst fence, then the interest words
 *
 * What breaks in another order: reserve after the copy, and a reader believes
 * a torn record; head before the copy, likewise; the directory before head, and
 * it knows a number that the log never had; applied before the directory, and
 * nobody repairs what a writer that dies in between leaves; reserve set back
 * after a dead writer, and what that one half-wrote is believed.
 */

#include "broker/ring.h"

#include "broker/ring_bytes.h"
#include "broker/stop.h"
#include "broker/topics.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

_Static_assert(sizeof(pthread_mutex_t) <= LAYOUT_LOCK_SIZE,
    "the lock fits its place in the layout");

static pthread_mutex_t *
ring_mutex(const struct ring *ring)
{
	return (pthread_mutex_t *)(void *)ring->header->lock;
}

void
ring_make_lock(struct segment *seg)
{
	pthread_mutexattr_t attr;
	int err;

	err = pthread_mutexattr_init(&attr);
	if (err == 0)
		err =
		    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	if (err == 0)
		err = pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	if (err == 0)
		err = pthread_mutex_init(
		    (pthread_mutex_t *)(void *)seg->header->lock, &attr);
	CHECK(err == 0);
	pthread_mutexattr_destroy(&attr);
}

void
ring_format(struct segment *seg)
{
	struct layout_header *h = seg->header;

	ring_make_lock(seg);
	/* Not 0, so that position 0 can mean "no record". */
	atomic_store(&h->reserve, seg->ring_size);
	atomic_store(&h->applied, seg->ring_size);
	atomic_store(&h->head, seg->ring_size);
}

void
ring_attach(struct ring *ring, struct segment *seg, unsigned self)
{
	memset(ring, 0, sizeof(*ring));
	ring->seg = seg;
	ring->header = seg->header;
	ring->capacity = seg->ring_size;
	ring->self = self;
	ring->holdings = (uint64_t)getpid() << 32; /* not a predecessor's */
	ring->looked_at = ring_head(seg);
	ring->reached = xcalloc(seg->topics_max, sizeof(*ring->reached));
}

void
ring_detach(struct ring *ring)
{
	free(ring->reached);
	ring->reached = NULL;
}

uint64_t
ring_head(const struct segment *seg)
{
	return atomic_load_explicit(&seg->header->head, memory_order_acquire);
}

/* What the directory keeps of one record. */
static void
ring_apply(
    struct layout_topic *topic, uint64_t seq, uint64_t pos, uint8_t touched)
{
	atomic_store_explicit(&topic->seq, seq, memory_order_relaxed);
	atomic_store_explicit(&topic->last, pos, memory_order_relaxed);
	topic->touched = touched;
}

/*
 * Replay what is committed but not applied: store each record's values, never
 * add, so that a death in here only means doing it again.
 */
static void
ring_replay(struct ring *ring)
{
	struct layout_header *h = ring->header;
	uint64_t head = atomic_load(&h->head);
	uint64_t pos = atomic_load(&h->applied);
	struct layout_record rec;

	while (pos < head) {
		if (!ring_peek(ring->seg, pos, head, &rec))
			BUG("the ring holds a record that nobody wrote");
		/* repair-1: stored, never added */
		if (!(rec.flags & RECORD_PADDING))
			ring_apply(
			    &ring->seg->topics[rec.topic], rec.seq, pos, 1);
		pos += rec.length;
		stop_here(h, STOP_HALF_REPLAYED);
	}
	/* repair-2: last, or nobody would go on after a death in here */
	atomic_store_explicit(&h->applied, head, memory_order_release);
}

/* Note for the supervisor whose holding it was that a death ended: when it
 * reaps, the owner word may be another's already. */
static void
ring_name_dead(struct ring *ring)
{
	uint64_t word =
	    atomic_load_explicit(&ring->header->owner, memory_order_relaxed);
	unsigned slot = layout_owner_slot(word);

	if (slot < LAYOUT_WORKERS)
		atomic_store_explicit(&ring->seg->workers[slot].died_in, word,
		    memory_order_relaxed);
}

/* The lock was had; put right what a dead holder left, and sign as owner. */
static void
ring_enter(struct ring *ring, bool owner_died)
{
	struct layout_header *h = ring->header;

	stop_here(h, STOP_LOCKED);
	if (owner_died)
		ring_name_dead(ring);
	/* Release: who reads it, and looks for the dead, finds them named. */
	atomic_store_explicit(&h->owner,
	    layout_owner(++ring->holdings, ring->self), memory_order_release);
	/* lock-2: whether or not anybody is known to have died */
	if (atomic_load(&h->applied) != atomic_load(&h->head))
		ring_replay(ring);
	/* lock-3: the same */
	topics_repair(ring->seg);
	stop_here(h, STOP_REPAIRED);
	/* lock-4: left without it, the lock could never be had again */
	if (owner_died) {
		CHECK(pthread_mutex_consistent(ring_mutex(ring)) == 0);
		stats_add_word(&ring->seg->workers[ring->self]
				    .counters[STATS_LOCK_RECOVERED],
		    1);
	}
	ring->impatient = false;
}

/* Wait for the lock, but not for ever: its holder may be stopped. */
static int
ring_wait(struct ring *ring)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += RING_LOCK_WAIT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_mutex_clocklock(
	    ring_mutex(ring), CLOCK_MONOTONIC, &until);
}

enum ring_status
ring_lock(struct ring *ring)
{
	/* lock-1: EOWNERDEAD if its last holder died */
	int err = pthread_mutex_trylock(ring_mutex(ring));

	if (err == EBUSY && !ring->impatient)
		err = ring_wait(ring);
	if (err == EBUSY || err == ETIMEDOUT) {
		ring->impatient = true;
		return RING_BUSY;
	}
	if (err != 0 && err != EOWNERDEAD)
		BUG("the ring's lock cannot be recovered");
	ring_enter(ring, err == EOWNERDEAD);
	return RING_OK;
}

void
ring_unlock(struct ring *ring)
{
	atomic_store_explicit(&ring->header->owner, 0, memory_order_relaxed);
	stop_here(ring->header, STOP_UNLOCKING);
	/* lock-5: applied = head, and the directory is exactly the log's */
	CHECK(pthread_mutex_unlock(ring_mutex(ring)) == 0);
}

/* Bytes of a message's record. */
static uint32_t
ring_record_len(const struct ring *ring, const struct ring_msg *msg)
{
	return ring_bytes_round((uint32_t)sizeof(struct layout_record) +
				ring->seg->topics[msg->topic].name_len +
				msg->body_len);
}

/* Padding that a record of this length needs in front of it at pos. */
static uint64_t
ring_padding(const struct ring *ring, uint64_t pos, uint32_t length)
{
	uint64_t left = ring->capacity - pos % ring->capacity;

	return length > left ? left : 0;
}

/* How many of the messages make one batch, and where it ends. */
static size_t
ring_plan(const struct ring *ring, const struct ring_msg *msgs, size_t n,
    uint64_t start, uint64_t *end)
{
	uint64_t limit = start + ring->capacity / RING_BATCH_PART;
	uint64_t pos = start, next;
	uint32_t length;
	size_t i;

	for (i = 0; i < n; i++) {
		length = ring_record_len(ring, &msgs[i]);
		next = pos + ring_padding(ring, pos, length) + length;
		if (next > limit)
			break;
		pos = next;
	}
	CHECK(i > 0); /* the capacity was chosen for the largest record */
	*end = pos;
	return i;
}

/* Where the topic stands within this batch. */
static struct ring_reached *
ring_reached(struct ring *ring, uint32_t slot)
{
	struct ring_reached *r = &ring->reached[slot];
	struct layout_topic *topic = &ring->seg->topics[slot];

	if (r->batch != ring->batch) {
		r->batch = ring->batch;
		r->seq =
		    atomic_load_explicit(&topic->seq, memory_order_relaxed);
		r->last =
		    atomic_load_explicit(&topic->last, memory_order_relaxed);
	}
	return r;
}

/* One message of the batch: its record, and padding before it.  Returns the
 * position behind it. */
static uint64_t
ring_copy_in(struct ring *ring, struct ring_msg *msg, uint64_t pos)
{
	struct ring_reached *reached = ring_reached(ring, msg->topic);
	uint32_t length = ring_record_len(ring, msg);
	uint64_t pad = ring_padding(ring, pos, length);
	struct layout_record rec = {
		.length = length,
		.name_len = ring->seg->topics[msg->topic].name_len,
		.worker = (uint16_t)ring->self,
		.topic = msg->topic,
		.body_len = msg->body_len,
		.seq = reached->seq + 1,
		.prev = reached->last,
		.time_ms = msg->time_ms,
		.conn = msg->conn,
	};

	if (pad != 0)
		ring_bytes_pad(ring->seg, pos, (uint32_t)pad);
	pos += pad;
	ring_bytes_write(
	    ring->seg, pos, &rec, ring->seg->names[msg->topic].name, msg->body);
	reached->seq = msg->seq = rec.seq;
	reached->last = pos;
	return pos + length;
}

/* Publish the first messages, one batch of them.  Returns how many. */
static size_t
ring_publish_batch(struct ring *ring, struct ring_msg *msgs, size_t n)
{
	struct layout_header *h = ring->header;
	uint64_t start = atomic_load_explicit(&h->head, memory_order_relaxed);
	uint64_t reserve =
	    atomic_load_explicit(&h->reserve, memory_order_relaxed);
	uint64_t pos, end;

	ring->batch++;
	n = ring_plan(ring, msgs, n, start, &end);
	stop_here(h, STOP_BEFORE_RESERVE);

	/* publish-1: never back: what a dead writer half-wrote stays out of
	 * reach */
	atomic_store_explicit(
	    &h->reserve, reserve > end ? reserve : end, memory_order_release);
	atomic_thread_fence(memory_order_release);
	stop_here(h, STOP_RESERVED);

	/* publish-2: where nobody reads yet */
	pos = start;
	for (size_t i = 0; i < n; i++) {
		pos = ring_copy_in(ring, &msgs[i], pos);
		stop_here(h, STOP_HALF_COPIED);
	}
	CHECK(pos == end);
	stop_here(h, STOP_COPIED);

	/* publish-3: the commit */
	atomic_store_explicit(&h->head, end, memory_order_release);
	stop_here(h, STOP_COMMITTED);

	/* publish-4: the log has these numbers now */
	for (size_t i = 0; i < n; i++) {
		struct ring_reached *r = &ring->reached[msgs[i].topic];

		ring_apply(
		    &ring->seg->topics[msgs[i].topic], r->seq, r->last, 1);
		stop_here(h, STOP_HALF_APPLIED);
	}
	/* publish-5: up to here the lock's next holder would repair */
	atomic_store_explicit(&h->applied, end, memory_order_release);
	stop_here(h, STOP_APPLIED);
	return n;
}

enum ring_status
ring_publish(struct ring *ring, struct ring_msg *msgs, size_t n)
{
	/* seal-7: under the lock, or the seal might come before the commit */
	if (atomic_load(&ring->header->sealed))
		return RING_SEALED;
	while (n > 0) {
		size_t done = ring_publish_batch(ring, msgs, n);

		msgs += done;
		n -= done;
	}
	return RING_OK;
}

/* Workers that are a quarter of the ring behind. */
static uint64_t
ring_laggards(const struct ring *ring, uint64_t head)
{
	unsigned n = segment_workers(ring->seg);
	uint64_t who = 0;

	for (unsigned w = 0; w < n; w++) {
		uint64_t cursor = atomic_load_explicit(
		    &ring->seg->workers[w].cursor, memory_order_relaxed);

		/* a cursor may be beyond the head that we looked at */
		if (head > cursor && head - cursor > ring->capacity / 4)
			who |= UINT64_C(1) << w;
	}
	return who;
}

uint64_t
ring_interest(struct ring *ring, const struct ring_msg *msgs, size_t n)
{
	uint64_t who = 0;
	uint64_t head;

	/* wake-1: the other half of this fence is in wakeup_fall_asleep() */
	atomic_thread_fence(memory_order_seq_cst);
	/* wake-2: who begins later does so under the lock, and sees head */
	for (size_t i = 0; i < n; i++)
		who |= atomic_load_explicit(
		    &ring->seg->topics[msgs[i].topic].interest,
		    memory_order_relaxed);
	head = atomic_load_explicit(&ring->header->head, memory_order_relaxed);
	if (head - ring->looked_at >= ring->capacity / 16) {
		ring->looked_at = head;
		who |= ring_laggards(ring, head);
	}
	return who;
}

void
ring_seal(struct ring *ring)
{
	atomic_store(&ring->header->sealed, 1);
	stop_here(ring->header, STOP_SEALED);
}

uint64_t
ring_topic_seq(const struct segment *seg, uint32_t topic)
{
	return atomic_load_explicit(
	    &seg->topics[topic].seq, memory_order_relaxed);
}

uint64_t
ring_record_max(uint32_t body_len)
{
	return ring_bytes_round((uint32_t)sizeof(struct layout_record) +
				LAYOUT_TOPIC_NAME_MAX + body_len);
}
