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

#include "worker/delivery/hub.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake_op;

/* Requests and their bytes in one turn; more requests wait for the next turn.
 * Requests that were put off do not count: there is at most one for each
 * connection, and others need not wait for them. */
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
	INTAKE_PRESENCE,    /* how many subscribers a topic has */
	INTAKE_HISTORY,     /* a topic's past messages */
	INTAKE_TOPIC,       /* how a topic stands (HTTP) */
	INTAKE_AUTH,        /* be somebody from now on: caller.h */
	INTAKE_PING,        /* an answer, in its place */
	INTAKE_ERROR,       /* what was wrong with a request, in its place */
	INTAKE_WAIT,        /* nothing but to be read again: intake_hold() */
};

/* How it went. */
enum intake_result {
	INTAKE_DONE = 0,
	INTAKE_TOO_MANY,       /* --max-topics-per-conn */
	INTAKE_HOLDS_TOO_MANY, /* its address does, for how few are free */
	INTAKE_DIRECTORY_FULL, /* every slot has a subscriber */
	INTAKE_DRAINING,       /* the server takes no more publishes */
	INTAKE_NOT_SUBSCRIBED, /* to what it wanted to leave */
	INTAKE_RESUBSCRIBED,   /* with since or history: not allowed */
	INTAKE_NO_TOPIC,       /* nobody has ever used it */
	INTAKE_FORBIDDEN,      /* no grant: caller.h */
	INTAKE_LATER,          /* nothing was done: in the next turn */
};

struct intake_request {
	enum intake_kind kind;
	/* Tell the client how it went, and begin a replay that it asked for.
	 * Called without the lock, if the connection is still open.  NULL: no
	 * answer. */
	void (*answer)(struct hub *hub, const struct intake_op *op);
	const char *id; /* JSON text of the client's id; NULL: none */
	const char *topic;
	const char *body; /* NULL: intake_add()'s caller fills in body_len */
	const char *code; /* of an error: static string */
	uint8_t id_len, topic_len;
	bool no_echo;
	bool has_since;
	bool is_other_epoch; /* since is of another ring */
	bool has_limit;      /* history: N, or limit */
	bool has_before;
	bool wants_count;  /* publish: of the subscribers */
	uint32_t identity; /* auth: who, held for the connection */
	uint32_t body_len;
	uint32_t limit;
	uint64_t since;
	uint64_t before;
};

struct intake_op {
	struct intake_request
	    want;          /* its pointers: see intake_id() and so on */
	struct conn *conn; /* kept from the sweep by conn->requests_pending */
	size_t at;         /* id, topic, body, in intake.bytes */
	uint64_t time_ms;  /* wall clock, when it came in */
	/* how it went */
	enum intake_result result;
	uint32_t hash;  /* of the topic */
	bool already;   /* it was subscribed before */
	bool withheld;  /* no grant for the past that it wants to see again */
	uint32_t msg;   /* of what was published: index + 1 in intake.msgs */
	uint64_t count; /* of subscribers, where it is asked for */
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
	uint64_t began_ns;     /* when the first was noted, monotonic */
	uint64_t commits;      /* turns in which the lock was to be had */
	unsigned char *record; /* history.c's: room for one record; owned */
	size_t record_size;
	ev_timer retry;
};

/* record_max: bytes of the longest record that the ring can hold. */
void intake_init(struct intake *intake, uint64_t record_max);
void intake_fini(struct intake *intake);

/*
 * Note a request; id and topic are copied.  If that fills the intake, the
 * connection is paused until it is done.  Returns room for body_len bytes,
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
const char *intake_topic(
    const struct intake *intake, const struct intake_op *op);
const char *intake_body(
    const struct intake *intake, const struct intake_op *op);

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

/* All requests are done and answered, except for those that were put off
 * (INTAKE_LATER): read on.  Callers: commit.c. */
void intake_release(struct hub *hub);

#endif
