/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one client's connection, from accept to grave.
 *
 *	CONN_HTTP --upgrade--> CONN_WS --close--> CONN_CLOSING --> CONN_LINGER
 *	  |  ^  |                                     ^                 |
 *	  |  |  +----------> CONN_EVENTS -- drain ----+                 |
 *	  v  |                                        |                 v
 *	CONN_FILE, CONN_BODY -- Connection: close ----+             CONN_DEAD
 *
 * CLOSING has a last thing to write (a close frame, a response); when that is
 * out the socket is shut for writing and LINGERs: it is read and thrown away
 * until the peer closes, because closing a socket with unread input would reset
 * it and destroy what the peer has not read yet.
 *
 * Lost and freed are two moments.  Any code may close any connection at any
 * time, also from within a callback of that very connection: it becomes DEAD,
 * its watcher stops, its subscriptions end.  Its memory and descriptor go when
 * conns_sweep() runs, once per turn, when no frame of it is on the stack.
 *
 * An idle connection is this struct and its subscriptions: buffers, parser and
 * queue exist only while something is half-read or half-written.
 */

#ifndef WORKER_NET_CONN_H
#define WORKER_NET_CONN_H

#include "worker/net/outq.h"
#include "worker/net/rate.h"
#include "worker/delivery/subs.h"
#include "worker/net/wheel.h"

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

struct api_request;
struct protocol;
struct address_share;
struct worker;
struct ws;

enum conn_state {
	CONN_HTTP = 0, /* reads a request head */
	CONN_BODY,     /* reads a request body */
	CONN_FILE,     /* sends a response body from a file */
	CONN_WS,       /* WebSocket */
	CONN_EVENTS,   /* sends server-sent events */
	CONN_CLOSING,  /* writes the last thing */
	CONN_LINGER,   /* waits for the peer to close */
	CONN_DEAD,     /* waits for the sweep */
};

/* Why a connection is not read for now; bits. */
enum conn_pause {
	PAUSE_INTAKE = 1 << 0,  /* what it asked for has not been done yet */
	PAUSE_RATE = 1 << 1,    /* over one of its rates */
	PAUSE_ANSWERS = 1 << 2, /* it does not read its answers */
	PAUSE_DRAIN = 1 << 3,   /* the server stops taking publishes */
	PAUSE_FILE = 1 << 4,    /* a response is being sent */
	PAUSE_EOF = 1 << 5,     /* the peer will send no more */
	PAUSE_WRITTEN = 1 << 6, /* what is answered is to be written first */
};

/* Above this many bytes of unsent answers the connection is not read. */
#define CONN_ANSWERS_MAX (64u * 1024)

/* Bytes that came in but could not be used yet. */
struct conn_input {
	size_t len;
	size_t scanned; /* of a request head: see http_parse_request() */
	char data[];
};

/* A file that is being sent. */
struct conn_file {
	int fd; /* owned */
	uint64_t at;
	uint64_t left;
	bool keep_alive;
};

struct conn {
	ev_io io;
	struct worker *w; /* borrowed */
	struct wheel_entry timeout;
	LIST_ENTRY(conn) link; /* all living ones, or all dead ones */
	struct sub_list subs;
	struct outq *out;         /* owned; NULL: nothing waits */
	struct conn_input *input; /* owned; NULL: nothing is half-read */
	union {
		/* CONN_HTTP, _BODY, _EVENTS: what is being answered, owned;
		 * NULL: nothing */
		struct api_request *api;
		struct ws *ws;          /* CONN_WS: borrowed from the pool */
		struct conn_file *file; /* CONN_FILE: owned */
	} part;
	struct address_share *share; /* NULL: loopback */
	uint64_t number;             /* of all of this worker's connections */
	uint32_t pending; /* in this turn's outbox: index + 1, 0: not */
	uint32_t requests_pending; /* of it in the intake */
	uint32_t subs_count;
	uint32_t
	    last_heard_tick; /* tick of the wheel when it was last heard of */
	struct rate_bucket messages; /* and requests that it may send */
	struct rate_bucket controls; /* control frames, likewise */
	uint32_t buffer_max;         /* messages that may wait (?buffer=) */
	uint8_t state;               /* enum conn_state */
	uint8_t overflow;            /* enum outq_overflow */
	uint8_t form;      /* enum frames_form: how it gets messages */
	uint8_t paused;    /* enum conn_pause, or-ed */
	uint8_t protocol;  /* of a WebSocket: index in w->service */
	bool pinged : 1;   /* a ping is out, nothing heard since */
	bool blocked : 1;  /* the kernel took less than there was */
	bool feeding : 1;  /* its parser is on the stack */
	bool served : 1;   /* had a request: now it is idle, not new */
	bool loopback : 1; /* came in on a loopback listener */
	bool peer_closed_cleanly : 1; /* the peer closed after our last word */
	bool opening : 1;  /* its 101 waits for its first subscriptions */
	bool admin : 1;    /* came in on the operator's listener */
	bool upgraded : 1; /* is a WebSocket, or was */
};

LIST_HEAD(conn_list, conn);

/* The loop says that a socket is readable, writable, or broken. */
void conn_io_cb(struct ev_loop *loop, ev_io *io, int revents);

/* The connection is gone (reset, end of file): dead at once. */
void conn_abort(struct conn *c);

/*
 * Write what is queued, then shut down, linger, die.  No more input is used.
 */
void conn_close_when_written(struct conn *c);

/*
 * Close a WebSocket connection with a code and a reason for humans (ASCII, at
 * most WS_REASON_MAX bytes).  Once is enough: what is closing already is left
 * alone.
 */
void conn_close(struct conn *c, unsigned code, const char *reason);

/* It let too much wait under overflow=close. */
void conn_too_slow(struct conn *c);

/* Whether it may have subscriptions. */
static inline bool
conn_is_listening(const struct conn *c)
{
	return c->state == CONN_WS || c->state == CONN_EVENTS;
}

/*
 * Whether nothing may be written yet: what was asked for is not done, and what
 * is queued says that it is.  A WebSocket's answers are queued only when it is
 * done, except for its 101.
 */
static inline bool
conn_is_held(const struct conn *c)
{
	return c->requests_pending != 0 && (c->state != CONN_WS || c->opening);
}

/* What is spoken over this WebSocket. */
const struct protocol *conn_protocol(const struct conn *c);

/* Queue bytes that are never dropped; written at the end of the turn. */
void conn_answer(struct conn *c, const void *data, size_t len);

/* Stop or resume reading, for a reason of its own. */
void conn_pause(struct conn *c, enum conn_pause why);
void conn_resume(struct conn *c, enum conn_pause why);

/* Listen for what the connection's state needs: call after changing it. */
void conn_update_events(struct conn *c);

/* All that was queued is written: go on with what waits for that. */
void conn_written(struct conn *c);

/*
 * Read from the socket into the worker's buffer.  Returns how many bytes; 0 if
 * there is nothing (any more): at the end of the input the connection is lost,
 * or, if there is still something to write, finished.
 */
size_t conn_read(struct conn *c);

/* Keep bytes that cannot be used yet (appended to what is kept). */
void conn_keep_input(struct conn *c, const void *data, size_t len);

/* Take the kept bytes away from it.  Owns: the caller, free(3). */
struct conn_input *conn_take_input(struct conn *c);

/* The parser is at a clean boundary, or never to be used again: give it back.
 */
void conn_return_parser(struct conn *c);

/* Set the deadline of the present state: milliseconds from now. */
void conn_deadline(struct conn *c, uint64_t ms);

/* The same, anywhere in the second half of these milliseconds: those who came
 * together shall not all be due together. */
void conn_deadline_spread(struct conn *c, uint32_t ms);

/* The wheel says that a connection's deadline has come. */
void conn_due_cb(struct wheel_entry *entry, void *arg);

#endif
