/* SPDX-License-Identifier: MIT */
/*
 * crowd.h - rooms full of connections, and one epoll loop for them.
 *
 *	conns	| room 0: member 0 .. M-1 | room 1 ... |  publishers apart  |
 *
 * Member 0 publishes for its room, unless the dialect wants a connection of
 * its own for that.  Messages of a room are numbered by their order, for each
 * member gets them in that order: so the time from a message to its delivery
 * is known without a word about it in the message.
 */

#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/bench.h"
#include "tests/bench/probe.h"
#include "tests/load/histogram.h"

struct room {
	uint64_t sent;
	uint64_t delivered;      /* to all its members together */
	struct probe *publisher; /* borrowed from the crowd */
	uint64_t *stamps;        /* when the last few were sent, ns */
	unsigned topic;          /* of the next message */
	bool is_touched;         /* has got deliveries in this turn */
};

struct crowd {
	const struct bench_options *options; /* borrowed */
	int epoll;
	struct probe *conns;
	size_t conns_count;
	struct room *rooms;
	uint8_t *frames; /* room to make frames of one send */
	uint64_t sent;
	uint64_t delivered;
	uint64_t last_ns; /* when something was delivered last */
	bool is_timed;    /* enter latencies */
	struct histogram latency;
	unsigned *touched; /* rooms with deliveries in this turn */
	size_t touched_count;
};

/*
 * Connect all and wait until they are subscribed.
 * Blocks:  until then.  Exits the process if it cannot be done.
 */
void crowd_open(struct crowd *crowd, const struct bench_options *options);

/* Close all and release everything. */
void crowd_close(struct crowd *crowd);

/*
 * Wait for events, at most so long, and take what has come.  Then touched[]
 * has the rooms that got deliveries.  A broken connection ends the process.
 */
void crowd_turn(struct crowd *crowd, int timeout_ms);

/*
 * Publish so many messages to a room, to its topics in turn, at most
 * CROWD_BURST in one go.  due_ns is when the first should have been sent, and
 * step_ns how much later each next one.
 */
#define CROWD_BURST 1024u
void crowd_publish(struct crowd *crowd, unsigned room, unsigned count,
    uint64_t due_ns, uint64_t step_ns);

/* Refill all rooms' windows (touched: only those just touched). */
void crowd_fill(struct crowd *crowd, bool touched);

/* Keep the windows filled for so many seconds. */
void crowd_run(struct crowd *crowd, double seconds);

/* Let every member publish one message, and wait until all have all.  Where
 * publishers are apart they do it. */
void crowd_chat(struct crowd *crowd);

/* Go on without publishing until all that was sent is delivered, or nothing
 * came for some seconds.  Returns: how many deliveries are missing. */
uint64_t crowd_drain(struct crowd *crowd);

/*
 * End the figures with what crowd_drain() returned and with the deliveries over
 * or under what each connection should have; then close all.
 * Returns: the exit status, 0 when each has got every message once.
 */
int crowd_end(struct crowd *crowd, uint64_t missing);

/* End the process if nothing was delivered for some seconds. */
void crowd_check_alive(const struct crowd *crowd);

#endif
