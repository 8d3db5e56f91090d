/* SPDX-License-Identifier: MIT */
/*
 * progress.h - whether a peer takes what it is sent.
 *
 * That a socket is writable again says it too late: the kernel reports it only
 * after a good part of a full send buffer is gone, so a slow reader looks dead;
 * and a dead one looks alive as long as the kernel's buffer takes what is
 * written.  TCP_INFO (tcp(7)) tells them apart:
 *
 *	bytes_acked		what its host has taken
 *	bytes_acked + snd_wnd	how far it lets us send; once its buffers are
 *				filled this moves only when its program reads
 *	unacked, notsent	whether it has still something to take
 *	last_ack_recv		whether its host is there
 *
 * A look is one getsockopt(2), so it is taken when a deadline comes and not for
 * a message.  Where there is no TCP_INFO (another kernel, another kind of
 * socket) all that is known is whether a queue waits and when the socket took
 * bytes (conn->last_heard_tick).
 */

#ifndef WORKER_NET_PROGRESS_H
#define WORKER_NET_PROGRESS_H

#include <stdint.h>

struct conn;

enum progress {
	PROGRESS_IDLE = 0, /* it has taken everything */
	PROGRESS_MADE,     /* it has taken something since the last look */
	PROGRESS_NONE,     /* it has not, and has still time to do so */
	PROGRESS_STALLED,  /* it has not for --stall-timeout */
	PROGRESS_GONE,     /* its host does not acknowledge what was sent */
};

/*
 * Look whether the peer has taken anything since the last look.  The first look
 * that finds something waiting begins the clock and is PROGRESS_NONE.
 * min_rate: bytes per second that count, on the average since progress was last
 * made; 0: any byte does.  ack_ms: how long its host may owe an acknowledgement.
 * Callers: whoever's deadline has come.
 */
enum progress progress_look(struct conn *c, uint32_t min_rate, uint32_t ack_ms);

/* A pong does not come at once: note how far the peer lets us send. */
void progress_ask(struct conn *c);

/*
 * The pong has not come in time.  MADE: the program has read since then, and may
 * not have come to the ping yet.  NONE: the ping has not reached the host, which
 * is there.  IDLE: the host has taken the ping, its program does not answer.
 * GONE: as above.  Without TCP_INFO always IDLE.
 */
enum progress progress_unanswered(struct conn *c, uint32_t ack_ms);

/* From now on the connection has progress_due() as its deadline. */
void progress_begin(struct conn *c);

/*
 * The deadline has come of a connection from which nothing is wanted but that
 * it takes what is written.  If it takes that fast enough (--min-rate), or has
 * not had --stall-timeout to do so, look again in a while; else cut it.
 */
void progress_due(struct conn *c);

/* The same for one that is CONN_CLOSING or CONN_LINGER. */
void progress_leaving_due(struct conn *c);

/* The time between those looks, milliseconds, unless --stall-timeout is less. */
#define PROGRESS_LOOK_MS 10000u

#endif
