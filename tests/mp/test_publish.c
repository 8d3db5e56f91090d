/* SPDX-License-Identifier: MIT */
/* test_publish.c - messages cross processes, in one order for all. */

#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/segment.h"
#include "broker/ring/topics.h"
#include "tests/support/dice.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <string.h>

#define RING_SIZE (4u << 20) /* no reader is lapped here */
#define WRITERS   3u
#define READERS   3u
#define MESSAGES  3000u /* of each writer */
#define TOPICS    4u

static struct testseg t;
static char name[32]; /* of a segment in /dev/shm */

static int
setup(void **state)
{
	testseg_open(&t, RING_SIZE, 16);
	snprintf(name, sizeof(name), "mp-%d", getpid());
	return mp_setup(state);
}

static int
teardown(void **state)
{
	int result = mp_teardown(state);

	testseg_close(&t);
	segment_unlink(name);
	return result;
}

static int
publish_one(void *arg)
{
	struct ring ring;

	ring_attach(&ring, arg, 1);
	MP_CHECK(hand_publish(&ring, hand_topic(&ring, "room"), "\"hi\"") == 1);
	ring_detach(&ring);
	return 0;
}

static void
test_publish_crosses_processes(void **state)
{
	struct reader reader;
	const struct ring_record *rec;

	(void)state;
	reader_open(&reader, &t.seg, 4, 4096);
	mp_join(mp_spawn(publish_one, &t.seg));
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_int_equal(reader.batch.count, 1);
	rec = reader.batch.records;
	assert_int_equal(rec->worker, 1);
	assert_memory_equal(rec->name, "room", 4);
	assert_memory_equal(rec->body, "\"hi\"", 4);
	reader_close(&reader);
}

/* A child that shares nothing but the segment's name. */
static int
attach_and_publish(void *arg)
{
	struct segment seg;
	char error[SEGMENT_ERROR_MAX];

	(void)arg;
	MP_CHECK(segment_attach(&seg, name, true, error) == SEGMENT_OK);
	return publish_one(&seg);
}

static void
test_publish_crosses_by_the_name_of_a_segment(void **state)
{
	struct segment seg;
	struct reader reader;
	char error[SEGMENT_ERROR_MAX];
	int claim;

	(void)state;
	if (!store_create(&seg, name,
		&(struct segment_shape){
		    .ring_size = 8192, .topics_max = 4, .keys_max = 64 },
		&claim, error))
		fail_msg("%s", error);
	store_begin_run(&seg, 2, 1000);
	reader_open(&reader, &seg, 4, 4096);
	mp_join(mp_spawn(attach_and_publish, NULL));
	assert_int_equal(reader_read(&reader), RING_OK);
	assert_memory_equal(reader.batch.records->body, "\"hi\"", 4);
	reader_close(&reader);
	segment_close(&seg);
	close(claim);
}

/* What a reader saw: one entry per message, in its order. */
struct sight {
	uint32_t topic;
	uint32_t writer;
	uint64_t seq, number;
};

struct crowd {
	struct mp_gate ready, go;
	_Atomic unsigned next; /* actor's number */
	struct sight sights[READERS][WRITERS * MESSAGES];
};

static int
write_crowd(void *arg)
{
	struct crowd *crowd = arg;
	unsigned self = atomic_fetch_add(&crowd->next, 1);
	struct dice dice = { self + 1 };
	struct ring_msg msgs[3];
	struct ring ring;

	ring_attach(&ring, &t.seg, self);
	mp_gate_give(&crowd->ready, 1);
	mp_gate_take(&crowd->go, 1);
	for (unsigned number = 0; number < MESSAGES;) {
		unsigned n = 0;

		while (n < 3 && number < MESSAGES) {
			msgs[n] = hand_msg(
			    (uint32_t)dice_below(&dice, TOPICS), "\"text\"");
			msgs[n++].conn = number++;
		}
		hand_lock(&ring);
		MP_CHECK(ring_publish(&ring, msgs, n) == RING_OK);
		ring_unlock(&ring);
	}
	return 0;
}

static int
read_crowd(void *arg)
{
	struct crowd *crowd = arg;
	unsigned self = atomic_fetch_add(&crowd->next, 1);
	struct reader reader;
	size_t seen = 0;

	reader_open(&reader, &t.seg, 64, 8192);
	mp_gate_give(&crowd->ready, 1);
	while (seen < WRITERS * MESSAGES) {
		enum ring_status status = reader_read(&reader);

		MP_CHECK(status == RING_OK || status == RING_EMPTY);
		for (size_t i = 0; i < reader.batch.count; i++) {
			const struct ring_record *rec =
			    &reader.batch.records[i];

			MP_CHECK(seen < WRITERS * MESSAGES);
			crowd->sights[self][seen++] =
			    (struct sight){ rec->topic, rec->worker, rec->seq,
				    rec->conn };
		}
	}
	return 0;
}

/* Numbers dense in each topic, and each writer's messages in its own order. */
static void
check_sights(const struct sight *sights)
{
	uint64_t seq[TOPICS] = { 0 };
	uint64_t number[READERS + WRITERS] = { 0 };

	for (size_t i = 0; i < WRITERS * MESSAGES; i++) {
		assert_int_equal(sights[i].seq, ++seq[sights[i].topic]);
		assert_int_equal(sights[i].number, number[sights[i].writer]++);
	}
}

static void
test_all_readers_see_one_order(void **state)
{
	struct crowd *crowd = mp_share(sizeof(*crowd));
	pid_t pids[READERS + WRITERS];
	struct ring ring;

	(void)state;
	ring_attach(&ring, &t.seg, 0);
	for (char topic[] = "0"; *topic < '0' + (int)TOPICS; ++*topic)
		hand_topic(&ring, topic);
	ring_detach(&ring);
	mp_gate_open(&crowd->ready);
	mp_gate_open(&crowd->go);
	for (unsigned i = 0; i < READERS; i++)
		pids[i] = mp_spawn(read_crowd, crowd);
	mp_gate_take(&crowd->ready, READERS);
	for (unsigned i = 0; i < WRITERS; i++)
		pids[READERS + i] = mp_spawn(write_crowd, crowd);
	mp_gate_take(&crowd->ready, WRITERS);
	mp_gate_give(&crowd->go, WRITERS);
	for (unsigned i = 0; i < READERS + WRITERS; i++)
		mp_join(pids[i]);

	check_sights(crowd->sights[0]);
	for (unsigned i = 1; i < READERS; i++)
		assert_memory_equal(crowd->sights[0], crowd->sights[i],
		    sizeof(crowd->sights[0]));
	mp_gate_close(&crowd->ready);
	mp_gate_close(&crowd->go);
	mp_unshare(crowd, sizeof(*crowd));
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_publish_crosses_processes),
	T(test_publish_crosses_by_the_name_of_a_segment),
	T(test_all_readers_see_one_order),
};

SUITE_MAIN(tests);
