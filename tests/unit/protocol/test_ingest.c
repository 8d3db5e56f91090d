/* SPDX-License-Identifier: MIT */
/*
 * test_ingest.c - what a client sends asks for the same, however it is split.
 *
 * A connection takes a message that lies whole in what was read the short way,
 * and most objects in one pass; fed byte by byte, no frame ever lies whole.  So
 * two connections of one worker get the same bytes, one in pieces of random
 * length, the other one by one; what they have asked for then, what waits to be
 * sent to them, what they are paused for and how much of their rate is left must
 * be the same.  Nothing is committed in between.
 */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/feed.h"
#include "worker/requests/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS      3000
#define STREAM_MAX  8192u
#define MESSAGE_MAX 150u
#define SEED        UINT64_C(0x2545f4914f6cdd1d)

struct stream {
	uint8_t bytes[STREAM_MAX];
	size_t len;
};

static struct dice dice;

static void
put_frame(struct stream *s, int first, const char *text, size_t len)
{
	uint64_t roll = dice_roll(&dice);
	uint8_t mask[4], *frame = s->bytes + s->len;

	if (s->len + len + WS_HEADER_MAX > sizeof(s->bytes))
		return;
	memcpy(mask, &roll, sizeof(mask));
	s->len += ws_frame_masked(frame, WS_TEXT, mask, text, len);
	frame[0] = (uint8_t)first;
}

/* What nearly every client sends, and what is nearly that. */
static const char *const texts[] = {
	"{\"topic\":\"room\",\"message\":\"hello\"}",
	"{\"message\":\"hello\",\"topic\":\"room\"}",
	"{\"topic\":\"\",\"message\":\"\"}",
	"{\"topic\":\"a room of a longer name\",\"message\":\"a message of a "
	"length that takes more than a hundred and twenty-five bytes, so that "
	"its frame has a longer header\"}",
	"{\"topic\": \"room\", \"message\": \"hello\"}",
	"{\"topic\":\"r\\u006fom\",\"message\":\"\\ud83d\\ude00 \\ud83d\"}",
	"{\"topic\":\"caf\xc3\xa9\",\"message\":\"\xf0\x9f\x90\xb1\"}",
	"{\"topic\":\"c1 \xc2\x85\",\"message\":\"\"}",
	"{\"topic\":\"del \x7f\",\"message\":\"\"}",
	"{\"type\":\"publish\",\"id\":7,\"topic\":\"room\",\"message\":"
	"\"hello\"}",
	"{\"type\":\"publish\",\"topic\":\"room\",\"message\":\"hello\",\"id\":"
	"7}",
	"{\"type\":\"publish\",\"id\":\"a\",\"topic\":\"room\",\"message\":"
	"true}",
	"{\"type\":\"publish\",\"topic\":\"room\",\"message\":{\"a\":[1,2]}}",
	"{\"type\":\"publish\",\"topic\":\"\",\"message\":\"hello\"}",
	"{\"type\":\"publish\",\"topic\":\"room\",\"message\":0,\"topic\":1}",
	"{\"type\":\"publish\",\"topic\":\"r\\u006fom\",\"message\":"
	"\"\\ud83d\"}",
	"{\"type\":\"publish\",\"topic\":\"room\"}",
	"{\"type\":\"publish\",\"id\":[],\"topic\":\"room\",\"message\":0}",
	"{\"type\":\"subscribe\",\"id\":1,\"topic\":\"room\",\"history\":3}",
	"{\"type\":\"subscribe\",\"topic\":\"room\",\"echo\":false}",
	"{\"type\":\"history\",\"id\":4,\"topic\":\"room\",\"limit\":2}",
	"{\"type\":\"presence\",\"id\":5,\"topic\":\"room\"}",
	"{\"type\":\"unsubscribe\",\"id\":5,\"topic\":\"room\"}",
	"{\"type\":\"ping\",\"id\":6}",
	"{\"type\":\"publish\",\"type\":\"ping\",\"id\":6}",
	"{\"TOPIC\":\"room\",\"Message\":\"hello\"}",
	"{\"topic\":\"room\",\"topic\":null,\"message\":\"hello\"}",
	"{\"topic\":\"room\",\"message\":\"one\",\"message\":\"two\"}",
	"{}",
	"null",
	"[]",
};

/* A frame of about the length from which on it is refused. */
static void
put_long(struct stream *s)
{
	static const char head[] = "{\"topic\":\"room\",\"message\":\"";
	char text[MESSAGE_MAX + CONFIG_ENVELOPE_SLACK + 8];
	size_t len =
	    MESSAGE_MAX + CONFIG_ENVELOPE_SLACK - 3 + dice_below(&dice, 7);

	memset(text, 'x', len);
	memcpy(text, head, strlen(head));
	memcpy(text + len - 2, "\"}", 2);
	put_frame(s, 0x80 | WS_TEXT, text, len);
}

/* One frame, or something else that is sent: mostly what is in order. */
static void
put_something(struct stream *s)
{
	char text[512];

	strcpy(text, texts[dice_below(&dice, COUNT(texts))]);
	switch (dice_below(&dice, 40)) {
	case 0:
		put_frame(s, 0x80 | WS_BINARY, text, strlen(text));
		break;
	case 1:
		put_frame(s, 0x80 | WS_PING, "are you there?", 14);
		break;
	case 2:
		put_frame(s, WS_TEXT, text, strlen(text) / 2);
		put_frame(s, 0x80, text + strlen(text) / 2,
		    strlen(text) - strlen(text) / 2);
		break;
	case 3:
		dice_mutate(&dice, text, "\"\\{}[]:, \n0ntu\xc3");
		put_frame(s, 0x80 | WS_TEXT, text, strlen(text));
		break;
	case 4:
		put_frame(s, (int)dice_below(&dice, 256), text, strlen(text));
		break;
	case 5:
		put_long(s);
		break;
	default:
		put_frame(s, 0x80 | WS_TEXT, text, strlen(text));
	}
}

/* Hand bytes to a connection, in pieces of at most so many. */
static void
feed(struct peer *peer, const struct stream *s, size_t most)
{
	char piece[STREAM_MAX];
	size_t len;

	for (size_t at = 0; at < s->len; at += len) {
		len = 1 + dice_below(&dice, most);
		len = len < s->len - at ? len : s->len - at;
		memcpy(piece, s->bytes + at, len);
		conn_feed(peer->conn, piece, len);
	}
}

/* The next request of a connection, from index *at on, or NULL. */
static const struct intake_op *
next_of(const struct intake *intake, const struct conn *c, uint32_t *at)
{
	while (*at < intake->count)
		if (intake->ops[(*at)++].conn == c)
			return &intake->ops[*at - 1];
	return NULL;
}

static void
assert_same_request(const struct intake *intake, const struct intake_op *a,
    const struct intake_op *b)
{
	const struct intake_request *one = &a->want, *two = &b->want;

	assert_int_equal(one->kind, two->kind);
	assert_ptr_equal(one->answer, two->answer);
	assert_ptr_equal(one->code, two->code);
	assert_int_equal(one->no_echo, two->no_echo);
	assert_int_equal(one->has_since, two->has_since);
	assert_int_equal(one->is_other_epoch, two->is_other_epoch);
	assert_int_equal(one->has_limit, two->has_limit);
	assert_int_equal(one->has_before, two->has_before);
	assert_int_equal(one->limit, two->limit);
	assert_int_equal(one->since, two->since);
	assert_int_equal(one->before, two->before);
	assert_int_equal(one->id_len, two->id_len);
	assert_int_equal(one->topic_len, two->topic_len);
	assert_int_equal(one->body_len, two->body_len);
	assert_memory_equal(intake->bytes + a->at, intake->bytes + b->at,
	    (size_t)one->id_len + one->topic_len + one->body_len);
}

/* What waits to be sent: pongs and a close frame. */
static void
assert_same_output(const struct conn *a, const struct conn *b)
{
	const struct outq_item *one, *two;

	assert_int_equal(a->out != NULL, b->out != NULL);
	if (a->out == NULL)
		return;
	two = TAILQ_FIRST(&b->out->items);
	TAILQ_FOREACH(one, &a->out->items, link) {
		assert_non_null(two);
		assert_int_equal(one->len, two->len);
		/* Nothing has been published: no messages are among them. */
		assert_null(one->kept);
		assert_null(two->kept);
		assert_memory_equal(one->data, two->data, one->len);
		two = TAILQ_NEXT(two, link);
	}
	assert_null(two);
}

/* Returns: how many requests both have made. */
static unsigned
assert_same(
    const struct intake *intake, const struct conn *a, const struct conn *b)
{
	const struct intake_op *one, *two;
	uint32_t at_one = 0, at_two = 0;
	unsigned count = 0;

	for (;; count++) {
		one = next_of(intake, a, &at_one);
		two = next_of(intake, b, &at_two);
		assert_int_equal(one != NULL, two != NULL);
		if (one == NULL)
			break;
		assert_same_request(intake, one, two);
	}
	assert_same_output(a, b);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->paused, b->paused);
	assert_int_equal(a->messages.left, b->messages.left);
	assert_int_equal(a->controls.left, b->controls.left);
	assert_int_equal(a->input != NULL, b->input != NULL);
	if (a->input != NULL) {
		assert_int_equal(a->input->len, b->input->len);
		assert_memory_equal(
		    a->input->data, b->input->data, a->input->len);
	}
	return count;
}

/* One stream to two connections.  Returns: how many requests each has made. */
static unsigned
round_of(struct crew *crew, bool is_v1, unsigned frames, size_t most)
{
	struct peer *(*open)(struct crew *, unsigned, const char *) =
	    is_v1 ? peer_open_v1 : peer_open;
	struct peer *pieces = open(crew, 0, ""), *bytes = open(crew, 0, "");
	struct stream s = { .len = 0 };
	unsigned count;

	while (frames-- > 0)
		put_something(&s);
	feed(pieces, &s, most);
	feed(bytes, &s, 1);
	count = assert_same(&crew->w[0].intake, pieces->conn, bytes->conn);
	crew_run(crew);
	peer_close(&pieces);
	peer_close(&bytes);
	crew_run(crew);
	return count;
}

static void
test_the_split_makes_no_difference(void **state)
{
	static const size_t most[] = { 8, 60, 300, STREAM_MAX };
	struct crew *crew = *state;
	unsigned requests = 0;

	crew->config.rate = 25;
	crew->config.max_message = MESSAGE_MAX;
	crew_start(crew, 1);
	dice.state = SEED;
	for (int n = 0; n < ROUNDS; n++)
		requests +=
		    round_of(crew, n % 2, 1 + (unsigned)dice_below(&dice, 40),
			most[n / 2 % COUNT(most)]);
	assert_in_range(requests, 4 * ROUNDS, 40 * ROUNDS);
}

/* Of frames that lie whole none goes through a parser. */
static void
test_whole_messages_need_no_parser(void **state)
{
	struct crew *crew = *state;
	struct stream s = { .len = 0 };
	struct peer *peer;

	crew_start(crew, 1);
	dice.state = SEED;
	peer = peer_open(crew, 0, "");
	for (int i = 0; i < 10; i++)
		put_frame(&s, 0x81, texts[i % 4], strlen(texts[i % 4]));
	conn_feed(peer->conn, (char *)s.bytes, s.len - 3);
	assert_int_equal(crew->w[0].intake.count, 9);
	assert_int_equal(ws_pool_lent(crew->w[0].net.parsers), 1);
	conn_feed(peer->conn, (char *)s.bytes + s.len - 3, 3);
	assert_int_equal(crew->w[0].intake.count, 10);
	assert_int_equal(ws_pool_lent(crew->w[0].net.parsers), 0);
	crew_run(crew);
	peer_close(&peer);
}

/* A read that begins in the middle of a frame, as a busy publisher's do: the
 * parser gets that frame and is given back, though a cut one follows. */
static void
test_behind_a_cut_frame_the_short_way_goes_on(void **state)
{
	struct crew *crew = *state;
	struct stream s = { .len = 0 };
	struct peer *peer;
	size_t first;

	crew_start(crew, 1);
	dice.state = SEED;
	peer = peer_open(crew, 0, "");
	put_frame(&s, 0x81, texts[3], strlen(texts[3]));
	first = s.len;
	for (int i = 0; i < 3; i++)
		put_frame(&s, 0x81, texts[0], strlen(texts[0]));
	conn_feed(peer->conn, (char *)s.bytes, first / 2);
	assert_int_equal(ws_pool_lent(crew->w[0].net.parsers), 1);
	conn_feed(peer->conn, (char *)s.bytes + first / 2, s.len - first / 2);
	assert_int_equal(crew->w[0].intake.count, 4);
	/* Unmasked where they lie: these were taken the short way. */
	assert_memory_equal(
	    s.bytes + s.len - strlen(texts[0]), texts[0], strlen(texts[0]));
	assert_memory_equal(s.bytes + first + 6, texts[0], strlen(texts[0]));
	crew_run(crew);
	peer_close(&peer);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_the_split_makes_no_difference),
	T(test_whole_messages_need_no_parser),
	T(test_behind_a_cut_frame_the_short_way_goes_on),
};

SUITE_MAIN(tests);
