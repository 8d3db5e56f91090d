/* SPDX-License-Identifier: MIT */
/* test_patterns.c - what who follows patterns of topics gets, and is told. */

#include "common/pattern.h"
#include "common/xmalloc.h"
#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"
#include "worker/delivery/patterns.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Subscribe a client to a pattern. */
static void
follow(struct peer *client, const char *pattern)
{
	talk(client, "{'type':'subscribe','id':1,'pattern':'%s'}", pattern);
	crew_run(client->crew);
	talk_expect(client, "{'type':'ack','id':1,'pattern':'%s'}", pattern);
}

static struct peer *
follower(struct crew *crew, unsigned worker, const char *pattern)
{
	struct peer *client = talk_open(crew, worker, "", 0);

	follow(client, pattern);
	return client;
}

/* Whether publishers are told that a worker follows patterns. */
static bool
is_following(const struct crew *crew, unsigned worker)
{
	return atomic_load(&crew->t.seg.header->following) >> worker & 1;
}

/* Whoever publishes, on whichever worker, wakes one that has nothing but
 * patterns. */
static void
test_a_pattern_brings_what_matches(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *says;

	crew_start(crew, 2);
	a = follower(crew, 0, "room/+/chat");
	says = talk_open(crew, 1, "", 0);
	talk(says, "{'type':'publish','topic':'room/1/chat','message':1}");
	talk(says, "{'type':'publish','topic':'room/1','message':2}");
	talk(says, "{'type':'publish','topic':'room/2/chat','message':3}");
	talk(says, "{'type':'publish','topic':'room/1/chat','message':4}");
	crew_turn(crew, 1);
	assert_true(crew_is_rung(crew, 0));
	crew_run(crew);
	talk_expect_messages(a, "room/1/chat", 1, 2);
	talk_expect_messages(a, "room/2/chat", 1, 1);
	peer_expect_nothing(a);
	peer_close(&says);
	peer_close(&a);
}

static void
test_only_who_follows_is_woken(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *says;

	crew_start(crew, 2);
	a = follower(crew, 0, "#");
	assert_true(is_following(crew, 0));
	talk(a, "{'type':'unsubscribe','id':2,'pattern':'#'}");
	crew_run(crew);
	talk_expect(a, "{'type':'ack','id':2,'pattern':'#'}");
	assert_false(is_following(crew, 0));
	assert_null(crew->w[0].hub.patterns);
	says = talk_open(crew, 1, "", 0);
	talk(says, "{'type':'publish','topic':'room','message':1}");
	crew_turn(crew, 1);
	assert_false(crew_is_rung(crew, 0));
	crew_run(crew);
	peer_expect_nothing(a);
	peer_close(&says);
	peer_close(&a);
}

/* The last connection with patterns closes. */
static void
test_nothing_is_left_of_who_closed(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = follower(crew, 0, "a/+");
	follow(a, "b/#");
	b = follower(crew, 0, "a/+");
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERNS), 2);
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERN_SUBSCRIPTIONS), 3);
	talk_publish(crew, "a/1", 1, 0);
	crew_run(crew);
	peer_close(&a);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERNS), 1);
	talk_publish(crew, "a/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(b, "a/1", 1, 2);
	peer_close(&b);
	crew_run(crew);
	assert_null(crew->w[0].hub.patterns);
	assert_false(is_following(crew, 0));
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERN_BYTES), 0);
}

static void
test_nobody_gets_a_message_twice(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	follow(a, "#");
	follow(a, "room/#");
	b = follower(crew, 0, "#");
	talk(a, "{'type':'subscribe','id':2,'topic':'room/1'}");
	crew_run(crew);
	talk_expect_start(a, "{'type':'ack','id':2,'topic':'room/1',");
	talk_publish(crew, "room/1", 3, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 1, 3);
	peer_expect_nothing(a);
	talk_expect_messages(b, "room/1", 1, 3);
	peer_expect_nothing(b);
	/* Without its own subscription the patterns bring it. */
	talk(a, "{'type':'unsubscribe','topic':'room/1'}");
	crew_run(crew);
	talk_publish(crew, "room/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 4, 4);
	peer_expect_nothing(a);
	peer_close(&a);
	peer_close(&b);
}

/*
 * While a worker had not read on yet, a client with a pattern subscribed to the
 * topic itself.  What was published before is its pattern's, and what came after
 * that is the subscription's: none is missing, and none doubled.
 */
static void
test_a_subscription_takes_over_where_the_pattern_was(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	talk_publish(crew, "room/1", 2, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 1, 2);
	talk_publish(crew, "room/1", 3, 0);
	talk(a, "{'type':'subscribe','id':2,'topic':'room/1'}");
	crew_turn(crew, 0);
	talk_publish(crew, "room/1", 2, 0);
	crew_run(crew);
	talk_expect(
	    a, "{'type':'ack','id':2,'topic':'room/1','epoch':'$','seq':5}");
	talk_expect_messages(a, "room/1", 3, 7);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* What a replay brings, patterns do not. */
static void
test_a_replay_takes_over_where_the_pattern_was(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	talk_publish(crew, "room/1", 2, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 1, 2);
	talk_publish(crew, "room/1", 3, 0);
	talk(a, "{'type':'subscribe','topic':'room/1',"
		"'since':{'epoch':'$','seq':2}}");
	crew_turn(crew, 0);
	talk_publish(crew, "room/1", 2, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 3, 7);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* A pattern begins at the head: not with what its worker has not read yet. */
static void
test_a_pattern_begins_with_what_comes(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	b = talk_open(crew, 0, "", 0);
	talk_publish(crew, "room/1", 3, 0);
	talk(b, "{'type':'subscribe','pattern':'room/+'}");
	crew_turn(crew, 0);
	talk_publish(crew, "room/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 1, 4);
	talk_expect_messages(b, "room/1", 4, 4);
	/* A wider one takes nothing away from the one that was first. */
	talk_publish(crew, "room/2", 2, 0);
	talk(b, "{'type':'subscribe','pattern':'#'}");
	crew_turn(crew, 0);
	talk_publish(crew, "room/2", 1, 0);
	crew_run(crew);
	talk_expect_messages(b, "room/2", 1, 3);
	peer_expect_nothing(b);
	peer_close(&a);
	peer_close(&b);
}

static void
test_echo_false_leaves_out_one_s_own(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	talk(a, "{'type':'subscribe','pattern':'room/+','echo':false}");
	talk(a, "{'type':'publish','topic':'room/1','message':1}");
	crew_run(crew);
	talk_publish(crew, "room/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 2, 2);
	/* Another pattern that wants it, brings it. */
	follow(a, "room/#");
	talk(a, "{'type':'publish','topic':'room/1','message':1}");
	crew_run(crew);
	talk_expect_messages(a, "room/1", 3, 3);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* Messages without a number come in their place among the others, and do not come
 * twice to whoever subscribes to the topic itself. */
static void
test_messages_without_a_number_come_too(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	b = follower(crew, 0, "room/+");
	talk(b, "{'type':'subscribe','topic':'room/1'}");
	talk(b,
	    "{'type':'publish','topic':'room/1','message':1,'ephemeral':true}");
	talk(b, "{'type':'publish','topic':'room/1','message':2}");
	talk(b,
	    "{'type':'publish','topic':'room/1','message':3,'ephemeral':true}");
	talk(b,
	    "{'type':'publish','topic':'hall/1','message':4,'ephemeral':true}");
	crew_run(crew);
	for (struct peer **p = (struct peer *[]){ a, b, NULL }; *p != NULL;
	     p++) {
		talk_expect_start(*p, "{'type':'ephemeral','topic':'room/1',");
		talk_expect_messages(*p, "room/1", 1, 1);
		talk_expect_start(*p, "{'type':'ephemeral','topic':'room/1',");
		peer_expect_nothing(*p);
	}
	/* That of the first with a number once more: it may be a new life. */
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERN_LOOKUPS), 3);
	peer_close(&a);
	peer_close(&b);
}

/* A slot of the directory gets another topic: what its name matched is no longer
 * true, whether it was something or nothing. */
static void
test_a_slot_with_another_name_is_looked_up_again(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	char name[32];

	crew->config.max_topics = 2;
	crew_start(crew, 1);
	a = follower(crew, 0, "even/+");
	for (unsigned i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "%s/%u",
		    i % 3 == 0 ? "even" : "odd", i);
		talk_publish(crew, name, 2, 0);
		if (i % 4 == 0)
			crew_run(crew);
	}
	crew_run(crew);
	for (unsigned i = 0; i < 40; i += 3) {
		talk_expect_start(a, "{'type':'message','topic':'even/%u',", i);
		talk_expect_start(a, "{'type':'message','topic':'even/%u',", i);
	}
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_what_was_found_is_kept(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;
	uint64_t lookups;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	talk_publish(crew, "room/1", 10, 0);
	talk_publish(crew, "hall/1", 10, 0);
	crew_run(crew);
	lookups = crew_stat(crew, 0, STATS_PATTERN_LOOKUPS);
	assert_int_equal(lookups, 2);
	talk_publish(crew, "room/1", 10, 0);
	talk_publish(crew, "hall/1", 10, 0);
	crew_run(crew);
	assert_int_equal(crew_stat(crew, 0, STATS_PATTERN_LOOKUPS), lookups);
	talk_expect_messages(a, "room/1", 1, 20);
	/* Another pattern: all anew, once. */
	b = follower(crew, 0, "hall/#");
	talk_publish(crew, "room/1", 1, 0);
	talk_publish(crew, "hall/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(b, "hall/1", 21, 21);
	assert_int_equal(
	    crew_stat(crew, 0, STATS_PATTERN_LOOKUPS), lookups + 2);
	peer_close(&a);
	peer_close(&b);
}

/* A client that does not read is told how many messages of its pattern it
 * missed, in their place. */
static void
slow_follower(struct crew *crew, const char *query)
{
	struct peer *a;
	struct peer_frame frame;
	uint64_t came = 0, missed = 0;
	char text[256];

	crew_start(crew, 1);
	a = talk_open(crew, 0, query, 1);
	follow(a, "room/+");
	for (unsigned i = 0; i < 40; i++) {
		talk_publish(crew, "room/1", 5, 1000);
		talk_publish(crew, "room/2", 5, 1000);
		crew_run(crew);
	}
	assert_true(crew_stat(crew, 0, STATS_DROPS) > 100);
	CREW_UNTIL(crew, (peer_receive(a), a->conn->out == NULL));
	talk_publish(crew, "room/1", 1, 0);
	crew_run(crew);
	while (peer_next(a, &frame)) {
		snprintf(
		    text, sizeof(text), "%.*s", (int)frame.len, frame.data);
		if (strncmp(text, "{\"type\":\"message\"", 17) == 0)
			came++;
		else if (sscanf(text,
			     "{\"type\":\"gap\",\"pattern\":\"room/+\","
			     "\"count\":%" SCNu64,
			     &missed) == 1)
			assert_non_null(strstr(text, "\"reason\":\"slow\"}"));
		else
			fail_msg("%s", text);
	}
	assert_true(missed > 100);
	assert_int_equal(came + missed, 401);
	assert_int_equal(crew_stat(crew, 0, STATS_GAPS), 1);
	peer_close(&a);
}

static void
test_a_slow_client_is_told_how_many_it_missed(void **state)
{
	slow_follower(*state, "?buffer=20");
}

static void
test_so_is_one_that_wants_the_latest(void **state)
{
	slow_follower(*state, "?buffer=20&overflow=latest");
}

static void
test_one_that_wants_to_be_closed_is(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?buffer=20&overflow=close", 1);
	follow(a, "room/+");
	for (unsigned i = 0; i < 40; i++) {
		talk_publish(crew, "room/1", 10, 1000);
		crew_run(crew);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_SLOW_CLOSES), 1);
	assert_null(crew->w[0].hub.patterns);
	peer_close(&a);
}

/* Who leaves a pattern is not told what it missed of it; so what waits is not
 * dropped any more. */
static void
test_what_waits_of_a_pattern_that_was_left_comes(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	uint32_t waiting;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "?buffer=20", 1);
	follow(a, "room/+");
	talk_publish(crew, "room/1", 15, 1000);
	crew_run(crew);
	waiting = a->conn->out->messages;
	assert_true(waiting > 5);
	talk(a, "{'type':'unsubscribe','pattern':'room/+'}");
	crew_run(crew);
	assert_int_equal(a->conn->out->messages, 0);
	CREW_UNTIL(crew, (peer_receive(a), a->conn->out == NULL));
	talk_expect_messages(a, "room/1", 1, 15);
	peer_close(&a);
}

/* The ring was overwritten before the worker had read it. */
static void
test_who_follows_is_told_of_a_lap(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = follower(crew, 0, "room/+");
	talk_publish(crew, "room/1", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 1, 1);
	talk_publish(crew, "room/1", 600, 1000);
	crew_run(crew);
	talk_expect(a, "{'type':'gap','pattern':'room/+','reason':'lapped'}");
	talk_publish(crew, "room/1", 1, 0);
	talk_publish(crew, "room/2", 1, 0);
	crew_run(crew);
	talk_expect_messages(a, "room/1", 602, 602);
	talk_expect_messages(a, "room/2", 1, 1);
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_limits(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew->config.max_patterns_per_conn = 2;
	crew->config.max_patterns = 3;
	crew_start(crew, 1);
	a = follower(crew, 0, "a/+");
	follow(a, "b/+");
	follow(a, "a/+"); /* again */
	talk(a, "{'type':'subscribe','id':1,'pattern':'c/+'}");
	crew_run(crew);
	talk_expect(a, "{'type':'error','id':1,'code':'too_many_patterns',"
		       "'reason':'2 patterns per connection'}");
	b = follower(crew, 0, "c/+");
	talk(b, "{'type':'subscribe','id':1,'pattern':'d/+'}");
	crew_run(crew);
	talk_expect(b, "{'type':'error','id':1,'code':'too_many_patterns',"
		       "'reason':'there is no room for another pattern'}");
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_PATTERNS), 1);
	follow(b, "a/+"); /* it is there */
	peer_close(&a);
	peer_close(&b);
}

/* A pattern takes more than others that are shorter. */
static void
test_memory_is_limited_too(void **state)
{
	struct crew *crew = *state;
	struct peer *a;
	char deep[PATTERN_MAX + 1];

	crew->config.max_patterns = 4; /* 2 KiB */
	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	for (unsigned i = 0; i < PATTERN_MAX; i++)
		deep[i] = i % 2 == 0 ? 'x' : '/';
	deep[PATTERN_MAX] = '\0';
	follow(a, deep);
	talk(a, "{'type':'subscribe','pattern':'y'}");
	crew_run(crew);
	talk_expect_start(a, "{'type':'error','code':'too_many_patterns',");
	peer_close(&a);
}

static void
expect_refused(struct peer *client, const char *request, const char *code)
{
	talk(client, "%s", request);
	crew_run(client->crew);
	talk_expect_start(client, "{'type':'error','code':'%s',", code);
}

static void
test_what_is_no_pattern_is_refused(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = talk_open(crew, 0, "", 0);
	expect_refused(
	    a, "{'type':'subscribe','pattern':'#/a'}", "bad_pattern");
	expect_refused(a, "{'type':'subscribe','pattern':7}", "bad_pattern");
	expect_refused(a, "{'type':'subscribe','pattern':''}", "bad_pattern");
	expect_refused(
	    a, "{'type':'subscribe','pattern':'a\\n/#'}", "bad_pattern");
	expect_refused(a, "{'type':'subscribe','pattern':'a/#','topic':'b'}",
	    "bad_request");
	expect_refused(a, "{'type':'subscribe','pattern':'a/#','history':3}",
	    "bad_request");
	expect_refused(a,
	    "{'type':'subscribe','pattern':'a/#','since':{'epoch':'$',"
	    "'seq':1}}",
	    "bad_request");
	expect_refused(
	    a, "{'type':'unsubscribe','pattern':'a/#'}", "not_subscribed");
	assert_null(crew->w[0].hub.patterns);
	peer_close(&a);
}

/* A client of the test below, and what the one matcher says that it wants. */
struct wants {
	struct peer *peer;
	const char *patterns[8];
	unsigned count;
	const char *topics[8];
	unsigned topics_count;
	uint64_t last[32]; /* of each topic: the last number that it got */
	uint64_t expected, got;
};

static const char *const patterns[] = { "#", "+", "a/+", "a/#", "+/b", "+/+/c",
	"a/b/c", "b/+/#", "+/#", "b" };
static const char *const names[] = { "a", "b", "a/b", "a/c", "b/b", "b/a/c",
	"a/b/c", "a/b/c/d", "c", "b/", "/", "c/b", "c/c/c", "x/y/z" };

static bool
wants_topic(const struct wants *w, const char *name)
{
	for (unsigned i = 0; i < w->topics_count; i++)
		if (strcmp(w->topics[i], name) == 0)
			return true;
	for (unsigned i = 0; i < w->count; i++)
		if (pattern_matches(w->patterns[i], strlen(w->patterns[i]),
			name, strlen(name)))
			return true;
	return false;
}

/* Change one subscription: take what is there, or add what is not. */
static void
wants_change(struct wants *w, struct dice *dice)
{
	bool is_pattern = dice_below(dice, 3) > 0;
	const char **list = is_pattern ? w->patterns : w->topics;
	unsigned *count = is_pattern ? &w->count : &w->topics_count;
	const char *name = is_pattern
	                       ? patterns[dice_below(dice, COUNT(patterns))]
	                       : names[dice_below(dice, COUNT(names))];
	const char *kind = is_pattern ? "pattern" : "topic";

	for (unsigned i = 0; i < *count; i++)
		if (list[i] == name) {
			list[i] = list[--*count];
			talk(w->peer, "{'type':'unsubscribe','%s':'%s'}", kind,
			    name);
			return;
		}
	if (*count == (is_pattern ? 8 : 3))
		return;
	list[(*count)++] = name;
	talk(w->peer, "{'type':'subscribe','%s':'%s'}", kind, name);
}

/* Take in what came: each message is of a topic that was wanted, and newer than
 * the last one of that. */
static void
wants_take(struct wants *w)
{
	struct peer_frame frame;
	char text[256], topic[64];
	uint64_t seq;

	while (peer_next(w->peer, &frame)) {
		unsigned i = 0;

		snprintf(
		    text, sizeof(text), "%.*s", (int)frame.len, frame.data);
		if (sscanf(text,
			"{\"type\":\"message\",\"topic\":\"%63[^\"]\","
			"\"seq\":%" SCNu64,
			topic, &seq) != 2)
			fail_msg("%s", text);
		while (strcmp(names[i], topic) != 0)
			i++;
		assert_true(wants_topic(w, topic));
		assert_true(seq > w->last[i]);
		w->last[i] = seq;
		w->got++;
	}
}

/* Clients that subscribe and leave at random, and a directory that is too small
 * for the topics, so that slots change their names all the time. */
static void
test_all_get_what_the_matcher_says(void **state)
{
	struct crew *crew = *state;
	struct wants all[6];
	struct dice dice = { 1515 };
	uint64_t sum = 0;

	memset(all, 0, sizeof(all));
	/* Three clients have three topics of their own at most. */
	crew->config.max_topics = 12;
	crew_start(crew, 2);
	for (unsigned i = 0; i < COUNT(all); i++)
		all[i].peer = talk_open(crew, i % 2, "?buffer=1000", 0);
	for (unsigned round = 0; round < 1500; round++) {
		for (unsigned i = 0; i < COUNT(all); i++)
			if (i < 3 && dice_below(&dice, 20) == 0)
				wants_change(&all[i], &dice);
			else if (i >= 3 && all[i].count < 2)
				wants_change(&all[i], &dice);
		crew_run(crew);
		for (unsigned n = dice_below(&dice, 9); n > 0; n--) {
			const char *name =
			    names[dice_below(&dice, COUNT(names))];
			unsigned count = 1 + (unsigned)dice_below(&dice, 3);

			talk_publish(crew, name, count, 0);
			for (unsigned i = 0; i < COUNT(all); i++)
				if (wants_topic(&all[i], name))
					all[i].expected += count;
		}
		crew_run(crew);
		for (unsigned i = 0; i < COUNT(all); i++) {
			wants_take(&all[i]);
			assert_int_equal(all[i].got, all[i].expected);
		}
	}
	for (unsigned i = 0; i < COUNT(all); i++) {
		sum += all[i].got;
		peer_close(&all[i].peer);
	}
	assert_true(sum > 5000);
	/* Some names were looked up, and most were known. */
	assert_true(crew_stat(crew, 0, STATS_PATTERN_LOOKUPS) > 200);
}

#define PATTERN_TEST(test) \
	cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	PATTERN_TEST(test_a_pattern_brings_what_matches),
	PATTERN_TEST(test_only_who_follows_is_woken),
	PATTERN_TEST(test_nothing_is_left_of_who_closed),
	PATTERN_TEST(test_nobody_gets_a_message_twice),
	PATTERN_TEST(test_a_subscription_takes_over_where_the_pattern_was),
	PATTERN_TEST(test_a_replay_takes_over_where_the_pattern_was),
	PATTERN_TEST(test_a_pattern_begins_with_what_comes),
	PATTERN_TEST(test_echo_false_leaves_out_one_s_own),
	PATTERN_TEST(test_a_slot_with_another_name_is_looked_up_again),
	PATTERN_TEST(test_what_was_found_is_kept),
	PATTERN_TEST(test_messages_without_a_number_come_too),
	PATTERN_TEST(test_a_slow_client_is_told_how_many_it_missed),
	PATTERN_TEST(test_so_is_one_that_wants_the_latest),
	PATTERN_TEST(test_one_that_wants_to_be_closed_is),
	PATTERN_TEST(test_what_waits_of_a_pattern_that_was_left_comes),
	PATTERN_TEST(test_who_follows_is_told_of_a_lap),
	PATTERN_TEST(test_limits),
	PATTERN_TEST(test_memory_is_limited_too),
	PATTERN_TEST(test_what_is_no_pattern_is_refused),
	PATTERN_TEST(test_all_get_what_the_matcher_says),
};

SUITE_MAIN(tests);
