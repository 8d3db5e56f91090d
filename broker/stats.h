/* SPDX-License-Identifier: MIT */
/*
 * stats.h - the counters that each worker keeps in its slot of the segment.
 *
 * One writer each (the worker), any number of readers (the supervisor, status,
 * other workers), so a plain relaxed store suffices and costs what a private
 * variable costs.  They survive the worker's death and add up over its
 * successors; gauges are set back when a successor takes the slot.
 *
 * The X-macro is the only list: the enum, the names in `status --json', and
 * the help text all come from it.
 */

#ifndef BROKER_STATS_H
#define BROKER_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(NAME, name, kind, what it counts) */
#define STATS_LIST(X)                                                          \
	X(CONNECTIONS, connections, GAUGE, "open connections")                 \
	X(WEBSOCKETS, websockets, GAUGE, "open WebSocket connections")         \
	X(SUBSCRIPTIONS, subscriptions, GAUGE, "subscriptions")                \
	X(TOPICS, topics, GAUGE, "topics with a subscriber")                   \
	X(PARSERS, parsers, GAUGE, "frame parsers lent out")                   \
	X(BUFFERED_BYTES, buffered_bytes, GAUGE, "output waiting for sockets") \
	X(ACCEPTED, accepted, COUNTER, "connections accepted")                 \
	X(REQUESTS, requests, COUNTER, "HTTP requests")                        \
	X(UPGRADES, upgrades, COUNTER, "WebSocket handshakes completed")       \
	X(REFUSED_LIMIT, refused_limit, COUNTER,                               \
	    "connections refused: worker full")                                \
	X(REFUSED_ADDRESS, refused_address, COUNTER,                           \
	    "connections refused: address over its share")                     \
	X(REFUSED_ORIGIN, refused_origin, COUNTER,                             \
	    "requests refused: foreign Origin or Host")                        \
	X(REFUSED_REQUEST, refused_request, COUNTER,                           \
	    "requests refused: malformed or over a limit")                     \
	X(ACCEPT_PAUSES, accept_pauses, COUNTER,                               \
	    "times accepting paused: out of descriptors")                      \
	X(MESSAGES_IN, messages_in, COUNTER, "messages published")             \
	X(MESSAGES_OUT, messages_out, COUNTER, "messages handed to sockets")   \
	X(BYTES_IN, bytes_in, COUNTER, "bytes read from sockets")              \
	X(BYTES_OUT, bytes_out, COUNTER, "bytes written to sockets")           \
	X(WRITES, writes, COUNTER, "write system calls")                       \
	X(DROPS, drops, COUNTER, "messages dropped: slow subscriber")          \
	X(DROPS_MEMORY, drops_memory, COUNTER,                                 \
	    "messages dropped: worker's buffer memory full")                   \
	X(GAPS, gaps, COUNTER, "gaps told to clients") \
	X(MISSED, missed, COUNTER, "messages missed: lapped by the ring")      \
	X(LAPS, laps, COUNTER, "times lapped by the ring")                     \
	X(RATE_PAUSES, rate_pauses, COUNTER,                                   \
	    "times a fast publisher was paused")                               \
	X(PROTOCOL_ERRORS, protocol_errors, COUNTER,                           \
	    "connections closed for bad input")                                \
	X(TIMEOUTS, timeouts, COUNTER,                                         \
	    "connections closed: too slow or silent")                          \
	X(SLOW_CLOSES, slow_closes, COUNTER,                                   \
	    "connections closed: slow under overflow=close")                   \
	X(DIRECTORY_FULL, directory_full, COUNTER,                             \
	    "subscribes refused: topic directory full")                        \
	X(LOCK_BUSY, lock_busy, COUNTER, "times the ring's lock was not had")  \
	X(WAKEUPS_SENT, wakeups_sent, COUNTER, "doorbells rung")               \
	X(TURNS, turns, COUNTER, "event loop turns")                           \
	X(CLOSED_CLEANLY, closed_cleanly, COUNTER,                             \
	    "drain: connections closed with their close frame answered")       \
	X(CUT, cut, COUNTER, "drain: connections cut at the deadline")         \
	X(LOG_DROPPED, log_dropped, COUNTER, "log lines dropped")

enum stats_kind { STATS_GAUGE, STATS_COUNTER };

enum stats_id {
#define STATS_ENUM(upper, lower, kind, what) STATS_##upper,
	STATS_LIST(STATS_ENUM)
#undef STATS_ENUM
	    STATS_COUNT
};

/* Name ("messages_in") and help text of a counter. */
struct stats_info {
	const char *name;
	const char *what;
	enum stats_kind kind;
};

extern const struct stats_info stats_info[STATS_COUNT];

/* This process's own counters, in the segment.  Callers: workers. */
struct stats {
	_Atomic uint64_t *counters; /* borrowed: layout_worker.counters */
};

/* Add to a counter.  Callers: the worker that owns the slot. */
static inline void
stats_add(struct stats *stats, enum stats_id id, uint64_t n)
{
	_Atomic uint64_t *at = &stats->counters[id];

	atomic_store_explicit(at,
	    atomic_load_explicit(at, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* Set a gauge.  Callers: the worker that owns the slot. */
static inline void
stats_set(struct stats *stats, enum stats_id id, uint64_t value)
{
	atomic_store_explicit(
	    &stats->counters[id], value, memory_order_relaxed);
}

/* Subtract from a gauge.  Callers: the worker that owns the slot. */
static inline void
stats_sub(struct stats *stats, enum stats_id id, uint64_t n)
{
	stats_add(stats, id, (uint64_t)0 - n);
}

/* Read a counter of any slot.  Callers: anybody. */
static inline uint64_t
stats_get(const _Atomic uint64_t *counters, enum stats_id id)
{
	return atomic_load_explicit(
	    (_Atomic uint64_t *)(uintptr_t)&counters[id], memory_order_relaxed);
}

/* Set the gauges of a slot to 0, for a successor.  Callers: its new worker. */
void stats_reset_gauges(_Atomic uint64_t *counters);

#endif
