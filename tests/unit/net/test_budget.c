/* SPDX-License-Identifier: MIT */
/* test_budget.c - what worker/net/budget.h promises, with a whole worker around
 * it. */

#include "worker/net/budget.h"

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "tests/unit/support/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of these a quarter is for input. */
#define MEMORY 64000u
#define INPUT  (MEMORY / 4)

static char x[65536]; /* "xxx..." */

static int
setup(void **state)
{
	struct crew *crew;

	memset(x, 'x', sizeof(x));
	crew_setup(state);
	crew = *state;
	crew->config.max_worker_memory = MEMORY;
	crew->config.max_message = 10000;
	return 0;
}

static int
teardown(void **state)
{
	kernel_plays_no_part();
	return crew_teardown(state);
}

static uint64_t
input_bytes(struct crew *crew)
{
	crew_run(crew);
	return crew_stat(crew, 0, STATS_INPUT_BYTES);
}

/* Begin a message by a fragment of so many bytes. */
static void
begin_message(struct peer *client, size_t len)
{
	unsigned char head[8] = { WS_TEXT, 0x80 | 126,
		(unsigned char)(len >> 8), (unsigned char)len };

	peer_send(client, head, sizeof(head));
	peer_send(client, x, len);
}

/* Go on with it, by a byte. */
static void
begin_more(struct peer *client)
{
	peer_send(client, "\x00\x81\0\0\0\0x", 7);
}

/* End it: with this it is a message of nothing but x, which is bad JSON. */
static void
end_message(struct peer *client)
{
	peer_send(client, "\x80\x80\0\0\0\0", 6);
}

static void
begin_post(struct peer *client, size_t length)
{
	char head[256];

	snprintf(head, sizeof(head),
	    "POST /topics/room HTTP/1.1\r\nHost: localhost\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    length);
	peer_send_string(client, head);
}

static void
test_parts_are_three_quarters_and_one(void **state)
{
	struct config config = { .max_worker_memory = 100, .max_message = 1 };

	(void)state;
	assert_int_equal(budget_max(&config, BUDGET_OUTPUT), 75);
	/* At least a message, with what is around it. */
	assert_int_equal(
	    budget_max(&config, BUDGET_INPUT), 1 + CONFIG_ENVELOPE_SLACK);
	config.max_worker_memory = 1 << 20;
	assert_int_equal(budget_max(&config, BUDGET_OUTPUT), 3 << 18);
	assert_int_equal(budget_max(&config, BUDGET_INPUT), 1 << 18);
}

static void
test_all_that_is_incomplete_is_counted(void **state)
{
	struct crew *crew = *state;
	struct peer *head, *body, *chunked, *message;

	crew_start(crew, 1);
	head = peer_connect(crew, 0, 0);
	peer_send_string(head, "GET / HTTP/1.1\r\n");
	assert_int_equal(input_bytes(crew), 16);
	body = peer_connect(crew, 0, 0);
	begin_post(body, 100);
	peer_send(body, x, 60);
	assert_int_equal(input_bytes(crew), 16 + 60);
	chunked = peer_connect(crew, 0, 0);
	peer_send_string(chunked,
	    "POST /topics/room HTTP/1.1\r\nHost: localhost\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
	assert_int_equal(input_bytes(crew), 16 + 60 + 5);
	message = peer_open(crew, 0, "");
	begin_message(message, 300);
	assert_int_equal(input_bytes(crew), 16 + 60 + 5 + 300);
	/* And forgotten when it is complete, or its connection gone. */
	peer_send_string(head, "Host: localhost\r\n\r\n");
	assert_int_equal(input_bytes(crew), 60 + 5 + 300);
	peer_send(body, x, 40);
	assert_int_equal(input_bytes(crew), 5 + 300);
	peer_close(&chunked);
	assert_int_equal(input_bytes(crew), 300);
	end_message(message);
	assert_int_equal(input_bytes(crew), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 0);
	peer_close(&head);
	peer_close(&body);
	peer_close(&message);
}

/* A part that is full hits those who hold more of it than their share, and only
 * when they add to it. */
static void
test_who_holds_more_than_its_share_of_input_goes(void **state)
{
	struct crew *crew = *state;
	struct peer *a, *b, *post, *bystander;

	crew_start(crew, 1);
	bystander = peer_open(crew, 0, "");
	begin_message(bystander, 1000);
	a = peer_open(crew, 0, "");
	begin_message(a, 9000);
	assert_int_equal(input_bytes(crew), 1000 + 9000);
	b = peer_open(crew, 0, "");
	begin_message(b, 7000);
	crew_run(crew);
	peer_receive(b);
	peer_expect_close(b, WS_CODE_TRY_LATER);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 1);
	assert_int_equal(input_bytes(crew), 1000 + 9000);
	post = peer_connect(crew, 0, 0);
	begin_post(post, 8000);
	peer_send(post, x, 7000);
	crew_run(crew);
	peer_receive(post);
	peer_expect_status(post, 503);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 2);
	/* The bystander has a quarter of that: it goes on. */
	peer_send(bystander, "\x80\x82\0\0\0\0{}", 8);
	crew_run(crew);
	peer_receive(bystander);
	peer_expect_close(bystander, WS_CODE_POLICY); /* xxx...{} */
	peer_expect_nothing(a);
	peer_close(&a);
	peer_close(&b);
	peer_close(&post);
	peer_close(&bystander);
}

/* It was looked at only when the head began, and that is a byte. */
static void
test_a_head_in_pieces_is_input(void **state)
{
	struct crew *crew = *state;
	struct peer *heads[4];

	crew_start(crew, 1);
	for (unsigned i = 0; i < 4; i++) {
		heads[i] = peer_connect(crew, 0, 0);
		peer_send_string(heads[i], "GET / HTTP/1.1\r\n");
	}
	crew_run(crew);
	for (unsigned i = 0; i < 4; i++) {
		peer_send_string(heads[i], "X: ");
		peer_send(heads[i], x, 5000);
	}
	assert_in_range(input_bytes(crew), 3 * 5000, INPUT);
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 1);
	for (unsigned i = 0; i < 4; i++)
		peer_close(&heads[i]);
}

/* While others have filled their part, messages that come in one piece need
 * none, and half a head is within any share. */
static void
test_small_things_pass_while_input_is_full(void **state)
{
	struct crew *crew = *state;
	struct peer *hogs[4], *bystander, *browser;

	crew_start(crew, 1);
	bystander = peer_open(crew, 0, "");
	browser = peer_connect(crew, 0, 0);
	for (unsigned i = 0; i < 4; i++) {
		hogs[i] = peer_open(crew, 0, "");
		begin_message(hogs[i], 3000);
	}
	assert_int_equal(input_bytes(crew), 4 * 3000);
	crew->w[0].config.max_worker_memory = 4;
	crew->w[0].config.max_message = 64; /* for input: a little over 1 KiB */
	peer_send_string(browser, "GET /healthz HTTP/1.1\r\n");
	assert_int_equal(input_bytes(crew), 4 * 3000 + 23);
	peer_publish(bystander, "room", "hi");
	crew_run(crew);
	peer_receive(bystander);
	peer_expect(bystander, "hi");
	peer_send_string(browser, "Host: localhost\r\n\r\n");
	crew_run(crew);
	peer_receive(browser);
	peer_expect_status(browser, 200);
	/* The others go as soon as they add to theirs. */
	end_message(hogs[0]);
	for (unsigned i = 1; i < 4; i++)
		begin_more(hogs[i]);
	crew_run(crew);
	for (unsigned i = 1; i < 4; i++) {
		peer_receive(hogs[i]);
		peer_expect_close(hogs[i], WS_CODE_TRY_LATER);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_REFUSED_MEMORY), 3);
	for (unsigned i = 0; i < 4; i++)
		peer_close(&hogs[i]);
	peer_close(&bystander);
	peer_close(&browser);
}

/* Answers cannot be dropped.  Who takes none of them is cut when they are more
 * than its share of what is full; who holds little stays. */
static void
test_who_holds_more_than_its_share_of_answers_goes(void **state)
{
	struct crew *crew = *state;
	char ping[125] = { 0 };
	struct peer *a, *b;

	crew->config.max_worker_memory = 20000; /* for output: 15000 */
	crew_start(crew, 1);
	a = peer_open(crew, 0, "");
	b = peer_open(crew, 0, "");
	kernel_has_room(a, 0);
	for (int i = 0; i < 15000 / 127; i++) {
		peer_frame(a, WS_PING, ping, sizeof(ping));
		crew_turn(crew, 0);
	}
	assert_int_equal(
	    crew_stat(crew, 0, STATS_BUFFERED_BYTES), 15000 / 127 * 127);
	assert_int_equal(crew_stat(crew, 0, STATS_MEMORY_CLOSES), 0);
	peer_frame(a, WS_PING, ping, sizeof(ping));
	peer_frame(b, WS_PING, ping, sizeof(ping));
	crew_turn(crew, 0);
	assert_int_equal(crew_stat(crew, 0, STATS_MEMORY_CLOSES), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_BUFFERED_BYTES), 0);
	peer_frame(b, WS_PING, ping, sizeof(ping));
	crew_run(crew);
	assert_int_equal(peer_receive(b), 2 * 127);
	peer_close(&a);
	peer_close(&b);
}

/* Publish so many messages of 100 bytes, numbered from `first' on. */
static void
publish(struct crew *crew, const char *topic, int first, int count)
{
	struct ring *ring = &crew->w[0].hub.ring;
	char json[103];

	for (int i = first; i < first + count; i++) {
		snprintf(json, sizeof(json), "\"%0100d\"", i);
		hand_publish(ring, hand_topic(ring, topic), json);
		crew_turn(crew, 0);
	}
}

static void
expect(struct peer *client, int first, int count)
{
	char text[101];

	for (int i = first; i < first + count; i++) {
		snprintf(text, sizeof(text), "%0100d", i);
		peer_expect(client, text);
	}
}

/*
 * Clients with large buffers that read nothing held all memory for ever, and
 * those who read were told gaps: what waited for the former was dropped when it
 * became more, but never counted as theirs.
 */
static void
test_who_fills_the_memory_goes_and_others_lose_nothing(void **state)
{
	struct crew *crew = *state;
	struct peer *hog, *reader;
	int rest = 0;

	crew->config.max_worker_memory = 20000; /* for output: 15000 */
	crew_start(crew, 1);
	hog = peer_open(crew, 0, "?topic=hog&topic=room&buffer=1000");
	reader = peer_open_slow(crew, 0, "?topic=room&buffer=1000", 1);
	kernel_has_room(hog, 0);
	publish(crew, "hog", 0, 15000 / 102 + 1);
	assert_int_equal(crew_stat(crew, 0, STATS_DROPS_MEMORY), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_MEMORY_CLOSES), 0);
	while (
	    reader->conn->out == NULL || reader->conn->out->bytes < 15000 / 4) {
		publish(crew, "room", rest++, 1);
		assert_in_range(rest, 0, 1000);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_MEMORY_CLOSES), 1);
	assert_int_equal(crew_stat(crew, 0, STATS_WEBSOCKETS), 1);
	CREW_UNTIL(crew, (peer_receive(reader), reader->conn->out == NULL));
	expect(reader, 0, rest);
	peer_close(&hog);
	peer_close(&reader);
	crew_run(crew);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_parts_are_three_quarters_and_one),
	T(test_all_that_is_incomplete_is_counted),
	T(test_who_holds_more_than_its_share_of_input_goes),
	T(test_a_head_in_pieces_is_input),
	T(test_small_things_pass_while_input_is_full),
	T(test_who_holds_more_than_its_share_of_answers_goes),
	T(test_who_fills_the_memory_goes_and_others_lose_nothing),
};

SUITE_MAIN(tests);
