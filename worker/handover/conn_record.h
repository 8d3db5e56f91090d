/* SPDX-License-Identifier: MIT */
/*
 * conn_record.h - a connection as bytes, for the worker that goes on with it.
 *
 * Its descriptor travels beside (parcel.h).  The record has what cannot be found
 * out from that or from the ring: what the connection speaks, what was read and
 * not used, its subscriptions and how far each has come, and its queue.
 *
 *	head                what every connection has
 *	protocol            of a WebSocket, by name; none: the plain contract
 *	input               bytes that were read and not used
 *	sub ...             each subscription
 *	item ...            each item of the queue, in order of sending
 *	begun               bytes of the first item that are sent
 *	proxied             of one from a trusted proxy: whose it is
 *
 * Times are spans, so no clock is shared.  A queued message says its topic by
 * the number of the subscription, counted from 0, and not by the slot of the
 * directory, so a record outlives the ring as well.
 *
 * conn_record_read() checks everything, so what comes out of a record that it
 * took can be used as it is.  It does not look whether two subscriptions have the
 * same topic: whoever subscribes is told that anyway.
 *
 * A new field gets the next tag, and FIELD_OPTIONAL (fields.h) only if a
 * connection can be served without it.  What limits a client (its identity, its
 * grants) is never optional.  CONN_RECORD_VERSION changes when a field that is
 * there means something else.
 */

#ifndef WORKER_HANDOVER_CONN_RECORD_H
#define WORKER_HANDOVER_CONN_RECORD_H

#include "common/ip.h"
#include "worker/handover/fields.h"
#include "worker/net/outq.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONN_RECORD_VERSION 1u

/* Bytes of the longest name of a protocol. */
#define CONN_RECORD_PROTOCOL_MAX 32u

/* What a connection speaks. */
enum conn_record_kind {
	CONN_RECORD_HTTP = 0,  /* between two requests */
	CONN_RECORD_WEBSOCKET, /* between two frames */
	CONN_RECORD_EVENTS,    /* a stream of events: one subscription */
	CONN_RECORD_CLOSING,   /* what is queued is the last thing */
	CONN_RECORD_KINDS
};

enum conn_record_flag {                /* bits */
	CONN_RECORD_LOOPBACK = 1 << 0, /* as those of the same names in */
	CONN_RECORD_PINGED = 1 << 1,   /* struct conn */
	CONN_RECORD_SERVED = 1 << 2,
	CONN_RECORD_UPGRADED = 1 << 3,
	CONN_RECORD_EOF = 1 << 4,
	CONN_RECORD_COUNTED = 1 << 5,    /* for an address */
	CONN_RECORD_FLAGS = (1 << 6) - 1 /* all that there are */
};

struct conn_record_head {
	uint64_t number;       /* of the worker's connections */
	uint32_t deadline_ms;  /* from now */
	uint32_t heard_ms;     /* ago */
	int32_t messages_left; /* tokens in its buckets (bucket.h), filled up */
	int32_t controls_left; /* till now */
	uint32_t buffer_max;   /* messages that may wait */
	uint8_t kind;          /* enum conn_record_kind */
	uint8_t form;          /* enum form_id */
	uint8_t overflow;      /* enum outq_overflow */
	uint8_t flags;         /* enum conn_record_flag, or-ed */
};

struct conn_record_sub {
	const char *name; /* borrowed; not NUL-terminated */
	uint8_t name_len; /* at most LAYOUT_TOPIC_NAME_MAX bytes */
	bool no_echo;
	uint64_t told; /* last number that its client was sent, or told to have
	                * missed; it resumes behind this */
};

/* Of a connection from a trusted proxy: struct proxied. */
struct conn_record_proxied {
	struct ip_address peer, client;
	uint16_t tells, is_told; /* 0 or 1 */
};

enum conn_record_item_kind {
	CONN_RECORD_ANSWER = 0, /* never dropped */
	CONN_RECORD_MESSAGE,    /* may be, or is of a topic that was left */
	CONN_RECORD_GAP,        /* may still grow */
	CONN_RECORD_ITEM_KINDS
};

/* conn_record_item.sub: the topic has been left.  A queue takes this number for
 * a topic's slot, which no directory has. */
#define CONN_RECORD_NO_SUB ((uint32_t)INT32_MAX)

struct conn_record_item {
	enum conn_record_item_kind kind;
	uint32_t sub; /* of a message or gap: number of the subscription */
	uint64_t seq; /* of a message: its number; of a gap: its second one */
	struct outq_gap_places at; /* of a gap: in data */
	uint32_t len;              /* bytes of data, > 0 */
	const void *data;          /* borrowed */
};

/* Append the parts of a record, in this order; the head is always there.  They
 * return false if a part is too long for a record. */
bool conn_record_put_head(struct buf *out, const struct conn_record_head *head);
bool conn_record_put_protocol(struct buf *out, const char *name);
bool conn_record_put_input(struct buf *out, const void *data, size_t len);
bool conn_record_put_sub(struct buf *out, const struct conn_record_sub *sub);
bool conn_record_put_item(struct buf *out, const struct conn_record_item *item);
bool conn_record_put_begun(struct buf *out, uint32_t begun);
bool conn_record_put_proxied(
    struct buf *out, const struct conn_record_proxied *proxied);

/* A record that was read.  All pointers are borrowed from its bytes. */
struct conn_record {
	struct conn_record_head head;
	const char *protocol; /* not NUL-terminated; NULL: none */
	uint32_t protocol_len;
	const void *input; /* NULL: none */
	uint32_t input_len;
	uint32_t subs_count, items_count;
	uint32_t begun; /* bytes of the first item; 0: none */
	bool is_proxied;
	struct conn_record_proxied proxied; /* if it is */
	struct fields subs, items;          /* not taken yet */
};

enum conn_record_status {
	CONN_RECORD_OK = 0,
	CONN_RECORD_UNKNOWN, /* of a newer program: it cannot be served here */
	CONN_RECORD_BROKEN,  /* no record */
};

/* Read a record of so many bytes, and check all of it. */
enum conn_record_status conn_record_read(
    struct conn_record *record, const void *data, size_t len);

/* Take the next subscription, or item.  Returns false when there is none. */
bool conn_record_next_sub(
    struct conn_record *record, struct conn_record_sub *sub);
bool conn_record_next_item(
    struct conn_record *record, struct conn_record_item *item);

#endif
