/* SPDX-License-Identifier: MIT */
/*
 * test_ring_repair.c - writers that died, played by setting the words back.
 *
 * A batch of three messages is published between two copies of the segment;
 * mixing the two gives every state in which a writer may have died.  Whoever
 * takes the lock next must find all three messages, or none, and never give a
 * number twice.  tests/mp does the same with processes that are killed.
 */

#include "broker/ring.h"
#include "common/xmalloc.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <stdlib.h>
#include <string.h>

#define RING_SIZE 8192u
#define BEFORE    3u /* messages in each topic before the death */

/* How far the dead writer came; each step includes those before it. */
enum death {
	DIED_RESERVED,
	DIED_HALF_COPIED,
	DIED_COPIED,
	DIED_COMMITTED,
	DIED_WITHIN_APPLY, /* a topic's number stored, its position not */
	DIED_HALF_APPLIED, /* one topic of two */
	DIED_BEFORE_APPLIED,
	DIED_APPLIED,
};

struct bench {
	struct testseg t;
	struct ring ring, heir;
	struct reader reader;
	uint32_t one, two;
	unsigned char *before, *after;
};

/* The dead writer's batch: numbers 4 and 5 in `one', 4 in `two'. */
static void
publish_batch(struct bench *b)
{
	struct ring_msg msgs[] = { hand_msg(b->one, "\"a\""),
		hand_msg(b->two, "\"b\""), hand_msg(b->one, "\"c\"") };

	hand_lock(&b->ring);
	assert_int_equal(ring_publish(&b->ring, msgs, 3), RING_OK);
	ring_unlock(&b->ring);
}

static int
setup(void **state)
{
	struct bench *b = xcalloc(1, sizeof(*b));
	int result = mp_setup(NULL);

	testseg_open(&b->t, RING_SIZE, 8);
	ring_attach(&b->ring, &b->t.seg, 0);
	ring_attach(&b->heir, &b->t.seg, 1);
	b->one = hand_topic(&b->ring, "one");
	b->two = hand_topic(&b->ring, "two");
	for (unsigned i = 0; i < BEFORE; i++) {
		hand_publish(&b->ring, b->one, "0");
		hand_publish(&b->ring, b->two, "0");
	}
	reader_open(&b->reader, &b->t.seg, 100, RING_SIZE);
	b->before = testseg_save(&b->t);
	publish_batch(b);
	b->after = testseg_save(&b->t);
	*state = b;
	return result;
}

static int
teardown(void **state)
{
	struct bench *b = *state;

	free(b->before);
	free(b->after);
	reader_close(&b->reader);
	ring_detach(&b->heir);
	ring_detach(&b->ring);
	testseg_close(&b->t);
	free(b);
	return mp_teardown(NULL);
}

/* Take one stretch of the segment from the copy made after the publish. */
static void
take_after(struct bench *b, void *at, size_t len)
{
	unsigned char *base = (unsigned char *)b->t.seg.header;

	memcpy(at, b->after + ((unsigned char *)at - base), len);
}

static void
die(struct bench *b, enum death how)
{
	struct layout_header *h = b->t.seg.header;
	struct layout_topic *one = &b->t.seg.topics[b->one];
	struct layout_topic *two = &b->t.seg.topics[b->two];

	testseg_restore(&b->t, b->before);
	take_after(b, &h->reserve, sizeof(h->reserve));
	if (how >= DIED_HALF_COPIED)
		take_after(b, b->t.seg.ring + ring_head(&b->t.seg) % RING_SIZE,
		    how == DIED_HALF_COPIED ? 90 : 200);
	if (how >= DIED_COMMITTED)
		take_after(b, &h->head, sizeof(h->head));
	if (how >= DIED_WITHIN_APPLY)
		take_after(b, &one->seq, sizeof(one->seq));
	if (how >= DIED_HALF_APPLIED)
		take_after(b, one, sizeof(*one));
	if (how >= DIED_BEFORE_APPLIED)
		take_after(b, two, sizeof(*two));
	if (how >= DIED_APPLIED)
		take_after(b, &h->applied, sizeof(h->applied));
}

/* The reader sees exactly these bodies ("abc": 'a', 'b' and 'c'), numbered on
 * in their topics. */
static void
check_read(struct bench *b, const char *bodies)
{
	uint64_t seq[2] = { BEFORE, BEFORE };
	size_t n = strlen(bodies);

	assert_int_equal(reader_read(&b->reader), RING_OK);
	assert_int_equal(b->reader.batch.count, n);
	for (size_t i = 0; i < n; i++) {
		const struct ring_record *rec = &b->reader.batch.records[i];

		assert_int_equal(rec->body[1], bodies[i]);
		assert_int_equal(rec->seq, ++seq[rec->topic == b->two]);
	}
	assert_int_equal(ring_topic_seq(&b->t.seg, b->one), seq[0]);
	assert_int_equal(ring_topic_seq(&b->t.seg, b->two), seq[1]);
}

/* All control words agree, and the directory leads to the newest records. */
static void
check_whole(struct bench *b)
{
	struct layout_header *h = b->t.seg.header;
	char error[SEGMENT_ERROR_MAX] = "";

	assert_int_equal(atomic_load(&h->applied), atomic_load(&h->head));
	assert_true(atomic_load(&h->reserve) >= atomic_load(&h->head));
	if (!ring_verify(&b->t.seg, error))
		fail_msg("%s", error);
}

static void
test_what_was_not_committed_never_happened(void **state)
{
	struct bench *b = *state;

	for (enum death how = DIED_RESERVED; how < DIED_COMMITTED; how++) {
		die(b, how);
		b->reader.cur.pos = ring_head(&b->t.seg);
		hand_publish(&b->heir, b->two, "\"x\"");
		hand_publish(&b->heir, b->one, "\"y\"");
		check_read(b, "xy");
		check_whole(b);
	}
}

static void
test_what_was_committed_is_never_lost(void **state)
{
	struct bench *b = *state;

	for (enum death how = DIED_COMMITTED; how <= DIED_APPLIED; how++) {
		testseg_restore(&b->t, b->before);
		b->reader.cur.pos = ring_head(&b->t.seg);
		die(b, how);
		hand_publish(&b->heir, b->two, "\"x\"");
		hand_publish(&b->heir, b->one, "\"y\"");
		check_read(b, "abcxy");
		check_whole(b);
	}
}

static void
test_lock_alone_repairs(void **state)
{
	struct bench *b = *state;

	for (enum death how = DIED_RESERVED; how <= DIED_APPLIED; how++) {
		die(b, how);
		hand_lock(&b->heir);
		check_whole(b);
		assert_int_equal(ring_topic_seq(&b->t.seg, b->one),
		    how < DIED_COMMITTED ? BEFORE : BEFORE + 2);
		ring_unlock(&b->heir);
	}
}

/* The replay stores in the log's order, so it may die at older numbers. */
static void
test_death_within_the_replay_means_doing_it_again(void **state)
{
	struct bench *b = *state;
	struct layout_topic *one = &b->t.seg.topics[b->one];

	testseg_restore(&b->t, b->before);
	b->reader.cur.pos = ring_head(&b->t.seg);
	die(b, DIED_BEFORE_APPLIED);
	atomic_store(&one->seq, BEFORE + 1);
	atomic_store(&one->last, b->reader.cur.pos);
	hand_publish(&b->heir, b->one, "\"x\"");
	check_read(b, "abcx");
	check_whole(b);
}

/* What the dead one published to is not silent: the hand passes it over. */
static void
test_replayed_topics_are_not_the_longest_silent(void **state)
{
	struct bench *b = *state;

	die(b, DIED_COMMITTED);
	b->t.seg.topics[b->one].touched = 0;
	b->t.seg.topics[b->two].touched = 0;
	hand_lock(&b->heir);
	ring_unlock(&b->heir);
	assert_int_equal(b->t.seg.topics[b->one].touched, 1);
	assert_int_equal(b->t.seg.topics[b->two].touched, 1);
}

/*
 * Two writers die one after the other, the second with a committed batch on
 * ground that the first had half-written.
 */
static void
test_two_deaths_in_a_row(void **state)
{
	struct bench *b = *state;
	uint64_t applied;

	die(b, DIED_HALF_COPIED);
	b->reader.cur.pos = ring_head(&b->t.seg);
	applied = atomic_load(&b->t.seg.header->applied);
	hand_publish(&b->heir, b->one, "\"x\"");
	atomic_store(&b->t.seg.header->applied, applied);
	atomic_store(&b->t.seg.topics[b->one].seq, BEFORE);
	hand_publish(&b->ring, b->one, "\"y\"");
	check_read(b, "xy");
	check_whole(b);
}

/*
 * The dead writer half-wrote ground up to its reserve; a shorter batch after
 * it must not give that ground back to readers who still believe in it.
 */
static void
test_reserve_never_goes_back(void **state)
{
	struct bench *b = *state;
	_Atomic uint64_t *reserve = &b->t.seg.header->reserve;
	uint64_t dead;

	die(b, DIED_COPIED);
	dead = atomic_load(reserve);
	hand_publish(&b->heir, b->one, "\"x\"");
	assert_true(ring_head(&b->t.seg) < dead);
	assert_int_equal(atomic_load(reserve), dead);
	hand_publish(&b->heir, b->one, "\"y\"");
	hand_publish(&b->heir, b->one, "\"z\"");
	hand_publish(&b->heir, b->one, "\"z\"");
	assert_int_equal(atomic_load(reserve), ring_head(&b->t.seg));
}

/* The writer died where its batch met the end of the ring. */
static void
test_padding_is_replayed_too(void **state)
{
	struct bench *b = *state;
	uint64_t applied = 0;
	uint64_t seq = 0;

	for (bool padded = false; !padded;) {
		applied = ring_head(&b->t.seg);
		seq = hand_publish(&b->ring, b->one, "\"12345678\"");
		padded = applied / RING_SIZE !=
		         (ring_head(&b->t.seg) - 1) / RING_SIZE;
	}
	assert_int_not_equal(applied % RING_SIZE, 0);
	atomic_store(&b->t.seg.header->applied, applied);
	atomic_store(&b->t.seg.topics[b->one].seq, seq - 1);
	assert_int_equal(hand_publish(&b->heir, b->one, "1"), seq + 1);
	check_whole(b);
}

/* Ends with the lock held. */
static int
die_holding(void *arg)
{
	struct bench *b = arg;

	hand_lock(&b->ring);
	return 0;
}

/* The same, after it has signed off. */
static int
die_unlocking(void *arg)
{
	struct bench *b = arg;

	hand_lock(&b->ring);
	atomic_store(&b->t.seg.header->owner, 0);
	return 0;
}

static uint64_t
recoveries(const struct bench *b, unsigned slot)
{
	return stats_get(b->t.seg.workers[slot].counters, STATS_LOCK_RECOVERED);
}

/* By the time the supervisor reaps, the owner word may be the heir's. */
static void
test_heir_names_the_dead_owner(void **state)
{
	struct bench *b = *state;
	struct layout_worker *workers = b->t.seg.workers;
	uint64_t owner;

	mp_join(mp_spawn(die_holding, b));
	owner = atomic_load(&b->t.seg.header->owner);
	assert_int_equal(owner & 0xff, 0 + 1);
	assert_int_equal(atomic_load(&workers[0].died_in), 0);
	hand_lock(&b->heir);
	assert_int_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(atomic_load(&workers[1].died_in), 0);
	assert_int_equal(atomic_load(&b->t.seg.header->owner) & 0xff, 1 + 1);
	ring_unlock(&b->heir);
	assert_int_equal(recoveries(b, 1), 1);

	/* Nobody dies: nothing more to say. */
	hand_lock(&b->ring);
	ring_unlock(&b->ring);
	hand_lock(&b->heir);
	ring_unlock(&b->heir);
	assert_int_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(recoveries(b, 0), 0);
	assert_int_equal(recoveries(b, 1), 1);

	/* The next death is another one. */
	mp_join(mp_spawn(die_holding, b));
	hand_lock(&b->heir);
	ring_unlock(&b->heir);
	assert_int_not_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(recoveries(b, 1), 2);
}

static void
test_heir_of_an_unsigned_lock_names_nobody(void **state)
{
	struct bench *b = *state;

	mp_join(mp_spawn(die_unlocking, b));
	hand_lock(&b->heir);
	ring_unlock(&b->heir);
	for (unsigned slot = 0; slot < TESTSEG_WORKERS; slot++)
		assert_int_equal(
		    atomic_load(&b->t.seg.workers[slot].died_in), 0);
	assert_int_equal(recoveries(b, 1), 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_what_was_not_committed_never_happened),
	T(test_what_was_committed_is_never_lost),
	T(test_lock_alone_repairs),
	T(test_death_within_the_replay_means_doing_it_again),
	T(test_replayed_topics_are_not_the_longest_silent),
	T(test_two_deaths_in_a_row),
	T(test_reserve_never_goes_back),
	T(test_padding_is_replayed_too),
	T(test_heir_names_the_dead_owner),
	T(test_heir_of_an_unsigned_lock_names_nobody),
};

SUITE_MAIN(tests);
