/* SPDX-License-Identifier: MIT */
/* progress.c - see progress.h. */

#include "worker/net/progress.h"

#include "common/config.h"
#include "worker/net/conn.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* What the kernel knows of the other end. */
struct progress_peer {
	uint32_t acked;  /* bytes; the low 32 bits, as of the next */
	uint32_t edge;   /* how far it lets us send */
	uint32_t grain;  /* bytes by which the edge may move by itself */
	uint32_t ack_ms; /* since its host last acknowledged anything */
	bool owes_ack;   /* something was sent that it has not acknowledged */
	bool waits;      /* the same, or something is still to be sent */
};

/* Ask the kernel.  Returns false if it does not know. */
static bool
progress_ask_kernel(const struct conn *c, struct progress_peer *peer)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	memset(&info, 0, sizeof(info)); /* an older kernel fills less of it */
	if (getsockopt(c->io.fd, IPPROTO_TCP, TCP_INFO, &info, &len) == -1 ||
	    len < offsetof(struct tcp_info, tcpi_min_rtt))
		return false;
	*peer = (struct progress_peer){
		.acked = (uint32_t)info.tcpi_bytes_acked,
		.edge = (uint32_t)(info.tcpi_bytes_acked + info.tcpi_snd_wnd),
		/* A window is told in units of so many bytes, rounded up. */
		.grain = 1u << info.tcpi_snd_wscale,
		.ack_ms = info.tcpi_last_ack_recv,
		.owes_ack = info.tcpi_unacked > 0,
		.waits = info.tcpi_unacked > 0 || info.tcpi_notsent_bytes > 0,
	};
	return true;
}

/* How long ago progress was last seen, milliseconds. */
static uint64_t
progress_age(const struct conn *c)
{
	return (uint64_t)(c->net->wheel.now - c->last_taken_tick) *
	       WHEEL_TICK_MS;
}

/* Whether enough has been taken since the mark, which moves along then. */
static bool
progress_has_moved(struct conn *c, uint32_t acked, uint32_t min_rate)
{
	int32_t moved = (int32_t)(acked - c->taken_mark);
	uint64_t enough = c->waiting ? min_rate * progress_age(c) / 1000 : 0;

	/* Behind it: the mark is that of a late pong, progress_ask(). */
	if (moved > 0 && (uint64_t)moved < enough)
		return false;
	c->taken_mark = acked;
	return moved > 0;
}

/* Without TCP_INFO: whether its socket took bytes since the last look, or at
 * least brought some. */
static bool
progress_was_heard(const struct conn *c)
{
	return (int32_t)(c->last_heard_tick - c->last_taken_tick) > 0;
}

enum progress
progress_look(struct conn *c, uint32_t min_rate, uint32_t ack_ms)
{
	bool queued = c->out != NULL && c->blocked;
	struct progress_peer peer = { .waits = false };
	bool is_known = progress_ask_kernel(c, &peer);
	bool has_moved = is_known ? progress_has_moved(c, peer.acked, min_rate)
	                          : progress_was_heard(c);
	bool waits = peer.waits || queued;

	if (has_moved || !waits || !c->waiting) {
		c->waiting = waits;
		c->last_taken_tick = c->net->wheel.now;
		return !waits      ? PROGRESS_IDLE
		       : has_moved ? PROGRESS_MADE
		                   : PROGRESS_NONE;
	}
	if (peer.owes_ack && peer.ack_ms >= ack_ms)
		return PROGRESS_GONE;
	return progress_age(c) < c->net->config->stall_ms ? PROGRESS_NONE
	                                                  : PROGRESS_STALLED;
}

void
progress_ask(struct conn *c)
{
	struct progress_peer peer;

	if (progress_ask_kernel(c, &peer))
		c->taken_mark = peer.edge;
}

enum progress
progress_unanswered(struct conn *c, uint32_t ack_ms)
{
	struct progress_peer peer;

	if (!progress_ask_kernel(c, &peer))
		return PROGRESS_IDLE;
	if ((int32_t)(peer.edge - c->taken_mark) > (int32_t)peer.grain)
		return PROGRESS_MADE;
	if (peer.owes_ack && peer.ack_ms >= ack_ms)
		return PROGRESS_GONE;
	return peer.waits ? PROGRESS_NONE : PROGRESS_IDLE;
}

void
progress_begin(struct conn *c)
{
	uint32_t stall_ms = c->net->config->stall_ms;

	conn_deadline(
	    c, stall_ms < PROGRESS_LOOK_MS ? stall_ms : PROGRESS_LOOK_MS);
}

void
progress_due(struct conn *c)
{
	const struct config *config = c->net->config;

	switch (progress_look(c, config->min_rate, config->stall_ms)) {
	case PROGRESS_IDLE:
	case PROGRESS_MADE:
	case PROGRESS_NONE:
		progress_begin(c);
		break;
	case PROGRESS_STALLED:
	case PROGRESS_GONE:
		conn_time_out(c);
		break;
	}
}

void
progress_leaving_due(struct conn *c)
{
	switch (progress_look(c, c->net->config->min_rate, PROGRESS_LOOK_MS)) {
	case PROGRESS_MADE:
	case PROGRESS_NONE:
		progress_begin(c);
		break;
	case PROGRESS_IDLE:
		/* The peer has it all and does not close; it may not have read
		 * it all, and a reset could destroy that. */
		stats_add(&c->net->stats, STATS_TIMEOUTS, 1);
		conn_abort(c);
		break;
	case PROGRESS_STALLED:
	case PROGRESS_GONE:
		conn_time_out(c);
		break;
	}
}
