/* SPDX-License-Identifier: MIT */
/*
 * inquiry.h - what a request has to know of the other hosts of a cluster.
 *
 *	request --+
 *	request --+--> question --slot--> bridge --> the other hosts
 *	request --+       |
 *	   ^              |  what they have told, or that they are silent
 *	   +--------------+
 *
 * Requests that ask the same while their question has not gone out yet share it; one
 * that is out is not joined, because its answer may be older than the request.  A
 * host has LAYOUT_QUESTIONS out at a time, a worker so many waiting for that
 * (INQUIRY_WAITING_MAX), and a connection one request.
 *
 * An answer comes within INQUIRY_WAIT_MS, whatever becomes of the bridge: after
 * that, or where nobody can be asked, the other hosts are silent.
 *
 * Callers: a worker of a host in a cluster.
 */

#ifndef WORKER_REQUESTS_INQUIRY_H
#define WORKER_REQUESTS_INQUIRY_H

#include "broker/cluster/part.h"
#include "broker/cluster/question.h"

#include <stdbool.h>
#include <sys/queue.h>

struct hub;
struct inquiries;
struct inquiry_question;

/* What the bridge waits for hosts (500 ms), and a margin. */
#define INQUIRY_WAIT_MS 750u

/* How soon one that waits for a slot looks for it again, milliseconds: others may
 * have let go of one, and say nothing. */
#define INQUIRY_RETRY_MS 5u

/* Questions of one worker that wait to go out. */
#define INQUIRY_WAITING_MAX 256u

/* A request that waits; a part of who asks. */
struct inquiry {
	TAILQ_ENTRY(inquiry) link;
	struct inquiry_question *question; /* NULL: nothing is asked */
	/* Called in a turn, once; `others' is what the other hosts have told. */
	void (*told)(struct hub *hub, struct inquiry *inquiry,
	    const struct part *others);
};

void inquiries_open(struct hub *hub);
void inquiries_close(struct hub *hub);

/* Ask the other hosts.  inquiry->told is set; it is called in a later turn. */
void inquiry_begin(
    struct hub *hub, struct inquiry *inquiry, const struct question *question);

/* Nobody wants to know it any more. */
void inquiry_forget(struct hub *hub, struct inquiry *inquiry);

/* Put questions, and hand out what was told.  Callers: the turn, before what
 * waits for it. */
void inquiries_turn(struct hub *hub);

#endif
