/* SPDX-License-Identifier: MIT */
/*
 * test_storm.c - kill -9 at random moments, for seconds on end.
 *
 * Writers publish as fast as they can, also into topics that have to be made
 * and recycled; the test kills one after another wherever it happens to be and
 * starts a successor at once.  A reader checks every message throughout.  At
 * the end, what any writer had been told was published has been seen, exactly
 * once, and what it had not been told was seen at most once.
 */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "common/clock.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <sched.h>
#include <string.h>
#include <time.h>

#define RING_SIZE (256u << 10)
#define TOPICS    12u /* places in the directory */
#define NAMES     40u /* names that take turns in the rest of them */
#define KEPT      4u  /* topics with a subscriber: these are read */
#define WRITERS   3u
#define READER    7u /* its slot as a worker */
#define STORM_MS  2500u
#define LETTERS   (1u << 20) /* messages of a writer, at most */
#define TEXT_MAX  300u
#define SEED      UINT64_C(0x5eedca11ed5707)

/* What became of a message: nothing known, or published by its writer's
 * account; and how often the reader saw it. */
struct letter {
	_Atomic uint8_t published, seen;
};

struct storm {
	_Atomic uint32_t next[WRITERS]; /* number of a writer's next message */
	_Atomic bool over;              /* no writer is left */
	_Atomic uint64_t seen, deaths;
	struct letter letters[WRITERS][LETTERS];
};

static struct testseg t;
static struct storm *storm;

static int
setup(void **state)
{
	int result = mp_setup(state);

	testseg_open(&t, RING_SIZE, TOPICS);
	storm = mp_share(sizeof(*storm));
	return result;
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	mp_unshare(storm, sizeof(*storm));
	testseg_close(&t);
	return result;
}

/* A body whose every byte follows from its writer and number. */
static uint32_t
make_text(char *text, unsigned writer, uint32_t number)
{
	struct dice dice = { (uint64_t)(writer + 1) << 32 | number };
	uint32_t len = (uint32_t)dice_below(&dice, TEXT_MAX);

	for (uint32_t i = 0; i < len; i++)
		text[i] = (char)dice_roll(&dice);
	return len;
}

/* A topic that is read, or, now and then, one of those that come and go. */
static uint32_t
pick_topic(struct ring *ring, struct dice *dice)
{
	char name[16];
	int len;

	if (dice_below(dice, 8) != 0)
		return (uint32_t)dice_below(dice, KEPT);
	len = snprintf(name, sizeof(name), "passing %u",
	    (unsigned)dice_below(dice, NAMES));
	return topics_open(ring->seg, name, (size_t)len,
	    topics_hash(ring->seg, name, (size_t)len));
}

/* Hold the lock for one batch of up to four messages.  A number is used up
 * before it is published, so that a successor never uses it again. */
static void
publish_batch(struct ring *ring, struct dice *dice)
{
	char texts[4][TEXT_MAX];
	struct ring_msg msgs[4];
	size_t n = 1 + dice_below(dice, 4);
	uint32_t first =
	    atomic_fetch_add(&storm->next[ring->self], (uint32_t)n);

	/* NOLINTNEXTLINE(bugprone-infinite-loop): a signal is the end of it */
	while (first + n > LETTERS)
		pause(); /* a very fast machine: all letters are used up */
	hand_lock(ring);
	for (size_t i = 0; i < n; i++) {
		uint32_t number = first + (uint32_t)i;

		msgs[i] = (struct ring_msg){
			.topic = pick_topic(ring, dice),
			.body = texts[i],
			.body_len = make_text(texts[i], ring->self, number),
			.conn = number,
		};
	}
	MP_CHECK(ring_publish(ring, msgs, n) == RING_OK);
	for (size_t i = 0; i < n; i++)
		if (msgs[i].topic < KEPT)
			atomic_store(
			    &storm->letters[ring->self][msgs[i].conn].published,
			    1);
	ring_unlock(ring);
}

static int
write_always(void *arg)
{
	unsigned self = *(unsigned *)arg;
	struct dice dice = { SEED + atomic_load(&storm->deaths) };
	struct ring own;

	ring_attach(&own, &t.seg, self);
	for (;;) {
		/* this is not about being lapped */
		while (
		    ring_head(&t.seg) >
		    atomic_load(&t.seg.workers[READER].cursor) + RING_SIZE / 2)
			sched_yield();
		publish_batch(&own, &dice);
	}
	return 0;
}

static void
check_record(const struct ring_record *rec, uint64_t *seq)
{
	char text[TEXT_MAX];

	MP_CHECK(rec->topic < KEPT && rec->worker < WRITERS);
	MP_CHECK(rec->seq == ++seq[rec->topic]);
	MP_CHECK(rec->name_len == 1 && *rec->name == (char)('0' + rec->topic));
	MP_CHECK(rec->conn < atomic_load(&storm->next[rec->worker]));
	MP_CHECK(
	    make_text(text, rec->worker, (uint32_t)rec->conn) == rec->body_len);
	MP_CHECK(memcmp(text, rec->body, rec->body_len) == 0);
	MP_CHECK(atomic_fetch_add(
		     &storm->letters[rec->worker][rec->conn].seen, 1) == 0);
}

/* Read until the writers are gone and nothing is left. */
static int
read_always(void *arg)
{
	uint64_t seq[KEPT] = { 0 };
	struct reader reader;
	bool last_look = false;

	(void)arg;
	reader_open(&reader, &t.seg, 64, 16384);
	reader.cur.pos = atomic_load(&t.seg.workers[READER].cursor);
	reader.wanted[0] = (1u << KEPT) - 1;
	for (;;) {
		enum ring_status status = reader_read(&reader);

		MP_CHECK(status == RING_OK || status == RING_EMPTY);
		if (status == RING_EMPTY && last_look)
			return 0;
		last_look = atomic_load(&storm->over);
		for (size_t i = 0; i < reader.batch.count; i++)
			check_record(&reader.batch.records[i], seq);
		atomic_fetch_add(&storm->seen, reader.batch.count);
		atomic_store(&t.seg.workers[READER].cursor, reader.cur.pos);
		if (status == RING_EMPTY)
			sched_yield();
	}
}

/* Kill one after another until the time is over. */
static void
rage(pid_t *pids, unsigned *selves)
{
	uint64_t end = clock_monotonic_ms() + STORM_MS;
	struct dice dice = { SEED };
	struct timespec pause = { 0, 0 };

	while (clock_monotonic_ms() < end) {
		unsigned i = (unsigned)dice_below(&dice, WRITERS);

		pause.tv_nsec = (long)dice_below(&dice, 2000000);
		nanosleep(&pause, NULL); /* chance, not order */
		mp_kill(pids[i]);
		atomic_fetch_add(&storm->deaths, 1);
		pids[i] = mp_spawn(write_always, &selves[i]);
	}
	for (unsigned i = 0; i < WRITERS; i++)
		mp_kill(pids[i]);
}

static void
check_letters(void)
{
	uint64_t published = 0, lost = 0;

	for (unsigned w = 0; w < WRITERS; w++)
		for (uint32_t i = 0; i < LETTERS; i++) {
			struct letter *letter = &storm->letters[w][i];

			published += atomic_load(&letter->published);
			lost += atomic_load(&letter->published) &&
			        !atomic_load(&letter->seen);
		}
	print_message("seed %#llx: %llu deaths, %llu published, %llu seen\n",
	    (unsigned long long)SEED,
	    (unsigned long long)atomic_load(&storm->deaths),
	    (unsigned long long)published,
	    (unsigned long long)atomic_load(&storm->seen));
	assert_int_equal(lost, 0);
	assert_true(published > 1000);
	assert_true(atomic_load(&storm->seen) >= published);
}

static void
test_nothing_is_lost_or_doubled_in_a_storm_of_kills(void **state)
{
	unsigned selves[WRITERS];
	pid_t pids[WRITERS], reader;
	char error[SEGMENT_ERROR_MAX];
	struct ring ring;

	(void)state;
	ring_attach(&ring, &t.seg, READER);
	for (char name[] = "0"; *name < '0' + (int)KEPT; ++*name)
		topics_subscribe(&t.seg, hand_topic(&ring, name), READER);
	atomic_store(&t.seg.workers[READER].cursor, ring_head(&t.seg));
	reader = mp_spawn(read_always, NULL);
	for (unsigned i = 0; i < WRITERS; i++) {
		selves[i] = i;
		pids[i] = mp_spawn(write_always, &selves[i]);
	}
	rage(pids, selves);
	if (!ring_recover(&t.seg, error)) /* as a new supervisor finds it */
		fail_msg("%s", error);
	hand_lock(&ring);
	ring_unlock(&ring);
	if (!ring_verify(&t.seg, error))
		fail_msg("%s", error);
	ring_detach(&ring);
	atomic_store(&storm->over, true);
	mp_join(reader);
	check_letters();
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_nothing_is_lost_or_doubled_in_a_storm_of_kills),
};

SUITE_MAIN(tests);
