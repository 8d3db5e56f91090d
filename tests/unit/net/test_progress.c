/* SPDX-License-Identifier: MIT */
/*
 * test_progress.c - slow readers stay, and who takes nothing goes.
 *
 * Life was read from a socket's being writable again, which the kernel reports
 * only after a third of a full send buffer is gone: readers of 10 KB/s were cut
 * as dead.  Connections are of TCP here; the wheel's time is the test's, so what
 * a client "reads in a minute" is what it reads between two calls.
 */

#include "worker/net/progress.h"

#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/net/conn.h"
#include "worker/ws/ws_conn.h"

#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define TICKS(seconds) ((seconds)*1000u / WHEEL_TICK_MS)
#define LARGE          300000u

static int
setup(void **state)
{
	struct crew *crew;

	crew_setup(state);
	crew = *state;
	crew->tcp = true;
	return 0;
}

static struct tcp_info
info_of(const struct peer *client)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	assert_int_equal(
	    getsockopt(client->conn->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len),
	    0);
	return info;
}

/* Read some bytes. */
static size_t
read_some(struct peer *client)
{
	static char buf[4096];
	ssize_t n = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

/* Read until the other host knows that something was read. */
static size_t
read_a_little(struct crew *crew, struct peer *client)
{
	uint64_t before = info_of(client).tcpi_bytes_acked;
	size_t got = 0;

	CREW_UNTIL(crew, (got += read_some(client),
			     info_of(client).tcpi_bytes_acked != before));
	return got;
}

static void
pong(struct crew *crew, struct peer *client)
{
	peer_frame(client, WS_PONG, "", 0);
	crew_run(crew);
}

/* Publish to the room until this much waits for the client. */
static void
fill(struct crew *crew, struct peer *from, const struct peer *client)
{
	char text[4000];

	memset(text, 'x', sizeof(text));
	text[3900] = '\0';
	for (int i = 0;
	     client->conn->out == NULL || client->conn->out->bytes < 3 * LARGE;
	     i++) {
		assert_in_range(i, 0, 10000);
		peer_publish(from, "room", text);
		crew_run(crew);
		read_some(from);
		while (read_some(from) > 0)
			;
	}
}

static void
test_slow_reader_of_a_websocket_stays(void **state)
{
	struct crew *crew = *state;
	struct peer *slow, *other;

	crew_start(crew, 1);
	slow = peer_open(crew, 0, "?topic=room&buffer=4096");
	other = peer_open(crew, 0, "");
	fill(crew, other, slow);
	for (int i = 0; i < 12; i++) {
		crew_ticks(crew, 0, TICKS(50));
		pong(crew, other);
		assert_int_not_equal(read_a_little(crew, slow), 0);
		assert_int_equal(crew_stat(crew, 0, STATS_WEBSOCKETS), 2);
	}
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	peer_close(&slow);
	peer_close(&other);
	crew_run(crew);
}

/* Ticks until a worker has one WebSocket; at most so many seconds' worth.  The
 * other clients answer pings, and `talker' says something now and then. */
static uint32_t
seconds_until_cut(struct crew *crew, struct peer *other, struct peer *talker)
{
	for (uint32_t s = 0; s < 600; s += 10) {
		if (crew_stat(crew, 0, STATS_WEBSOCKETS) == 1)
			return s;
		crew_ticks(crew, 0, TICKS(10));
		pong(crew, other);
		if (talker != NULL && crew_stat(crew, 0, STATS_WEBSOCKETS) == 2)
			pong(crew, talker);
	}
	fail_msg("it is never cut");
	return 0;
}

static void
test_who_takes_nothing_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *dead, *other;

	crew_start(crew, 1);
	dead = peer_open(crew, 0, "?topic=room&buffer=4096");
	other = peer_open(crew, 0, "");
	fill(crew, other, dead);
	assert_in_range(seconds_until_cut(crew, other, NULL), 54, 180);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	/* The kernel has forgotten what it had for it, too. */
	CREW_UNTIL(crew, (peer_receive(dead), dead->reset || dead->eof));
	assert_true(dead->reset);
	peer_close(&dead);
	peer_close(&other);
	crew_run(crew);
}

/* Clients that read nothing and sent a pong now and then held all memory for
 * output for ever: what they sent counted as life. */
static void
test_who_talks_and_takes_nothing_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *dead, *other;

	crew_start(crew, 1);
	dead = peer_open(crew, 0, "?topic=room&buffer=4096");
	other = peer_open(crew, 0, "");
	fill(crew, other, dead);
	assert_in_range(seconds_until_cut(crew, other, dead), 54, 240);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	peer_close(&dead);
	peer_close(&other);
	crew_run(crew);
}

/* Its host takes the ping, and everything before that was read. */
static void
test_who_does_not_answer_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *mute, *other;

	crew_start(crew, 1);
	mute = peer_open(crew, 0, "");
	other = peer_open(crew, 0, "");
	crew_ticks(crew, 0, TICKS(54));
	pong(crew, other);
	CREW_UNTIL(crew, info_of(mute).tcpi_unacked == 0);
	crew_ticks(crew, 0, TICKS(7));
	assert_int_equal(crew_stat(crew, 0, STATS_WEBSOCKETS), 1);
	peer_close(&mute);
	peer_close(&other);
	crew_run(crew);
}

/* From now on nothing that is sent to the socket arrives there.  Returns false if
 * this user may not do that: some kernels reserve it for root. */
static bool
take_nothing(int fd)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = { .len = 1, .filter = &nothing };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter,
		   sizeof(filter)) == 0;
}

static bool
may_take_nothing(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool may;

	assert_int_not_equal(fd, -1);
	may = take_nothing(fd);
	close(fd);
	return may;
}

/* What the kernel has taken looks like sent, and nobody tells that it never
 * arrived: streams of vanished readers stayed for as long as their heartbeats
 * found room there. */
static void
test_host_that_acknowledges_nothing_is_gone(void **state)
{
	struct crew *crew = *state;
	struct peer *away;
	struct conn *c;

	if (!may_take_nothing())
		skip_because("this user may not give a socket a filter");
	crew_start(crew, 1);
	away = peer_open(crew, 0, "");
	c = away->conn;
	CREW_UNTIL(crew, progress_look(c, 0, 100) == PROGRESS_IDLE);
	assert_true(take_nothing(away->fd));
	conn_answer(c, "x", 1);
	crew_run(crew);
	assert_null(c->out);
	assert_int_equal(progress_look(c, 0, 0), PROGRESS_NONE);
	CREW_UNTIL(crew, info_of(away).tcpi_last_ack_recv >= 100);
	assert_int_equal(progress_look(c, 0, 1u << 31), PROGRESS_NONE);
	assert_int_equal(progress_look(c, 0, 100), PROGRESS_GONE);
	progress_ask(c);
	assert_int_equal(progress_unanswered(c, 1u << 31), PROGRESS_NONE);
	assert_int_equal(progress_unanswered(c, 100), PROGRESS_GONE);
	peer_close(&away);
	crew_run(crew);
}

/* A connection that has LARGE bytes to be sent, as the answer to a request. */
static struct peer *
answered(struct crew *crew)
{
	static char bytes[LARGE];
	struct peer *client = peer_connect(crew, 0, 0);

	peer_send_string(
	    client, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	peer_expect_status(client, 200);
	conn_answer(client->conn, bytes, sizeof(bytes));
	return client;
}

/* Read it in little pieces, so many seconds for each.  Returns how much came
 * before the end. */
static size_t
read_slowly(struct crew *crew, struct peer *client, uint32_t seconds)
{
	size_t got = 0;

	/* Cut, the connection is gone. */
	while (crew_stat(crew, 0, STATS_TIMEOUTS) == 0 &&
	       client->conn->out != NULL) {
		got += read_a_little(crew, client);
		crew_ticks(crew, 0, TICKS(seconds));
	}
	return got;
}

static void
test_slow_reader_of_a_last_answer_gets_it_whole(void **state)
{
	struct crew *crew = *state;
	struct peer *slow;
	size_t got;

	crew_start(crew, 1);
	slow = answered(crew);
	conn_close_when_written(slow->conn);
	crew_run(crew);
	got = read_slowly(crew, slow, 9);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	CREW_UNTIL(crew, (peer_receive(slow), slow->eof || slow->reset));
	assert_false(slow->reset);
	assert_true(got + slow->len >= LARGE);
	peer_close(&slow);
	crew_run(crew);
}

static void
test_slow_reader_of_an_answer_gets_it_whole(void **state)
{
	struct crew *crew = *state;
	struct peer *slow;

	crew_start(crew, 1);
	slow = answered(crew);
	crew_run(crew);
	read_slowly(
	    crew, slow, 9); /* longer than the 120 s between two requests */
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	peer_close(&slow);
	crew_run(crew);
}

static void
test_slow_reader_of_a_file_gets_it_whole(void **state)
{
	struct crew *crew = *state;
	struct peer *slow;
	size_t got;

	crew_file(crew, "large", LARGE);
	crew_start(crew, 1);
	slow = peer_connect(crew, 0, 0);
	peer_send_string(
	    slow, "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
	crew_run(crew);
	got = read_slowly(crew, slow, 9);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 0);
	CREW_UNTIL(crew, (peer_receive(slow), got + slow->len > LARGE));
	peer_close(&slow);
	crew_run(crew);
}

/* So nobody holds a descriptor for a day by a byte now and then. */
static void
test_slower_than_the_least_rate_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *slow;

	crew->config.min_rate = 64 * 1024;
	crew_start(crew, 1);
	slow = answered(crew);
	conn_close_when_written(slow->conn);
	crew_run(crew);
	read_slowly(crew, slow, 9);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	peer_close(&slow);
	crew_run(crew);
}

static void
test_last_answer_that_nobody_takes_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *dead;

	crew_start(crew, 1);
	dead = answered(crew);
	conn_close_when_written(dead->conn);
	crew_run(crew);
	crew_ticks(crew, 0, TICKS(60));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 1);
	crew_ticks(crew, 0, TICKS(30));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	assert_int_equal(crew_stat(crew, 0, STATS_TIMEOUTS), 1);
	peer_close(&dead);
}

/* Whether it has taken something since some look long ago is not asked then. */
static void
test_who_has_it_all_and_does_not_close_is_not_waited_for(void **state)
{
	struct crew *crew = *state;
	struct peer *rude;

	crew_start(crew, 1);
	rude = peer_open(crew, 0, "");
	ws_close(rude->conn, WS_CODE_GOING_AWAY, "bye");
	crew_run(crew);
	CREW_UNTIL(crew, info_of(rude).tcpi_unacked == 0);
	crew_ticks(crew, 0, TICKS(6));
	assert_int_equal(crew_stat(crew, 0, STATS_CONNECTIONS), 0);
	peer_close(&rude);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_slow_reader_of_a_websocket_stays),
	T(test_who_takes_nothing_is_cut),
	T(test_who_talks_and_takes_nothing_is_cut),
	T(test_who_does_not_answer_is_cut),
	T(test_host_that_acknowledges_nothing_is_gone),
	T(test_slow_reader_of_a_last_answer_gets_it_whole),
	T(test_slow_reader_of_an_answer_gets_it_whole),
	T(test_slow_reader_of_a_file_gets_it_whole),
	T(test_slower_than_the_least_rate_is_cut),
	T(test_last_answer_that_nobody_takes_is_cut),
	T(test_who_has_it_all_and_does_not_close_is_not_waited_for),
};

SUITE_MAIN(tests);
