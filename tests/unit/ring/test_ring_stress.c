/* SPDX-License-Identifier: MIT */
/*
 * test_ring_stress.c - writers and readers as threads of one process, on a ring
 * so small that readers are lapped again and again; for ThreadSanitizer too.
 *
 * Every reader must see each number of each topic once and in order, or count
 * it as missed, and every body must be the one that was published under that
 * number.  The end is a number of messages, not of seconds.
 */

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "common/bug.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#ifdef __SANITIZE_THREAD__
#define TSAN
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN
#endif
#endif

#define RING_SIZE 16384u
#define WRITERS   3u
#define READERS   2u
#define TOPICS    4u
#define MESSAGES  60000u /* of each writer */
#define PHASE     5000u  /* messages that a writer rushes, then waits for */
#define TEXT_MAX  100u   /* bytes of a body */

struct stress {
	struct testseg t;
	pthread_barrier_t start;
	_Atomic unsigned running; /* writers */
};

struct actor {
	struct stress *stress;
	unsigned self;
	uint64_t seen, missed, laps; /* out, readers: over all topics */
	pthread_t thread;
};

/* A body: its length and each of its bytes follow from writer and number. */
static uint32_t
make_text(char *text, unsigned writer, unsigned number)
{
	struct dice dice = { (uint64_t)writer << 32 | number | 1u << 31 };
	uint32_t len = 8 + (uint32_t)dice_below(&dice, TEXT_MAX - 8);

	memcpy(text, &writer, 4);
	memcpy(text + 4, &number, 4);
	for (uint32_t i = 8; i < len; i++)
		text[i] = (char)dice_roll(&dice);
	return len;
}

static void
check_text(const struct ring_record *rec)
{
	unsigned writer, number;
	char text[TEXT_MAX];

	CHECK(rec->body_len >= 8);
	memcpy(&writer, rec->body, 4);
	memcpy(&number, rec->body + 4, 4);
	CHECK(writer == rec->worker && number == rec->conn);
	CHECK(make_text(text, writer, number) == rec->body_len);
	CHECK(memcmp(text, rec->body, rec->body_len) == 0);
	CHECK(rec->name_len == 1 && *rec->name == (char)('0' + rec->topic));
}

/* Take the lock.  ThreadSanitizer does not know pthread_mutex_clocklock(3), so
 * under it the ring is told to try only. */
static void
take_lock(struct ring *ring)
{
#ifdef TSAN
	do {
		ring->impatient = true;
		sched_yield();
	} while (ring_lock(ring) != RING_OK);
#else
	hand_lock(ring);
#endif
}

/* In every other phase wait until all readers are less than half behind. */
static void
wait_for_readers(struct stress *s, unsigned number)
{
	for (unsigned i = 0; number / PHASE % 2 != 0 && i < READERS; i++) {
		_Atomic uint64_t *cursor = &s->t.seg.workers[i].cursor;

		while (
		    ring_head(&s->t.seg) > atomic_load(cursor) + RING_SIZE / 2)
			sched_yield();
	}
}

/* Fill in up to five messages from this number on.  Returns how many. */
static unsigned
make_batch(struct dice *dice, unsigned writer, unsigned number,
    struct ring_msg *msgs, char (*texts)[TEXT_MAX])
{
	unsigned n = 1 + (unsigned)dice_below(dice, 5);

	if (n > MESSAGES - number)
		n = MESSAGES - number;
	for (unsigned i = 0; i < n; i++)
		msgs[i] = (struct ring_msg){
			.topic = (uint32_t)dice_below(dice, TOPICS),
			.body = texts[i],
			.body_len = make_text(texts[i], writer, number + i),
			.conn = number + i,
		};
	return n;
}

static void *
write_messages(void *arg)
{
	struct actor *actor = arg;
	struct stress *stress = actor->stress;
	struct dice dice = { actor->self + 1 };
	char texts[5][TEXT_MAX];
	struct ring_msg msgs[5];
	struct ring ring;
	unsigned n;

	ring_attach(&ring, &stress->t.seg, actor->self);
	pthread_barrier_wait(&stress->start);
	for (unsigned number = 0; number < MESSAGES; number += n) {
		n = make_batch(&dice, actor->self, number, msgs, texts);
		wait_for_readers(stress, number);
		take_lock(&ring);
		CHECK(ring_publish(&ring, msgs, n) == RING_OK);
		ring_unlock(&ring);
		ring_interest(&ring, msgs, n);
	}
	ring_detach(&ring);
	atomic_fetch_sub(&stress->running, 1);
	return NULL;
}

/* What a reader has counted: seen and missed, up to a number per topic. */
struct tally {
	uint64_t last[TOPICS];
	struct actor *sums;
};

/* A lapped reader counts all up to the directory's numbers as missed. */
static void
count_missed(struct tally *tally, const struct segment *seg)
{
	tally->sums->laps++;
	for (uint32_t i = 0; i < TOPICS; i++) {
		uint64_t seq = ring_topic_seq(seg, i);

		CHECK(seq >= tally->last[i]);
		tally->sums->missed += seq - tally->last[i];
		tally->last[i] = seq;
	}
}

static void
count_batch(struct tally *tally, const struct ring_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++) {
		const struct ring_record *rec = &batch->records[i];

		check_text(rec);
		if (rec->seq <= tally->last[rec->topic])
			continue; /* counted as missed already */
		CHECK(rec->seq == tally->last[rec->topic] + 1);
		tally->last[rec->topic] = rec->seq;
		tally->sums->seen++;
	}
}

/* Be lapped for once in any case: look away until the ring has gone round. */
static void
look_away(const struct reader *reader)
{
	while (ring_head(reader->ring.seg) <= reader->cur.pos + RING_SIZE)
		sched_yield();
}

/* Tail until the writers are done and nothing is left. */
static void *
read_messages(void *arg)
{
	struct actor *actor = arg;
	struct stress *stress = actor->stress;
	struct tally tally = { { 0 }, actor };
	struct reader reader;
	bool done = false;

	reader_open(&reader, &stress->t.seg, 16, 2048);
	pthread_barrier_wait(&stress->start);
	look_away(&reader);
	for (;;) {
		uint64_t before = reader.cur.pos;
		enum ring_status status = reader_read(&reader);

		CHECK(reader.cur.pos >= before && status != RING_CORRUPT);
		if (status == RING_EMPTY && done)
			break;
		if (status == RING_LAPPED)
			count_missed(&tally, &stress->t.seg);
		count_batch(&tally, &reader.batch);
		atomic_store(
		    &stress->t.seg.workers[actor->self].cursor, reader.cur.pos);
		done = atomic_load(&stress->running) == 0;
		if (status == RING_EMPTY)
			sched_yield();
	}
	reader_close(&reader);
	return NULL;
}

static void
start(
    struct stress *s, struct actor *actor, unsigned self, void *(*run)(void *))
{
	*actor = (struct actor){ .stress = s, .self = self };
	assert_int_equal(pthread_create(&actor->thread, NULL, run, actor), 0);
}

static void
stress_open(struct stress *s)
{
	struct ring ring;

	memset(s, 0, sizeof(*s));
	testseg_open(&s->t, RING_SIZE, TOPICS);
	ring_attach(&ring, &s->t.seg, 0);
	for (char name[] = "0"; *name < '0' + (int)TOPICS; ++*name)
		hand_topic(&ring, name);
	ring_detach(&ring);
	atomic_store(&s->running, WRITERS);
	pthread_barrier_init(&s->start, NULL, WRITERS + READERS);
}

static void
test_each_number_is_seen_once_or_counted_as_missed(void **state)
{
	struct stress s;
	struct actor writers[WRITERS], readers[READERS];
	char error[SEGMENT_ERROR_MAX];

	(void)state;
	stress_open(&s);
	for (unsigned i = 0; i < READERS; i++)
		start(&s, &readers[i], i, read_messages);
	for (unsigned i = 0; i < WRITERS; i++)
		start(&s, &writers[i], i, write_messages);
	for (unsigned i = 0; i < WRITERS; i++)
		pthread_join(writers[i].thread, NULL);
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	for (unsigned i = 0; i < READERS; i++) {
		print_message("reader %u: %" PRIu64 " seen, %" PRIu64
			      " missed in %" PRIu64 " laps\n",
		    i, readers[i].seen, readers[i].missed, readers[i].laps);
		assert_int_equal(
		    readers[i].seen + readers[i].missed, WRITERS * MESSAGES);
		assert_true(readers[i].seen > PHASE);
		assert_true(readers[i].laps > 0);
	}
	if (!ring_verify(&s.t.seg, error))
		fail_msg("%s", error);
	pthread_barrier_destroy(&s.start);
	testseg_close(&s.t);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_each_number_is_seen_once_or_counted_as_missed),
};

SUITE_MAIN(tests);
