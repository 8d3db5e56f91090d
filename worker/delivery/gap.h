/* SPDX-License-Identifier: MIT */
/*
 * gap.h - tell a client exactly what it missed.
 *
 *	{"type":"gap","topic":"room","from":49,"to":131,"reason":"slow"}
 *
 * in the form in which it gets messages (form.h).  The plain contract has no
 * way to report a gap; there only the operator's counters show it.
 */

#ifndef WORKER_DELIVERY_GAP_H
#define WORKER_DELIVERY_GAP_H

#include "worker/delivery/form.h"

#include <stddef.h>
#include <stdint.h>

struct buf;
struct conn;
struct outq_item;
struct sub;
struct sub_topic;

/* Append the object itself, for a form's gap().  Returns the offset in buf of
 * the second number's digits. */
size_t gap_put_object(struct buf *buf, const struct sub_topic *topic,
    uint64_t from, uint64_t to, enum gap_reason reason);

/* Tell a subscription's client, behind what it is being sent (from 0: without
 * numbers; then messages go on behind `to'). */
void gap_tell(
    struct sub *sub, uint64_t from, uint64_t to, enum gap_reason reason);

/* A message was dropped from a connection's queue: conn_handler.dropped. */
void gap_dropped(
    struct conn *c, uint32_t slot, uint64_t seq, struct outq_item *before);

#endif
