/* SPDX-License-Identifier: MIT */
/*
 * form.h - the ways in which a message reaches a client, as tables.
 *
 *	FORM_TEXT      protocol/plain.c    the message's text in a frame
 *	FORM_ENVELOPE  protocol/v1.c       an object with topic, number and time
 *	FORM_EVENT     api/event_form.c    a server-sent event
 *	FORM_CHUNK     api/event_form.c    the same as a chunk of HTTP/1.1
 *
 * A message is encoded once per form that somebody on this worker needs, so a
 * call through the table happens per message and form, never per subscriber.
 */

#ifndef WORKER_DELIVERY_FORM_H
#define WORKER_DELIVERY_FORM_H

#include "worker/net/outq.h"

#include <stdint.h>

struct buf;
struct ring_record;
struct sub_topic;

enum form_id { FORM_TEXT = 0, FORM_ENVELOPE, FORM_EVENT, FORM_CHUNK, FORMS };

enum gap_reason {
	GAP_SLOW = 0, /* the client did not read fast enough */
	GAP_LAPPED,   /* this worker fell behind by a whole ring */
	GAP_EXPIRED,  /* the ring does not have it any more */
	GAP_UNKNOWN,  /* the number asked for is not one of this topic's */
	GAP_EPOCH,    /* it is of another ring */
	GAP_WITHHELD, /* the client has no grant for the past */
};

struct form {
	/* Append a message, ready for the socket.  epoch is the ring's. */
	void (*message)(struct buf *out, const struct ring_record *rec,
	    const struct sub_topic *topic, const char *epoch);

	/*
	 * Append, ready for the socket, that the numbers `from' to `to' are
	 * missing (from 0: it is not known which, and messages go on behind
	 * `to').  NULL: this form cannot report gaps.
	 * Returns: where the second number stands, counted from where out's
	 *          end was; without numbers it means nothing.
	 */
	struct outq_gap_places (*gap)(struct buf *out,
	    const struct sub_topic *topic, uint64_t from, uint64_t to,
	    enum gap_reason reason, const char *epoch);
};

#endif
