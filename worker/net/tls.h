/* SPDX-License-Identifier: MIT */
/*
 * tls.h - the bytes of connections that speak TLS; OpenSSL does it.
 *
 * A connection that does has the bit `encrypted'; what it needs more than others
 * stands in a table by descriptor, so that others are not larger for it.
 * transport.h chooses between this and the plain socket.
 *
 *	flush.c -> tls_send -> SSL_write -> tls_bio_write -> send(2)
 *	                                         |  what the kernel does not take
 *	                                         v
 *	                                 session->unsent
 *
 * A record that was made must leave as it is, whatever is dropped from the queue
 * meanwhile.  So the bytes that the kernel does not take of it are kept here, at
 * most one record of them, and no other is made before they have left.  Until
 * then tls_send() takes all that is in the record but the last byte: a queue
 * that waits stays a queue that waits, and the code around it need not know.
 *
 * The handshake comes first: tls_handshake.h.
 */

#ifndef WORKER_NET_TLS_H
#define WORKER_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>
#include <sys/uio.h>

/* The longest text of one record, bytes (RFC 8446, section 5.1). */
#define TLS_RECORD_MAX 16384u

/* More than this many bytes of records that the peer does not take are not
 * kept: it asks for answers (KeyUpdate) and does not read them. */
#define TLS_UNSENT_MAX (4 * TLS_RECORD_MAX)

/* What counts as input that is incomplete, bytes: the memory of a handshake, and
 * of a record of which only a part has come.  Measured. */
#define TLS_HANDSHAKE_BYTES (40u * 1024)
#define TLS_PARTIAL_BYTES   (17u * 1024)

struct bio_method_st;
struct conn;
struct net;
struct ssl_st;
struct tls_certs;
struct tls_store;
struct tls_tickets;

/* One connection's, from its first byte on. */
struct tls_session {
	struct ssl_st *ssl;            /* owned */
	struct conn *conn;             /* borrowed */
	TAILQ_ENTRY(tls_session) link; /* of handshakes, the oldest first */
	unsigned char *unsent;         /* owned; NULL: nothing */
	uint32_t unsent_len, unsent_at;
	uint32_t held;     /* bytes that it counts as input */
	bool is_shaking;   /* its handshake is not done */
	bool has_received; /* recv(2) was called in this tls_receive() */
	bool owes_byte;    /* a byte is in a record that is not yet reported */
	bool is_lost;      /* the socket is broken, or the peer does not take */
	bool is_ended;     /* close_notify was sent */
};

/* One worker's. */
struct tls {
	struct net *net; /* borrowed, like the next */
	const struct tls_store *store;
	struct tls_tickets *tickets;   /* owned */
	struct tls_certs *certs;       /* owned; the present ones */
	uint32_t version;              /* of the store, that they are from */
	struct bio_method_st *method;  /* owned */
	struct tls_session **sessions; /* owned; by descriptor, or NULL */
	int sessions_max;
	TAILQ_HEAD(tls_sessions, tls_session) handshakes;
	unsigned steps_in_turn;               /* of handshakes */
	unsigned char record[TLS_RECORD_MAX]; /* text from several places */
};

/* How OpenSSL reads and writes a connection.  Owns: the caller. */
struct bio_method_st *tls_bio_method(void);

/* The session of a connection; NULL: nothing has come from it yet. */
struct tls_session *tls_session_of(const struct conn *c);

/* Make the session of a connection from which something has come. */
struct tls_session *tls_session_begin(struct conn *c);

/* Count so many bytes for it as input that is incomplete (budget.h). */
void tls_session_hold(struct tls_session *session, uint32_t bytes);

/* Free what a connection has here.  Callers: whoever closes its descriptor, or
 * goes on in plain text. */
void tls_session_end(struct conn *c);

/*
 * As recv(2), which it calls once at most: everything that came is handed out,
 * except a part of a record.  max: at least two records.
 * Returns: as recv(2); 0 also for a close_notify, and -1 with EPROTO if what
 *          came was not right: the alert has been sent.
 */
ssize_t tls_receive(struct conn *c, void *buf, size_t max);

/*
 * As sendmsg(2).  Bytes that were taken must come again if it took the others:
 * first in the next call are those that were not.  One record for up to
 * TLS_RECORD_MAX bytes.
 */
ssize_t tls_send(struct conn *c, const struct iovec *iov, int count);

/* Send what was kept.  Returns false if the connection is broken. */
bool tls_flush(struct conn *c);

/* Whether something is kept: then wait until the socket is writable. */
bool tls_is_behind(const struct conn *c);

/* Say that nothing more comes (close_notify).  Returns whether that has left,
 * with all before it, or never will; if not, call again after tls_flush(). */
bool tls_shut(struct conn *c);

/* Bytes that it counts as input, and bytes that are kept. */
uint32_t tls_held(const struct conn *c);
uint32_t tls_unsent(const struct conn *c);

#endif
