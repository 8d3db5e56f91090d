/* SPDX-License-Identifier: MIT */
/*
 * crew.h - whole workers in one process, on one segment, with their clients.
 *
 * Each worker is what worker_main() makes: its loop, ring handle, tables and
 * all.  The segment is plain memory, a connection is a socketpair that was
 * "accepted" (or one of TCP, where the kernel's view of it matters), and a turn of a worker's loop happens when the test says so.  So
 * everything is in the test's hands: who has read what, who turns next, how
 * much a socket takes.  No listener, no network, no second process.
 *
 * After every turn it is checked that nobody falls asleep with work left, and
 * at the end that every count is back at 0.
 */

#ifndef UNIT_CREW_H
#define UNIT_CREW_H

#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/config.h"
#include "tests/support/testseg.h"
#include "tests/unit/support/peer.h"
#include "worker/net/conns.h"
#include "worker/net/service.h"
#include "worker/state.h"

#include <stdbool.h>
#include <stddef.h>

#define CREW_MAX     2u
#define CREW_SECONDS 10 /* that something may take to come about */

struct crew {
	struct testseg t;
	struct config config;          /* to be changed before crew_start() */
	uint64_t ring_size;            /* likewise */
	const struct service *service; /* likewise; to begin with pubsub's */
	bool tcp;      /* likewise: connections are of TCP, over loopback */
	uint32_t from; /* whence the next connection comes, IPv4; 0: loopback */
	struct conns_listener listener; /* that it comes through */
	char root[32];                  /* directory of the static files */
	int root_fd;                    /* of it, O_PATH */
	struct wakeup doorbells;
	struct wakeup wakeup[CREW_MAX]; /* as each worker has them */
	struct worker_args args[CREW_MAX];
	struct worker w[CREW_MAX];
	unsigned first;    /* of them, the first that is not closed */
	unsigned count;    /* workers started */
	int state_fd;      /* where they report */
	int supervisor[2]; /* the pipe whose end they watch */
};

/* For cmocka_unit_test_setup_teardown(); *state is the crew, not started. */
int crew_setup(void **state);
int crew_teardown(void **state);

/* The same for a test that has children too, see tests/support/mp.h. */
int crew_mp_setup(void **state);
int crew_mp_teardown(void **state);

/* Start n workers; the same with so long for a drain. */
void crew_start(struct crew *crew, unsigned n);
void crew_start_for_drain(struct crew *crew, unsigned n, uint32_t drain_ms);

/*
 * Worker 1 takes the place of worker 0, the only one, as in an upgrade: all its
 * connections are written down and made of that again.  What is written of those
 * is the same, byte by byte.  Worker 0 is closed then.
 */
void crew_succeed(struct crew *crew);

/* Leave a worker to what the test does: nothing turns by itself. */
void crew_stand_still(struct worker *w);

/* One turn of a worker: what its sockets, timers and doorbell have, then the
 * turn's end; or so many of them. */
void crew_turn(struct crew *crew, unsigned worker);
void crew_turns(struct crew *crew, unsigned worker, unsigned turns);

/* Turns of all until nothing moves any more. */
void crew_run(struct crew *crew);

/* Turns of all until cond holds, for CREW_SECONDS at most. */
#define CREW_UNTIL(crew, cond)                            \
	do {                                              \
		uint64_t until_ms = crew_patience();      \
		while (!(cond))                           \
			crew_wait(crew, until_ms, #cond); \
	} while (0)
uint64_t crew_patience(void);
void crew_wait(struct crew *crew, uint64_t until_ms, const char *what);

/* Whether the worker's doorbell has been rung. */
bool crew_is_rung(const struct crew *crew, unsigned worker);

/* A counter of a worker. */
uint64_t crew_stat(const struct crew *crew, unsigned worker, enum stats_id id);

/* Give all workers an order, as the supervisor does, now. */
void crew_order(struct crew *crew, enum run_order order);

/*
 * Somebody else holds the ring's lock: a child that has stopped itself, as a
 * worker does that is stopped from outside.  For tests with crew_mp_setup().
 * Returns its pid, for crew_lock_is_free() or mp_kill().
 */
pid_t crew_lock_is_held(struct crew *crew);

/* It goes on, leaves the lock and ends. */
void crew_lock_is_free(pid_t holder);

/* Make a file to be served, of so many zero bytes. */
void crew_file(struct crew *crew, const char *name, size_t size);

/* Let so many ticks of the wheel pass, with a turn after each. */
void crew_ticks(struct crew *crew, unsigned worker, uint32_t ticks);

#endif
