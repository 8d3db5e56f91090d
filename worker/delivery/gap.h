/* SPDX-License-Identifier: MIT */
/*
 * gap.h - tell a client exactly what it missed.
 *
 *	{"type":"gap","topic":"room","from":49,"to":131,"reason":"slow"}
 *
 * or, if it came by a pattern of topics, how many were of that pattern,
 *
 *	{"type":"gap","pattern":"room/+","count":7,"reason":"slow"}
 *
 * in the form in which it gets messages (form.h).  Who has come to another ring by
 * an upgrade (GAP_MOVED) is told without numbers, like somebody who resumes with
 * another epoch; since no ack follows, it is told the epoch and the number behind
 * which the topic goes on as well:
 *
 *	{"type":"gap","topic":"room","reason":"epoch","epoch":"k3f9…","seq":131}
 *
 * The same, with "cluster" and the epoch that it has, says that messages of another
 * host of a cluster will never come, and nobody knows of which topics (GAP_LOST).
 *
 * A pattern may match any number of topics; so a client that does not read has a gap
 * for each of its patterns, not for each topic.  The plain contract has no way to
 * report a gap; there only the operator's counters show it.
 */

#ifndef WORKER_DELIVERY_GAP_H
#define WORKER_DELIVERY_GAP_H

#include "worker/delivery/form.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct conn;
struct outq_item;
struct pattern_sub;
struct sub;
struct sub_topic;

/* Append the object itself, for a form's gap().  epoch is the ring's.  Returns the
 * offset in buf of the second number's digits. */
size_t gap_put_object(struct buf *buf, const struct sub_topic *topic,
    uint64_t from, uint64_t to, enum gap_reason reason, const char *epoch);

/* Tell a subscription's client, behind what it is being sent (from 0: without
 * numbers; then messages go on behind `to'). */
void gap_tell(
    struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason);

/* The same for a gap of a pattern: {"type":"gap","pattern":"room/+","count":7,
 * "reason":"slow"}; without "count", if that is 0.  Returns the offset in buf of
 * the count's digits. */
size_t gap_put_pattern_object(struct buf *buf, const char *pattern, size_t len,
    uint64_t count, enum gap_reason reason, const char *epoch);

/* Tell a client, behind what it is being sent, that nobody knows what one of its
 * patterns missed. */
void gap_tell_pattern(const struct pattern_sub *sub, enum gap_reason reason);

/* A message was dropped from a connection's queue: conn_handler.dropped. */
void gap_dropped(
    struct conn *c, uint32_t slot, uint64_t seq, struct outq_item *before);

#endif
