/* SPDX-License-Identifier: MIT */
/*
 * server.h - a real supervisor in a child, with workers that do as they are
 * told.
 *
 * The supervisor is the program's own; its worker_main is a small loop that
 * beats, answers HTTP, obeys the run's order, and may be told to misbehave.
 * Between server_setup() and server_teardown() each test has an instance, a
 * directory and a port of its own.
 */

#ifndef TESTS_MP_SERVER_H
#define TESTS_MP_SERVER_H

#include "broker/host/lockfile.h"
#include "broker/host/report.h"
#include "broker/shared/segment.h"
#include "common/config.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_WORKERS 2u

/* What a worker is told to do; it does it once. */
enum server_deed {
	SERVER_BEHAVE = 0,
	SERVER_LEAVE,      /* with status 3 */
	SERVER_HANG,       /* beat no more */
	SERVER_HOLD,       /* be the owner of the lock for ever */
	SERVER_DIE_LOCKED, /* the same, and die */
	SERVER_BUG,        /* die of a bug, with last words */
};

/* Shared by the test and the workers of all its servers. */
struct server_stage {
	_Atomic uint32_t deed[SERVER_WORKERS];
	_Atomic uint32_t stillborn;    /* slot + 1 that cannot start; 0: none */
	_Atomic uint32_t ignore_drain; /* 1: only an order to quit is obeyed */
	_Atomic uint32_t linger;       /* 1: orphans wait until it is 0 */
	_Atomic uint32_t orphans;      /* have seen their supervisor die */
};

struct server {
	struct config config;
	struct server_stage *stage;
	char directory[64];
	char pidfile[96], lockfile[96], log[96];
	char report[512];          /* of the last start */
	enum exit_status expected; /* of the supervisor; else its child fails */
	pid_t pid;                 /* of the last supervisor */
	struct segment segment;
};

/* For cmocka_unit_test_setup_teardown(); *state is the struct server. */
int server_setup(void **state);

/* Fails the test if a segment, a pidfile or a process is left. */
int server_teardown(void **state);

/* Start a supervisor and wait for its report.  Returns the report's status; if
 * that is 0 the segment is attached. */
enum exit_status server_start(struct server *server);

/* The same of *state, and it must be ready; returns it. */
struct server *server_must_start(void **state);

/* Drain it, and see that it ends well. */
void server_stop(struct server *server);

/* Map the segment again, after the server may have made a new one. */
void server_attach(struct server *server);

/* Wait until this has become true; fails the test when its time is over. */
#define SERVER_WAIT(cond)                                                \
	do {                                                             \
		while (!(cond))                                          \
			server_wait_a_little(__FILE__, __LINE__, #cond); \
	} while (0)

void server_wait_a_little(const char *file, int line, const char *what);

/* Wait until the log has this text. */
void server_wait_log(const struct server *server, const char *text);

/* The pid of a worker that is ready; waits for one. */
pid_t server_worker(const struct server *server, unsigned slot);

/* Wait until another process than before is ready on the slot. */
void server_wait_successor(
    const struct server *server, unsigned slot, pid_t before);

/* Connect, ask, and see an answer.  Returns whether it came. */
bool server_answers(const struct server *server);

/* Be the supervisor that a restart executes: what main() does with "serve". */
int server_serve(char **argv);

/* Who holds the locks of its lock file. */
struct lockfile_holders server_holders(const struct server *server);

#endif
