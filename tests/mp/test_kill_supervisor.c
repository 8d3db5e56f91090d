/* SPDX-License-Identifier: MIT */
/*
 * test_kill_supervisor.c - the supervisor stands at each of its places in
 * broker/shared/stop_point.h, and there it is continued or killed.
 *
 * While it stands the workers go on.  When it is dead they see it and leave,
 * and the next start goes on with the segment.  What their clients have of it
 * is in tests/e2e/kill-supervisor.test.mjs.
 *
 * A restart executes this very program: see main().
 */

#include "broker/shared/stop_point.h"
#include "broker/supervisor/supervisor.h"
#include "tests/mp/server.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <string.h>

struct row {
	enum stop_place place;
	bool restarts; /* it is there in a restart; else, after a death */
};

static const struct row rows[] = {
	{ STOP_REAPED, false },
	{ STOP_BURYING, false },
	{ STOP_FORKING, false },
	{ STOP_FORKED, false },
	{ STOP_ORDERED, true },
	{ STOP_HANDING_OVER, true },
	{ STOP_ADOPTED, true },
	{ STOP_RUN_HALF_BEGUN, true },
};

#define ROWS COUNT(rows)

/* A test's row comes as its state, which the server takes the place of. */
static const struct row *row;

static int
setup(void **state)
{
	row = *state;
	return server_setup(state);
}

/* A server whose supervisor stands at the row's place.  dead: the worker that
 * was killed for it, if one was. */
static struct server *
start_and_stop_there(void **state, pid_t *dead)
{
	struct server *server = server_must_start(state);
	struct layout_worker *other = &server->segment.workers[1];
	uint64_t beat;

	*dead = server_worker(server, 0);
	atomic_store(&server->segment.header->stop_point_arm,
	    STOP_AT(row->place, STOP_SUPERVISOR));
	assert_int_equal(
	    row->restarts ? kill(server->pid, SIGUSR2) : kill(*dead, SIGKILL),
	    0);
	mp_wait_stopped(server->pid);
	beat = atomic_load(&other->beat);
	if (!row->restarts)
		SERVER_WAIT(atomic_load(&other->beat) > beat + 1);
	return server;
}

static void
is_continued(void **state)
{
	pid_t dead;
	struct server *server = start_and_stop_there(state, &dead);
	const struct layout_header *header = server->segment.header;

	mp_continue(server->pid);
	if (row->restarts) {
		SERVER_WAIT(atomic_load(&header->run.id) == 2 &&
			    atomic_load(&header->run.ready) == 1);
	} else {
		server_wait_successor(server, 0, dead);
		assert_int_equal(atomic_load(&header->run.deaths), 1);
		assert_int_equal(atomic_load(&header->run.respawns), 1);
	}
	assert_true(server_answers(server));
	server_stop(server);
}

static void
is_killed(void **state)
{
	char epoch[LAYOUT_EPOCH + 1];
	pid_t dead;
	struct server *server = start_and_stop_there(state, &dead);

	memcpy(epoch, server->segment.header->epoch, sizeof(epoch));
	mp_kill(server->pid);
	server_must_start(state);
	assert_int_equal(server_holders(server).supervisor, server->pid);
	assert_string_equal(server->segment.header->epoch, epoch);
	assert_int_equal(atomic_load(&server->segment.header->run.id), 2);
	assert_true(server_answers(server));
	server_stop(server);
}

static const struct {
	const char *name;
	CMUnitTestFunction run;
} columns[] = { { "is continued", is_continued }, { "is killed", is_killed } };

#define COLUMNS COUNT(columns)

/* A restart first asks this program whether it would serve, then executes it to
 * do so. */
int
main(int argc, char **argv)
{
	static struct CMUnitTest tests[ROWS * COLUMNS];
	static char names[ROWS * COLUMNS][64];
	size_t n = 0;

	if (argc > 1 && strcmp(argv[1], SUPERVISOR_TRIAL) == 0)
		return 0;
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		return server_serve(argv);
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t k = 0; k < COLUMNS; k++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s: %s",
			    stop_point_name(rows[i].place), columns[k].name);
			tests[n] = (struct CMUnitTest){ names[n],
				columns[k].run, setup, server_teardown,
				(void *)(uintptr_t)&rows[i] };
		}
	suite_leave_out(tests, COUNT(tests), argv[0]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
