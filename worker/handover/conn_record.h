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
 *	identity            of who has shown a token or key: whose it is
 *	pattern ...         each subscription to a pattern of topics
 *
 * Times are spans, so no clock is shared.  A queued message says its topic by
 * the number of the subscription, counted from 0, and not by the slot of the
 * directory, so a record outlives the ring as well.
 *
 * conn_record_read() checks everything, so what comes out of a record that it
 * took can be used as it is.  It does not look whether two subscriptions have the
 * same topic: whoever subscribes is told that anyway.
 *
 * To add a field:
 *
 *  1. It gets the next tag (conn_record_tags.h), with FIELD_OPTIONAL only if
 *     a program that does not know it can serve the connection all the same.
 *     What limits a client, as its identity does, is never optional.
 *  2. conn_record_put_X(), and what was read in struct conn_record.
 *  3. conn_record.c: a row of record_parts[], whose function checks all of it.
 *  4. conn_save.c writes it if there is something to say, conn_restore.c uses
 *     it.  A record without it means what records meant before.
 *  5. test_conn_record.c: it comes back, and each fault is refused;
 *     test_moved_conn.c: a connection that has it goes on; fuzz_conn_record.c
 *     writes it again.
 *
 * So a program reads the records of all before it, and those of a later one
 * unless they have a field that it must not leave out: then the upgrade, which
 * goes back in time, is refused, and the predecessor serves on.  A flag that is
 * not known counts as such a field.  CONN_RECORD_VERSION changes only when a field
 * that is there means something else; programs of two versions cannot follow each
 * other.  scripts/upgrade-from.sh upgrades from the program before the last change
 * of the tags.
 */

#ifndef WORKER_HANDOVER_CONN_RECORD_H
#define WORKER_HANDOVER_CONN_RECORD_H

#include "common/ip.h"
#include "worker/handover/fields.h"
#include "worker/net/outq.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CONN_RECORD_VERSION 2u

/* Bytes of the longest name of a protocol. */
#define CONN_RECORD_PROTOCOL_MAX 32u

/* What a connection speaks. */
enum conn_record_kind {
	CONN_RECORD_HTTP = 0,  /* between two requests */
	CONN_RECORD_WEBSOCKET, /* between two frames */
	CONN_RECORD_EVENTS,    /* a stream of events */
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
	CONN_RECORD_DEFLATE = 1 << 6,    /* agreed on permessage-deflate */
	CONN_RECORD_FLAGS = (1 << 7) - 1 /* all that there are */
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

enum conn_record_sub_flag {                  /* bits */
	CONN_RECORD_NO_ECHO = 1 << 0,        /* nothing of its own */
	CONN_RECORD_WATCHES = 1 << 1,        /* is told of members */
	CONN_RECORD_SUB_FLAGS = (1 << 2) - 1 /* all that there are */
};

struct conn_record_sub {
	const char *name; /* borrowed; not NUL-terminated */
	uint8_t name_len; /* at most LAYOUT_TOPIC_NAME_MAX bytes */
	uint8_t flags;    /* enum conn_record_sub_flag, or-ed */
	uint32_t ahead;   /* of who watches: words of the ring, behind what was
	                   * tailed, in which it knows everything */
	uint64_t told; /* last number that its client was sent, or told to have
	                * missed; it resumes behind this */
	/* At most one message in that time (delivery/pace.h), the next one not
	 * before so long; 0: all. */
	uint32_t every_ms, wait_ms;
};

/* A subscription to a pattern of topics. */
struct conn_record_pattern {
	const char *text; /* borrowed; not NUL-terminated */
	uint8_t len;
	uint8_t flags; /* enum conn_record_sub_flag, or-ed */
	uint64_t from; /* position in the ring of the first record it gets */
};

/* Of a connection from a trusted proxy: struct proxied. */
struct conn_record_proxied {
	struct ip_address peer, client;
	uint16_t tells, is_told; /* 0 or 1 */
};

/* Of who is somebody: identity_record.h. */
struct conn_record_identity {
	uint32_t number;    /* of its identity, in the predecessor */
	uint32_t is_warned; /* 0 or 1: it knows that its time will be over */
};

enum conn_record_item_kind {
	CONN_RECORD_ANSWER = 0, /* never dropped */
	CONN_RECORD_MESSAGE,    /* may be, or is of a topic that was left */
	CONN_RECORD_GAP,        /* may still grow */
	CONN_RECORD_ITEM_KINDS
};

/* conn_record_item.sub: the topic has been left, or the message came by a
 * pattern.  A queue takes this number for
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
bool conn_record_put_identity(
    struct buf *out, const struct conn_record_identity *identity);
bool conn_record_put_pattern(
    struct buf *out, const struct conn_record_pattern *pattern);

/* A record that was read.  All pointers are borrowed from its bytes. */
struct conn_record {
	struct conn_record_head head;
	const char *protocol; /* not NUL-terminated; NULL: none */
	uint32_t protocol_len;
	const void *input; /* NULL: none */
	uint32_t input_len;
	uint32_t subs_count, items_count, patterns_count;
	uint32_t begun; /* bytes of the first item; 0: none */
	bool is_proxied;
	struct conn_record_proxied proxied;   /* if it is */
	struct conn_record_identity identity; /* number 0: nobody */
	struct fields subs, items, patterns;  /* not taken yet */
};

enum conn_record_status {
	CONN_RECORD_OK = 0,
	CONN_RECORD_UNKNOWN, /* of a newer program: it cannot be served here */
	CONN_RECORD_BROKEN,  /* no record */
};

/* Read a record of so many bytes, and check all of it. */
enum conn_record_status conn_record_read(
    struct conn_record *record, const void *data, size_t len);

/* Take the next subscription, item or pattern.  Returns false when there is none.
 */
bool conn_record_next_sub(
    struct conn_record *record, struct conn_record_sub *sub);
bool conn_record_next_item(
    struct conn_record *record, struct conn_record_item *item);
bool conn_record_next_pattern(
    struct conn_record *record, struct conn_record_pattern *pattern);

#endif
