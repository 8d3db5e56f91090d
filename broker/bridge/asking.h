/* SPDX-License-Identifier: MIT */
/*
 * asking.h - this host's questions to the others: put to all of them, and what they
 * answer put together.
 *
 *	worker --slot--> asking_take_new() --> all hosts
 *	worker <--slot-- asking_answered() <-- each of them
 *
 * A question is at its end when all hosts that live (cluster/hosts.h) have
 * answered, or after ASKING_WAIT_MS.  A host that has let a question's time go by
 * is not waited for any more until it has answered another.
 *
 * Callers: the bridge's loop.
 */

#ifndef BROKER_BRIDGE_ASKING_H
#define BROKER_BRIDGE_ASKING_H

#include "broker/cluster/host_message.h"
#include "broker/cluster/part.h"
#include "broker/cluster/question.h"
#include "broker/shared/questions.h"

#include <stdbool.h>
#include <stdint.h>

#define ASKING_WAIT_MS 500u

/* A host that has just come to know the log has not heard of all others yet: all
 * who answer in time count. */
#define ASKING_MEET_MS 1500u

struct link;
struct wakeup;

/* A question that is out. */
struct asking_one {
	bool is_out;
	bool meets; /* not all who may answer are known */
	unsigned worker;
	uint32_t limit;
	uint64_t id;     /* in its slot */
	uint64_t number; /* that the hosts see */
	uint64_t until_ms;
	uint64_t others[LAYOUT_ORIGINS]; /* that live and have not answered */
	uint32_t others_count;
	struct part part; /* of those who have */
};

struct asking {
	struct segment *seg;   /* borrowed, like the next two */
	struct wakeup *wakeup; /* doorbells of the workers */
	struct link *link;
	struct questions_seen seen;
	struct questions_one one; /* room for what is being read */
	struct asking_one out[LAYOUT_QUESTIONS];
	uint64_t numbers;                /* the last that was given */
	uint64_t meets_until_ms;         /* 0: it knows the others */
	uint64_t missed[LAYOUT_ORIGINS]; /* hosts that are not waited for */
	uint32_t missed_count;
	struct part part; /* an answer, while it is looked at */
	struct buf text;
};

/* meets: the ring has joined the log just now. */
void asking_init(struct asking *asking, struct segment *seg,
    struct wakeup *wakeup, struct link *link, bool meets, uint64_t now_ms);

/* Ask what workers have asked since, and end what has waited long enough. */
void asking_turn(struct asking *asking, uint64_t now_ms);

/* A host has answered; the text is its part. */
void asking_answered(struct asking *asking, const struct host_message *message,
    const void *text, size_t len);

/* Milliseconds until something is to be ended; -1: nothing is out. */
int asking_due_in(const struct asking *asking, uint64_t now_ms);

#endif
