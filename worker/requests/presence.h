/* SPDX-License-Identifier: MIT */
/*
 * presence.h - who is in a topic, when a client asks.
 *
 * The members are read under the ring's lock, in the place of the request among
 * all others: so a client that asks for them and to be told of changes misses
 * none and is told none twice (watch.h).  What was read waits in the intake for
 * the answer.
 *
 * In a cluster the other hosts are asked first (inquiry.h), while the request waits
 * (waiting.h).  This host's own members are read when the others have told theirs,
 * so that what was said holds there, too; the order of members is another one
 * (broker/ring/member_keys.h).
 */

#ifndef WORKER_REQUESTS_PRESENCE_H
#define WORKER_REQUESTS_PRESENCE_H

#include "worker/requests/intake.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct part;
struct question;

/* What a member costs, in records that a request for the past visits. */
#define PRESENCE_WALK 16u

/* How many records' worth of work the request is. */
uint64_t presence_walk_len(
    const struct hub *hub, const struct intake_request *want);

/*
 * Do what is asked beyond the number of subscribers.  has_topic: op->start is
 * where the topic stands; otherwise nobody has ever used it.
 * Under the lock.  Callers: commit.c.
 */
enum intake_result presence_ask(
    struct hub *hub, struct intake_op *op, struct sub *sub, bool has_topic);

/* Whether a request is of those that may ask the other hosts of a cluster. */
static inline bool
presence_may_ask_hosts(const struct intake_request *want)
{
	return want->kind == INTAKE_PRESENCE || want->kind == INTAKE_TOPIC;
}

/* Whether it asks them, and has not yet.  One of a client that is told of changes
 * does not: those are changes on this host, and what it knows has to be whole. */
bool presence_asks_hosts(
    const struct hub *hub, const struct intake_op *op, const struct sub *sub);

/* What they are asked, which borrows the topic's name. */
void presence_question(
    const struct intake_op *op, const char *topic, struct question *question);

/*
 * Do what is asked for all hosts: the request is back, and its body is what the
 * others have told (part.h).  has_topic: as above.
 * Under the lock.
 */
enum intake_result presence_of_hosts(
    struct hub *hub, struct intake_op *op, bool has_topic);

/* Append how many hosts that is, and how many of them have told nothing. */
void presence_put_hosts(struct buf *out, uint32_t hosts, uint32_t silent);

/* Append what was found to the answer, an object that is still open: ,"members":
 * and so on; nothing if it was not asked for. */
void presence_put(
    const struct hub *hub, const struct intake_op *op, struct buf *out);

#endif
