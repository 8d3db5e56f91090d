/* SPDX-License-Identifier: MIT */
/*
 * form.h - the ways in which a message reaches a client, as tables.
 *
 *	FORM_TEXT      protocol/plain.c    the message's text in a frame
 *	FORM_ENVELOPE  protocol/v1.c       an object with topic, number and time
 *	FORM_EVENT     api/event_form.c    a server-sent event
 *	FORM_CHUNK     api/event_form.c    the same as a chunk of HTTP/1.1
 *	FORM_FEED      api/feed_form.c     one of a stream of several topics
 *	FORM_FEED_CHUNK                    likewise
 *	FORM_TEXT_DEFLATED, FORM_ENVELOPE_DEFLATED
 *	                                   compressed where that helps: pack.h
 *	FORM_PUSH      protocol/centrifuge_form.c  a push of Centrifuge's
 *
 * A message is encoded once per form that somebody on this worker needs, so a
 * call through the table happens per message and form, never per subscriber.
 */

#ifndef WORKER_DELIVERY_FORM_H
#define WORKER_DELIVERY_FORM_H

#include "worker/net/outq.h"

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct ring_record;
struct sub_topic;

enum form_id {
	FORM_TEXT = 0,
	FORM_ENVELOPE,
	FORM_EVENT,
	FORM_CHUNK,
	FORM_FEED,
	FORM_FEED_CHUNK,
	FORM_TEXT_DEFLATED,
	FORM_ENVELOPE_DEFLATED,
	FORM_PUSH,
	FORMS
};

/* What a form is before it is compressed; itself, if it never is. */
static inline enum form_id
form_base(enum form_id form)
{
	switch (form) {
	case FORM_TEXT_DEFLATED:
		return FORM_TEXT;
	case FORM_ENVELOPE_DEFLATED:
		return FORM_ENVELOPE;
	default:
		return form;
	}
}

enum gap_reason {
	GAP_SLOW = 0,  /* the client did not read fast enough */
	GAP_LAPPED,    /* this worker fell behind by a whole ring */
	GAP_EXPIRED,   /* the ring does not have it any more */
	GAP_UNKNOWN,   /* the number asked for is not one of this topic's */
	GAP_EPOCH,     /* it is of another ring */
	GAP_WITHHELD,  /* the client has no grant for the past */
	GAP_CLUSTER,   /* of another cluster's log, or this ring began later */
	GAP_LOST,      /* another host's messages never came to the log */
	GAP_CONFLATED, /* newer ones took their place: pace.h */
	GAP_MOVED,     /* the connection has come to another ring */
};

/* Why somebody does not watch any more. */
enum watch_end {
	WATCH_SLOW = 0,  /* what was told could not wait for the client */
	WATCH_LAPPED,    /* this worker fell behind by a whole ring */
	WATCH_FULL,      /* somebody came for whom the table has no room */
	WATCH_FORBIDDEN, /* a renewed token does not grant it */
};

/* Called through form_put_message() and the like, which close the chunk. */
struct form {
	/* Each is to be a chunk of an HTTP/1.1 body. */
	bool in_chunks;

	/* Its gap is the end of the subscription: ending.h.  Then so is
	 * `unwatched', and the gap's numbers are not told. */
	bool ends_at_gap;

	/* Append a message, ready for the socket.  epoch is the ring's. */
	void (*message)(struct buf *out, const struct ring_record *rec,
	    const struct sub_topic *topic, const char *epoch);

	/* The same of a message without a number. */
	void (*ephemeral)(struct buf *out, const struct ring_record *rec,
	    const struct sub_topic *topic, const char *epoch);

	/* The same of a member that has come or left, and that nothing more is
	 * told of the topic's members.  NULL: this form cannot. */
	void (*member)(struct buf *out, const struct ring_record *rec,
	    const struct sub_topic *topic);
	void (*unwatched)(
	    struct buf *out, const struct sub_topic *topic, enum watch_end why);

	/*
	 * Append, ready for the socket, that messages which a pattern matches are
	 * missing, so many of them (0: nobody knows how many).  NULL: as below.
	 * Returns: where the number of them stands; without one it means
	 *          nothing.
	 */
	struct outq_gap_places (*pattern_gap)(struct buf *out,
	    const char *pattern, size_t len, uint64_t count,
	    enum gap_reason reason, const char *epoch);

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

/* Append a message in this form, ready for the socket; epoch is the ring's. */
void form_put_message(const struct form *form, struct buf *out,
    const struct ring_record *rec, const struct sub_topic *topic,
    const char *epoch);

/* The same of a message without a number. */
void form_put_ephemeral(const struct form *form, struct buf *out,
    const struct ring_record *rec, const struct sub_topic *topic,
    const char *epoch);

/*
 * Append a gap of a topic or of a pattern, in a form that can report it, as
 * form->gap and form->pattern_gap say.
 * Returns: the places of what can grow, counted from where out's end was.
 */
struct outq_gap_places form_put_gap(const struct form *form, struct buf *out,
    const struct sub_topic *topic, uint64_t from, uint64_t to,
    enum gap_reason reason, const char *epoch);
struct outq_gap_places form_put_pattern_gap(const struct form *form,
    struct buf *out, const char *pattern, size_t len, uint64_t count,
    enum gap_reason reason, const char *epoch);

#endif
