/* SPDX-License-Identifier: MIT */
/* crew.c - see crew.h. */

#include "tests/unit/support/crew.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "worker/net/conns.h"
#include "worker/net/io.h"
#include "worker/open.h"
#include "worker/pubsub.h"
#include "worker/turn.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CREW_ROUNDS_MAX 100000 /* before it counts as never coming to rest */

static const struct config crew_config = {
	.name = "crew",
	.max_topics = 64,
	.max_message = 4096,
	.max_conns = 1000,
	.max_conns_per_address = 1000,
	.max_topics_per_conn = 8,
	.max_buffer = 100000,
	.max_worker_memory = 64u << 20,
	.max_head = 8192,
	.request_ms = 10000,
	.idle_ms = 120000,
	.stall_ms = 60000,
	.min_rate = 512,
	.max_pipelined = 16,
	.drain_ms = 1000,
	.ping_interval_ms = 54000,
};

int
crew_setup(void **state)
{
	struct crew *crew = xcalloc(1, sizeof(*crew));

	log_open("crew", STDERR_FILENO, LOG_ERROR);
	crew->config = crew_config;
	crew->service = &pubsub_service;
	crew->ring_size = 256u << 10;
	strcpy(crew->root, "/tmp/crew-XXXXXX");
	assert_non_null(mkdtemp(crew->root));
	crew->config.root = crew->root;
	crew->root_fd = open(crew->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_not_equal(crew->root_fd, -1);
	*state = crew;
	return 0;
}

/* A worker is left to what the test does: nothing turns by itself. */
static void
crew_start_one(struct crew *crew, unsigned i)
{
	struct worker *w = &crew->w[i];

	crew->wakeup[i] = crew->doorbells;
	crew->args[i] = (struct worker_args){ .config = &crew->config,
		.segment = &crew->t.seg,
		.wakeup = &crew->wakeup[i],
		.slot = i,
		.root = crew->root_fd,
		.supervisor_fd = crew->supervisor[0],
		.state_fd = crew->state_fd,
		.lock_fd = -1 };
	assert_true(worker_open(w, &crew->args[i], crew->service));
	bug_set_hook(NULL); /* it would write to a segment long gone */
	worker_set_state(&crew->args[i], WORKER_READY);
	ev_prepare_stop(w->net.loop, &w->before_wait);
	ev_timer_stop(w->net.loop, &w->beat);
	ev_timer_stop(w->net.loop, &w->tick);
}

void
crew_start(struct crew *crew, unsigned n)
{
	assert_in_range(n, 1, CREW_MAX);
	testseg_open(&crew->t, crew->ring_size, crew->config.max_topics);
	assert_true(wakeup_open(&crew->doorbells, &crew->t.seg, n));
	assert_int_equal(pipe2(crew->supervisor, O_CLOEXEC), 0);
	crew->state_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_not_equal(crew->state_fd, -1);
	for (unsigned i = 0; i < n; i++)
		crew_start_one(crew, i);
	crew->count = n;
}

void
crew_start_for_drain(struct crew *crew, unsigned n, uint32_t drain_ms)
{
	crew->config.drain_ms = drain_ms;
	crew_start(crew, n);
}

static int
crew_remove_cb(
    const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* All that a worker counts as existing now. */
static void
crew_check_gauges(const struct crew *crew, unsigned i)
{
	static const enum stats_id gauges[] = { STATS_CONNECTIONS,
		STATS_WEBSOCKETS, STATS_SUBSCRIPTIONS, STATS_TOPICS,
		STATS_PARSERS, STATS_BUFFERED_BYTES, STATS_INPUT_BYTES };

	for (size_t n = 0; n < COUNT(gauges); n++)
		if (crew_stat(crew, i, gauges[n]) != 0)
			fail_msg("at the end %s is %llu",
			    stats_info[gauges[n]].name,
			    (unsigned long long)crew_stat(crew, i, gauges[n]));
	assert_int_equal(crew->w[i].net.budget.held[BUDGET_OUTPUT], 0);
	assert_int_equal(crew->w[i].net.conns.count, 0);
	assert_int_equal(crew->w[i].net.conns.admin_count, 0);
}

int
crew_teardown(void **state)
{
	struct crew *crew = *state;

	for (unsigned i = 0; i < crew->count; i++)
		worker_close(&crew->w[i]);
	for (unsigned i = 0; i < crew->count; i++)
		crew_check_gauges(crew, i);
	if (crew->count > 0) {
		wakeup_close(&crew->doorbells);
		close(crew->supervisor[0]);
		if (crew->supervisor[1] != -1)
			close(crew->supervisor[1]);
		close(crew->state_fd);
		testseg_close(&crew->t);
	}
	close(crew->root_fd);
	assert_int_equal(nftw(crew->root, crew_remove_cb, 8, FTW_DEPTH), 0);
	free(crew);
	return 0;
}

int
crew_mp_setup(void **state)
{
	return mp_setup(NULL) | crew_setup(state);
}

int
crew_mp_teardown(void **state)
{
	return crew_teardown(state) | mp_teardown(NULL);
}

bool
crew_is_rung(const struct crew *crew, unsigned worker)
{
	struct pollfd fd = { .fd = crew->doorbells.fd[worker],
		.events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

uint64_t
crew_stat(const struct crew *crew, unsigned worker, enum stats_id id)
{
	return stats_get(crew->t.seg.workers[worker].counters, id);
}

void
crew_turn(struct crew *crew, unsigned worker)
{
	struct worker *w = &crew->w[worker];

	ev_run(w->net.loop, EVRUN_NOWAIT);
	turn_end(w);
	if (!intake_empty(&w->intake) && !ev_is_active(&w->intake.retry) &&
	    !crew_is_rung(crew, worker))
		fail_msg(
		    "worker %u sleeps on %u requests", worker, w->intake.count);
	if (w->net.outbox.entries_count > 0 && !crew_is_rung(crew, worker))
		fail_msg("worker %u sleeps on %u connections to write to",
		    worker, w->net.outbox.entries_count);
}

void
crew_turns(struct crew *crew, unsigned worker, unsigned turns)
{
	while (turns-- > 0)
		crew_turn(crew, worker);
}

/* A number that changes whenever a worker does anything. */
static uint64_t
crew_progress(const struct crew *crew)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < crew->count; i++) {
		sum += crew_stat(crew, i, STATS_BYTES_IN) +
		       crew_stat(crew, i, STATS_BYTES_OUT) +
		       crew_stat(crew, i, STATS_WRITES) +
		       crew_stat(crew, i, STATS_MESSAGES_IN) +
		       crew->w[i].net.conns.numbered -
		       crew->w[i].net.conns.count + crew->w[i].tail.cursor.pos;
		sum += crew_is_rung(crew, i);
	}
	return sum;
}

void
crew_run(struct crew *crew)
{
	uint64_t before;
	bool rung;
	int rounds = 0;

	do {
		before = crew_progress(crew);
		rung = false;
		for (unsigned i = 0; i < crew->count; i++)
			crew_turn(crew, i);
		for (unsigned i = 0; i < crew->count; i++)
			rung |= crew_is_rung(crew, i);
		if (++rounds == CREW_ROUNDS_MAX)
			fail_msg("the workers do not come to rest");
	} while (rung || crew_progress(crew) != before);
}

uint64_t
crew_patience(void)
{
	return clock_monotonic_ms() + CREW_SECONDS * 1000;
}

void
crew_wait(struct crew *crew, uint64_t until_ms, const char *what)
{
	if (clock_monotonic_ms() > until_ms)
		fail_msg("in %d s not: %s", CREW_SECONDS, what);
	for (unsigned i = 0; i < crew->count; i++)
		crew_turn(crew, i);
}

void
crew_order(struct crew *crew, enum run_order order)
{
	struct layout_header *h = crew->t.seg.header;

	atomic_store(&h->run.order_ms, clock_monotonic_ms());
	atomic_store(&h->run.order, order);
	wakeup_ring_all(&crew->doorbells);
}

/* In a child: hold the lock while stopped. */
static int
crew_hold_lock(void *arg)
{
	struct crew *crew = arg;
	struct ring ring;

	ring_attach(&ring, &crew->t.seg, TESTSEG_WORKERS - 1);
	hand_lock(&ring);
	raise(SIGSTOP);
	ring_unlock(&ring);
	ring_detach(&ring);
	return 0;
}

pid_t
crew_lock_is_held(struct crew *crew)
{
	pid_t holder = mp_spawn(crew_hold_lock, crew);

	mp_wait_stopped(holder);
	return holder;
}

void
crew_lock_is_free(pid_t holder)
{
	mp_continue(holder);
	mp_join(holder);
}

void
crew_file(struct crew *crew, const char *name, size_t size)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", crew->root, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_int_not_equal(fd, -1);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

void
crew_ticks(struct crew *crew, unsigned worker, uint32_t ticks)
{
	struct worker *w = &crew->w[worker];

	while (ticks-- > 0) {
		wheel_turn(&w->net.wheel, io_due_cb, NULL);
		crew_turn(crew, worker);
	}
}

/* A pair of connected sockets of TCP: the client's, with a small window, and the
 * accepted one, with what the supervisor has listeners give to it. */
static void
peer_tcp_pair(int fds[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int unsent_max = CONFIG_UNSENT_MAX, window = 16384;
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_max,
	    sizeof(unsent_max));
	assert_int_equal(bind(listener, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(
	    getsockname(listener, (struct sockaddr *)&at, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fds[0], SOL_SOCKET, SO_RCVBUF, &window, sizeof(window));
	assert_int_equal(connect(fds[0], (struct sockaddr *)&at, len), 0);
	fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	assert_int_not_equal(fds[1], -1);
	close(listener);
}

/* A client without a connection yet; *fd is the end for that. */
static struct peer *
peer_new(struct crew *crew, unsigned worker, int *fd)
{
	struct peer *client = xcalloc(1, sizeof(*client));
	int fds[2];

	if (crew->tcp)
		peer_tcp_pair(fds);
	else
		assert_int_equal(
		    socketpair(AF_UNIX,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
		    0);
	client->crew = crew;
	client->worker = worker;
	client->fd = fds[0];
	*fd = fds[1];
	return client;
}

struct peer *
peer_connect_admin(struct crew *crew, unsigned worker)
{
	int fd;
	struct peer *client = peer_new(crew, worker, &fd);

	conns_open_admin(&crew->w[worker].net, fd, true);
	client->conn = LIST_FIRST(&crew->w[worker].net.conns.admins);
	return client;
}

struct peer *
peer_connect(struct crew *crew, unsigned worker, int sndbuf)
{
	struct sockaddr_storage peer = { .ss_family = AF_INET };
	struct sockaddr_in *in = (void *)&peer;
	int fd;
	struct peer *client = peer_new(crew, worker, &fd);

	in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (sndbuf > 0)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &sndbuf,
				     sizeof(sndbuf)),
		    0);
	conns_open(&crew->w[worker].net, fd, &peer, false);
	client->conn = LIST_FIRST(&crew->w[worker].net.conns.living);
	return client;
}

/* protocol: a header line, or "". */
static const char *
peer_request(const char *query, const char *protocol)
{
	static char text[4096];
	int n = snprintf(text, sizeof(text),
	    "GET /ws%s HTTP/1.1\r\nHost: localhost:8000\r\n"
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
	    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	    "Sec-WebSocket-Version: 13\r\n%s\r\n",
	    query, protocol);

	assert_in_range(n, 1, sizeof(text) - 1);
	return text;
}

const char *
peer_handshake(const char *query)
{
	return peer_request(query, "");
}

struct peer *
peer_open_slow(
    struct crew *crew, unsigned worker, const char *query, int sndbuf)
{
	struct peer *client = peer_connect(crew, worker, sndbuf);

	peer_send_string(client, peer_handshake(query));
	crew_run(crew);
	peer_receive(client);
	peer_expect_status(client, 101);
	return client;
}

struct peer *
peer_open(struct crew *crew, unsigned worker, const char *query)
{
	return peer_open_slow(crew, worker, query, 0);
}

struct peer *
peer_open_v1(struct crew *crew, unsigned worker, const char *query)
{
	struct peer *client = peer_connect(crew, worker, 0);
	struct peer_frame welcome;

	peer_send_string(client,
	    peer_request(query, "Sec-WebSocket-Protocol: pubsubd.v1\r\n"));
	crew_run(crew);
	peer_receive(client);
	peer_expect_status(client, 101);
	assert_true(peer_next(client, &welcome));
	return client;
}

void
peer_close(struct peer **clientp)
{
	struct peer *client = *clientp;

	*clientp = NULL;
	if (client->fd != -1)
		close(client->fd);
	free(client->got);
	free(client->held);
	free(client);
}

void
peer_hold(struct peer *client)
{
	client->holding = true;
}

void
peer_release(struct peer *client)
{
	client->holding = false;
	peer_send(client, client->held, client->held_len);
	client->held_len = 0;
}

void
peer_send(struct peer *client, const void *data, size_t len)
{
	if (client->holding) {
		client->held =
		    xreallocarray(client->held, client->held_len + len, 1);
		memcpy(client->held + client->held_len, data, len);
		client->held_len += len;
		return;
	}
	assert_int_equal(
	    send(client->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT), len);
}

void
peer_send_string(struct peer *client, const char *text)
{
	peer_send(client, text, strlen(text));
}

void
peer_frame(
    struct peer *client, enum ws_opcode opcode, const void *data, size_t len)
{
	static const uint8_t mask[4] = { 0x12, 0x34, 0x56, 0x78 };
	uint8_t *frame = xmalloc(len + WS_HEADER_MAX);

	peer_send(
	    client, frame, ws_frame_masked(frame, opcode, mask, data, len));
	free(frame);
}

void
peer_publish(struct peer *client, const char *topic, const char *text)
{
	size_t size = strlen(topic) + strlen(text) + 64;
	char *json = xmalloc(size);
	int n = snprintf(
	    json, size, "{\"topic\":\"%s\",\"message\":\"%s\"}", topic, text);

	peer_frame(client, WS_TEXT, json, (size_t)n);
	free(json);
}

size_t
peer_receive(struct peer *client)
{
	size_t before = client->len;
	char buf[65536];
	ssize_t n;

	while ((n = recv(client->fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0) {
		client->got =
		    xreallocarray(client->got, client->len + (size_t)n, 1);
		memcpy(client->got + client->len, buf, (size_t)n);
		client->len += (size_t)n;
	}
	if (n == 0)
		client->eof = true;
	else if (errno != EAGAIN)
		client->reset = true;
	return client->len - before;
}

void
peer_expect_status(struct peer *client, int status)
{
	const char *at, *end;
	char line[16];

	peer_receive(client);
	at = client->got + client->at;
	end = memmem(at, client->len - client->at, "\r\n\r\n", 4);
	assert_non_null(end);
	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	assert_memory_equal(at, line, strlen(line));
	client->at = (size_t)(end + 4 - client->got);
}

bool
peer_next(struct peer *client, struct peer_frame *frame)
{
	const uint8_t *at;
	size_t left, header = 2, len;

	peer_receive(client);
	left = client->len - client->at;
	if (left < 2)
		return false;
	at = (const uint8_t *)client->got + client->at;
	len = at[1];
	if ((at[0] & 0xf0) != 0x80 || (at[1] & 0x80))
		fail_msg("byte %zu is no frame: %02x %02x", client->at, at[0],
		    at[1]);
	if (len >= 126)
		header = len == 126 ? 4 : 10;
	if (left < header)
		return false;
	if (header > 2) {
		len = 0;
		for (size_t i = 2; i < header; i++)
			len = len << 8 | at[i];
	}
	if (left - header < len)
		return false;
	frame->opcode = at[0] & 0x0f;
	frame->data = (const char *)at + header;
	frame->len = len;
	client->at += header + len;
	return true;
}

void
peer_expect(struct peer *client, const char *text)
{
	struct peer_frame frame;

	if (!peer_next(client, &frame))
		fail_msg("\"%s\" did not come", text);
	if (frame.opcode != WS_TEXT || frame.len != strlen(text) ||
	    memcmp(frame.data, text, frame.len) != 0)
		fail_msg("instead of \"%s\" came %d, \"%.*s\"", text,
		    frame.opcode, (int)frame.len, frame.data);
}

void
peer_expect_close(struct peer *client, unsigned code)
{
	struct peer_frame frame;
	const uint8_t *at;

	assert_true(peer_next(client, &frame));
	assert_int_equal(frame.opcode, WS_CLOSE);
	assert_true(frame.len >= 2);
	at = (const uint8_t *)frame.data;
	assert_int_equal(at[0] << 8 | at[1], code);
	peer_expect_nothing(client);
}

void
peer_expect_nothing(struct peer *client)
{
	peer_receive(client);
	if (client->at < client->len)
		fail_msg("%zu bytes came, from %02x on",
		    client->len - client->at,
		    (unsigned char)client->got[client->at]);
}
