/* SPDX-License-Identifier: MIT */
/*
 * ask.h - ask workers what only they know, or to do what only they can.
 *
 *	asker				worker w
 *	ask_put(question, targets)
 *	  asking + 1, doorbell  ----->	asked_next() in its next turn
 *					asked_answer(): its part, or a page of it
 *	ask_take(w)  <----------------
 *	ask_put(next page) ... or
 *	ask_end()
 *
 * Who asks has a slot that nobody else writes: a worker that of its number, a
 * command one of LAYOUT_ASK_COMMANDS, by a lock on a byte of the segment's file
 * that the kernel takes back when the command dies.  A worker has one answer,
 * which nobody else writes.  So nobody waits for anybody in here:
 *
 *	an asker dies	its question is answered once more, and read by nobody;
 *			who has its slot next, or asks next, ends it
 *	a worker dies	the asker sees another pid in the table; what was asked
 *			before a worker started is not answered by it
 *	a worker hangs	the asker's deadline comes; an answer that comes later is
 *			to an `id' that nobody waits for
 *	several askers	a worker answers one after another.  It overwrites an
 *			answer when its asker has taken it (a bit of its slot), has
 *			gone on, or after ASK_HOLD_MS, which is longer than any
 *			asker waits; one that reads so late sees by the version
 *			that it was overwritten
 *
 * Question and answer are written and read as words.h says, so what is believed
 * is whole.
 *
 * A worker answers a page at a time and does a bounded part of the work for it,
 * so a question to a worker with 100,000 connections delays no client.
 */

#ifndef BROKER_SHARED_ASK_H
#define BROKER_SHARED_ASK_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stdint.h>

#define ASK_USER_MAX   64u  /* bytes of a user's name */
#define ASK_REASON_MAX 123u /* bytes of a close frame's reason */

/* An answer that nobody has taken for so long may be overwritten. */
#define ASK_HOLD_MS 1500u

enum ask_kind {
	ASK_CONNECTIONS = 1, /* describe them */
	ASK_KICK,            /* close them */
};

struct ask_question {
	uint32_t kind; /* enum ask_kind */
	uint32_t code; /* to close with */
	/* Which connections: all that fit each of these. */
	uint64_t conn;  /* that of this number; 0: any */
	uint64_t below; /* of the next page: only smaller numbers */
	uint8_t has_topic, topic_len;
	uint8_t has_user, user_len;
	uint8_t reason_len;
	uint8_t unused[3];
	char topic[LAYOUT_TOPIC_NAME_MAX + 1];
	char user[ASK_USER_MAX];
	char reason[ASK_REASON_MAX + 1];
};

/* What stands before an answer's text. */
struct ask_head {
	uint64_t id;    /* of the question */
	uint64_t below; /* there is more, below this number; 0: no */
	uint32_t asker;
	uint32_t count; /* connections in this page */
	uint32_t text_len;
	uint32_t unused;
};

/* Bytes of text that an answer has room for. */
#define ASK_TEXT_MAX (LAYOUT_ANSWER_WORDS * 8 - sizeof(struct ask_head))

/*
 * Ask these workers, a bit each; what this asker asked before is over.  Then
 * ring their doorbells; without that it takes up to their beat.
 * Callers: the owner of the slot `asker'.
 * Returns: the question's number.
 */
uint64_t ask_put(struct segment *seg, unsigned asker,
    const struct ask_question *question, uint64_t targets);

/* Ask nothing any more.  Callers: as above. */
void ask_end(struct segment *seg, unsigned asker);

/*
 * Take a worker's answer to a question, which the worker may then overwrite.  text
 * has room for ASK_TEXT_MAX bytes.
 * Callers: the owner of the slot `asker'.
 * Returns: true with head and text filled in; false: it is not there (yet).
 */
bool ask_take(struct segment *seg, unsigned asker, unsigned worker, uint64_t id,
    struct ask_head *head, char *text);

/* A worker's memory of what it has been asked. */
struct asked {
	uint64_t asking;                  /* as of its last look */
	uint64_t answered[LAYOUT_ASKERS]; /* number of the last question */
	unsigned next;                    /* whom it looks at first */
	uint64_t held_until_ms;           /* its answer is kept for its asker */
	bool is_behind;                   /* there may be more */
};

/* What has been asked so far is not for this worker.  Callers: one that
 * starts. */
void asked_init(struct asked *asked, const struct segment *seg);

/* Whether there may be something to answer; costs one load. */
static inline bool
asked_may_be(const struct asked *asked, const struct segment *seg)
{
	return asked->is_behind || atomic_load_explicit(&seg->header->asking,
				       memory_order_relaxed) != asked->asking;
}

/*
 * The next question to this worker; now in ms of the monotonic clock.
 * Returns: false if there is none that can be answered now.
 */
bool asked_next(struct asked *asked, const struct segment *seg, unsigned worker,
    uint64_t now_ms, unsigned *asker, uint64_t *id,
    struct ask_question *question);

/* Answer it.  head: below and count are the caller's, the rest is filled in
 * here.  text_len <= ASK_TEXT_MAX. */
void asked_answer(struct asked *asked, struct segment *seg, unsigned worker,
    unsigned asker, uint64_t id, uint64_t now_ms, struct ask_head *head,
    const char *text, uint32_t text_len);

#endif
