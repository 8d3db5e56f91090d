/* SPDX-License-Identifier: MIT */
/*
 * test_ring_repair.c - writers that died, played by setting the words back.
 *
 * A batch of three messages is published between two copies of the segment;
 * mixing the two gives every state in which a writer may have died.  Whoever
 * takes the lock next must find all three messages, or none, and never give a
 * number twice.  tests/mp does the same with processes that are killed.
 */

#include "broker/ring/ring.h"
#include "tests/support/mp.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

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

struct scene {
	struct ringkit kit; /* its writer is the one who dies */
	struct ring heir;
	uint32_t one, two;
	unsigned char *before, *after;
};

/* The dead writer's batch: numbers 4 and 5 in `one', 4 in `two'. */
static void
publish_batch(struct scene *s)
{
	struct ring_msg msgs[] = { hand_msg(s->one, "\"a\""),
		hand_msg(s->two, "\"b\""), hand_msg(s->one, "\"c\"") };

	hand_lock(&s->kit.ring);
	assert_int_equal(ring_publish(&s->kit.ring, msgs, 3), RING_OK);
	ring_unlock(&s->kit.ring);
}

static int
setup(void **state)
{
	int result = mp_setup(NULL);
	struct scene *s = ringkit_new(sizeof(*s), RING_SIZE, 8);

	ring_attach(&s->heir, &s->kit.t.seg, 1);
	s->one = hand_topic(&s->kit.ring, "one");
	s->two = hand_topic(&s->kit.ring, "two");
	for (unsigned i = 0; i < BEFORE; i++) {
		hand_publish(&s->kit.ring, s->one, "0");
		hand_publish(&s->kit.ring, s->two, "0");
	}
	s->kit.reader.cur.pos = ring_head(&s->kit.t.seg);
	s->before = testseg_save(&s->kit.t);
	publish_batch(s);
	s->after = testseg_save(&s->kit.t);
	*state = s;
	return result;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	free(s->before);
	free(s->after);
	ring_detach(&s->heir);
	ringkit_free(s);
	return mp_teardown(NULL);
}

/* Take one stretch of the segment from the copy made after the publish. */
static void
take_after(struct scene *s, void *at, size_t len)
{
	unsigned char *base = (unsigned char *)s->kit.t.seg.header;

	memcpy(at, s->after + ((unsigned char *)at - base), len);
}

static void
die(struct scene *s, enum death how)
{
	struct layout_header *h = s->kit.t.seg.header;
	struct layout_topic *one = &s->kit.t.seg.topics[s->one];
	struct layout_topic *two = &s->kit.t.seg.topics[s->two];

	testseg_restore(&s->kit.t, s->before);
	take_after(s, &h->reserve, sizeof(h->reserve));
	if (how >= DIED_HALF_COPIED)
		take_after(s,
		    s->kit.t.seg.ring + ring_head(&s->kit.t.seg) % RING_SIZE,
		    how == DIED_HALF_COPIED ? 90 : 200);
	if (how >= DIED_COMMITTED)
		take_after(s, &h->head, sizeof(h->head));
	if (how >= DIED_WITHIN_APPLY)
		take_after(s, &one->seq, sizeof(one->seq));
	if (how >= DIED_HALF_APPLIED)
		take_after(s, one, sizeof(*one));
	if (how >= DIED_BEFORE_APPLIED)
		take_after(s, two, sizeof(*two));
	if (how >= DIED_APPLIED)
		take_after(s, &h->applied, sizeof(h->applied));
}

/* The reader sees exactly these bodies ("abc": 'a', 'b' and 'c'), numbered on
 * in their topics. */
static void
check_read(struct scene *s, const char *bodies)
{
	uint64_t seq[2] = { BEFORE, BEFORE };
	size_t n = strlen(bodies);

	assert_int_equal(reader_read(&s->kit.reader), RING_OK);
	assert_int_equal(s->kit.reader.batch.count, n);
	for (size_t i = 0; i < n; i++) {
		const struct ring_record *rec = &s->kit.reader.batch.records[i];

		assert_int_equal(rec->body[1], bodies[i]);
		assert_int_equal(rec->seq, ++seq[rec->topic == s->two]);
	}
	assert_int_equal(ring_topic_seq(&s->kit.t.seg, s->one), seq[0]);
	assert_int_equal(ring_topic_seq(&s->kit.t.seg, s->two), seq[1]);
}

/* All control words agree, and the directory leads to the newest records. */
static void
check_whole(struct scene *s)
{
	struct layout_header *h = s->kit.t.seg.header;
	char error[SEGMENT_ERROR_MAX] = "";

	assert_int_equal(atomic_load(&h->applied), atomic_load(&h->head));
	assert_true(atomic_load(&h->reserve) >= atomic_load(&h->head));
	if (!ring_verify(&s->kit.t.seg, error))
		fail_msg("%s", error);
}

static void
test_what_was_not_committed_never_happened(void **state)
{
	struct scene *s = *state;

	for (enum death how = DIED_RESERVED; how < DIED_COMMITTED; how++) {
		die(s, how);
		s->kit.reader.cur.pos = ring_head(&s->kit.t.seg);
		hand_publish(&s->heir, s->two, "\"x\"");
		hand_publish(&s->heir, s->one, "\"y\"");
		check_read(s, "xy");
		check_whole(s);
	}
}

static void
test_what_was_committed_is_never_lost(void **state)
{
	struct scene *s = *state;

	for (enum death how = DIED_COMMITTED; how <= DIED_APPLIED; how++) {
		testseg_restore(&s->kit.t, s->before);
		s->kit.reader.cur.pos = ring_head(&s->kit.t.seg);
		die(s, how);
		hand_publish(&s->heir, s->two, "\"x\"");
		hand_publish(&s->heir, s->one, "\"y\"");
		check_read(s, "abcxy");
		check_whole(s);
	}
}

static void
test_lock_alone_repairs(void **state)
{
	struct scene *s = *state;

	for (enum death how = DIED_RESERVED; how <= DIED_APPLIED; how++) {
		die(s, how);
		hand_lock(&s->heir);
		check_whole(s);
		assert_int_equal(ring_topic_seq(&s->kit.t.seg, s->one),
		    how < DIED_COMMITTED ? BEFORE : BEFORE + 2);
		ring_unlock(&s->heir);
	}
}

/* The replay stores in the log's order, so it may die at older numbers. */
static void
test_death_within_the_replay_means_doing_it_again(void **state)
{
	struct scene *s = *state;
	struct layout_topic *one = &s->kit.t.seg.topics[s->one];

	testseg_restore(&s->kit.t, s->before);
	s->kit.reader.cur.pos = ring_head(&s->kit.t.seg);
	die(s, DIED_BEFORE_APPLIED);
	atomic_store(&one->seq, BEFORE + 1);
	atomic_store(&one->last, s->kit.reader.cur.pos);
	hand_publish(&s->heir, s->one, "\"x\"");
	check_read(s, "abcx");
	check_whole(s);
}

/* What the dead one published to is not silent: the hand passes it over. */
static void
test_replayed_topics_are_not_the_longest_silent(void **state)
{
	struct scene *s = *state;

	die(s, DIED_COMMITTED);
	s->kit.t.seg.topics[s->one].touched = 0;
	s->kit.t.seg.topics[s->two].touched = 0;
	hand_lock(&s->heir);
	ring_unlock(&s->heir);
	assert_int_equal(s->kit.t.seg.topics[s->one].touched, 1);
	assert_int_equal(s->kit.t.seg.topics[s->two].touched, 1);
}

/*
 * Two writers die one after the other, the second with a committed batch on
 * ground that the first had half-written.
 */
static void
test_two_deaths_in_a_row(void **state)
{
	struct scene *s = *state;
	uint64_t applied;

	die(s, DIED_HALF_COPIED);
	s->kit.reader.cur.pos = ring_head(&s->kit.t.seg);
	applied = atomic_load(&s->kit.t.seg.header->applied);
	hand_publish(&s->heir, s->one, "\"x\"");
	atomic_store(&s->kit.t.seg.header->applied, applied);
	atomic_store(&s->kit.t.seg.topics[s->one].seq, BEFORE);
	hand_publish(&s->kit.ring, s->one, "\"y\"");
	check_read(s, "xy");
	check_whole(s);
}

/*
 * The dead writer half-wrote ground up to its reserve; a shorter batch after
 * it must not give that ground back to readers who still believe in it.
 */
static void
test_reserve_never_goes_back(void **state)
{
	struct scene *s = *state;
	_Atomic uint64_t *reserve = &s->kit.t.seg.header->reserve;
	uint64_t dead;

	die(s, DIED_COPIED);
	dead = atomic_load(reserve);
	hand_publish(&s->heir, s->one, "\"x\"");
	assert_true(ring_head(&s->kit.t.seg) < dead);
	assert_int_equal(atomic_load(reserve), dead);
	hand_publish(&s->heir, s->one, "\"y\"");
	hand_publish(&s->heir, s->one, "\"z\"");
	hand_publish(&s->heir, s->one, "\"z\"");
	assert_int_equal(atomic_load(reserve), ring_head(&s->kit.t.seg));
}

/* The writer died where its batch met the end of the ring. */
static void
test_padding_is_replayed_too(void **state)
{
	struct scene *s = *state;
	uint64_t applied = 0;
	uint64_t seq = 0;

	for (bool padded = false; !padded;) {
		applied = ring_head(&s->kit.t.seg);
		seq = hand_publish(&s->kit.ring, s->one, "\"12345678\"");
		padded = applied / RING_SIZE !=
		         (ring_head(&s->kit.t.seg) - 1) / RING_SIZE;
	}
	assert_int_not_equal(applied % RING_SIZE, 0);
	atomic_store(&s->kit.t.seg.header->applied, applied);
	atomic_store(&s->kit.t.seg.topics[s->one].seq, seq - 1);
	assert_int_equal(hand_publish(&s->heir, s->one, "1"), seq + 1);
	check_whole(s);
}

/* Ends with the lock held. */
static int
die_holding(void *arg)
{
	struct scene *s = arg;

	hand_lock(&s->kit.ring);
	return 0;
}

/* The same, after it has signed off. */
static int
die_unlocking(void *arg)
{
	struct scene *s = arg;

	hand_lock(&s->kit.ring);
	atomic_store(&s->kit.t.seg.header->owner, 0);
	return 0;
}

static uint64_t
recoveries(const struct scene *s, unsigned slot)
{
	return stats_get(
	    s->kit.t.seg.workers[slot].counters, STATS_LOCK_RECOVERED);
}

/* By the time the supervisor reaps, the owner word may be the heir's. */
static void
test_heir_names_the_dead_owner(void **state)
{
	struct scene *s = *state;
	struct layout_worker *workers = s->kit.t.seg.workers;
	uint64_t owner;

	mp_join(mp_spawn(die_holding, s));
	owner = atomic_load(&s->kit.t.seg.header->owner);
	assert_int_equal(layout_owner_slot(owner), 0);
	assert_int_equal(atomic_load(&workers[0].died_in), 0);
	hand_lock(&s->heir);
	assert_int_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(atomic_load(&workers[1].died_in), 0);
	assert_int_equal(
	    layout_owner_slot(atomic_load(&s->kit.t.seg.header->owner)), 1);
	ring_unlock(&s->heir);
	assert_int_equal(recoveries(s, 1), 1);

	/* Nobody dies: nothing more to say. */
	hand_lock(&s->kit.ring);
	ring_unlock(&s->kit.ring);
	hand_lock(&s->heir);
	ring_unlock(&s->heir);
	assert_int_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(recoveries(s, 0), 0);
	assert_int_equal(recoveries(s, 1), 1);

	/* The next death is another one. */
	mp_join(mp_spawn(die_holding, s));
	hand_lock(&s->heir);
	ring_unlock(&s->heir);
	assert_int_not_equal(atomic_load(&workers[0].died_in), owner);
	assert_int_equal(recoveries(s, 1), 2);
}

static void
test_heir_of_an_unsigned_lock_names_nobody(void **state)
{
	struct scene *s = *state;

	mp_join(mp_spawn(die_unlocking, s));
	hand_lock(&s->heir);
	ring_unlock(&s->heir);
	for (unsigned slot = 0; slot < TESTSEG_WORKERS; slot++)
		assert_int_equal(
		    atomic_load(&s->kit.t.seg.workers[slot].died_in), 0);
	assert_int_equal(recoveries(s, 1), 1);
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
