/* SPDX-License-Identifier: MIT */
/* crew.c - see crew.h. */

#include "tests/unit/support/crew.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/xmalloc.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "worker/net/io.h"
#include "worker/open.h"
#include "worker/pubsub.h"
#include "worker/turn.h"

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
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
	.max_patterns_per_conn = 8,
	.max_patterns = 1000,
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

void
crew_stand_still(struct worker *w)
{
	ev_prepare_stop(w->net.loop, &w->before_wait);
	ev_timer_stop(w->net.loop, &w->beat);
	ev_timer_stop(w->net.loop, &w->tick);
}

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
	crew_stand_still(w);
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
		STATS_WEBSOCKETS, STATS_EVENT_STREAMS, STATS_SUBSCRIPTIONS,
		STATS_TOPICS, STATS_PATTERNS, STATS_PATTERN_SUBSCRIPTIONS,
		STATS_PATTERN_BYTES, STATS_PARSERS, STATS_BUFFERED_BYTES,
		STATS_INPUT_BYTES };

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

	for (unsigned i = crew->first; i < crew->count; i++)
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
	unsigned slot = crew->w[worker].hub.slot;

	return stats_get(crew->t.seg.workers[slot].counters, id);
}

void
crew_turn(struct crew *crew, unsigned worker)
{
	struct worker *w = &crew->w[worker];

	ev_run(w->net.loop, EVRUN_NOWAIT);
	turn_end(w);
	if (!intake_empty(&w->intake) && !ev_is_active(&w->intake.retry) &&
	    !crew_is_rung(crew, w->hub.slot))
		fail_msg(
		    "worker %u sleeps on %u requests", worker, w->intake.count);
	if (w->net.outbox.entries_count > 0 && !crew_is_rung(crew, w->hub.slot))
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

	for (unsigned i = crew->first; i < crew->count; i++) {
		sum += crew_stat(crew, i, STATS_BYTES_IN) +
		       crew_stat(crew, i, STATS_BYTES_OUT) +
		       crew_stat(crew, i, STATS_WRITES) +
		       crew_stat(crew, i, STATS_MESSAGES_IN) +
		       crew->w[i].net.conns.numbered -
		       crew->w[i].net.conns.count + crew->w[i].tail.cursor.pos;
		sum += crew_is_rung(crew, crew->w[i].hub.slot);
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
		for (unsigned i = crew->first; i < crew->count; i++)
			crew_turn(crew, i);
		for (unsigned i = crew->first; i < crew->count; i++)
			rung |= crew_is_rung(crew, crew->w[i].hub.slot);
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
	for (unsigned i = crew->first; i < crew->count; i++)
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
