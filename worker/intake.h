/* SPDX-License-Identifier: MIT */
/*
 * intake.h - what clients asked for in this turn, done under one lock.
 *
 * Subscribing and publishing both need the ring's lock, so requests are only
 * copied here while sockets are read, in the order in which they came, and done
 * together at the end of the turn.  When the lock is not to be had (its holder
 * was stopped), everything waits here, those who asked are not read any more,
 * and their answers are held back; the rest of the worker goes on.
 */

#ifndef WORKER_INTAKE_H
#define WORKER_INTAKE_H

#include "broker/ring.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct worker;

/* Requests and their bytes in one turn; who brings more waits a turn. */
#define INTAKE_OPS_MAX   8192u
#define INTAKE_BYTES_MAX (1024u * 1024)

/* How soon the lock is tried again, seconds. */
#define INTAKE_RETRY_S 0.005

struct intake_op {
	struct conn *conn; /* kept from the sweep by conn->ops */
	size_t at;         /* the name, then the message, in intake.bytes */
	uint32_t body_len; /* bytes of JSON text */
	uint8_t name_len;  /* bytes */
	bool is_publish;   /* else only subscribe */
	uint64_t time_ms;  /* wall clock, when it came in */
};

struct intake {
	struct intake_op *ops; /* owned */
	uint32_t count, max;
	char *bytes; /* owned */
	size_t used, size;
	struct ring_msg *msgs; /* owned, [msgs_max] */
	uint32_t msgs_count;   /* gathered */
	uint32_t msgs_done;    /* of these, published */
	uint32_t msgs_max;
	ev_timer retry;
};

void intake_init(struct intake *intake);
void intake_fini(struct intake *intake);

/* The connection wants to subscribe to this topic. */
void intake_subscribe(
    struct worker *w, struct conn *c, const char *name, uint8_t name_len);

/*
 * The connection publishes: it is subscribed to the topic first if it is not
 * yet.  The caller gets room for body_len bytes of JSON text and fills it
 * before anything else is asked of the intake.
 */
char *intake_publish(struct worker *w, struct conn *c, const char *name,
    uint8_t name_len, uint32_t body_len);

/* Whether no more should be read in this turn. */
bool intake_full(const struct intake *intake);

/* Whether nothing waits. */
bool intake_empty(const struct intake *intake);

/* Do all that was asked for, if the lock is to be had. */
void intake_commit(struct worker *w);

#endif
