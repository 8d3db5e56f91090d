/* SPDX-License-Identifier: MIT */
/*
 * stats.h - the counters that each worker keeps in its slot of the segment.
 *
 * One writer each (the worker), any number of readers (the supervisor, status,
 * other workers), so a plain relaxed store suffices and costs what a private
 * variable costs.  They survive the worker's death and add up over its
 * successors; gauges go back to 0 when the supervisor has reaped it.
 *
 * The X-macro is the only list: the enum, the names in `status --json', and
 * the metrics with their help texts all come from it.
 */

#ifndef BROKER_SHARED_STATS_H
#define BROKER_SHARED_STATS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* clang-format off */
/*
 * X(NAME, name, kind, metric, reason, what it counts)
 *
 * name is that of `status --json' and of /stats, metric that of /metrics
 * (which puts pubsubd_ before it and, to a counter, _total behind).  Counters
 * of one metric stand together; they differ by their reason, and what they
 * count is the same up to the colon.
 */
#define STATS_LIST(X)                                                          \
	X(CONNECTIONS, connections, GAUGE, "connections", NULL,                \
	    "open connections")                                                \
	X(WEBSOCKETS, websockets, GAUGE, "websockets", NULL,                   \
	    "open WebSocket connections")                                      \
	X(EVENT_STREAMS, event_streams, GAUGE, "event_streams", NULL,          \
	    "open streams of server-sent events")                              \
	X(SUBSCRIPTIONS, subscriptions, GAUGE, "subscriptions", NULL,          \
	    "subscriptions")                                                   \
	X(WATCHES, presence_subscriptions, GAUGE, "presence_subscriptions", NULL, \
	    "subscriptions that are told who comes and leaves")                \
	X(MEMBERS_UNCOUNTED, members_uncounted, GAUGE, "members_uncounted",    \
	    NULL, "subscriptions of users without room in the table of members") \
	X(TOPICS, topics, GAUGE, "subscribed_topics", NULL,                    \
	    "topics with a subscriber")                                        \
	X(PATTERN_SUBSCRIPTIONS, pattern_subscriptions, GAUGE,                 \
	    "pattern_subscriptions", NULL,                                     \
	    "subscriptions to patterns of topics")                             \
	X(PATTERNS, patterns, GAUGE, "patterns", NULL,                         \
	    "different patterns with a subscriber")                            \
	X(PATTERN_BYTES, pattern_bytes, GAUGE, "pattern_bytes", NULL,          \
	    "memory of patterns, and of what they match")                      \
	X(PARSERS, parsers, GAUGE, "parsers", NULL, "frame parsers lent out")  \
	X(BUFFERED_BYTES, buffered_bytes, GAUGE, "buffered_bytes", NULL,       \
	    "output waiting for sockets")                                      \
	X(INPUT_BYTES, input_bytes, GAUGE, "input_bytes", NULL,                \
	    "input that is incomplete")                                        \
	X(ACCEPTED, accepted, COUNTER, "connections_accepted", NULL,           \
	    "connections accepted")                                            \
	X(REQUESTS, requests, COUNTER, "http_requests", NULL, "HTTP requests") \
	X(ADMIN_REQUESTS, admin_requests, COUNTER, "admin_requests", NULL,     \
	    "HTTP requests for the operator's pages")                          \
	X(UPGRADES, upgrades, COUNTER, "handshakes", NULL,                     \
	    "WebSocket handshakes completed")                                  \
	X(REFUSED_LIMIT, refused_limit, COUNTER, "refused", "limit",           \
	    "connections and requests refused: worker full")                   \
	X(REFUSED_ADDRESS, refused_address, COUNTER, "refused", "address",     \
	    "connections and requests refused: address over its share")        \
	X(REFUSED_CONN_RATE, refused_conn_rate, COUNTER, "refused",            \
	    "conn_rate",                                                       \
	    "connections and requests refused: address far over its rate")     \
	X(REFUSED_ORIGIN, refused_origin, COUNTER, "refused", "origin",        \
	    "connections and requests refused: foreign Origin or Host")        \
	X(REFUSED_REQUEST, refused_request, COUNTER, "refused", "request",     \
	    "connections and requests refused: malformed or over a limit")     \
	X(REFUSED_MEMORY, refused_memory, COUNTER, "refused", "memory",        \
	    "connections and requests refused: no memory for their input")     \
	X(REFUSED_TOPICS, refused_topics, COUNTER, "refused", "topics",        \
	    "connections and requests refused: address holds many topics")     \
	X(REFUSED_MEMBERS, refused_members, COUNTER, "refused", "members",     \
	    "connections and requests refused: address has many members")      \
	X(REFUSED_PATTERNS, refused_patterns, COUNTER, "refused", "patterns",  \
	    "connections and requests refused: worker has many patterns")      \
	X(REFUSED_GRANTS, refused_grants, COUNTER, "refused", "grants",        \
	    "connections and requests refused: no grant for the topic")        \
	X(REFUSED_TOPIC_RATE, refused_topic_rate, COUNTER, "refused",          \
	    "topic_rate",                                                      \
	    "connections and requests refused: topic over its rate")           \
	X(REFUSED_KEYS, refused_keys, COUNTER, "refused", "keys",              \
	    "connections and requests refused: no room for a publish's key")   \
	X(REFUSED_RETAIN, refused_retain, COUNTER, "refused", "retain",        \
	    "connections and requests refused: no room for a last value")      \
	X(BAD_PROXY_HEADER, bad_proxy_header, COUNTER, "bad_proxy_headers",    \
	    NULL, "connections closed: without a PROXY header that must come") \
	X(BAD_FORWARDED, bad_forwarded, COUNTER, "bad_forwarded", NULL,        \
	    "requests of a trusted proxy that tell no usable client")          \
	X(TOKENS_ACCEPTED, tokens_accepted, COUNTER, "tokens_accepted", NULL,  \
	    "tokens accepted")                                                 \
	X(TOKENS_VERIFIED, tokens_verified, COUNTER, "tokens_verified", NULL,  \
	    "tokens looked into: the others were known")                       \
	X(TOKENS_MALFORMED, tokens_malformed, COUNTER, "tokens_refused",       \
	    "malformed", "tokens refused: not the form of a token")            \
	X(TOKENS_KEY, tokens_key, COUNTER, "tokens_refused", "key",            \
	    "tokens refused: of no key of this server")                        \
	X(TOKENS_SIGNATURE, tokens_signature, COUNTER, "tokens_refused",       \
	    "signature", "tokens refused: the signature does not fit")         \
	X(TOKENS_EXPIRED, tokens_expired, COUNTER, "tokens_refused",           \
	    "expired", "tokens refused: expired, or not valid yet")            \
	X(TOKENS_CLAIMS, tokens_claims, COUNTER, "tokens_refused", "claims",   \
	    "tokens refused: of another issuer or audience, or bad claims")    \
	X(TOKENS_PUT_OFF, tokens_put_off, COUNTER, "tokens_refused", "rate",   \
	    "tokens refused: address has shown too many bad ones")             \
	X(TOKENS_RENEWED, tokens_renewed, COUNTER, "tokens_renewed", NULL,     \
	    "times a connection went on with another token")                   \
	X(ACCESS_ENDED, access_ended, COUNTER, "access_ended", NULL,           \
	    "connections closed: their token has expired, or its key is gone") \
	X(TLS_HANDSHAKES, tls_handshakes, COUNTER, "tls_handshakes", NULL,     \
	    "TLS handshakes completed")                                        \
	X(TLS_RESUMED, tls_resumed, COUNTER, "tls_resumed", NULL,              \
	    "TLS handshakes that resumed a session")                           \
	X(TLS_FAILED, tls_failed, COUNTER, "tls_failed", NULL,                 \
	    "TLS handshakes that failed, and requests in plain text instead")  \
	X(ACCEPT_PAUSES, accept_pauses, COUNTER, "accept_pauses", NULL,        \
	    "times accepting paused: out of descriptors")                      \
	X(MESSAGES_IN, messages_in, COUNTER, "messages_in", NULL,              \
	    "messages published")                                              \
	X(DUPLICATES, duplicates, COUNTER, "duplicates", NULL,                 \
	    "publishes answered without publishing: their key was known")      \
	X(MESSAGES_OUT, messages_out, COUNTER, "messages_out", NULL,           \
	    "messages handed to sockets, one for each subscriber")             \
	X(BYTES_IN, bytes_in, COUNTER, "received_bytes", NULL,                 \
	    "bytes read from sockets")                                         \
	X(BYTES_OUT, bytes_out, COUNTER, "sent_bytes", NULL,                   \
	    "bytes written to sockets")                                        \
	X(DEFLATE_AGREED, deflate_agreed, COUNTER, "deflate_handshakes", NULL, \
	    "WebSocket handshakes that agreed on compression")                 \
	X(DEFLATE_DECLINED, deflate_declined, COUNTER, "deflate_declined",     \
	    NULL, "offers of compression declined: faulty parameters")         \
	X(DEFLATED, deflated, COUNTER, "deflated", NULL,                       \
	    "messages compressed, once for all subscribers of a form")         \
	X(DEFLATED_FROM, deflated_from, COUNTER, "deflated_from_bytes", NULL,  \
	    "bytes of these messages before")                                  \
	X(DEFLATED_TO, deflated_to, COUNTER, "deflated_to_bytes", NULL,        \
	    "bytes of these messages after")                                   \
	X(DEFLATED_IN_VAIN, deflated_in_vain, COUNTER, "deflated_in_vain",     \
	    NULL, "messages sent as they are: not smaller by compression")     \
	X(INFLATED, inflated, COUNTER, "inflated", NULL,                       \
	    "messages that came in compressed")                                \
	X(INFLATED_FROM, inflated_from, COUNTER, "inflated_from_bytes", NULL,  \
	    "bytes of these messages as they came")                            \
	X(INFLATED_TO, inflated_to, COUNTER, "inflated_to_bytes", NULL,        \
	    "bytes of these messages after")                                   \
	X(WRITES, writes, COUNTER, "writes", NULL, "write system calls")       \
	X(DROPS, drops, COUNTER, "drops", "slow",                              \
	    "messages dropped: slow subscriber")                               \
	X(DROPS_MEMORY, drops_memory, COUNTER, "drops", "memory",              \
	    "messages dropped: worker's buffer memory full")                   \
	X(GAPS, gaps, COUNTER, "gaps", NULL, "gaps told to clients")           \
	X(EXPIRED, expired, COUNTER, "expired", NULL,                          \
	    "messages not replayed: their time (ttl) was over")                \
	X(CONFLATED, conflated, COUNTER, "conflated", NULL,                    \
	    "messages not sent for newer ones (every_ms)")                     \
	X(MISSED, missed, COUNTER, "missed", NULL,                             \
	    "messages missed: lapped by the ring")                             \
	X(LAPS, laps, COUNTER, "laps", NULL, "times lapped by the ring")       \
	X(RATE_PAUSES, rate_pauses, COUNTER, "rate_pauses", NULL,              \
	    "times a connection was paused for its rate")                      \
	X(CONN_RATE_WAITS, conn_rate_waits, COUNTER, "conn_rate_waits", NULL,  \
	    "new connections that waited: address over its rate")              \
	X(CONTROL_PAUSES, control_pauses, COUNTER, "control_pauses", NULL,     \
	    "times a connection was paused for its control frames")            \
	X(PIPELINE_WAITS, pipeline_waits, COUNTER, "pipeline_waits", NULL,     \
	    "times pipelined requests waited for another turn")                \
	X(PROTOCOL_ERRORS, protocol_errors, COUNTER, "protocol_errors", NULL,  \
	    "connections closed for bad input")                                \
	X(TIMEOUTS, timeouts, COUNTER, "timeouts", NULL,                       \
	    "connections closed: too slow or silent")                          \
	X(SLOW_CLOSES, slow_closes, COUNTER, "slow_closes", NULL,              \
	    "connections closed: slow under overflow=close")                   \
	X(MEMORY_CLOSES, memory_closes, COUNTER, "memory_closes", NULL,        \
	    "connections cut: no memory for all that they do not take")        \
	X(DIRECTORY_FULL, directory_full, COUNTER, "directory_full", NULL,     \
	    "requests refused: topic directory full")                          \
	X(PATTERN_LOOKUPS, pattern_lookups, COUNTER, "pattern_lookups", NULL,  \
	    "times a topic's name was looked up among the patterns")           \
	X(PAST_DEFERRED, past_deferred, COUNTER, "past_deferred", NULL,        \
	    "times a request for the past waited for another turn")            \
	X(LOCK_BUSY, lock_busy, COUNTER, "lock_busy", NULL,                    \
	    "times the ring's lock was not had")                               \
	X(LOCK_RECOVERED, lock_recovered, COUNTER, "lock_recoveries", NULL,    \
	    "times the ring's lock was taken over from a dead worker")         \
	X(WAKEUPS_SENT, wakeups_sent, COUNTER, "wakeups_sent", NULL,           \
	    "doorbells rung")                                                  \
	X(TURNS, turns, COUNTER, "turns", NULL, "event loop turns")            \
	X(CLOSED_CLEANLY, closed_cleanly, COUNTER, "drain_closed", NULL,       \
	    "drain: connections closed with their close frame answered")       \
	X(CUT, cut, COUNTER, "drain_cut", NULL,                                \
	    "drain: connections cut at the deadline")                          \
	X(HANDED_OVER, handed_over, COUNTER, "handed_over", NULL,              \
	    "upgrade: connections taken over from the old process")            \
	X(NOT_HANDED_OVER, not_handed_over, COUNTER, "not_handed_over", NULL,  \
	    "upgrade: connections closed that could not be taken over")        \
	X(CLUSTER_REFUSED, cluster_refused, COUNTER, "cluster_refused", NULL,  \
	    "requests refused: the log of the cluster was away")               \
	X(CLUSTER_GAPS, cluster_gaps, COUNTER, "cluster_gaps", "cluster",      \
	    "gaps without numbers told to clients: of another log")            \
	X(CLUSTER_GAPS_EXPIRED, cluster_gaps_expired, COUNTER,                 \
	    "cluster_gaps", "expired",                                         \
	    "gaps without numbers told to clients: before this ring's past")   \
	X(LOG_DROPPED, log_dropped, COUNTER, "log_dropped", NULL,              \
	    "log lines dropped")
/* clang-format on */

enum stats_kind { STATS_GAUGE, STATS_COUNTER };

enum stats_id {
#define STATS_ENUM(upper, lower, kind, metric, reason, what) STATS_##upper,
	STATS_LIST(STATS_ENUM)
#undef STATS_ENUM
	    STATS_COUNT
};

/* The description of a counter; all but reason are set. */
struct stats_info {
	const char *name;   /* "messages_in" */
	const char *metric; /* without pubsubd_ and _total */
	const char *reason; /* value of the metric's label, or NULL */
	const char *what;   /* help text */
	enum stats_kind kind;
};

extern const struct stats_info stats_info[STATS_COUNT];

/* Whether a counter means something in a cluster alone. */
bool stats_is_of_cluster(const struct stats_info *info);

/* Upper bounds of the delays that are told apart; beyond them is one more. */
#define STATS_DELAY_BOUNDS 16
extern const uint64_t stats_delay_bounds_ns[STATS_DELAY_BOUNDS];

/* How long things took, as numbers of them.  In a slot of the segment, and
 * written and kept like its counters. */
struct stats_delays {
	_Atomic uint64_t count[STATS_DELAY_BOUNDS + 1]; /* of each alone */
	_Atomic uint64_t sum_ns;
};

/* This process's own counters, in the segment.  Callers: workers. */
struct stats {
	_Atomic uint64_t *counters; /* borrowed: layout_worker.counters */
};

/* Add to a word that has no other writer. */
static inline void
stats_add_word(_Atomic uint64_t *at, uint64_t n)
{
	atomic_store_explicit(at,
	    atomic_load_explicit(at, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

/* Add to a counter.  Callers: the worker that owns the slot; the supervisor,
 * once that worker is dead. */
static inline void
stats_add(struct stats *stats, enum stats_id id, uint64_t n)
{
	stats_add_word(&stats->counters[id], n);
}

/* Take from a gauge.  Callers: as above. */
static inline void
stats_sub(struct stats *stats, enum stats_id id, uint64_t n)
{
	stats_add_word(&stats->counters[id], -n);
}

/* Set a gauge.  Callers: the worker that owns the slot. */
static inline void
stats_set(struct stats *stats, enum stats_id id, uint64_t value)
{
	atomic_store_explicit(
	    &stats->counters[id], value, memory_order_relaxed);
}

/* Read a word of any slot.  Callers: anybody. */
static inline uint64_t
stats_get_word(const _Atomic uint64_t *at)
{
	return atomic_load_explicit(
	    (_Atomic uint64_t *)(uintptr_t)at, memory_order_relaxed);
}

/* Read a counter of any slot.  Callers: anybody. */
static inline uint64_t
stats_get(const _Atomic uint64_t *counters, enum stats_id id)
{
	return stats_get_word(&counters[id]);
}

/* Count n things that took this long each.  Callers: the worker that owns the
 * slot. */
void stats_delay_add(struct stats_delays *delays, uint64_t ns, uint64_t n);

/* Counters that a worker kept for itself become those of its slot: gauges
 * replace what is there, the others are added.  Callers: the worker that owns
 * the slot. */
void stats_merge(_Atomic uint64_t *counters, const _Atomic uint64_t *own);

/* Set the gauges of a slot to 0.  Callers: the supervisor, when it has reaped
 * the slot's worker. */
void stats_reset_gauges(_Atomic uint64_t *counters);

#endif
