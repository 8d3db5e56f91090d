/* SPDX-License-Identifier: MIT */
/*
 * litmus.c - two threads on two CPUs, against the memory orders that spin takes
 * for granted.
 *
 *	litmus wake 1000000 20	races, at most so many and so many seconds
 *	litmus read 100000 20	reads that came too late
 *
 * wake: one commits and looks who sleeps, the other falls asleep and looks at the
 * head, at once.  Lost is a race after which neither has seen the other.  The
 * lock is kept, as its unlock would be a fence on x86.
 *
 * read: one publishes without a pause, the other walks a topic's chain back to
 * where it is being overwritten.  Lost is a record that ring_fetch() believed
 * and that is torn.
 *
 * It ends at the first that is lost, with status 1; with 0 if there was none,
 * and with 77 where there are not two CPUs.  The functions are the product's
 * own.  scripts/model.sh runs them as they are, where nothing may be lost, and
 * linked with ring.c or wakeup.c compiled without its fence (no_fence.h), or
 * with -DUNCHECKED, a reader that does not look at reserve, where something
 * must be.
 *
 * Of the fences only wake-1 and sleep-2 can be missed on x86.  To take out those
 * of publish-1 and tail-3 shows nothing there: it moves no store before a store
 * and no load before a load.  They are for processors like ARM64's and for the
 * compiler, and that they suffice is reasoned from C11's memory model, not shown
 * here.
 */

#include "broker/ring/ring.h"
#include "broker/ring/ring_bytes.h"
#include "broker/ring/topics.h"
#include "broker/shared/wakeup.h"
#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/testseg.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef TESTING
_Static_assert(0, "stop places are fences on x86: not with TESTING=1");
#endif

#define RING_SIZE   16384u
#define WORDS       64u /* of a body, all the same */
#define PUBLISHER   0u  /* slots */
#define SLEEPER     1u
#define SKIPPED     77
#define DELAY_MAX   256u /* turns of a loop before a race begins */
#define SLOW_STORES 16u
#define COLD_SIZE   (16u << 20) /* bytes; more than a CPU's own cache */
#define RECORD_LEN  64u         /* of a commit without a record */
#define LOOKS       4096u       /* between two at the clock */

struct litmus {
	struct testseg t;
	uint32_t topic;
	struct ring ring; /* the publisher's; it has the lock */
	int cpus[2];
	uint64_t limit; /* races, or reads of what has been overwritten */
	uint64_t until_ms;
	uint64_t done;  /* of them */
	uint64_t looks; /* whether to go on */
	bool lost;

	/* each on a line of its own, so that waiting for one is not heard at
	 * the others */
	alignas(64) _Atomic uint64_t begun; /* races */
	alignas(64) _Atomic uint64_t ended; /* of them, by the publisher */
	alignas(64) bool rang;              /* in this one; before `ended' */
	alignas(64) _Atomic bool over;
};

/* Find two CPUs that we may use.  Returns false if there is only one. */
static bool
find_cpus(int cpus[2])
{
	cpu_set_t allowed;
	int found = 0;

	CHECK(sched_getaffinity(0, sizeof(allowed), &allowed) == 0);
	for (int cpu = 0; cpu < CPU_SETSIZE && found < 2; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[found++] = cpu;
	return found == 2;
}

static void
stay_on(int cpu)
{
	cpu_set_t only;

	CPU_ZERO(&only);
	CPU_SET(cpu, &only);
	CHECK(pthread_setaffinity_np(pthread_self(), sizeof(only), &only) == 0);
}

/* Wait until the word has reached a value, or it is over.  Gives the CPU away
 * when that takes long: the other may not be running. */
static void
await(struct litmus *l, _Atomic uint64_t *word, uint64_t value)
{
	unsigned looks = 0;

	while (atomic_load_explicit(word, memory_order_acquire) < value &&
	       !atomic_load_explicit(&l->over, memory_order_relaxed))
		if (++looks % LOOKS == 0)
			sched_yield();
}

static void
delay(struct dice *dice)
{
	uint64_t turns = dice_below(dice, DELAY_MAX);

	for (volatile uint64_t i = 0; i < turns;)
		i = i + 1;
}

/* Stores that take long, as they miss the cache.  What is stored after them waits
 * behind them, which is what a race is lost by. */
static void
store_slowly(struct dice *dice, unsigned char *cold)
{
	for (unsigned i = 0; i < SLOW_STORES; i++) {
		volatile unsigned char *at = cold + dice_below(dice, COLD_SIZE);

		*at = 1;
	}
}

static unsigned char *
make_cold(void)
{
	unsigned char *cold = xmalloc(COLD_SIZE);

	memset(cold, 0, COLD_SIZE);
	return cold;
}

/* publish-3 alone.  What ring_publish() does around it would give the store the
 * time to be seen. */
static void
commit(struct litmus *l)
{
	atomic_store_explicit(&l->t.seg.header->head,
	    ring_head(&l->t.seg) + RECORD_LEN, memory_order_release);
}

static void
publish(struct litmus *l, uint64_t number)
{
	uint64_t body[WORDS];
	struct ring_msg msg = { .topic = l->topic,
		.body = (const char *)body,
		.body_len = sizeof(body),
		.conn = number };

	for (unsigned i = 0; i < WORDS; i++)
		body[i] = number;
	CHECK(ring_publish(&l->ring, &msg, 1) == RING_OK);
}

static void
start(struct litmus *l, pthread_t *thread, void *(*run)(void *))
{
	stay_on(l->cpus[0]);
	CHECK(pthread_create(thread, NULL, run, l) == 0);
}

static void
finish(struct litmus *l, pthread_t thread)
{
	atomic_store(&l->over, true);
	pthread_join(thread, NULL);
}

/* Whether to go on, with nothing lost so far. */
static bool
go_on(struct litmus *l)
{
	return !l->lost && l->done < l->limit &&
	       (++l->looks % LOOKS != 0 || clock_monotonic_ms() < l->until_ms);
}

/* wake: commit, look who sleeps, ring. */
static void *
wake_sleeper(void *arg)
{
	struct litmus *l = arg;
	struct ring_msg msg = { .topic = l->topic };
	unsigned char *cold = make_cold();
	struct dice dice = { 1 };
	struct wakeup wakeup;

	stay_on(l->cpus[1]);
	CHECK(wakeup_open(&wakeup, &l->t.seg, SLEEPER + 1));
	wakeup_claim_slot(&wakeup, PUBLISHER);
	for (uint64_t race = 1;; race++) {
		await(l, &l->begun, race);
		if (atomic_load(&l->over))
			break;
		delay(&dice);
		store_slowly(&dice, cold);
		commit(l);
		l->rang =
		    wakeup_wake(&wakeup, ring_interest(&l->ring, &msg, 1)) > 0;
		atomic_store_explicit(&l->ended, race, memory_order_release);
	}
	wakeup_close(&wakeup);
	free(cold);
	return NULL;
}

/* wake: fall asleep, look at the head. */
static void
race_to_sleep(struct litmus *l)
{
	unsigned char *cold = make_cold();
	struct dice dice = { 2 };
	struct wakeup wakeup;
	pthread_t thread;
	uint64_t head;
	bool seen;

	topics_subscribe(&l->t.seg, l->topic, SLEEPER);
	CHECK(wakeup_open(&wakeup, &l->t.seg, SLEEPER + 1));
	wakeup_claim_slot(&wakeup, SLEEPER);
	start(l, &thread, wake_sleeper);
	while (go_on(l)) {
		head = ring_head(&l->t.seg);
		l->done++;
		atomic_store_explicit(&l->begun, l->done, memory_order_release);
		delay(&dice);
		store_slowly(&dice, cold);
		wakeup_fall_asleep(&wakeup);
		seen = ring_head(&l->t.seg) != head;
		await(l, &l->ended, l->done);
		l->lost = !seen && !l->rang;
		wakeup_get_up(&wakeup);
	}
	finish(l, thread);
	wakeup_close(&wakeup);
	free(cold);
}

/* read: publish without a pause. */
static void *
overwrite(void *arg)
{
	struct litmus *l = arg;

	stay_on(l->cpus[1]);
	for (uint64_t number = 1; !atomic_load(&l->over); number++)
		publish(l, number);
	return NULL;
}

static bool
is_torn(const struct ring_record *rec)
{
	uint64_t word;

	if (rec->body_len != WORDS * sizeof(word))
		return true;
	for (unsigned i = 0; i < WORDS; i++) {
		memcpy(&word, rec->body + i * sizeof(word), sizeof(word));
		if (word != rec->conn)
			return true;
	}
	return false;
}

#ifdef UNCHECKED
/* Copy a record and believe it.  One that is no record any more is left. */
static enum ring_status
fetch(const struct segment *seg, uint64_t pos, unsigned char *bytes,
    struct ring_record *out)
{
	struct layout_record rec;

	if (!ring_peek(seg, pos, ring_head(seg), &rec) ||
	    rec.length > RING_SIZE / RING_RECORDS_MIN ||
	    (rec.flags & RECORD_PADDING))
		return RING_LAPPED;
	ring_bytes_read(seg, pos, bytes, rec.length);
	*out = (struct ring_record){ .body_len = rec.body_len,
		.prev = rec.prev,
		.conn = rec.conn,
		.body = (const char *)bytes + sizeof(rec) + rec.name_len };
	return RING_OK;
}
#else
static enum ring_status
fetch(const struct segment *seg, uint64_t pos, unsigned char *bytes,
    struct ring_record *out)
{
	return ring_fetch(seg, pos, bytes, RING_SIZE / RING_RECORDS_MIN, out);
}
#endif

/* read: from the newest record back to where there is none any more. */
static void
read_backwards(struct litmus *l)
{
	alignas(8) unsigned char bytes[RING_SIZE / RING_RECORDS_MIN];
	const struct layout_topic *topic = &l->t.seg.topics[l->topic];
	struct ring_record rec = { .prev = 0 };
	pthread_t thread;

	start(l, &thread, overwrite);
	while (go_on(l)) {
		uint64_t pos = rec.prev;

		if (pos == 0)
			pos = atomic_load_explicit(
			    &topic->last, memory_order_acquire);
		rec.prev = 0;
		if (pos == 0 || ring_head(&l->t.seg) <= pos)
			continue; /* none, or its commit is not seen yet */
		switch (fetch(&l->t.seg, pos, bytes, &rec)) {
		case RING_OK:
			l->lost = is_torn(&rec);
			break;
		case RING_LAPPED:
			l->done++;
			rec.prev = 0;
			break;
		case RING_CORRUPT:
		case RING_BUSY:
		case RING_SEALED:
		case RING_EMPTY:
			l->lost = true;
			break;
		}
	}
	finish(l, thread);
	CHECK(l->lost || l->done > 0);
}

static void
litmus_open(struct litmus *l)
{
	testseg_open(&l->t, RING_SIZE, 1);
	ring_attach(&l->ring, &l->t.seg, PUBLISHER);
	l->topic = hand_topic(&l->ring, "t");
	hand_lock(&l->ring);
}

static void
litmus_close(struct litmus *l)
{
	ring_unlock(&l->ring);
	ring_detach(&l->ring);
	testseg_close(&l->t);
}

int
main(int argc, char **argv)
{
	static struct litmus l;
	bool read;

	if (argc != 4) {
		fprintf(stderr, "usage: litmus wake|read COUNT SECONDS\n");
		return 2;
	}
	if (!find_cpus(l.cpus)) {
		printf("skipped: there is one CPU here, a litmus test needs "
		       "two\n");
		return SKIPPED;
	}
	read = strcmp(argv[1], "read") == 0;
	l.limit = strtoull(argv[2], NULL, 10);
	l.until_ms = clock_monotonic_ms() + 1000 * strtoull(argv[3], NULL, 10);
	litmus_open(&l);
	if (read)
		read_backwards(&l);
	else
		race_to_sleep(&l);
	litmus_close(&l);
	printf("%s %llu %s\n",
	    l.lost ? "one was lost after" : "none was lost in",
	    (unsigned long long)l.done, read ? "reads too late" : "races");
	return l.lost ? 1 : 0;
}
