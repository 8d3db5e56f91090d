/* SPDX-License-Identifier: MIT */
/*
 * net.h - what all connections of a worker have in common.
 *
 *	bucket, wheel, arena, outq, budget < address_limits < net.h
 *	  < drops < peer < tls < outbox < conn < progress < feed < rate < tls_handshake
 *	  < overflow < flush < io < admit < proxy < conns < acceptor
 *
 * That is the order of the modules in this folder: each may call those before
 * it.  One process has one struct net, and one thread, so nothing is locked.
 */

#ifndef WORKER_NET_NET_H
#define WORKER_NET_NET_H

#include "broker/shared/stats.h"
#include "common/ip.h"
#include "worker/net/address_limits.h"
#include "worker/net/arena.h"
#include "worker/net/budget.h"
#include "worker/net/bucket.h"
#include "worker/net/handler.h"
#include "worker/net/outq.h"
#include "worker/net/wheel.h"

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct address_share;
struct config;
struct drops;
struct service;
struct tls;
struct ws_pool;

enum conn_state {
	CONN_OPEN = 0,
	CONN_CLOSING, /* writes the last thing */
	CONN_LINGER,  /* waits for the peer to close */
	CONN_DEAD,    /* waits for the sweep */
};

/* Why a connection is not read for now; bits. */
enum conn_pause {
	PAUSE_INTAKE = 1 << 0,   /* its requests have not been done yet */
	PAUSE_RATE = 1 << 1,     /* over one of its rates */
	PAUSE_ANSWERS = 1 << 2,  /* it does not read its answers */
	PAUSE_DRAIN = 1 << 3,    /* the server stops taking publishes */
	PAUSE_WRITTEN = 1 << 4,  /* its answer has to be written first */
	PAUSE_HANDOVER = 1 << 5, /* another process will go on with it */
};

/* A connection's number: the second in which it came (conns.h), and below that so
 * many bits that count those of one second. */
#define CONN_NUMBER_BITS 22u

/* Above this many bytes of unsent answers the connection is not read. */
#define CONN_ANSWERS_MAX (64u * 1024)

/* Bytes that came in but could not be used yet. */
struct conn_input {
	size_t len;
	char data[];
};

struct conn {
	ev_io io; /* its data: the struct address_share; NULL: not counted */
	struct net *net;                    /* borrowed */
	const struct conn_handler *handler; /* what it speaks */
	struct wheel_entry timeout;
	LIST_ENTRY(conn) link;    /* all living ones, or all dead ones */
	struct outq *out;         /* owned; NULL: nothing waits */
	struct conn_input *input; /* owned; NULL: nothing is half-read */
	void *data;               /* the handler's */
	uint64_t number;          /* conns_number() */
	uint32_t pending;         /* in this turn's outbox: index + 1, 0: not */
	uint32_t requests_pending; /* the service has so many of it to do */
	uint32_t last_heard_tick;  /* of the wheel */
	uint32_t last_taken_tick;  /* likewise: progress.c's, and the next */
	uint32_t taken_mark;       /* how far its peer had let us send then */
	union {
		uint32_t buffer_max; /* messages that may wait (?buffer=) */
		uint32_t scanned;    /* before there are any: bytes of a
				      * half-read head that were looked at */
	};
	struct rate_bucket messages; /* and requests that it may send */
	struct rate_bucket controls; /* control frames, likewise */
	uint8_t state;               /* enum conn_state */
	uint8_t overflow;            /* enum outq_overflow */
	uint8_t paused;              /* enum conn_pause, or-ed */
	uint8_t protocol;            /* of a WebSocket: index in net->service */
	bool pinged : 1;             /* a ping is out, nothing heard since */
	bool asked : 1;              /* and the kernel, since it is late */
	bool blocked : 1;            /* the kernel took less than there was */
	bool feeding : 1;            /* its parser is on the stack */
	bool served : 1;   /* had a request: now it is idle, not new */
	bool loopback : 1; /* came in on a loopback listener */
	bool admin : 1;    /* came in on the operator's listener */
	bool upgraded : 1; /* is a WebSocket, or was */
	bool held : 1;     /* nothing is written while requests are pending:
	                    * what is queued says that they are done */
	bool eof : 1;      /* the peer will send no more */
	bool peer_closed_cleanly : 1; /* after our last word */
	bool encrypted : 1;           /* speaks TLS, or will: tls.h */
	bool waiting : 1; /* progress.c's: something waited at its last look */
	bool proxied : 1; /* a struct proxied is behind it: peer.h */
	bool deflate : 1; /* agreed on permessage-deflate */
	bool dropped : 1; /* drops.h knows how many of its messages were */
	uint16_t served_in_turn; /* requests; one turn has not 2^16 */
};

LIST_HEAD(conn_list, conn);

/* Behind the service's part of a connection that may come from a proxy. */
struct proxied {
	struct ip_address peer; /* the other end, or as a PROXY header tells */
	struct ip_address client; /* as a request has told last */
	bool tells;               /* peer tells the clients of requests */
	bool is_told;             /* there is a client */
	bool has_tls; /* proxy.c's, and the next: behind the header */
	bool is_refused;
	enum conn_refusal why; /* if it is */
};

/* A run of neighbouring frames for one connection. */
struct outbox_run {
	uint32_t first; /* frame index */
	uint32_t count;
	uint32_t next; /* the connection's next run: index + 1, 0: last */
	bool replayed; /* asked for: never dropped, paced by the replay */
};

/* A connection with something to write in this turn. */
struct outbox_entry {
	struct conn *conn;
	uint32_t first, last; /* its runs: index + 1, 0: none */
};

struct outbox {
	struct outbox_entry *entries; /* owned */
	struct outbox_run *runs;      /* owned */
	uint32_t entries_count, entries_max;
	uint32_t runs_count, runs_max;
};

struct conns {
	struct conn_list living;
	struct conn_list admins; /* living, of the operator */
	struct conn_list dead;
	uint32_t count;       /* living and dead: descriptors in use */
	uint32_t admin_count; /* likewise, of the operator */
	uint32_t file_count;  /* files being sent: descriptors beside those */
	uint32_t max;         /* of count */
	uint32_t fds_max;     /* of count and file_count together */
	uint64_t numbered;    /* the last number that one was given */
};

struct net {
	struct ev_loop *loop; /* borrowed, like the next two */
	const struct config *config;
	const struct service *service;
	void *world;                 /* the service's; not looked into here */
	_Atomic uint32_t *returning; /* of address_limits.h; NULL: none */
	struct tls *tls;             /* of tls.h; NULL: no listener needs it */
	struct ws_pool *parsers;     /* ws/ws_conn.h alone looks into it */
	struct stats stats;
	struct wheel wheel;
	struct conns conns;
	struct address_limits addresses;
	struct budget budget;
	struct drops *drops; /* drops.h's; NULL: none */
	struct arena arena;
	struct outbox outbox;
	unsigned char *read_buf; /* io.c's: what a socket brought; owned */
	bool draining;           /* nothing new is taken any more */
	bool handing_over; /* who is at rest is not read: worker/hand_over.h */
	uint32_t
	    proxy_quiet_until; /* proxy.c's: tick; nothing is logged before */
	bool more;             /* there is work left for another turn */
};

#endif
