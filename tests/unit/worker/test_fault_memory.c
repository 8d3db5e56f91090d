/* SPDX-License-Identifier: MIT */
/*
 * test_fault_memory.c - what a worker does that gets no memory: it says so with
 * its last words and dies, so that the supervisor makes another; nowhere does
 * it go on with half of what it needs.
 */

#include "broker/shared/last_words.h"
#include "common/log.h"
#include "common/xmalloc.h"
#include "tests/fault/fault.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* A child that gets no memory for one thing. */
struct famine {
	enum fault_call call;
	void (*want)(struct crew *crew);
	struct crew *crew;
};

static int
setup(void **state)
{
	int failed = mp_setup(state);

	return failed != 0 ? failed : crew_setup(state);
}

static int
teardown(void **state)
{
	int failed = crew_teardown(state);

	return mp_teardown(state) != 0 || failed != 0 ? -1 : 0;
}

static int
starve(void *arg)
{
	const struct famine *famine = arg;
	struct rlimit none = { 0, 0 };

	MP_CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
	log_open("worker 0", open("/dev/null", O_WRONLY), LOG_ERROR);
	last_words_open(&famine->crew->t.seg.workers[0]);
	fault_arm(famine->call, 1, 1, ENOMEM);
	famine->want(famine->crew);
	return 0; /* not how it ought to end */
}

static void
check_starves(
    struct crew *crew, enum fault_call call, void (*want)(struct crew *crew))
{
	struct famine famine = { call, want, crew };
	pid_t pid = mp_spawn(starve, &famine);
	char words[LAYOUT_OBITUARY];

	mp_join_killed(pid, SIGABRT);
	last_words_take(&crew->t.seg.workers[0], words);
	if (strstr(words, "out of memory") == NULL)
		fail_msg("last words: \"%s\"", words);
}

static void
want_bytes(struct crew *crew)
{
	(void)crew;
	free(xmalloc(1));
}

static void
want_text(struct crew *crew)
{
	(void)crew;
	free(xstrdup("text"));
}

static void
want_zeros(struct crew *crew)
{
	(void)crew;
	free(xcalloc(1, 1));
}

static void
want_more(struct crew *crew)
{
	(void)crew;
	free(xreallocarray(NULL, 1, 1));
}

/* The event loop's own arrays: a watcher of a descriptor above all it has. */
static void
want_watcher(struct crew *crew)
{
	ev_io io;

	ev_io_init(&io, NULL, 1000, EV_READ);
	ev_io_start(crew->w[0].net.loop, &io);
}

static void
test_whoever_gets_no_memory_says_so_and_dies(void **state)
{
	struct crew *crew = *state;

	crew_start(crew, 1);
	check_starves(crew, FAULT_malloc, want_bytes);
	check_starves(crew, FAULT_malloc, want_text);
	check_starves(crew, FAULT_calloc, want_zeros);
	check_starves(crew, FAULT_reallocarray, want_more);
	check_starves(crew, FAULT_reallocarray, want_watcher);
}

/*
 * A WebSocket's parser and the message that it puts together are the exception:
 * what a client makes us want is refused to that client.
 */
static void
check_is_closed_alone(struct crew *crew, enum fault_call call)
{
	struct peer *greedy = peer_open(crew, 0, "?topic=t");
	struct peer *other = peer_open(crew, 0, "?topic=t");
	static char text[3000];

	memset(text, 'x', sizeof(text) - 1);
	peer_hold(greedy);
	peer_publish(greedy, "t", text);
	greedy->held_len /= 2; /* so that the half must be kept */
	peer_release(greedy);
	fault_arm(call, 1, 1, ENOMEM);
	crew_turn(crew, 0);
	assert_int_equal(fault_struck(call), 1);
	fault_disarm();
	crew_run(crew);
	peer_expect_close(greedy, 1011);
	peer_publish(other, "t", "text");
	crew_run(crew);
	peer_expect(other, "text");
	peer_expect_nothing(other);
	peer_close(&greedy);
	peer_close(&other);
	crew_run(crew);
}

static void
test_client_whose_message_finds_no_memory_is_closed_alone(void **state)
{
	struct crew *crew = *state;

	crew_start(crew, 1);
	check_is_closed_alone(crew, FAULT_calloc);
	check_is_closed_alone(crew, FAULT_realloc);
}

static void
want_wait(struct crew *crew)
{
	ev_run(crew->w[0].net.loop, EVRUN_NOWAIT);
}

static void
test_loop_that_cannot_wait_says_so_and_dies(void **state)
{
	struct crew *crew = *state;
	struct famine famine = { FAULT_epoll_wait, want_wait, crew };
	char words[LAYOUT_OBITUARY];

	crew_start(crew, 1);
	mp_join_killed(mp_spawn(starve, &famine), SIGABRT);
	last_words_take(&crew->t.seg.workers[0], words);
	assert_non_null(strstr(words, "epoll_wait"));
	assert_non_null(strstr(words, strerror(ENOMEM)));
}

static void
test_interrupted_wait_is_another_turn(void **state)
{
	struct crew *crew = *state;
	struct peer *client;

	crew_start(crew, 1);
	client = peer_open(crew, 0, "?topic=t");
	peer_publish(client, "t", "text");
	fault_arm(FAULT_epoll_wait, 1, 1, EINTR);
	crew_turn(crew, 0);
	assert_int_equal(fault_struck(FAULT_epoll_wait), 1);
	crew_run(crew);
	peer_expect(client, "text");
	peer_close(&client);
	crew_run(crew);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_whoever_gets_no_memory_says_so_and_dies, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_client_whose_message_finds_no_memory_is_closed_alone, setup,
	    teardown),
	cmocka_unit_test_setup_teardown(
	    test_loop_that_cannot_wait_says_so_and_dies, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_interrupted_wait_is_another_turn, setup, teardown),
};

SUITE_MAIN(tests);
