/* SPDX-License-Identifier: MIT */
/*
 * intake.h - the requests of this turn, done together under one lock.
 *
 * Nearly every request needs the ring's lock, so while sockets are read,
 * requests are only copied here, in the order in which they came.  At the end
 * of the turn they are done together (commit.h), and then answered, again in
 * order, each by the function that came with it: whatever protocol a connection
 * speaks, its requests take effect and are answered one after another.
 *
 * When the lock cannot be had (its holder was stopped), all requests wait here,
 * their connections are not read and their answers are held back; the rest of
 * the worker goes on.  A request for a topic's past waits likewise when others
 * have used up this turn's time for the past.
 */

#ifndef WORKER_REQUESTS_INTAKE_H
#define WORKER_REQUESTS_INTAKE_H

#include "common/buf.h"
#include "worker/delivery/hub.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake_op;
struct last_value;

/* Requests and their bytes in one turn; more requests wait for the next turn.
 * Requests that were put off do not count: there is at most one for each
 * connection, with what came behind it in the same message, and others need not
 * wait for them. */
#define INTAKE_OPS_MAX   8192u
#define INTAKE_BYTES_MAX (1024u * 1024)

/* Records that all requests for the past together may walk over in one turn;
 * those beyond it wait for the next.  The first one has no limit. */
#define INTAKE_WALK_MAX 65536u

/* Messages in one answer with a topic's history. */
#define INTAKE_HISTORY_MAX 1000u

/* How soon the lock is tried again, seconds. */
#define INTAKE_RETRY_S 0.005

enum intake_kind {
	INTAKE_PLAIN,       /* subscribe if not yet, then publish */
	INTAKE_SUBSCRIBE,   /* or change a subscription's options */
	INTAKE_UNSUBSCRIBE, /* end a subscription */
	INTAKE_PUBLISH,     /* without subscribing */
	INTAKE_PRESENCE,    /* how many subscribers a topic has, or who */
	INTAKE_HISTORY,     /* a topic's past messages */
	INTAKE_TOPIC,       /* how a topic stands (HTTP) */
	INTAKE_LAST,        /* a topic's last value (HTTP) */
	INTAKE_AUTH,        /* be somebody from now on: caller.h */
	INTAKE_PING,        /* an answer, in its place */
	INTAKE_ERROR,       /* what was wrong with a request, in its place */
	INTAKE_WAIT,        /* nothing but to be read again: intake_hold() */

	/* subscribe to a pattern, and leave it; `topic' is the pattern */
	INTAKE_SUBSCRIBE_PATTERN,
	INTAKE_UNSUBSCRIBE_PATTERN,
};

/* Whether the client is told of members from now on: delivery/watch.h. */
enum intake_watch {
	INTAKE_WATCH_AS_IS = 0,
	INTAKE_WATCH_BEGIN,
	INTAKE_WATCH_END,
};

/* How it went. */
enum intake_result {
	INTAKE_DONE = 0,
	INTAKE_TOO_MANY,         /* --max-topics-per-conn */
	INTAKE_HOLDS_TOO_MANY,   /* its address does, for how few are free */
	INTAKE_TOO_MANY_MEMBERS, /* its address has, for how few are free */
	INTAKE_DIRECTORY_FULL,   /* every slot has a subscriber */
	INTAKE_DRAINING,         /* the server takes no more publishes */
	INTAKE_NOT_SUBSCRIBED,   /* to what it wanted to leave */
	INTAKE_RESUBSCRIBED,     /* with since, history or last: not allowed */
	INTAKE_NO_TOPIC,         /* nobody has ever used it */
	INTAKE_MEMBERS_FULL,     /* not all members are known */
	INTAKE_FORBIDDEN,        /* no grant: caller.h */
	INTAKE_UNAUTHORIZED,     /* the same, and nobody knows who it is */
	INTAKE_TOO_FAST,         /* the topic's rate: policed.h */
	INTAKE_KEYS_FULL,        /* no room to remember its key */
	INTAKE_RETAIN_FULL,      /* no room for it as a last value */
	INTAKE_LATER,            /* nothing was done: in the next turn */
	INTAKE_WAITING,          /* in the outbox of a cluster: waiting.h */
	INTAKE_PUT_OFF,          /* nothing was done: likewise */
	INTAKE_NOT_IN_CLUSTER, /* key, ttl, retain: its log has none of them */
	INTAKE_CLUSTER_DOWN,   /* its log has been away for too long */

	/* of subscriptions to patterns */
	INTAKE_TOO_MANY_PATTERNS, /* --max-patterns-per-conn */
	INTAKE_PATTERNS_FULL,     /* --max-patterns */
};

struct intake_request {
	enum intake_kind kind;
	/* Tell the client how it went, and begin a replay that it asked for.
	 * Called without the lock, if the connection is still open.  NULL: no
	 * answer. */
	void (*answer)(struct hub *hub, const struct intake_op *op);
	const char *id;  /* JSON text of the client's id; NULL: none */
	const char *key; /* of a publish, to be known again: extras.h */
	const char *topic;
	const char *body; /* NULL: intake_add()'s caller fills in body_len */
	const char *code; /* of an error: static string */
	uint8_t id_len, key_len, topic_len; /* key_len 0: none */
	bool is_behind; /* came in one message with the request before it */
	bool no_echo;
	bool has_since;
	bool is_other_epoch; /* since is of another ring */
	bool has_place;      /* and there is a place with it: since_place */
	bool has_limit;      /* history: N, or limit */
	bool wants_members;  /* presence: who; since: those behind that */
	bool counts_members; /* presence: how many they are */
	uint8_t watch;       /* presence: enum intake_watch */
	bool has_before;
	bool wants_count;  /* publish: of the subscribers */
	bool is_ephemeral; /* publish: without a number */
	bool retain;       /* publish: it is the topic's last value: extras.h */
	bool says_retain;  /* or that it is not; otherwise, as policed.h */
	bool follows;      /* subscribe: with the one before: intake_add() */
	bool last;         /* subscribe: begin with the last value: last.h */
	uint32_t identity; /* auth: who, held for the connection */
	uint32_t body_len;
	uint32_t limit;
	uint32_t ttl_s;    /* publish: nobody is sent it later; 0: not said */
	uint32_t every_ms; /* subscribe: at most one message in that time */
	uint64_t since;
	uint64_t since_place; /* the same in a cluster's log; 0: of another */
	uint64_t before;
};

/* Whether its topic is a pattern. */
static inline bool
intake_is_of_pattern(const struct intake_request *want)
{
	return want->kind == INTAKE_SUBSCRIBE_PATTERN ||
	       want->kind == INTAKE_UNSUBSCRIBE_PATTERN;
}

struct intake_op {
	struct intake_request
	    want;          /* its pointers: see intake_id() and so on */
	struct conn *conn; /* kept from the sweep by conn->requests_pending */
	size_t at;         /* id, key, topic, body, in intake.bytes */
	uint64_t time_ms;  /* wall clock, when it came in */
	/* how it went */
	enum intake_result result;
	uint32_t hash;     /* of the topic */
	bool is_back;      /* from waiting.h: `result' is how it went */
	bool awaits;       /* a publish: answered when the tail meets it */
	bool already;      /* it was subscribed before */
	uint32_t past_max; /* messages of the past that it may have */
	bool withheld;  /* no grant for the past that it wants to see again */
	bool duplicate; /* its key was known, and nothing was published */
	uint32_t last;  /* of the last value: index + 1 in intake.lasts */
	uint32_t msg;   /* of what was published: index + 1 in intake.msgs */
	uint32_t members_len; /* of what presence.h has read; 0: nothing */
	union {
		size_t members_at; /* where, in intake.members */
		uint64_t members;  /* or how many they are */
	};
	uint64_t count; /* of subscribers, where it is asked for */
	uint64_t place; /* of what was published, in a cluster's log; or 0 */
	uint64_t out;   /* its number in the outbox */
	struct subs_start start; /* where the topic stood */
};

struct intake {
	struct intake_op *ops; /* owned */
	uint32_t count, max;
	uint32_t late;   /* of these, the first: put off by the turn before */
	uint64_t walked; /* by who reads the past, records at most */
	char *bytes;     /* owned */
	size_t used, size;
	size_t late_used;      /* of the bytes, those of the late */
	struct ring_msg *msgs; /* owned, [msgs_max] */
	uint32_t msgs_count;   /* gathered */
	uint32_t msgs_done;    /* of these, published */
	uint32_t msgs_max;
	struct layout_extra *extras; /* of msgs; owned, NULL: never needed */
	uint32_t extras_max;
	struct last_value *lasts; /* last.c's, of this turn; owned */
	uint32_t lasts_count, lasts_max;
	struct buf last_bytes;
	uint64_t began_ns;     /* when the first was noted, monotonic */
	uint64_t commits;      /* turns in which the lock was to be had */
	struct buf members;    /* presence.c's: of this turn's answers */
	unsigned char *record; /* history.c's: room for one record; owned */
	size_t record_size;
	ev_timer retry;
};

/* record_max: bytes of the longest record that the ring can hold. */
void intake_init(struct intake *intake, uint64_t record_max);
void intake_fini(struct intake *intake);

/*
 * Note a request; id and topic are copied.  If that fills the intake, the
 * connection is paused until it is done.  One that follows the one before it,
 * which was added just then by the same connection, is done in the same turn if
 * that was done, and otherwise has its result: so many subscriptions are one
 * request.  Among these, a topic may be there twice.  Returns room for body_len
 * bytes,
 * which the caller fills before anything else is asked of the intake; if
 * want->body is set it has been copied there already.
 */
char *intake_add(struct conn *c, const struct intake_request *want);

/*
 * Whether a request reads a topic's past.  Such a request visits each record,
 * and its answer may be long: one per turn is enough for a connection.
 */
bool intake_reads_past(const struct intake_request *want);

/* The parts of a request that wait here. */
const char *intake_id(const struct intake *intake, const struct intake_op *op);
const char *intake_key(const struct intake *intake, const struct intake_op *op);
const char *intake_topic(
    const struct intake *intake, const struct intake_op *op);
const char *intake_body(
    const struct intake *intake, const struct intake_op *op);

/* Whether a request publishes where the one before it did, for the same client,
 * as most do that come together: then what was found out for that holds. */
bool intake_repeats(const struct intake *intake, const struct intake_op *op);

/* Whether no more should be read in this turn. */
bool intake_full(const struct intake *intake);

/* While the intake is full, pause the connection until the requests here have
 * been done; otherwise its socket would be reported readable all the time.  For
 * service.hold. */
bool intake_hold(struct conn *c);

/* Whether nothing waits. */
bool intake_empty(const struct intake *intake);

/* The lock could not be had: do not read the connections that wait here until
 * it can, and try again in a turn soon.  Callers: commit.c. */
void intake_retry(struct hub *hub);

/* Have a request that left the intake waiting answered, or done, in this turn;
 * the bytes are its id, topic and, unless it has none, body.  It still counts as
 * one of its connection's.  Callers: waiting.c. */
void intake_put_back(
    struct hub *hub, const struct intake_op *op, const char *bytes, size_t len);

/* Whether a request stays with its connection when the turn is over. */
static inline bool
intake_stays(enum intake_result result)
{
	return result == INTAKE_LATER || result == INTAKE_WAITING ||
	       result == INTAKE_PUT_OFF;
}

/* All requests are done and answered, except for those that were put off
 * (INTAKE_LATER): read on.  Callers: commit.c. */
void intake_release(struct hub *hub);

#endif
