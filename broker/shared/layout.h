/* SPDX-License-Identifier: MIT */
/*
 * layout.h - the bytes of the shared-memory segment.
 *
 *	offset 0                                        (all areas page-aligned)
 *	+--------------------------------------------------------------+
 *	| struct layout_header   geometry, run, ring and directory     |
 *	|                        control words, one line per writer    |
 *	+--------------------------------------------------------------+
 *	| struct layout_worker   x LAYOUT_WORKERS   the worker table   |
 *	+--------------------------------------------------------------+
 *	| struct layout_stamp    x LAYOUT_STAMPS   when batches came   |
 *	+--------------------------------------------------------------+
 *	| struct layout_topic    x topics_max   the words of a topic   |
 *	| uint32_t               x buckets      hash index: slot + 1   |
 *	| struct layout_name     x topics_max   the names              |
 *	| uint32_t               x LAYOUT_WORKERS x topics_max         |
 *	|                        subscribers, by worker, then by slot  |
 *	| uint64_t               x topics_max / 64   busy bits         |
 *	+--------------------------------------------------------------+
 *	| who is in which topic: layout_members.h                      |
 *	+--------------------------------------------------------------+
 *	| struct layout_ask      x LAYOUT_ASKERS   what is asked       |
 *	| struct layout_answer   x LAYOUT_WORKERS  what was answered   |
 *	+--------------------------------------------------------------+
 *	| what the other hosts are asked: layout_questions.h           |
 *	+--------------------------------------------------------------+
 *	| struct layout_keys ...   keys of publishes: layout_values.h  |
 *	| struct layout_retain ... the last values: layout_values.h    |
 *	+--------------------------------------------------------------+
 *	| ring_size bytes        the ring: struct layout_record ...    |
 *	+--------------------------------------------------------------+
 *
 * Two lifetimes share the segment.  The ring and the directory live as long as
 * their epoch: over restarts, and over the death of any process.  The worker
 * table, the subscriber counts, the interest words, questions, answers and the
 * `run' fields belong to one run of the supervisor and are made anew by the next, which may have
 * another number of workers.
 *
 * No pointer is ever stored here (except those that the C library may keep
 * inside its mutex).  Integers are in host order: both ends are this host.
 */

/* clang-format off */
/*
 * Who may write what, and why an unlocked read is safe:
 *
 *  field                   written by              an unlocked read is safe because
 *  ----------------------  ----------------------  --------------------------------
 *  magic, geometry, epoch  supervisor, before the  constant after fingerprint, which
 *  hash_key, fingerprint   first fork              is stored last (release)
 *  run.*                   supervisor              atomic words, each alone
 *  run.returning           supervisor before the   atomic; only falls
 *                          first fork, then any
 *                          worker
 *  lock                    worker (lock, unlock)   never read unlocked
 *  owner                   lock holder             atomic; changes with every holding
 *  reserve, head, applied  lock holder             atomic, only grow; the orders are
 *                                                  those of the steps in ring.c
 *  stamped, stamps         lock holder             atomic; an entry counts only if
 *                                                  `stamped' says afterwards that
 *                                                  it is still there (stamps.h)
 *  sealed                  lock holder sets;       atomic; obeyed only under the lock
 *                          supervisor clears when
 *                          no worker is alive
 *  used, making, floor,    lock holder             read under the lock; `used' also by
 *  hand                                            status (atomic, only grows)
 *  topic.seq, .last        lock holder             atomic; a reader that was lapped
 *                                                  loads `applied' (acquire) first
 *  topic.interest          any worker, its own     atomic or/and; set only under the
 *                          bit only                lock, cleared at any time
 *  following               any worker, its own     likewise
 *                          bit only
 *  topic.base              lock holder             atomic; read under the lock, and by
 *                                                  status, where a base that does not
 *                                                  yet go with `seq' is for the eye
 *  topic.paid_ns           lock holder             read under the lock only
 *  topic.hash, .next,      lock holder             read under the lock; the owner of a
 *  .state, .name_len,                              subscription may read its topic's
 *  .touched, names                                 name: a slot with interest keeps it
 *  buckets                 lock holder             read under the lock only
 *  busy                    any worker: its slot's  atomic or/and; only a hint.  A
 *                          bit, set under the      bit may be missing for a slot
 *                          lock after `interest',  that has interest, never be set
 *                          cleared at any time     for one that has none, but by a
 *                          after it                worker that died between the two:
 *                                                  its successor clears it
 *  subscribers[w][*]       worker w only; the      atomic; one writer at a time
 *                          supervisor between runs
 *  members.*, attendance,  lock holder             read under the lock; but for the
 *  members, their counts,                          atomic words, each alone
 *  buckets and pieces
 *  attendance[*].watched   any worker, its own     atomic or/and; set only under the
 *                          bit only                lock, cleared at any time
 *  worker[w].pid, .starts, supervisor              atomic
 *  .started_ms
 *  worker[w].state         supervisor; the worker  atomic
 *                          from STARTING on
 *  worker[w].last_death    supervisor              its last byte is always NUL; a
 *                                                  look in between may see it half
 *                                                  written, which is for the eye
 *  worker[w].succession    supervisor, worker w    atomic; every change is a
 *                          and its successor       compare-and-swap (succession.h)
 *  worker[w].beat,         worker w only           atomic; one writer
 *  .cursor, .sleeping,
 *  .counters, .delays      (counters also by the
 *                          supervisor, once it
 *                          has reaped w)
 *  worker[w].confined      worker w, before READY  atomic
 *  worker[w].options       worker w only           atomic
 *  worker[w].died_in       lock holder, who found  atomic; a word never seen twice
 *                          the lock's owner dead
 *  worker[w].last_words    worker w, while dying   read only after waitpid(2)
 *  asking                  any asker: one more     atomic; only a hint
 *  asks[a]                 worker a; from slot     copied word by word, believed
 *                          LAYOUT_WORKERS on: a    only after `id' was looked at
 *                          command that holds the  again (ask.h)
 *                          file's lock on byte a
 *  answers[w]              worker w only           likewise, by `version'
 *  cluster                 see layout_cluster.h
 *  questions, gathered     see layout_questions.h
 *  stop_point_arm,         tests, and the process  atomic; only with -DTESTING
 *  stopped                 that stops
 *  keys, last values, and  lock holder             read under the lock only
 *  their index                                     (layout_values.h); counted
 *                                                  by status, for the eye
 *  ring bytes              lock holder, only in    copied word by word (relaxed
 *                          [head, reserve)         atomics), believed only after
 *                                                  `reserve' was looked at again
 */
/* clang-format on */

#ifndef BROKER_SHARED_LAYOUT_H
#define BROKER_SHARED_LAYOUT_H

#include "broker/shared/layout_cluster.h"
#include "broker/shared/layout_members.h"
#include "broker/shared/layout_questions.h"
#include "broker/shared/layout_record.h"
#include "broker/shared/stats.h"
#include "common/siphash.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

#define LAYOUT_MAGIC   UINT64_C(0x7075627375622e31) /* "pubsub.1" */
#define LAYOUT_WORKERS 64u /* worker slots; bits of an interest */
#define LAYOUT_LINE    64u /* bytes of a cache line */
#define LAYOUT_PAGE    4096u
#define LAYOUT_EPOCH   12u /* characters of an epoch, without the NUL */

#define LAYOUT_STAMPS 4096u /* batches whose time of acceptance is known */

/* Who may ask workers at a time: each worker, and so many commands. */
#define LAYOUT_ASK_COMMANDS 4u
#define LAYOUT_ASKERS       (LAYOUT_WORKERS + LAYOUT_ASK_COMMANDS)
#define LAYOUT_ASK_WORDS    64u   /* of a question */
#define LAYOUT_ANSWER_WORDS 4088u /* of an answer, its head included */

#define LAYOUT_TOPIC_NAME_MAX 255u /* bytes */
#define LAYOUT_OBITUARY       256u /* bytes, NUL included */
#define LAYOUT_DEATH          384u /* likewise: an end and its last words */

/* Room for a pthread_mutex_t; lock.c asserts that it fits. */
#define LAYOUT_LOCK_SIZE 64u

/* What a whole run is doing; written by the supervisor (run.order). */
enum run_order {
	RUN_SERVE = 0,
	RUN_DRAIN,         /* finish, then leave: close code 1001 */
	RUN_DRAIN_RESTART, /* the same for a restart: close code 1012 */
	RUN_QUIT,          /* leave at once */
};

/*
 * Where a worker stands.  The supervisor sets STARTING before the fork (a slot
 * counts as running from then on) and GONE when it has reaped; the worker sets
 * READY and STOPPED.
 */
enum worker_state {
	WORKER_NONE = 0,
	WORKER_STARTING,
	WORKER_READY,
	WORKER_STOPPED, /* draining: it will publish no more */
	WORKER_GONE,
};

/* What a worker is confined by (worker/sandbox.h), or why it is not: bits. */
enum layout_confined {
	CONFINED_SECCOMP = 1 << 0,
	CONFINED_LANDLOCK = 1 << 1,
	CONFINED_NO_NEW_PRIVS = 1 << 2,
	CONFINED_NOT_WANTED = 1 << 3, /* --no-sandbox */
	CONFINED_NOT_BUILT = 1 << 4,  /* a build with sanitizers */
};

struct layout_worker {
	/* the supervisor's line */
	alignas(LAYOUT_LINE) _Atomic int32_t pid; /* 0: none */
	_Atomic uint32_t state;                   /* enum worker_state */
	_Atomic uint32_t starts;                  /* forks in this run */
	_Atomic uint64_t started_ms;              /* monotonic clock */
	_Atomic uint32_t succession;   /* enum succession, succession.h */
	char last_death[LAYOUT_DEATH]; /* how, "": none in this run */

	/* looked at by every publisher */
	alignas(LAYOUT_LINE) _Atomic uint64_t sleeping; /* odd: asleep */
	_Atomic uint64_t cursor;  /* where it tails; position */
	_Atomic uint64_t died_in; /* owner word of a holding it died in */

	/* looked at by the supervisor and by status */
	alignas(LAYOUT_LINE) _Atomic uint64_t beat; /* grows while it lives */
	_Atomic uint32_t confined; /* before READY; enum above */
	_Atomic uint32_t options;  /* version of those in force (live.h) */
	_Atomic uint64_t counters[STATS_COUNT];
	struct stats_delays delays; /* from acceptance to the sockets here */
	char last_words[LAYOUT_OBITUARY]; /* last words, "" if none */
};

/* A batch: the records from this position on, up to where the next stamp
 * begins, were accepted at this time. */
struct layout_stamp {
	_Atomic uint64_t from; /* position */
	_Atomic uint64_t ns;   /* monotonic clock */
};

/* A question to some workers; ask.h. */
struct layout_ask {
	alignas(LAYOUT_LINE) _Atomic uint64_t id; /* odd: being written */
	_Atomic uint64_t targets;                 /* a bit per worker */
	_Atomic uint64_t taken;                   /* whose answer it has */
	_Atomic uint64_t words[LAYOUT_ASK_WORDS]; /* struct ask_question */
};

/* A worker's answer to one of them. */
struct layout_answer {
	alignas(LAYOUT_LINE) _Atomic uint64_t version; /* odd: being written */
	_Atomic uint64_t words[LAYOUT_ANSWER_WORDS]; /* struct ask_head, text */
};

/* The words of a topic that publishing touches; one cache line. */
struct layout_topic {
	alignas(LAYOUT_LINE) _Atomic uint64_t seq; /* last number given */
	_Atomic uint64_t last;     /* position of its last record, 0: none */
	_Atomic uint64_t interest; /* bit w: worker w has a subscriber */
	_Atomic uint64_t base;     /* its present life's numbers are above */
	uint64_t paid_ns;          /* monotonic: its messages are paid for */
	uint32_t hash;             /* of the name */
	uint32_t next;             /* in its bucket's chain: slot + 1, 0: end */
	uint8_t state;             /* enum topic_state */
	uint8_t touched;           /* published to since the hand came by */
	uint8_t name_len;          /* bytes */
};

enum topic_state { TOPIC_FREE = 0, TOPIC_LIVE };

struct layout_name {
	char name[LAYOUT_TOPIC_NAME_MAX + 1]; /* not NUL-terminated */
};

struct layout_header {
	uint64_t magic;
	_Atomic uint64_t fingerprint; /* of this layout; stored last */
	uint64_t segment_size;        /* bytes */
	uint64_t ring_size;           /* bytes, a multiple of LAYOUT_PAGE */
	uint32_t topics_max;
	uint32_t buckets; /* a power of two */
	uint32_t members_max;
	uint32_t keys_max;
	uint32_t chunks_max;    /* of last values */
	uint32_t questions_max; /* to other hosts; 0: there are none */
	/* offsets from the segment's start, bytes */
	uint64_t workers_at, stamps_at, topics_at, buckets_at, names_at,
	    subscribers_at, busy_at, attendance_at, members_at,
	    member_counts_at, member_buckets_at, pieces_at, holders_at, asks_at,
	    answers_at, questions_at, gathered_at, keys_at, retain_at, ring_at;
	struct siphash_key hash_key; /* of the directory's names; secret */
	char epoch[LAYOUT_EPOCH + 1];

	struct {
		alignas(LAYOUT_LINE) _Atomic uint64_t id; /* 1, 2, ... */
		_Atomic int32_t supervisor;               /* pid */
		_Atomic uint32_t order;                   /* enum run_order */
		_Atomic uint32_t ready;   /* 1: all workers have been ready */
		_Atomic uint32_t workers; /* N */
		_Atomic uint64_t started_ms; /* monotonic clock */
		_Atomic uint64_t started_at; /* wall clock, ms */
		_Atomic uint64_t order_ms; /* when order was given, monotonic */
		_Atomic uint32_t drain_ms; /* how long a drain may take */
		_Atomic uint64_t deaths;   /* workers that ended unbidden */
		_Atomic uint64_t lock_deaths; /* of these, holding the lock */
		_Atomic uint64_t watchdog_kills; /* of these, by us */
		_Atomic uint64_t respawns;
		/* restarts that did not happen, and why the last one did not */
		_Atomic uint64_t restart_failed;
		char restart_why[512];
		/* reloads: those that were done, the version of the options
		 * since then (live.h); those refused, and why the last one was */
		_Atomic uint64_t reloads;
		_Atomic uint32_t options;
		_Atomic uint64_t reload_refused;
		char reload_why[512]; /* or what the last one has changed */
		/* upgrades likewise */
		_Atomic uint64_t upgrades;
		_Atomic uint64_t upgrade_refused;
		char upgrade_why[512];
		char urls[512];   /* "http://... http://...", for status */
		char admin[128];  /* "http://..." of the operator, or "" */
		char version[32]; /* of the supervisor's program */
		char user[64];    /* of --user, or "" */
		/* Connections that there were when this run was told to restart;
		 * and of those of the run before, how many may still come back
		 * without being counted as new (address_limits.h). */
		uint32_t leaving;
		_Atomic uint32_t returning;
		/* 1: no server has it; it waits for the next one (--keep-ring) */
		_Atomic uint32_t kept;
	} run;

	alignas(LAYOUT_LINE) unsigned char lock[LAYOUT_LOCK_SIZE];

	alignas(LAYOUT_LINE) _Atomic uint64_t
	    owner; /* 0: free; see layout_owner() */
	_Atomic uint64_t reserve;
	_Atomic uint64_t applied;
	_Atomic uint64_t stamped; /* stamps so far */
	_Atomic uint32_t sealed;

	/* alone on its line: every worker looks here before it sleeps */
	alignas(LAYOUT_LINE) _Atomic uint64_t head;

	/* alone on its line: every worker looks here in every turn */
	alignas(LAYOUT_LINE) _Atomic uint64_t asking; /* questions so far */

	/* looked at only in builds for tests, see stop_point.h */
	alignas(LAYOUT_LINE) _Atomic uint32_t stop_point_arm; /* STOP_AT() */
	_Atomic int32_t stopped; /* pid of who stopped last */

	/* bit w: worker w follows patterns of topics; seldom written */
	alignas(LAYOUT_LINE) _Atomic uint64_t following;

	/* the directory's control words */
	alignas(LAYOUT_LINE) _Atomic uint32_t used; /* slots handed out */
	uint32_t making; /* slot + 1 that is being made or recycled */
	uint32_t hand;   /* where the search for a silent slot goes on */
	uint64_t floor;  /* highest number of any recycled life */

	alignas(LAYOUT_LINE) struct layout_cluster cluster;
	struct layout_members members;
};

/*
 * The owner word while a worker has the lock: which of its holdings this is,
 * and its slot.  A process numbers its holdings from its pid << 32 on, so that
 * no word is seen twice.  By it a watchdog tells one long holding from many,
 * and the word of a dead process from that of its successor.
 */
static inline uint64_t
layout_owner(uint64_t holding, unsigned slot)
{
	return holding << 8 | (slot + 1);
}

/* The slot in an owner word; no slot (not below LAYOUT_WORKERS) if it is 0. */
static inline unsigned
layout_owner_slot(uint64_t word)
{
	return (unsigned)(word & 0xff) - 1;
}

#endif
