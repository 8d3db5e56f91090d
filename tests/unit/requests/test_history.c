/* SPDX-License-Identifier: MIT */
/* test_history.c - what worker/requests/history.h promises, one test per
 * promise. */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"
#include "worker/requests/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An answer's numbers: those it begins and ends with, and how many. */
struct page {
	uint64_t first, last, count;
	size_t len;
	bool more;
};

/* Ask, and take the answer apart. */
static struct page
ask(struct peer *client, const char *options)
{
	struct peer_frame frame;
	struct page page = { 0 };
	const char *at, *end;

	talk(client, "{'type':'history','topic':'room'%s}", options);
	do
		crew_run(client->crew);
	while (peer_receive(client) > 0);
	assert_true(peer_next(client, &frame));
	at = frame.data;
	end = at + frame.len;
	while ((at = memmem(at, (size_t)(end - at), "{\"seq\":", 7)) != NULL) {
		uint64_t seq = strtoull(at += 7, NULL, 10);

		if (page.count++ == 0)
			page.first = seq;
		else
			assert_int_equal(seq, page.last + 1);
		page.last = seq;
	}
	page.len = frame.len;
	page.more = memmem(end - 14, 14, ",\"more\":true}", 13) != NULL;
	return page;
}

static void
test_a_mebibyte_at_most(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct page page;
	char before[48];
	uint64_t next = 700;

	crew->ring_size = 4u << 20;
	a = talk_begin(crew, "room", 700, 4000, 0);
	page = ask(a, "");
	do {
		assert_int_equal(page.last, next);
		assert_in_range(page.len, 1, HISTORY_BYTES_MAX + 100);
		next = page.first - 1;
		assert_int_equal(page.more, next > 0);
		snprintf(
		    before, sizeof(before), ",'before':%" PRIu64, page.first);
		page = ask(a, before);
	} while (next > 0);
	assert_int_equal(page.count, 0);
	peer_close(&a);
}

static void
test_as_many_as_asked_for(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct page page;
	char options[48];

	a = talk_begin(crew, "room", 200, 0, 0);
	for (unsigned limit = 1; limit < 210; limit++) {
		snprintf(options, sizeof(options), ",'limit':%u", limit);
		page = ask(a, options);
		assert_int_equal(page.last, 200);
		assert_int_equal(page.count, limit < 200 ? limit : 200);
		assert_int_equal(page.more, limit < 200);
	}
	peer_close(&a);
}

/* What the ring has no more is no "more". */
static void
test_ends_where_the_ring_does(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	struct page page;
	char before[48];

	a = talk_begin(crew, "room", 500, 1000, 0);
	page = ask(a, "");
	assert_int_equal(page.last, 500);
	assert_in_range(page.count, 200, 300);
	assert_false(page.more);
	snprintf(before, sizeof(before), ",'before':%" PRIu64, page.first);
	page = ask(a, before);
	assert_int_equal(page.count, 0);
	assert_false(page.more);
	peer_close(&a);
}

/* The number at the start of the answer's first message, 0: there is none. */
static uint64_t
first_of(struct buf *out)
{
	unsigned long long seq = 0;

	*buf_room(out, 1) = 0;
	return out->len > 2 && sscanf(out->at, "[{\"seq\":%llu", &seq) == 1
	           ? seq
	           : 0;
}

/*
 * The ring goes on between the walk over the headers and the copies.  That what
 * the walk had found was older than the answer counted as "more", whether it was
 * still there or not.
 */
static void
test_more_is_what_is_there_behind_the_walk(void **state)
{
	struct crew *crew = *state;
	struct hub *hub = &crew->w[0].hub;
	struct subs_start start = { 0 };
	struct ring_record rec;
	struct chain chain;
	uint64_t first;
	struct buf out;
	struct peer *a = talk_begin(crew, "room", 500, 1000, 0);
	bool more = true;

	buf_init(&out);
	assert_int_equal(ring_lock(&hub->ring), RING_OK);
	topic_snapshot(hub->seg,
	    topics_find(hub->seg, "room", 4, topics_hash(hub->seg, "room", 4)),
	    &start);
	ring_unlock(&hub->ring);
	assert_int_equal(start.seq, 500);
	chain_init(&chain, hub->seg, start.slot, start.seq, start.pos);
	chain_walk(&chain, 1);
	first = chain.low + 20;
	assert_true(history_put_chain(hub, &chain, first, start.seq, &out));
	assert_int_equal(first_of(&out), first);
	/* Until none of what was walked over is left. */
	for (int i = 0; i < 100 && out.len > 2; i++) {
		uint64_t shown;

		talk_publish(crew, "room", 5, 1000);
		buf_reset(&out);
		more = history_put_chain(hub, &chain, first, start.seq, &out);
		shown = first_of(&out);
		assert_true(shown == 0 || shown >= first);
		assert_int_equal(
		    more, shown != 0 &&
			      chain_read(&chain, shown - 1, hub->intake->record,
				  hub->intake->record_size, &rec) == RING_OK);
		if (shown > first)
			assert_false(more);
	}
	assert_int_equal(out.len, 2);
	assert_false(more);
	chain_fini(&chain);
	buf_fini(&out);
	peer_close(&a);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_mebibyte_at_most),
	T(test_as_many_as_asked_for),
	T(test_ends_where_the_ring_does),
	T(test_more_is_what_is_there_behind_the_walk),
};

SUITE_MAIN(tests);
