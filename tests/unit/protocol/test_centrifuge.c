/* SPDX-License-Identifier: MIT */
/*
 * test_centrifuge.c - clients of Centrifuge's protocol at whole workers: what they
 * are answered, and that a gap is the end of a subscription, wherever it is found.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/talk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD(query, line)                                 \
	"GET /connection/websocket" query                 \
	" HTTP/1.1\r\nHost: localhost:8000\r\n"           \
	"Upgrade: websocket\r\nConnection: Upgrade\r\n"   \
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" \
	"Sec-WebSocket-Version: 13\r\n" line "\r\n"

/* A client that has not said anything. */
static struct peer *
come(struct crew *crew, unsigned worker, const char *head, int sndbuf)
{
	struct peer *a = peer_connect(crew, worker, sndbuf);

	peer_send_string(a, head);
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 101);
	return a;
}

/* One that is connected. */
static struct peer *
join_with(struct crew *crew, unsigned worker, const char *head, int sndbuf)
{
	struct peer *a = come(crew, worker, head, sndbuf);

	talk(a, "{'id':1,'connect':{}}");
	crew_run(crew);
	talk_expect_start(a, "{'id':1,'connect':{'client':'%u.", worker);
	return a;
}

static struct peer *
join(struct crew *crew)
{
	return join_with(crew, 0, HEAD("", ""), 0);
}

/* Subscribe to "room", whose last number is that. */
static void
subscribe(struct crew *crew, struct peer *a, uint64_t seq)
{
	talk(a, "{'id':2,'subscribe':{'channel':'room'}}");
	crew_run(crew);
	talk_expect(a,
	    "{'id':2,'subscribe':{'recoverable':true,'positioned':true,"
	    "'epoch':'$','offset':%" PRIu64 "}}",
	    seq);
}

static void
expect_insufficient(struct peer *a)
{
	talk_expect(a, "{'push':{'channel':'room','unsubscribe':{'code':2500,"
		       "'reason':'insufficient state'}}}");
}

/* The next push is a message of "room", with this number. */
static void
expect_message(struct peer *a, uint64_t seq)
{
	talk_expect_start(
	    a, "{'push':{'channel':'room','pub':{'data':'%" PRIu64 " ", seq);
}

static void
test_commands_of_one_frame_are_answered_in_order(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = come(crew, 0, HEAD("", ""), 0);
	talk(a, "{'id':1,'connect':{'name':'js'}}\n"
		"{'id':2,'subscribe':{'channel':'room'}}\n\n"
		"{'id':3,'publish':{'channel':'room','data':{'a':1}}}\n"
		"{'id':4,'history':{'channel':'room','limit':9}}\n"
		"{'id':5,'unsubscribe':{'channel':'room'}}\n"
		"{'id':6,'unsubscribe':{'channel':'room'}}\n"
		"{'id':7,'publish':{'channel':'room','data':2}}\n");
	crew_run(crew);
	talk_expect_start(a, "{'id':1,'connect':{'client':'0.");
	talk_expect(a, "{'id':2,'subscribe':{'recoverable':true,"
		       "'positioned':true,'epoch':'$','offset':0}}");
	talk_expect(a, "{'id':3,'publish':{}}");
	talk_expect(a, "{'id':4,'history':{'publications':[{'data':{'a':1},"
		       "'offset':1}],'epoch':'$','offset':1}}");
	talk_expect(a, "{'id':5,'unsubscribe':{}}");
	talk_expect(a, "{'id':6,'unsubscribe':{}}");
	talk_expect(a, "{'id':7,'publish':{}}");
	peer_expect_nothing(a);
	peer_close(&a);
}

/* A line is where a command ends, so none may end in the midst of a message, which
 * another protocol takes with all the white space that it has. */
static void
test_a_message_is_one_line(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = join(crew);
	subscribe(crew, a, 0);
	b = talk_open(crew, 0, "", 0);
	talk(b, "{'type':'publish','topic':'room','message':{\n'a':\n[1,\n2]\n}"
		"}");
	crew_run(crew);
	talk_expect(a, "{'push':{'channel':'room','pub':{'data':{ 'a': [1, 2] "
		       "},'offset':1}}}");
	talk(b, "{'type':'publish','topic':'room','message':1,"
		"'ephemeral':true}");
	crew_run(crew);
	talk_expect(a, "{'push':{'channel':'room','pub':{'data':1}}}");
	talk(a, "{'id':3,'history':{'channel':'room','limit':-1}}");
	crew_run(crew);
	talk_expect(a, "{'id':3,'history':{'publications':[{'data':{ 'a': [1, "
		       "2] },'offset':1}],'epoch':'$','offset':1}}");
	peer_close(&a);
	peer_close(&b);
}

static void
test_what_comes_first(void **state)
{
	static const struct {
		const char *text;
		unsigned code;
	} all[] = {
		{ "{'id':1,'subscribe':{'channel':'room'}}", 3501 },
		{ "{'id':1,'connect':{}}\n{'id':2,'connect':{}}", 3501 },
		{ "{'id':1,'connect':{}}\n{'send':{'data':1}}", 3508 },
		{ "{'connect':{}}", 3501 },
		{ "hello", 3501 },
		{ "{'id':1,'connect':{}}\n{'id':2,", 3501 },
	};
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;

	crew_start(crew, 1);
	for (size_t i = 0; i < COUNT(all); i++) {
		a = come(crew, 0, HEAD("", ""), 0);
		talk(a, "%s", all[i].text);
		crew_run(crew);
		while (peer_next(a, &frame) && frame.opcode == WS_TEXT)
			continue;
		assert_int_equal(frame.opcode, WS_CLOSE);
		assert_int_equal(
		    (uint8_t)frame.data[0] << 8 | (uint8_t)frame.data[1],
		    all[i].code);
		peer_close(&a);
	}
}

static void
test_errors_have_numbers(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew->config.max_topics_per_conn = 1;
	crew_start(crew, 1);
	a = join(crew);
	subscribe(crew, a, 0);
	talk(a, "{'id':3,'subscribe':{'channel':'room'}}");
	talk(a, "{'id':4,'subscribe':{'channel':'room','recover':true,"
		"'offset':0,'epoch':'$'}}");
	talk(a, "{'id':5,'subscribe':{'channel':'other'}}");
	talk(a, "{'id':6,'dance':{}}");
	talk(a, "{'id':7,'rpc':{'method':'x'}}");
	talk(a, "{'id':8,'publish':{'channel':'room'}}");
	talk(a, "{'id':9,'history':{'channel':'room','limit':1,"
		"'since':{'offset':0,'epoch':'other'}}}");
	crew_run(crew);
	talk_expect(
	    a, "{'id':3,'error':{'code':105,'message':'already subscribed'}}");
	talk_expect(
	    a, "{'id':4,'error':{'code':105,'message':'already subscribed'}}");
	talk_expect(
	    a, "{'id':5,'error':{'code':106,'message':'limit exceeded'}}");
	talk_expect(
	    a, "{'id':6,'error':{'code':104,'message':'method not found'}}");
	talk_expect(
	    a, "{'id':7,'error':{'code':108,'message':'not available'}}");
	talk_expect(a, "{'id':8,'error':{'code':107,'message':'bad request: "
		       "data: a publish needs it'}}");
	talk_expect(a, "{'id':9,'error':{'code':112,"
		       "'message':'unrecoverable position'}}");
	peer_expect_nothing(a);
	peer_close(&a);
}

static void
test_handshakes(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	/* Chosen by the path alone, and named only if that was offered. */
	a = come(crew, 0, HEAD("", ""), 0);
	assert_null(memmem(a->got, a->at, "Sec-WebSocket-Protocol", 22));
	peer_close(&a);
	a = join_with(crew, 0,
	    HEAD("", "Sec-WebSocket-Protocol: centrifuge-json\r\n"), 0);
	assert_non_null(memmem(
	    a->got, a->at, "Sec-WebSocket-Protocol: centrifuge-json\r\n", 41));
	peer_close(&a);
	a = peer_connect(crew, 0, 0);
	peer_send_string(
	    a, HEAD("", "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n"));
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 400);
	peer_close(&a);
	a = peer_connect(crew, 0, 0);
	peer_send_string(a, HEAD("?topic=room", ""));
	crew_run(crew);
	peer_receive(a);
	peer_expect_status(a, 400);
	peer_close(&a);
	/* Nor is it to be had at /ws. */
	a = peer_connect(crew, 0, 0);
	talk_handshake(a, "?x");
	crew_run(crew);
	peer_close(&a);
}

static void
test_recovery(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	talk_publish(crew, "room", 3, 0);
	a = join(crew);
	talk(a, "{'id':2,'subscribe':{'channel':'room','recover':true,"
		"'offset':1,'epoch':'$'}}");
	crew_run(crew);
	talk_expect(a, "{'id':2,'subscribe':{'recoverable':true,"
		       "'positioned':true,'was_recovering':true,"
		       "'publications':[{'data':'2 ','offset':2},"
		       "{'data':'3 ','offset':3}],'recovered':true,"
		       "'epoch':'$','offset':1}}");
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	expect_message(a, 4);
	/* Nothing to recover is recovered, too. */
	talk(a, "{'id':3,'unsubscribe':{'channel':'room'}}\n"
		"{'id':4,'subscribe':{'channel':'room','recover':true,"
		"'offset':4}}");
	crew_run(crew);
	talk_expect(a, "{'id':3,'unsubscribe':{}}");
	talk_expect(a, "{'id':4,'subscribe':{'recoverable':true,"
		       "'positioned':true,'was_recovering':true,"
		       "'publications':[],'recovered':true,"
		       "'epoch':'$','offset':4}}");
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	expect_message(a, 5);
	/* Of another ring, or never given: only from now on. */
	for (int i = 0; i < 2; i++) {
		talk(a,
		    "{'id':5,'unsubscribe':{'channel':'room'}}\n"
		    "{'id':6,'subscribe':{'channel':'room',"
		    "'recover':true,'offset':%d,'epoch':'%s'}}",
		    i == 0 ? 1 : 99, i == 0 ? "_" : "$");
		crew_run(crew);
		talk_expect(a, "{'id':5,'unsubscribe':{}}");
		talk_expect(a, "{'id':6,'subscribe':{'recoverable':true,"
			       "'positioned':true,'was_recovering':true,"
			       "'epoch':'$','offset':5}}");
	}
	/* Or not at all, for a client that wants it so. */
	talk(a, "{'id':7,'unsubscribe':{'channel':'room'}}\n"
		"{'id':8,'subscribe':{'channel':'room','recover':true,"
		"'offset':1,'epoch':'_','flag':3}}");
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	talk_expect(a, "{'id':7,'unsubscribe':{}}");
	talk_expect(a, "{'id':8,'error':{'code':112,"
		       "'message':'unrecoverable position'}}");
	peer_expect_nothing(a);
	peer_close(&a);
}

/* All offsets of publications in a frame must follow that number.  Returns the
 * last one. */
static uint64_t
enter_numbers(const struct peer_frame *frame, uint64_t last)
{
	static const char word[] = "\",\"offset\":";
	const char *at = frame->data, *end = at + frame->len;

	while ((at = memmem(at, (size_t)(end - at), word, sizeof(word) - 1)) !=
	       NULL) {
		at += sizeof(word) - 1;
		if (memmem(frame->data, (size_t)(at - frame->data), "epoch",
			5) == NULL)
			assert_int_equal(strtoull(at, NULL, 10), ++last);
	}
	return last;
}

/* What is too much for a reply follows it, number by number. */
static void
test_a_long_recovery_goes_on_in_pushes(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;
	uint64_t last;

	crew->ring_size = 8u << 20;
	crew_start(crew, 1);
	talk_publish(crew, "room", 3000, 100);
	a = join(crew);
	talk(a, "{'id':2,'subscribe':{'channel':'room','recover':true,"
		"'offset':0,'epoch':'$'}}");
	crew_run(crew);
	assert_true(peer_next(a, &frame));
	assert_in_range(frame.len, 64 * 1024, 65 * 1024);
	assert_non_null(memmem(
	    frame.data, frame.len, "],\"recovered\":true,\"epoch\":", 27));
	last = enter_numbers(&frame, 0);
	assert_in_range(last, 100, 1000);
	while (last < 3000) {
		crew_run(crew);
		peer_receive(a);
		while (peer_next(a, &frame))
			last = enter_numbers(&frame, last);
	}
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	peer_receive(a);
	expect_message(a, 3001);
	peer_expect_nothing(a);
	peer_close(&a);
}

/* A client that is slow is told in the place of what it lost, and of that topic
 * nothing more, however much room there is for it. */
static void
test_slow(void **state, const char *head, bool keeps_oldest)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;
	uint64_t last = 0, seq;
	bool ended = false;
	char text[64];

	crew_start(crew, 1);
	a = join_with(crew, 0, head, 4096);
	subscribe(crew, a, 0);
	for (int i = 0; i < 20; i++) {
		talk_publish(crew, "room", 1, i % 2 == 0 ? 3000 : 0);
		crew_turn(crew, 0);
	}
	assert_true(crew_stat(crew, 0, STATS_DROPS) > 0);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_GAPS), 1);
	do {
		crew_run(crew);
		peer_receive(a);
		while (peer_next(a, &frame)) {
			assert_false(ended);
			snprintf(text, sizeof(text), "%.*s",
			    (int)frame.len < 63 ? (int)frame.len : 63,
			    frame.data);
			ended = strstr(text, "unsubscribe") != NULL;
			if (ended)
				continue;
			assert_int_equal(
			    sscanf(text,
				"{\"push\":{\"channel\":\"room\",\"pub\":{"
				"\"data\":\"%" SCNu64 " ",
				&seq),
			    1);
			assert_int_equal(seq, last + 1);
			last = seq;
		}
	} while (!ended);
	assert_in_range(last, keeps_oldest ? 2 : 1, 19);
	/* And goes on from there. */
	talk(a,
	    "{'id':3,'subscribe':{'channel':'room','recover':true,"
	    "'offset':%" PRIu64 ",'epoch':'$'}}",
	    last);
	do
		crew_run(crew);
	while (peer_receive(a) > 0);
	talk_expect_start(a,
	    "{'id':3,'subscribe':{'recoverable':true,"
	    "'positioned':true,'was_recovering':true,"
	    "'publications':[{'data':'%" PRIu64 " ",
	    last + 1);
	peer_close(&a);
}

static void
test_slow_drop(void **state)
{
	test_slow(state, HEAD("?buffer=2", ""), true);
}

static void
test_slow_latest(void **state)
{
	test_slow(state, HEAD("?buffer=2&overflow=latest", ""), false);
}

/* The whole ring went by. */
static void
test_lapped(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = join(crew);
	subscribe(crew, a, 0);
	talk_publish(crew, "room", 200, 3000);
	crew_run(crew);
	expect_insufficient(a);
	peer_expect_nothing(a);
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);
	talk(a, "{'id':3,'subscribe':{'channel':'room','recover':true,"
		"'offset':0,'epoch':'$'}}");
	crew_run(crew);
	talk_expect(a, "{'id':3,'subscribe':{'recoverable':true,"
		       "'positioned':true,'was_recovering':true,"
		       "'epoch':'$','offset':200}}");
	peer_close(&a);
}

/* What was promised in a reply is overwritten before it could be sent. */
static void
test_a_replay_is_overtaken(void **state)
{
	struct crew *crew = *state;
	struct peer_frame frame;
	struct peer *a;
	bool ended = false;

	crew_start(crew, 1);
	talk_publish(crew, "room", 60, 3000);
	a = join_with(crew, 0, HEAD("", ""), 4096);
	talk(a, "{'id':2,'subscribe':{'channel':'room','recover':true,"
		"'offset':0,'epoch':'$'}}");
	crew_turns(crew, 0, 3);
	talk_publish(crew, "other", 100, 3000);
	while (!ended) {
		crew_run(crew);
		peer_receive(a);
		while (peer_next(a, &frame)) {
			assert_false(ended);
			ended = memmem(frame.data, frame.len, "\"code\":2500",
				    11) != NULL;
		}
	}
	assert_int_equal(crew_stat(crew, 0, STATS_SUBSCRIPTIONS), 0);
	peer_close(&a);
}

static void
test_members_come_and_go(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew_start(crew, 1);
	a = join_with(crew, 0, HEAD("?user=ann", ""), 0);
	talk(a, "{'id':2,'subscribe':{'channel':'room','join_leave':true}}");
	crew_run(crew);
	talk_expect_start(a, "{'id':2,'subscribe':");
	b = peer_open(crew, 0, "?user=bob&topic=room");
	crew_run(crew);
	talk_expect(a, "{'push':{'channel':'room','join':{'info':{"
		       "'client':'name:bob','user':'bob','chan_info':{"
		       "'verified':false}}}}}");
	talk(a, "{'id':3,'presence':{'channel':'room'}}\n"
		"{'id':4,'presence_stats':{'channel':'room'}}\n"
		"{'id':5,'presence':{'channel':'none'}}\n"
		"{'id':6,'presence_stats':{'channel':'none'}}");
	crew_run(crew);
	talk_expect(a, "{'id':3,'presence':{'presence':{"
		       "'name:ann':{'client':'name:ann','user':'ann',"
		       "'chan_info':{'connections':1,'verified':false}},"
		       "'name:bob':{'client':'name:bob','user':'bob',"
		       "'chan_info':{'connections':1,'verified':false}}}}}");
	talk_expect(
	    a, "{'id':4,'presence_stats':{'num_clients':2,'num_users':2}}");
	talk_expect(a, "{'id':5,'presence':{'presence':{}}}");
	talk_expect(
	    a, "{'id':6,'presence_stats':{'num_clients':0,'num_users':0}}");
	peer_close(&b);
	crew_run(crew);
	talk_expect_start(a, "{'push':{'channel':'room','leave':{'info':{"
			     "'client':'name:bob',");
	peer_close(&a);
}

static void
test_history(void **state)
{
	static const struct {
		const char *asked, *publications;
	} all[] = {
		{ "'limit':2", "[1,2]" },
		{ "'limit':0", "[]" },
		{ "'limit':2,'reverse':true", "[5,4]" },
		{ "'limit':9,'since':{'offset':3,'epoch':'$'}", "[4,5]" },
		{ "'limit':1,'since':{'offset':3,'epoch':'$'}", "[4]" },
		{ "'limit':9,'since':{'offset':5}", "[]" },
		{ "'limit':9,'since':{'offset':0}", "[1,2,3,4,5]" },
		{ "'limit':9,'reverse':true,'since':{'offset':3}", "[2,1]" },
		{ "'limit':1,'reverse':true,'since':{'offset':6}", "[5]" },
		{ "'limit':9,'since':{'offset':6}", NULL },
		{ "'limit':9,'since':{'offset':1,'epoch':'x'}", NULL },
		{ "'since':{'offset':1,'epoch':'x'}", NULL },
		{ "'limit':9,'reverse':true,'since':{'offset':7}", NULL },
	};
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = join(crew);
	for (int i = 1; i <= 5; i++) {
		talk(a, "{'id':%d,'publish':{'channel':'room','data':%d}}", i,
		    i);
		crew_run(crew);
		talk_expect(a, "{'id':%d,'publish':{}}", i);
	}
	for (size_t i = 0; i < COUNT(all); i++) {
		char expected[512] = "[";
		const char *p = all[i].publications;

		talk(a, "{'id':9,'history':{'channel':'room',%s}}",
		    all[i].asked);
		crew_run(crew);
		if (p == NULL) {
			talk_expect_start(a, "{'id':9,'error':{'code':112,");
			continue;
		}
		for (p++; *p >= '1' && *p <= '9'; p += p[1] == ',' ? 2 : 1)
			snprintf(expected + strlen(expected),
			    sizeof(expected) - strlen(expected),
			    "%s{'data':%c,'offset':%c}",
			    expected[1] != '\0' ? "," : "", *p, *p);
		talk_expect(a,
		    "{'id':9,'history':{'publications':%s],'epoch':'$',"
		    "'offset':5}}",
		    expected);
	}
	peer_close(&a);
}

/* The first look into the past of a frame takes all the time of a turn: what
 * stands behind waits with it, in order. */
static void
test_many_looks_in_one_frame(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b;

	crew->ring_size = 16u << 20;
	crew_start(crew, 1);
	talk_publish(crew, "room", INTAKE_WALK_MAX / 2 + 10, 0);
	a = join(crew);
	b = join(crew);
	peer_hold(a);
	talk(b, "{'id':1,'history':{'channel':'room','limit':1}}");
	for (int i = 2; i < 6; i++)
		talk(a,
		    "{'id':%d,'history':{'channel':'room','limit':1}}\n"
		    "{'id':1%d,'publish':{'channel':'other','data':%d}}\n"
		    "{'id':2%d,'history':{'channel':'room','limit':1}}",
		    i, i, i, i);
	peer_release(a);
	crew_run(crew);
	for (int i = 2; i < 6; i++) {
		talk_expect_start(a, "{'id':%d,'history':", i);
		talk_expect(a, "{'id':1%d,'publish':{}}", i);
		talk_expect_start(a, "{'id':2%d,'history':", i);
	}
	assert_true(crew_stat(crew, 0, STATS_PAST_DEFERRED) > 0);
	peer_close(&a);
	peer_close(&b);
}

/* It is asked by a message of its own whether it is there. */
static void
test_ping(void **state)
{
	struct crew *crew = *state;
	struct peer *a;

	crew_start(crew, 1);
	a = join(crew);
	crew_ticks(crew, 0, wheel_ticks(56000));
	crew_run(crew);
	talk_expect(a, "{}");
	talk(a, "{}");
	crew_run(crew);
	crew_ticks(crew, 0, wheel_ticks(20000));
	crew_run(crew);
	peer_expect_nothing(a);
	crew_ticks(crew, 0, wheel_ticks(56000));
	crew_run(crew);
	talk_expect(a, "{}");
	crew_ticks(crew, 0, wheel_ticks(10000));
	crew_run(crew);
	peer_expect_close(a, 3012);
	assert_true(crew_stat(crew, 0, STATS_TIMEOUTS) > 0);
	peer_close(&a);
}

/* Another process goes on with all of them, in whatever state they are. */
static void
test_moved(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *slow;
	struct peer_frame frame;
	uint64_t last = 0;

	crew_start(crew, 1);
	talk_publish(crew, "room", 60, 3000);
	a = join(crew);
	talk(a, "{'id':2,'subscribe':{'channel':'room','join_leave':true}}");
	b = come(crew, 0, HEAD("", ""), 0);
	slow = join_with(crew, 0, HEAD("", ""), 4096);
	talk(slow, "{'id':2,'subscribe':{'channel':'room','recover':true,"
		   "'offset':0,'epoch':'$'}}");
	crew_turns(crew, 0, 3);
	assert_true(slow->conn->blocked);
	crew_succeed(crew);
	crew_run(crew);
	talk_expect_start(a, "{'id':2,'subscribe':");
	talk(b, "{'id':1,'connect':{}}\n"
		"{'id':2,'subscribe':{'channel':'room'}}");
	crew_run(crew);
	talk_expect_start(b, "{'id':1,'connect':");
	talk_expect_start(b, "{'id':2,'subscribe':");
	talk_publish(crew, "room", 1, 0);
	crew_run(crew);
	expect_message(a, 61);
	expect_message(b, 61);
	/* Number by number, in the reply and behind it. */
	do {
		crew_run(crew);
		peer_receive(slow);
		while (peer_next(slow, &frame))
			last = enter_numbers(&frame, last);
	} while (last < 61);
	peer_close(&a);
	peer_close(&b);
	peer_close(&slow);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_commands_of_one_frame_are_answered_in_order),
	T(test_a_message_is_one_line),
	T(test_what_comes_first),
	T(test_errors_have_numbers),
	T(test_handshakes),
	T(test_recovery),
	T(test_a_long_recovery_goes_on_in_pushes),
	T(test_slow_drop),
	T(test_slow_latest),
	T(test_lapped),
	T(test_a_replay_is_overtaken),
	T(test_members_come_and_go),
	T(test_history),
	T(test_many_looks_in_one_frame),
	T(test_ping),
	T(test_moved),
};

SUITE_MAIN(tests);
