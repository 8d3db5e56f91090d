/* SPDX-License-Identifier: MIT */
/*
 * test_kept.c - what several slow connections wait for is in memory once.
 *
 * Each queue had a copy of its own: 500 clients that read nothing, with 256
 * messages of 1,000 bytes waiting for each, took 140 MB.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/arena.h"
#include "worker/net/conn.h"
#include "worker/net/outq.h"

#include <stdio.h>
#include <string.h>

#define BODY   1000
#define SNDBUF 4096 /* bytes; the kernel takes more, but not much */

/* What a message says; numbered. */
static const char *
text_of(int number)
{
	static char text[BODY + 1];
	int n = snprintf(text, sizeof(text), "%d ", number);

	memset(text + n, 'x', BODY - (size_t)n);
	return text;
}

/* Publish messages, a turn each, until so many wait for the client.  Returns how
 * many it took. */
static int
publish_until(struct crew *crew, const struct peer *client, unsigned waiting)
{
	struct ring *ring = &crew->w[0].hub.ring;
	char json[BODY + 3];
	int number = 0;

	while (client->conn->out == NULL ||
	       client->conn->out->messages < waiting) {
		snprintf(json, sizeof(json), "\"%s\"", text_of(++number));
		hand_publish(ring, hand_topic(ring, "room"), json);
		crew_turn(crew, 0);
	}
	return number;
}

static void
expect_numbers(struct crew *crew, struct peer *client, int last)
{
	CREW_UNTIL(crew, (peer_receive(client), client->conn->out == NULL));
	for (int i = 1; i <= last; i++)
		peer_expect(client, text_of(i));
	peer_expect_nothing(client);
}

static void
test_slow_connections_share_one_copy(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *c;
	const struct outq_item *one, *other;
	unsigned shared = 0;
	int last;

	crew_start(crew, 1);
	a = peer_open_slow(crew, 0, "?topic=room", SNDBUF);
	b = peer_open_slow(crew, 0, "?topic=room", SNDBUF);
	c = peer_open_slow(crew, 0, "?topic=room", SNDBUF);
	last = publish_until(crew, a, 50);
	one = TAILQ_LAST(&a->conn->out->items, outq_items);
	other = TAILQ_LAST(&b->conn->out->items, outq_items);
	for (; one != NULL && other != NULL && one->kept != NULL &&
	       one->kept == other->kept;
	     shared++) {
		assert_int_equal(one->kept->references, 3);
		one = TAILQ_PREV(one, outq_items, link);
		other = TAILQ_PREV(other, outq_items, link);
	}
	assert_true(shared >= 40);
	/* One goes, one has it all, and the last one still has it. */
	peer_close(&c);
	CREW_UNTIL(crew, crew->w[0].net.conns.count == 2);
	expect_numbers(crew, a, last);
	one = TAILQ_LAST(&b->conn->out->items, outq_items);
	assert_int_equal(one->kept->references, 1);
	expect_numbers(crew, b, last);
	peer_close(&a);
	peer_close(&b);
}

/* What a queue counts does not depend on who else waits for the same. */
static void
test_each_queue_counts_what_it_waits_for(void **state)
{
	struct crew *crew = *state;
	struct budget *budget;
	struct peer *a, *b;

	crew_start(crew, 1);
	budget = &crew->w[0].net.budget;
	a = peer_open_slow(crew, 0, "?topic=room", SNDBUF);
	b = peer_open_slow(crew, 0, "?topic=room", SNDBUF);
	publish_until(crew, a, 50);
	assert_true(a->conn->out->bytes >= 50 * BODY);
	assert_int_equal(budget->held[BUDGET_OUTPUT],
	    a->conn->out->bytes + b->conn->out->bytes);
	peer_close(&a);
	peer_close(&b);
	CREW_UNTIL(crew, crew->w[0].net.conns.count == 0);
	assert_int_equal(budget->held[BUDGET_OUTPUT], 0);
}

/* The arena's own reference ends with the turn. */
static void
test_a_copy_outlives_its_turn(void **state)
{
	struct arena arena;
	struct kept *kept;

	(void)state;
	arena_init(&arena);
	for (int i = 0; i < 3; i++) {
		buf_puts(&arena.bytes, "frame");
		buf_number(&arena.bytes, (uint64_t)i);
		arena_end(&arena, 0, 0);
	}
	kept = kept_take(arena_keep(&arena, 1));
	assert_ptr_equal(arena_keep(&arena, 1), kept);
	assert_ptr_not_equal(arena_keep(&arena, 2), kept);
	arena_reset(&arena);
	assert_int_equal(kept->references, 1);
	assert_int_equal(kept->len, 6);
	assert_memory_equal(kept->bytes, "frame1", 6);
	kept_drop(&kept);
	assert_null(kept);
	buf_puts(&arena.bytes, "next");
	arena_end(&arena, 0, 0);
	assert_null(arena.table[0].kept);
	arena_keep(&arena, 0);
	arena_fini(&arena);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_slow_connections_share_one_copy),
	T(test_each_queue_counts_what_it_waits_for),
	cmocka_unit_test(test_a_copy_outlives_its_turn),
};

SUITE_MAIN(tests);
