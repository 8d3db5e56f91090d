/* SPDX-License-Identifier: MIT */
/*
 * test_supervisor.c - what broker/supervisor/supervisor.h promises: the real supervisor,
 * with workers of ours that die, hang and disobey when they are told to.
 *
 * The restart test executes this very program: see main().
 */

#include "broker/supervisor/supervisor.h"
#include "tests/mp/server.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void
tell(struct server *server, unsigned slot, enum server_deed deed)
{
	atomic_store(&server->stage->deed[slot], (uint32_t)deed);
}

/* The one death of the run so far was of this slot's worker. */
static void
check_death(const struct server *server, unsigned slot, const char *how)
{
	assert_int_equal(atomic_load(&server->segment.header->run.deaths), 1);
	assert_string_equal(server->segment.workers[slot].last_death, how);
	assert_string_equal(server->segment.workers[1 - slot].last_death, "");
}

static void
test_ready_line_comes_when_all_workers_are(void **state)
{
	struct server *server = server_must_start(state);
	char expected[1024];

	snprintf(expected, sizeof(expected),
	    "pubsubd %s: ready on %s (2 workers)", server->config.name,
	    server->segment.header->run.urls);
	assert_string_equal(server->report + 1, expected);
	assert_int_equal(atomic_load(&server->segment.header->run.ready), 1);
	assert_true(server_answers(server));
	server_stop(server);
}

static void
test_start_fails_when_a_worker_cannot_start(void **state)
{
	struct server *server = *state;
	char expected[256];

	server->expected = EXIT_STATUS_FAILED;
	atomic_store(&server->stage->stillborn, 2);
	assert_int_equal(server_start(server), EXIT_STATUS_FAILED);
	snprintf(expected, sizeof(expected),
	    "worker 1 left with status 1 before it was ready; see %s",
	    server->log);
	assert_string_equal(server->report + 1, expected);
	/* The report ends with the process: all must be gone by now, which
	 * the teardown sees. */
	mp_join(server->pid);
}

static void
test_second_supervisor_is_refused(void **state)
{
	struct server *server = server_must_start(state);
	pid_t first = server->pid;

	server->expected = EXIT_STATUS_ALREADY_RUNNING;
	assert_int_equal(server_start(server), EXIT_STATUS_ALREADY_RUNNING);
	assert_non_null(strstr(server->report + 1, "is running already"));
	mp_join(server->pid);
	assert_true(server_answers(server));
	server->pid = first;
	server_stop(server);
}

static void
test_killed_worker_is_replaced_and_the_others_stay(void **state)
{
	struct server *server = server_must_start(state);
	pid_t killed = server_worker(server, 0);
	pid_t other = server_worker(server, 1);

	assert_int_equal(kill(killed, SIGKILL), 0);
	server_wait_successor(server, 0, killed);
	assert_int_equal(server_worker(server, 1), other);
	assert_int_equal(atomic_load(&server->segment.workers[0].starts), 2);
	assert_int_equal(atomic_load(&server->segment.header->run.respawns), 1);
	server_wait_log(server, "was killed by SIGKILL");
	check_death(server, 0, "was killed by SIGKILL");
	server_stop(server);
}

static void
test_worker_that_leaves_by_itself_is_replaced(void **state)
{
	struct server *server = server_must_start(state);
	pid_t left = server_worker(server, 1);

	tell(server, 1, SERVER_LEAVE);
	server_wait_successor(server, 1, left);
	server_wait_log(server, "left with status 3");
	check_death(server, 1, "left with status 3");
	server_stop(server);
}

static void
test_last_words_are_kept_for_who_looks(void **state)
{
	static const char words[] = "was killed by SIGABRT; its last words: ";
	struct server *server = server_must_start(state);
	pid_t dead = server_worker(server, 1);

	tell(server, 1, SERVER_BUG);
	server_wait_successor(server, 1, dead);
	assert_memory_equal(
	    server->segment.workers[1].last_death, words, sizeof(words) - 1);
	assert_non_null(
	    strstr(server->segment.workers[1].last_death, "told to"));
	server_wait_log(server, "told to");
	server_stop(server);
}

/* Its connections and subscriptions were shown until a successor came, which
 * may be never. */
static void
test_dead_worker_has_no_connections(void **state)
{
	struct server *server = *state;
	struct layout_worker *worker;

	server->config.respawn = false;
	server_must_start(state);
	worker = &server->segment.workers[0];
	atomic_store(&worker->counters[STATS_CONNECTIONS], 5);
	atomic_store(&worker->counters[STATS_ACCEPTED], 6);
	assert_int_equal(kill(server_worker(server, 0), SIGKILL), 0);
	SERVER_WAIT(atomic_load(&worker->state) == WORKER_GONE);
	assert_int_equal(atomic_load(&worker->counters[STATS_CONNECTIONS]), 0);
	assert_int_equal(atomic_load(&worker->counters[STATS_ACCEPTED]), 6);
	server_stop(server);
	server_wait_log(server, ", 0 cut");
}

static void
test_without_respawn_the_last_death_ends_the_server(void **state)
{
	struct server *server = *state;

	server->config.respawn = false;
	server->expected = EXIT_STATUS_FAILED;
	server_must_start(state);
	for (unsigned slot = 0; slot < SERVER_WORKERS; slot++)
		assert_int_equal(kill(server_worker(server, slot), SIGKILL), 0);
	mp_join(server->pid);
}

static void
test_drain_ends_with_what_became_of_the_connections(void **state)
{
	struct server *server = server_must_start(state);

	server_stop(server);
	server_wait_log(server, ": 6 connections closed cleanly, 0 cut");
}

static void
test_drain_ends_at_its_deadline(void **state)
{
	struct server *server = *state;

	server->config.drain_ms = 100;
	atomic_store(&server->stage->ignore_drain, 1);
	server_must_start(state);
	server_stop(server);
	server_wait_log(server, "2 workers did not leave in time: killed");
}

static void
test_what_a_killed_worker_had_open_counts_as_cut(void **state)
{
	struct server *server = *state;

	server->config.drain_ms = 100;
	atomic_store(&server->stage->ignore_drain, 1);
	server_must_start(state);
	atomic_store(
	    &server->segment.workers[0].counters[STATS_CONNECTIONS], 5);
	server_stop(server);
	server_wait_log(server, ": 0 connections closed cleanly, 5 cut");
}

static void
test_second_signal_means_now(void **state)
{
	struct server *server = server_must_start(state);
	siginfo_t info = { 0 };

	atomic_store(&server->stage->ignore_drain, 1);
	assert_int_equal(kill(server->pid, SIGTERM), 0);
	server_wait_log(server, "told to stop: draining");
	/* One that comes at once is the same wish; those that go on are none. */
	assert_int_equal(kill(server->pid, SIGINT), 0);
	do {
		poll(NULL, 0, 10);
		assert_int_equal(kill(server->pid, SIGINT), 0);
	} while (waitid(P_PID, (id_t)server->pid, &info,
		     WEXITED | WNOHANG | WNOWAIT) == 0 &&
		 info.si_pid == 0);
	mp_join(server->pid);
	server_wait_log(server, "told to stop again");
}

static void
test_worker_dead_in_a_drain_is_not_replaced(void **state)
{
	struct server *server = server_must_start(state);

	atomic_store(&server->stage->ignore_drain, 1);
	assert_int_equal(kill(server->pid, SIGTERM), 0);
	server_wait_log(server, "told to stop: draining");
	assert_int_equal(kill(server_worker(server, 0), SIGKILL), 0);
	SERVER_WAIT(
	    atomic_load(&server->segment.workers[0].state) == WORKER_GONE);
	atomic_store(&server->stage->ignore_drain, 0);
	mp_join(server->pid);
	assert_int_equal(atomic_load(&server->segment.workers[0].starts), 1);
}

static void
test_worker_that_hangs_is_killed_alone(void **state)
{
	struct server *server = server_must_start(state);
	pid_t hung = server_worker(server, 0);
	pid_t other = server_worker(server, 1);

	tell(server, 0, SERVER_HANG);
	server_wait_successor(server, 0, hung);
	assert_int_equal(server_worker(server, 1), other);
	server_wait_log(server, "has hung for 5 s: killed");
	check_death(server, 0, "was killed by SIGKILL (watchdog)");
	assert_int_equal(
	    atomic_load(&server->segment.header->run.watchdog_kills), 1);
	server_stop(server);
}

static void
test_worker_that_keeps_the_lock_is_killed(void **state)
{
	struct server *server = server_must_start(state);
	pid_t holder = server_worker(server, 1);

	tell(server, 1, SERVER_HOLD);
	server_wait_successor(server, 1, holder);
	server_wait_log(server, "does not let go of the ring's lock");
	check_death(server, 1,
	    "was killed by SIGKILL (watchdog) with the ring's lock held");
	assert_int_equal(
	    atomic_load(&server->segment.header->run.lock_deaths), 1);
	assert_int_equal(
	    atomic_load(&server->segment.header->run.watchdog_kills), 1);
	server_stop(server);
}

static void
test_watchdog_can_be_off(void **state)
{
	struct server *server = *state;
	struct layout_worker *worker;
	pid_t holder;
	uint64_t until;

	server->config.watchdog = false;
	server_must_start(state);
	holder = server_worker(server, 1);
	worker = &server->segment.workers[1];
	tell(server, 1, SERVER_HOLD);
	SERVER_WAIT(atomic_load(&server->segment.header->owner) != 0);
	/* Some 2.5 s by its own beats: on, it would be dead. */
	until = atomic_load(&worker->beat) + 500;
	SERVER_WAIT(atomic_load(&worker->beat) >= until);
	assert_int_equal(server_worker(server, 1), holder);
	server_stop(server);
}

static void
test_third_death_with_the_lock_makes_a_new_ring(void **state)
{
	struct server *server = server_must_start(state);
	char epoch[LAYOUT_EPOCH + 1];

	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	for (uint32_t death = 1; death <= 3; death++) {
		server_worker(server, 0);
		tell(server, 0, SERVER_DIE_LOCKED);
		SERVER_WAIT(
		    atomic_load(&server->segment.workers[0].starts) > death ||
		    death == 3);
	}
	server_wait_log(server, "a new ring, epoch");
	server_attach(server);
	SERVER_WAIT(atomic_load(&server->segment.header->run.ready) == 1);
	assert_string_not_equal(server->segment.header->epoch, epoch);
	assert_true(server_answers(server));
	server_stop(server);
}

static void
test_orphans_see_that_their_supervisor_is_dead(void **state)
{
	struct server *server = server_must_start(state);
	pid_t worker = server_worker(server, 0);

	atomic_store(&server->stage->linger, 1);
	mp_kill(server->pid);
	SERVER_WAIT(atomic_load(&server->stage->orphans) == SERVER_WORKERS);
	assert_int_not_equal(server_holders(server).worker, 0);
	assert_int_equal(kill(worker, 0), 0);
	atomic_store(&server->stage->linger, 0);
	SERVER_WAIT(server_holders(server).worker == 0);
	server_must_start(state); /* to clear away what the dead left */
	server_stop(server);
}

static void
test_ring_of_a_killed_server_is_taken_over(void **state)
{
	struct server *server = server_must_start(state);
	char epoch[LAYOUT_EPOCH + 1];
	uint64_t run = atomic_load(&server->segment.header->run.id);

	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	mp_kill(server->pid);
	server_must_start(state);
	assert_string_equal(server->segment.header->epoch, epoch);
	assert_int_equal(atomic_load(&server->segment.header->run.id), run + 1);
	server_stop(server);
}

static void
test_ring_of_another_size_is_not_taken_over(void **state)
{
	struct server *server = server_must_start(state);
	char epoch[LAYOUT_EPOCH + 1];

	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	mp_kill(server->pid);
	server->config.ring_size *= 2;
	server_must_start(state);
	assert_string_not_equal(server->segment.header->epoch, epoch);
	server_wait_log(server, "made with another --ring-size");
	server_stop(server);
}

static void
test_ring_that_cannot_be_believed_is_not_taken_over(void **state)
{
	struct server *server = server_must_start(state);
	char epoch[LAYOUT_EPOCH + 1];

	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	mp_kill(server->pid);
	SERVER_WAIT(server_holders(server).worker == 0);
	atomic_fetch_add(&server->segment.header->head, 4096);
	server_must_start(state);
	assert_string_not_equal(server->segment.header->epoch, epoch);
	server_stop(server);
}

static void
test_start_waits_for_orphans_no_longer_than_their_drain(void **state)
{
	struct server *server = *state;

	server->config.drain_ms = 0;
	server_must_start(state);
	atomic_store(&server->stage->linger, 1);
	mp_kill(server->pid);
	server->config.watchdog = false;
	server->expected = EXIT_STATUS_FAILED;
	assert_int_equal(server_start(server), EXIT_STATUS_FAILED);
	assert_string_equal(server->report + 1,
	    "workers of a killed server are still there after 2 s");
	mp_join(server->pid);
	atomic_store(&server->stage->linger, 0);
	server->config.drain_ms = 10000;
	server->expected = EXIT_STATUS_OK;
	server_must_start(state);
	server_stop(server);
}

static void
test_start_kills_orphans_that_outlast_their_drain(void **state)
{
	struct server *server = *state;
	char epoch[LAYOUT_EPOCH + 1];

	server->config.drain_ms = 0;
	server_must_start(state);
	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	atomic_store(&server->stage->linger, 1);
	mp_kill(server->pid);
	server_must_start(state); /* they linger: only by their death */
	assert_string_equal(server->segment.header->epoch, epoch);
	server_wait_log(server, "still there after 2 s: killed");
	atomic_store(&server->stage->linger, 0);
	server_stop(server);
}

/* A start with a shorter --drain killed those who were still within theirs. */
static void
test_orphans_have_the_drain_they_began_with(void **state)
{
	struct server *server = *state;

	server->config.drain_ms = 1000;
	server_must_start(state);
	atomic_store(&server->stage->linger, 1);
	mp_kill(server->pid);
	server->config.drain_ms = 0;
	server_must_start(state); /* they linger: only by their death */
	server_wait_log(server, "still there after 3 s: killed");
	atomic_store(&server->stage->linger, 0);
	server_stop(server);
}

static void
test_hangup_opens_the_log_anew(void **state)
{
	struct server *server = server_must_start(state);
	char rotated[128];

	snprintf(rotated, sizeof(rotated), "%s.1", server->log);
	assert_int_equal(rename(server->log, rotated), 0);
	assert_int_equal(kill(server->pid, SIGHUP), 0);
	SERVER_WAIT(access(server->log, F_OK) == 0);
	server_wait_log(server, "log file opened anew");
	assert_int_equal(unlink(rotated), 0);
	server_stop(server);
}

static void
test_restart_keeps_process_ring_and_port(void **state)
{
	struct server *server = server_must_start(state);
	const struct layout_header *header = server->segment.header;
	uint64_t run = atomic_load(&header->run.id);
	char epoch[LAYOUT_EPOCH + 1];
	char urls[sizeof(header->run.urls)];

	memcpy(epoch, header->epoch, sizeof(epoch));
	memcpy(urls, header->run.urls, sizeof(urls));
	assert_int_equal(kill(server->pid, SIGUSR2), 0);
	SERVER_WAIT(atomic_load(&header->run.id) == run + 1 &&
		    atomic_load(&header->run.ready) == 1);
	assert_int_equal(atomic_load(&header->run.supervisor), server->pid);
	assert_int_equal(server_holders(server).supervisor, server->pid);
	assert_string_equal(header->epoch, epoch);
	assert_string_equal(header->run.urls, urls);
	assert_true(server_answers(server));
	server_stop(server);
}

/* What connects while nobody serves waits in the sockets that stay open. */
static void
test_connection_made_during_a_restart_is_served(void **state)
{
	struct server *server = server_must_start(state);
	const struct layout_header *header = server->segment.header;
	uint64_t run = atomic_load(&header->run.id);

	assert_int_equal(kill(server->pid, SIGUSR2), 0);
	SERVER_WAIT(atomic_load(&header->run.order) == RUN_DRAIN_RESTART ||
		    atomic_load(&header->run.id) != run);
	for (int i = 0; i < 20; i++)
		assert_true(server_answers(server));
	SERVER_WAIT(atomic_load(&header->run.id) == run + 1 &&
		    atomic_load(&header->run.ready) == 1);
	server_stop(server);
}

#define SERVER_TEST(test) \
	cmocka_unit_test_setup_teardown(test, server_setup, server_teardown)

static const struct CMUnitTest tests[] = {
	SERVER_TEST(test_ready_line_comes_when_all_workers_are),
	SERVER_TEST(test_start_fails_when_a_worker_cannot_start),
	SERVER_TEST(test_second_supervisor_is_refused),
	SERVER_TEST(test_killed_worker_is_replaced_and_the_others_stay),
	SERVER_TEST(test_worker_that_leaves_by_itself_is_replaced),
	SERVER_TEST(test_last_words_are_kept_for_who_looks),
	SERVER_TEST(test_dead_worker_has_no_connections),
	SERVER_TEST(test_without_respawn_the_last_death_ends_the_server),
	SERVER_TEST(test_drain_ends_with_what_became_of_the_connections),
	SERVER_TEST(test_drain_ends_at_its_deadline),
	SERVER_TEST(test_what_a_killed_worker_had_open_counts_as_cut),
	SERVER_TEST(test_second_signal_means_now),
	SERVER_TEST(test_worker_dead_in_a_drain_is_not_replaced),
	SERVER_TEST(test_worker_that_hangs_is_killed_alone),
	SERVER_TEST(test_worker_that_keeps_the_lock_is_killed),
	SERVER_TEST(test_watchdog_can_be_off),
	SERVER_TEST(test_third_death_with_the_lock_makes_a_new_ring),
	SERVER_TEST(test_orphans_see_that_their_supervisor_is_dead),
	SERVER_TEST(test_ring_of_a_killed_server_is_taken_over),
	SERVER_TEST(test_ring_of_another_size_is_not_taken_over),
	SERVER_TEST(test_ring_that_cannot_be_believed_is_not_taken_over),
	SERVER_TEST(test_start_waits_for_orphans_no_longer_than_their_drain),
	SERVER_TEST(test_start_kills_orphans_that_outlast_their_drain),
	SERVER_TEST(test_orphans_have_the_drain_they_began_with),
	SERVER_TEST(test_hangup_opens_the_log_anew),
	SERVER_TEST(test_restart_keeps_process_ring_and_port),
	SERVER_TEST(test_connection_made_during_a_restart_is_served),
};

/* A restart first asks this program whether it would serve, then executes it to
 * do so. */
int
main(int argc, char **argv)
{
	struct CMUnitTest group[COUNT(tests)];

	if (argc > 1 && strcmp(argv[1], SUPERVISOR_TRIAL) == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return server_serve(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	memcpy(group, tests, sizeof(group));
	suite_leave_out(group, COUNT(group), argv[0]);
	return cmocka_run_group_tests(group, NULL, NULL);
}
