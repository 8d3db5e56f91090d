/* SPDX-License-Identifier: MIT */
/* test_holding.c - what worker/delivery/holding.h promises, one test per
 * promise. */

#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/delivery/subscribe.h"
#include "worker/net/address_limits.h"

#include <stdio.h>
#include <string.h>

#define TOPICS 1000u /* that the directory has room for */

/* What one address holds when it is refused: 780 of 1000 are more than the square
 * of 4 * 220 / 1000, and 779 are not more than that of 4 * 221 / 1000. */
#define HOG_HOLDS 780u

#define HOG   0x0a000001u /* 10.0.0.1 */
#define OTHER 0x0a000002u

static void
start(struct crew *crew, unsigned workers)
{
	crew->config.max_topics = TOPICS;
	crew->config.max_topics_per_conn = TOPICS;
	crew_start(crew, workers);
	atomic_store(&crew->t.seg.header->run.workers, workers);
}

/* A client of this address; 0: of loopback. */
static struct peer *
arrive(struct crew *crew, uint32_t from)
{
	struct peer *client;

	crew->from = from;
	client = peer_open(crew, 0, "");
	crew->from = 0;
	return client;
}

static enum subs_status
subscribe(struct peer *client, const char *name)
{
	struct hub *hub = hub_of(client->conn);
	size_t len = strlen(name);
	struct subs_start at;
	enum subs_status status;

	assert_int_equal(ring_lock(&hub->ring), RING_OK);
	status = subscribe_begin(hub, client_of(client->conn), name,
	    (uint8_t)len, topics_hash(hub->seg, name, len), &at);
	ring_unlock(&hub->ring);
	return status;
}

/* Subscribe to new topics, "PREFIX 0" and so on, until one is refused.  Returns
 * how many there are. */
static unsigned
subscribe_all(struct peer *client, const char *prefix, enum subs_status end)
{
	enum subs_status status;
	char name[32];
	unsigned n = 0;

	do {
		snprintf(name, sizeof(name), "%s %u", prefix, n);
		status = subscribe(client, name);
	} while (status == SUBS_OK && ++n);
	assert_int_equal(status, end);
	return n;
}

static void
publish_to(struct crew *crew, const char *name)
{
	struct peer *says = peer_open_v1(crew, 0, "");
	char text[128];
	int len = snprintf(text, sizeof(text),
	    "{\"type\":\"publish\",\"topic\":\"%s\",\"message\":1}", name);

	peer_frame(says, WS_TEXT, text, (size_t)len);
	crew_run(crew);
	peer_expect_nothing(says); /* no error */
	peer_close(&says);
	crew_run(crew);
}

/* 257 connections of one address took the whole directory, and nobody else could
 * subscribe or publish to a topic of their own any more. */
static void
test_one_address_leaves_some_to_the_others(void **state)
{
	struct crew *crew = *state;
	struct peer *hog, *again, *other, *loopback;

	start(crew, 1);
	hog = arrive(crew, HOG);
	again = arrive(crew, HOG);
	assert_int_equal(
	    subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY), HOG_HOLDS);
	assert_int_equal(subscribe(again, "one more"), SUBS_HOLDS_TOO_MANY);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_TOPICS), 2);
	assert_int_equal(crew_stat(crew, 0, STATS_DIRECTORY_FULL), 0);

	other = arrive(crew, OTHER);
	loopback = arrive(crew, 0);
	assert_int_equal(subscribe(other, "mine"), SUBS_OK);
	publish_to(crew, "new");
	assert_int_equal(subscribe_all(loopback, "l", SUBS_DIRECTORY_FULL),
	    TOPICS - HOG_HOLDS - 1);
	peer_close(&hog);
	peer_close(&again);
	peer_close(&other);
	peer_close(&loopback);
}

/* However many of them there are. */
static void
test_several_addresses_leave_some_too(void **state)
{
	struct crew *crew = *state;
	struct peer *hogs[8], *other;
	char name[16];

	start(crew, 1);
	for (unsigned i = 0; i < 8; i++) {
		hogs[i] = arrive(crew, HOG + 16 + i);
		snprintf(name, sizeof(name), "hog %u", i);
		subscribe_all(hogs[i], name, SUBS_HOLDS_TOO_MANY);
	}
	other = arrive(crew, OTHER);
	assert_int_equal(subscribe(other, "mine"), SUBS_OK);
	for (unsigned i = 0; i < 8; i++)
		peer_close(&hogs[i]);
	peer_close(&other);
}

static void
test_topics_in_use_are_open_to_all(void **state)
{
	struct crew *crew = *state;
	struct peer *hog, *other;

	start(crew, 2);
	other = arrive(crew, OTHER);
	assert_int_equal(subscribe(other, "room"), SUBS_OK);
	hog = arrive(crew, HOG);
	subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY);
	assert_int_equal(subscribe(hog, "room"), SUBS_OK);
	/* likewise where its subscribers are on another worker */
	assert_int_equal(ring_lock(&crew->w[1].hub.ring), RING_OK);
	topics_subscribe(&crew->t.seg,
	    topics_open(&crew->t.seg, "there", 5,
		topics_hash(&crew->t.seg, "there", 5)),
	    1);
	ring_unlock(&crew->w[1].hub.ring);
	assert_int_equal(subscribe(hog, "there"), SUBS_OK);
	peer_close(&hog);
	peer_close(&other);
	crew_run(crew);
	topics_unsubscribe(&crew->t.seg,
	    topics_find(&crew->t.seg, "there", 5,
		topics_hash(&crew->t.seg, "there", 5)),
	    1);
}

/* Its slot would be no longer free. */
static void
test_a_topic_without_subscribers_is_as_a_new_one(void **state)
{
	struct crew *crew = *state;
	struct peer *hog;

	start(crew, 1);
	publish_to(crew, "silent");
	hog = arrive(crew, HOG);
	subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY);
	assert_int_equal(subscribe(hog, "silent"), SUBS_HOLDS_TOO_MANY);
	peer_close(&hog);
}

static void
test_who_leaves_a_topic_may_have_another(void **state)
{
	struct crew *crew = *state;
	struct peer *hog, *again;

	start(crew, 1);
	again = arrive(crew, HOG);
	assert_int_equal(subscribe(again, "first"), SUBS_OK);
	hog = arrive(crew, HOG);
	assert_int_equal(
	    subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY), HOG_HOLDS - 1);
	peer_close(&again);
	crew_run(crew);
	assert_int_equal(subscribe(hog, "instead"), SUBS_OK);
	assert_int_equal(subscribe(hog, "and more"), SUBS_HOLDS_TOO_MANY);
	peer_close(&hog);
}

/* Otherwise a topic was nobody's from the moment that its first subscriber left,
 * or that one's for ever. */
static void
test_a_topic_passes_to_who_stays(void **state)
{
	struct crew *crew = *state;
	struct peer *first, *stays;

	start(crew, 1);
	first = arrive(crew, HOG);
	stays = arrive(crew, OTHER);
	assert_int_equal(subscribe(first, "room"), SUBS_OK);
	assert_int_equal(subscribe(stays, "room"), SUBS_OK);
	assert_int_equal(address_topics(first->conn->io.data), 1);
	assert_int_equal(address_topics(stays->conn->io.data), 0);
	subscribe_end_all(first->conn);
	assert_int_equal(address_topics(first->conn->io.data), 0);
	assert_int_equal(address_topics(stays->conn->io.data), 1);
	assert_int_equal(subscribe(first, "room"), SUBS_OK);
	subscribe_end_all(first->conn);
	assert_int_equal(address_topics(stays->conn->io.data), 1);
	subscribe_end_all(stays->conn);
	assert_int_equal(address_topics(stays->conn->io.data), 0);
	peer_close(&first);
	peer_close(&stays);
}

/* An address has connections on all of them, most likely, and each worker knows
 * only what is held there. */
static void
test_each_worker_stops_earlier(void **state)
{
	struct crew *crew = *state;
	struct peer *hog;

	start(crew, 2);
	hog = arrive(crew, HOG);
	assert_int_equal(subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY), 704);
	peer_close(&hog);
}

/* How a client of each kind is told. */
static void
test_each_protocol_says_so(void **state)
{
	static const char code[] = "too_many_topics: ";
	static const char why[] =
	    "too many topics from your address, few are left";
	static const char request[] =
	    "{\"type\":\"subscribe\",\"id\":1,\"topic\":\"new\"}";
	struct crew *crew = *state;
	struct peer *hog, *plain, *v1, *events;
	struct peer_frame frame;

	start(crew, 1);
	hog = arrive(crew, HOG);
	subscribe_all(hog, "hog", SUBS_HOLDS_TOO_MANY);
	plain = arrive(crew, HOG);
	crew->from = HOG;
	v1 = peer_open_v1(crew, 0, "");
	events = peer_connect(crew, 0, 0);
	peer_publish(plain, "new", "x");
	peer_frame(v1, WS_TEXT, request, strlen(request));
	peer_send_string(events,
	    "GET /topics/new/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_receive(plain);
	assert_true(peer_next(plain, &frame));
	assert_int_equal(frame.opcode, WS_CLOSE);
	assert_memory_equal(frame.data + 2, code, strlen(code));
	assert_memory_equal(frame.data + 2 + strlen(code), why, strlen(why));
	peer_receive(v1);
	assert_true(peer_next(v1, &frame));
	assert_non_null(memmem(frame.data, frame.len, why, strlen(why)));
	assert_non_null(
	    memmem(frame.data, frame.len, "\"too_many_topics\"", 17));
	peer_receive(events);
	assert_non_null(memmem(events->got, events->len, "retry: ", 7));
	peer_expect_status(events, 200);
	peer_close(&hog);
	peer_close(&plain);
	peer_close(&v1);
	peer_close(&events);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_one_address_leaves_some_to_the_others),
	T(test_several_addresses_leave_some_too),
	T(test_topics_in_use_are_open_to_all),
	T(test_a_topic_without_subscribers_is_as_a_new_one),
	T(test_who_leaves_a_topic_may_have_another),
	T(test_a_topic_passes_to_who_stays),
	T(test_each_worker_stops_earlier),
	T(test_each_protocol_says_so),
};

SUITE_MAIN(tests);
