/* SPDX-License-Identifier: MIT */
/*
 * test_ring_damage.c - which segments a new supervisor must not take over.
 *
 * Whatever could lead a worker beyond the ring, round in circles, or to a
 * number given twice is damage; each function here does one, to a segment that
 * is good before.
 */

#include "broker/ring/ring.h"
#include "tests/support/suite.h"
#include "tests/unit/support/used_ring.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct layout_record *
record_at(struct segment *seg, uint64_t pos)
{
	return (
	    struct layout_record *)(void *)(seg->ring + pos % USED_RING_SIZE);
}

static struct layout_record *
newest_of_0(struct segment *seg)
{
	return record_at(seg, atomic_load(&seg->topics[0].last));
}

static void
damage_applied_beyond_head(struct segment *seg)
{
	atomic_fetch_add(&seg->header->applied, 8);
}

static void
damage_applied_far_behind(struct segment *seg)
{
	for (unsigned i = 0; i < 40; i++) {
		struct ring ring;

		ring_attach(&ring, seg, 0);
		hand_publish(&ring, 0, "1");
		ring_detach(&ring);
	}
	atomic_fetch_sub(&seg->header->applied, USED_RING_SIZE / 8 + 56);
}

static void
damage_applied_between_words(struct segment *seg)
{
	atomic_fetch_sub(&seg->header->applied, 12);
}

static void
damage_unapplied_is_no_record(struct segment *seg)
{
	uint64_t at = ring_head(seg);

	atomic_fetch_add(&seg->header->head, 56);
	atomic_store(&seg->header->reserve, at + 56);
}

static void
damage_head_beyond_reserve(struct segment *seg)
{
	atomic_fetch_add(&seg->header->head, 56);
}

static void
damage_positions_of_before_the_first(struct segment *seg)
{
	atomic_store(&seg->header->applied, 8);
	atomic_store(&seg->header->head, 8);
	atomic_store(&seg->header->reserve, 8);
}

static void
damage_reserve_far_ahead(struct segment *seg)
{
	atomic_fetch_add(&seg->header->reserve, USED_RING_SIZE / 8 + 8);
}

static void
damage_reserve_between_words(struct segment *seg)
{
	atomic_fetch_add(&seg->header->reserve, 4);
}

static void
damage_used(struct segment *seg)
{
	atomic_store(&seg->header->used, USED_RING_MAX + 1);
}

static void
damage_hand(struct segment *seg)
{
	seg->header->hand = USED_RING_MAX;
}

static void
damage_floor_below_a_base(struct segment *seg)
{
	seg->topics[USED_RING_SILENT].base = 7;
	atomic_store(&seg->topics[USED_RING_SILENT].seq, 7);
}

static void
damage_floor_far_out(struct segment *seg)
{
	seg->header->floor = UINT64_MAX;
}

static void
damage_seq_far_out(struct segment *seg)
{
	const uint64_t far_out = UINT64_C(1) << 52;

	seg->header->floor = far_out;
	seg->topics[USED_RING_SILENT].base = far_out;
	atomic_store(&seg->topics[USED_RING_SILENT].seq, far_out + 1);
}

static void
damage_seq_below_base(struct segment *seg)
{
	seg->header->floor = 1000;
	seg->topics[0].base = 1000;
}

static void
damage_seq(struct segment *seg)
{
	atomic_fetch_add(&seg->topics[0].seq, 1);
}

static void
damage_last_at_head(struct segment *seg)
{
	atomic_store(&seg->topics[0].last, ring_head(seg));
}

static void
damage_last_beyond_all_numbers(struct segment *seg)
{
	atomic_store(&seg->topics[0].last, UINT64_MAX - 7);
}

static void
damage_last_is_none(struct segment *seg)
{
	atomic_store(&seg->topics[0].last, 0);
}

static void
damage_last_between_words(struct segment *seg)
{
	atomic_fetch_add(&seg->topics[0].last, 4);
}

static void
damage_last_of_another_topic(struct segment *seg)
{
	atomic_store(&seg->topics[0].last, atomic_load(&seg->topics[1].last));
}

static void
damage_record_length(struct segment *seg)
{
	newest_of_0(seg)->length = USED_RING_SIZE * 2;
}

static void
damage_record_body_len(struct segment *seg)
{
	newest_of_0(seg)->body_len = UINT32_MAX;
}

static void
damage_record_is_padding(struct segment *seg)
{
	newest_of_0(seg)->flags = RECORD_PADDING;
}

static void
damage_record_number(struct segment *seg)
{
	record_at(seg, newest_of_0(seg)->prev)->seq++;
}

static void
damage_chain_leads_forward(struct segment *seg)
{
	newest_of_0(seg)->prev = atomic_load(&seg->topics[0].last);
}

static void
damage_chain_ends_early(struct segment *seg)
{
	newest_of_0(seg)->prev = 0;
}

static _Atomic uint32_t *
bucket_of_0(struct segment *seg)
{
	return &seg->buckets[seg->topics[0].hash & (seg->header->buckets - 1)];
}

static void
damage_bucket_beyond_used(struct segment *seg)
{
	atomic_store(bucket_of_0(seg), USED_RING_TOPICS + 1);
}

static void
damage_bucket_far_out(struct segment *seg)
{
	atomic_store(bucket_of_0(seg), UINT32_MAX);
}

static void
damage_topic_in_no_bucket(struct segment *seg)
{
	atomic_store(bucket_of_0(seg), 0);
}

static void
damage_topic_in_another_bucket(struct segment *seg)
{
	seg->topics[0].hash++;
}

static void
damage_chain_of_buckets_is_a_circle(struct segment *seg)
{
	seg->topics[0].next = 1;
}

static void
damage_free_slot_in_a_bucket(struct segment *seg)
{
	seg->topics[USED_RING_SILENT].state = TOPIC_FREE;
}

static void
damage_name(struct segment *seg)
{
	seg->names[0].name[0] ^= 1;
}

typedef void damage(struct segment *seg);

#define DAMAGE(how)                \
	{                          \
#how, damage_##how \
	}

static const struct {
	const char *name;
	damage *damage;
} damages[] = {
	DAMAGE(applied_beyond_head),
	DAMAGE(applied_far_behind),
	DAMAGE(applied_between_words),
	DAMAGE(unapplied_is_no_record),
	DAMAGE(head_beyond_reserve),
	DAMAGE(positions_of_before_the_first),
	DAMAGE(reserve_far_ahead),
	DAMAGE(reserve_between_words),
	DAMAGE(used),
	DAMAGE(hand),
	DAMAGE(floor_below_a_base),
	DAMAGE(floor_far_out),
	DAMAGE(seq_far_out),
	DAMAGE(seq_below_base),
	DAMAGE(seq),
	DAMAGE(last_at_head),
	DAMAGE(last_beyond_all_numbers),
	DAMAGE(last_is_none),
	DAMAGE(last_between_words),
	DAMAGE(last_of_another_topic),
	DAMAGE(record_length),
	DAMAGE(record_body_len),
	DAMAGE(record_is_padding),
	DAMAGE(record_number),
	DAMAGE(chain_leads_forward),
	DAMAGE(chain_ends_early),
	DAMAGE(bucket_beyond_used),
	DAMAGE(bucket_far_out),
	DAMAGE(topic_in_no_bucket),
	DAMAGE(topic_in_another_bucket),
	DAMAGE(chain_of_buckets_is_a_circle),
	DAMAGE(free_slot_in_a_bucket),
	DAMAGE(name),
};

static void
test_each_damage_is_found_and_named(void **state)
{
	struct ringkit *kit = *state;
	unsigned char *good = testseg_save(&kit->t);
	unsigned passed = 0;

	for (size_t i = 0; i < COUNT(damages); i++) {
		char error[SEGMENT_ERROR_MAX] = "";

		testseg_restore(&kit->t, good);
		used_ring_check_good(kit);
		damages[i].damage(&kit->t.seg);
		if (!ring_recover(&kit->t.seg, error) && error[0] != '\0')
			continue;
		print_error("%s: passed\n", damages[i].name);
		passed++;
	}
	free(good);
	assert_int_equal(passed, 0);
}

#define T(test) \
	cmocka_unit_test_setup_teardown(test, used_ring_setup, ringkit_teardown)

static const struct CMUnitTest tests[] = {
	T(test_each_damage_is_found_and_named),
};

SUITE_MAIN(tests);
