/* SPDX-License-Identifier: MIT */
/* server.c - see server.h. */

#include "tests/mp/server.h"

#include "broker/shared/last_words.h"
#include "broker/supervisor/supervisor.h"
#include "common/address.h"
#include "common/bug.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVER_TURN_MS 5

static struct server_stage server_no_stage; /* for a program executed anew */
static struct server_stage *server_stage = &server_no_stage;

/* Do once what the stage says.  Returns the status to leave with, or -1. */
static int
worker_act(const struct worker_args *args, struct layout_worker *self)
{
	_Atomic uint64_t *owner = &args->segment->header->owner;
	uint64_t word = layout_owner(atomic_load(&self->starts), args->slot);

	switch ((enum server_deed)atomic_exchange(
	    &server_stage->deed[args->slot], SERVER_BEHAVE)) {
	case SERVER_BEHAVE:
		break;
	case SERVER_LEAVE:
		return 3;
	case SERVER_HANG:
		for (;;)
			pause();
	case SERVER_HOLD:
		atomic_store(owner, word);
		break;
	case SERVER_DIE_LOCKED:
		atomic_store(owner, word);
		_exit(4);
	case SERVER_BUG:
		last_words_open(self);
		BUG("told to");
	}
	return -1;
}

/* Answer one connection, if there is one. */
static void
worker_answer(int listener)
{
	static const char ok[] = "HTTP/1.1 200 OK\r\n\r\n";
	char question[512];
	int fd = accept(listener, NULL, NULL);

	if (fd == -1)
		return;
	if (recv(fd, question, sizeof(question), 0) > 0)
		MP_CHECK(send(fd, ok, sizeof(ok) - 1, MSG_NOSIGNAL) ==
			 (ssize_t)sizeof(ok) - 1);
	close(fd);
}

/* What the run wants of us.  Returns whether to leave. */
static bool
worker_obeys(const struct worker_args *args, struct layout_worker *self)
{
	struct stats stats = { self->counters };

	switch (
	    (enum run_order)atomic_load(&args->segment->header->run.order)) {
	case RUN_SERVE:
		return false;
	case RUN_DRAIN:
	case RUN_DRAIN_RESTART:
		if (atomic_load(&server_stage->ignore_drain) != 0)
			return false;
		stats_add(&stats, STATS_CLOSED_CLEANLY, 3);
		return true;
	case RUN_QUIT:
		return true;
	}
	return true;
}

/* A worker_main_fn. */
static int
worker_run(const struct worker_args *args)
{
	struct layout_worker *self = &args->segment->workers[args->slot];
	int status = -1;

	wakeup_claim_slot(args->wakeup, args->slot);
	if (atomic_load(&server_stage->stillborn) == args->slot + 1)
		return 1;
	worker_set_state(args, WORKER_READY);
	while (status == -1) {
		struct pollfd fds[] = {
			{ .fd = args->wakeup->fd[args->slot],
			    .events = POLLIN },
			{ .fd = args->supervisor_fd, .events = POLLIN },
			{ .fd = args->listeners[0].fd, .events = POLLIN },
		};

		poll(fds, 3, SERVER_TURN_MS);
		atomic_fetch_add(&self->beat, 1);
		wakeup_clear(args->wakeup);
		worker_answer(args->listeners[0].fd);
		if (fds[1].revents != 0) {
			atomic_fetch_add(&server_stage->orphans, 1);
			while (atomic_load(&server_stage->linger) != 0)
				poll(NULL, 0, SERVER_TURN_MS);
			return 0;
		}
		status = worker_obeys(args, self) ? 0 : worker_act(args, self);
	}
	return status;
}

int
server_setup(void **state)
{
	struct server *server = calloc(1, sizeof(*server));
	struct config *config = &server->config;
	int result = mp_setup(state);

	*state = server;
	snprintf(server->directory, sizeof(server->directory),
	    "/tmp/test-server.XXXXXX");
	assert_non_null(mkdtemp(server->directory));
	snprintf(server->pidfile, sizeof(server->pidfile), "%s/pid",
	    server->directory);
	snprintf(server->lockfile, sizeof(server->lockfile), "%s/lock",
	    server->directory);
	snprintf(server->log, sizeof(server->log), "%s/log", server->directory);
	snprintf(config->name, sizeof(config->name), "mp-%d", getpid());
	assert_null(address_parse(&config->listen[0], "127.0.0.1:0"));
	config->listen_count = 1;
	config->root = "/";
	config->workers = SERVER_WORKERS;
	config->log_path = server->log;
	config->log_level = LOG_DEBUG;
	config->pidfile = server->pidfile;
	config->lockfile = server->lockfile;
	config->respawn = true;
	config->ring_size = 64 * 1024;
	config->max_topics = 16;
	config->dedup_keys = 16;
	config->max_members = 256;
	config->drain_ms = 10000;
	config->watchdog = true;
	server_stage = mmap(NULL, sizeof(*server_stage), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(server_stage, MAP_FAILED);
	server->stage = server_stage;
	return result;
}

int
server_teardown(void **state)
{
	struct server *server = *state;
	char error[SEGMENT_ERROR_MAX];
	int left = mp_teardown(state);
	struct segment found;

	segment_close(&server->segment);
	munmap(server->stage, sizeof(*server->stage));
	if (segment_attach(&found, server->config.name, false, error) !=
	    SEGMENT_MISSING) {
		print_error("the test left its segment behind: %s\n", error);
		segment_unlink(server->config.name);
		left = -1;
	}
	unlink(server->log);
	if (rmdir(server->directory) == -1) {
		print_error("the test left a pidfile or a lock behind\n");
		unlink(server->pidfile);
		unlink(server->lockfile);
		rmdir(server->directory);
		left = -1;
	}
	free(server);
	return left;
}

/* What the restart of a test's supervisor executes; see server_serve(). */
static enum exit_status
server_supervise(const struct config *config)
{
	char *argv[] = { (char *)(uintptr_t) "test",
		(char *)(uintptr_t) "serve", (char *)(uintptr_t)config->name,
		(char *)(uintptr_t)config->pidfile,
		(char *)(uintptr_t)config->lockfile,
		(char *)(uintptr_t)config->log_path, NULL };
	struct supervisor_args args = {
		.config = config,
		.worker_main = worker_run,
		.argv = argv,
		.background = true,
	};

	return supervisor_run(&args);
}

int
server_serve(char **argv)
{
	struct config config = {
		.root = "/",
		.workers = SERVER_WORKERS,
		.pidfile = argv[3],
		.lockfile = argv[4],
		.log_path = argv[5],
		.log_level = LOG_DEBUG,
		.ring_size = 64 * 1024,
		.max_topics = 16,
		.dedup_keys = 16,
		.max_members = 256,
		.drain_ms = 10000,
		.watchdog = true,
		.respawn = true,
	};

	snprintf(config.name, sizeof(config.name), "%s", argv[2]);
	return (int)server_supervise(&config);
}

struct server_start {
	struct server *server;
	int report;
};

/* In the child. */
static int
server_run(void *arg)
{
	struct server_start *start = arg;

	report_into(start->report);
	return server_supervise(&start->server->config) !=
	       start->server->expected;
}

enum exit_status
server_start(struct server *server)
{
	struct server_start start = { .server = server };
	size_t len = 0;
	int report[2];
	ssize_t n;

	assert_int_equal(pipe2(report, O_CLOEXEC), 0);
	start.report = report[1];
	server->pid = mp_spawn(server_run, &start);
	close(report[1]);
	while ((n = read(report[0], server->report + len,
		    sizeof(server->report) - 1 - len)) > 0)
		len += (size_t)n;
	close(report[0]);
	server->report[len] = '\0';
	if (len == 0)
		fail_msg("no report; the log: %s", server->log);
	if (server->report[0] == EXIT_STATUS_OK)
		server_attach(server);
	return (enum exit_status)server->report[0];
}

struct server *
server_must_start(void **state)
{
	struct server *server = *state;

	if (server_start(server) != EXIT_STATUS_OK)
		fail_msg("%s", server->report + 1);
	return server;
}

void
server_stop(struct server *server)
{
	assert_int_equal(kill(server->pid, SIGTERM), 0);
	mp_join(server->pid);
}

void
server_attach(struct server *server)
{
	char error[SEGMENT_ERROR_MAX];

	segment_close(&server->segment);
	if (segment_attach(&server->segment, server->config.name, true,
		error) != SEGMENT_OK)
		fail_msg("%s", error);
}

void
server_wait_a_little(const char *file, int line, const char *what)
{
	struct timespec little = { .tv_nsec = 1000 * 1000 };

	if (mp_expired())
		fail_msg("%s:%d: still not: %s", file, line, what);
	nanosleep(&little, NULL);
}

/* Whether a file holds a text. */
static bool
server_log_has(const struct server *server, const char *text)
{
	static char log[64 * 1024];
	int fd = open(server->log, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_int_not_equal(fd, -1);
	n = read(fd, log, sizeof(log) - 1);
	close(fd);
	assert_true(n >= 0);
	log[n] = '\0';
	return strstr(log, text) != NULL;
}

void
server_wait_log(const struct server *server, const char *text)
{
	SERVER_WAIT(server_log_has(server, text));
}

pid_t
server_worker(const struct server *server, unsigned slot)
{
	const struct layout_worker *worker = &server->segment.workers[slot];

	SERVER_WAIT(atomic_load(&worker->state) == WORKER_READY &&
		    atomic_load(&worker->pid) != 0);
	return atomic_load(&worker->pid);
}

void
server_wait_successor(const struct server *server, unsigned slot, pid_t before)
{
	SERVER_WAIT(server_worker(server, slot) != before);
}

bool
server_answers(const struct server *server)
{
	static const char question[] = "GET / HTTP/1.1\r\n\r\n";
	struct config_address address;
	char answer[8];
	bool came;
	int fd;

	assert_null(address_parse(
	    &address, server->segment.header->run.urls + strlen("http://")));
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_not_equal(fd, -1);
	came =
	    connect(fd, (struct sockaddr *)&address.addr, address.len) == 0 &&
	    send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 &&
	    recv(fd, answer, sizeof(answer), 0) > 0;
	close(fd);
	return came;
}

struct lockfile_holders
server_holders(const struct server *server)
{
	char error[LOCKFILE_ERROR_MAX];
	struct lockfile_holders holders;

	assert_true(lockfile_look(server->lockfile, &holders, error));
	return holders;
}
