/* SPDX-License-Identifier: MIT */
/*
 * test_follow.c - what broker/status/follow.h promises, of a segment in plain
 * memory.  What is told is written down as text.
 */

#include "broker/ring/topics.h"
#include "broker/status/follow.h"
#include "common/buf.h"
#include "tests/support/ringkit.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RING_SIZE 8192u
#define TOPICS    4u
#define RECORDS   (RING_SIZE / 56u) /* of publish() in a ring */

struct followed {
	struct ringkit kit;
	struct follow follow;
	struct buf told;
};

static int
setup(void **state)
{
	struct followed *f = ringkit_new(sizeof(*f), RING_SIZE, TOPICS);

	buf_init(&f->told);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct followed *f = *state;

	follow_end(&f->follow);
	buf_fini(&f->told);
	ringkit_free(f);
	return 0;
}

static void
publish(struct followed *f, const char *topic, unsigned times)
{
	uint32_t slot = hand_topic(&f->kit.ring, topic);

	while (times-- > 0)
		hand_publish(&f->kit.ring, slot, "1");
}

/* "a:3=1 " is message 3 of topic a. */
static void
note_message(void *owner, const struct ring_record *record)
{
	buf_printf(owner, "%.*s:%" PRIu64 "=%.*s ", record->name_len,
	    record->name, record->seq, (int)record->body_len, record->body);
}

/* "a:4-9 " is a gap. */
static void
note_missed(void *owner, const char *topic, uint8_t topic_len, uint64_t from,
    uint64_t to)
{
	buf_printf(
	    owner, "%.*s:%" PRIu64 "-%" PRIu64 " ", topic_len, topic, from, to);
}

static enum follow_status
read_once(struct followed *f)
{
	const struct follow_events events = { note_message, note_missed,
		&f->told };

	buf_reset(&f->told);
	return follow_read(&f->follow, &events);
}

static void
expect(struct followed *f, const char *text)
{
	buf_add(&f->told, "", 1);
	assert_string_equal(f->told.at, text);
}

static void
test_what_comes_from_now_on_is_read(void **state)
{
	struct followed *f = *state;

	publish(f, "before", 3);
	follow_begin(&f->follow, &f->kit.t.seg, false);
	assert_int_equal(read_once(f), FOLLOW_EMPTY);
	publish(f, "a", 2);
	publish(f, "before", 1);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "a:1=1 a:2=1 before:4=1 ");
	assert_int_equal(read_once(f), FOLLOW_EMPTY);
}

static void
test_new_ring_is_read_from_its_beginning(void **state)
{
	struct followed *f = *state;

	publish(f, "a", 2);
	follow_begin(&f->follow, &f->kit.t.seg, true);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "a:1=1 a:2=1 ");
}

static void
test_gap_names_each_topic_and_its_numbers(void **state)
{
	struct followed *f = *state;

	publish(f, "silent", 2);
	publish(f, "old", 5);
	follow_begin(&f->follow, &f->kit.t.seg, false);
	publish(f, "old", 2);
	publish(f, "new", RECORDS);
	publish(f, "old", 1);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "old:6-8 new:1-146 ");
	assert_int_equal(RECORDS, 146);
	assert_int_equal(read_once(f), FOLLOW_EMPTY);
	publish(f, "old", 1);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "old:9=1 ");
}

/* A writer has committed records that the directory does not have yet: the
 * reader goes on in front of them, and their numbers are told once. */
static void
test_what_was_told_as_missing_does_not_come(void **state)
{
	struct followed *f = *state;
	uint64_t applied;

	follow_begin(&f->follow, &f->kit.t.seg, false);
	publish(f, "a", RECORDS);
	applied = atomic_load(&f->kit.t.seg.header->applied);
	publish(f, "a", 2);
	atomic_store(&f->kit.t.seg.header->applied, applied);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "a:1-148 ");
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "");
	publish(f, "a", 1);
	assert_int_equal(read_once(f), FOLLOW_OK);
	expect(f, "a:149=1 ");
}

static void
test_topic_in_a_recycled_slot_has_only_its_own_numbers(void **state)
{
	struct followed *f = *state;

	publish(f, "a", 1);
	publish(f, "b", 1);
	publish(f, "c", 1);
	publish(f, "d", 20);
	follow_begin(&f->follow, &f->kit.t.seg, false);
	publish(f, "e", 1);
	publish(f, "e", RECORDS);
	assert_int_equal(read_once(f), FOLLOW_OK);
	buf_add(&f->told, "", 1);
	/* Its numbers begin above those of the slot's topic before. */
	assert_true(strncmp(f->told.at, "e:", 2) == 0);
	assert_int_equal(strtoull(strchr(f->told.at, '-') + 1, NULL, 10) -
			     strtoull(f->told.at + 2, NULL, 10) + 1,
	    RECORDS + 1);
}

static void
test_damage_is_told(void **state)
{
	struct followed *f = *state;

	follow_begin(&f->follow, &f->kit.t.seg, false);
	publish(f, "a", 2);
	f->follow.cursor.pos += 8;
	assert_int_equal(read_once(f), FOLLOW_CORRUPT);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_what_comes_from_now_on_is_read),
	T(test_new_ring_is_read_from_its_beginning),
	T(test_gap_names_each_topic_and_its_numbers),
	T(test_what_was_told_as_missing_does_not_come),
	T(test_topic_in_a_recycled_slot_has_only_its_own_numbers),
	T(test_damage_is_told),
};

SUITE_MAIN(tests);
