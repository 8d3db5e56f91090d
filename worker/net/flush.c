/* SPDX-License-Identifier: MIT */
/* flush.c - see flush.h. */

#include "worker/net/flush.h"

#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/overflow.h"
#include "worker/net/tls_handshake.h"
#include "worker/net/transport.h"

#include <errno.h>
#include <sys/socket.h>

/* Describe the queue, then the runs, as far as they fit.  Returns how many
 * pieces; *bytes is their sum. */
static int
flush_gather(struct net *net, struct conn *c, uint32_t run,
    struct iovec iov[FLUSH_IOV_MAX], size_t *bytes)
{
	const struct arena *arena = &net->arena;
	int n = c->out != NULL ? outq_iov(c->out, iov, FLUSH_IOV_MAX) : 0;

	*bytes = 0;
	for (int i = 0; i < n; i++)
		*bytes += iov[i].iov_len;
	while (run != 0 && n < FLUSH_IOV_MAX) {
		const struct outbox_run *r = &net->outbox.runs[run - 1];
		size_t start = arena_start(arena, r->first);
		size_t end = arena_start(arena, r->first + r->count);

		iov[n].iov_base = arena->bytes.at + start;
		iov[n].iov_len = end - start;
		*bytes += end - start;
		n++;
		run = r->next;
	}
	return n;
}

/* One write.  Returns the bytes taken, 0 if the socket is full, -1 if the
 * connection is lost. */
static ssize_t
flush_send(struct net *net, struct conn *c, struct iovec *iov, int n)
{
	ssize_t sent;

	do
		sent = transport_send(c, iov, n);
	while (sent == -1 && errno == EINTR);
	stats_add(&net->stats, STATS_WRITES, 1);
	if (sent == -1 &&
	    (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
		return 0;
	if (sent > 0)
		stats_add(&net->stats, STATS_BYTES_OUT, (uint64_t)sent);
	return sent;
}

/* Take the queue's share of the bytes that were written. */
static size_t
flush_sent_queue(struct net *net, struct conn *c, size_t sent)
{
	size_t queued = c->out != NULL ? c->out->bytes : 0;
	size_t part = sent < queued ? sent : queued;

	if (part > 0)
		stats_add(
		    &net->stats, STATS_MESSAGES_OUT, outq_sent(c->out, part));
	return sent - part;
}

/*
 * Take the runs' share.  Returns the run that still has unsent frames,
 * shortened to them, or 0; *begun is how much of its first frame has been sent.
 */
static uint32_t
flush_sent_runs(struct net *net, uint32_t run, size_t sent, size_t *begun)
{
	const struct arena *arena = &net->arena;

	*begun = 0;
	while (run != 0) {
		struct outbox_run *r = &net->outbox.runs[run - 1];
		size_t start = arena_start(arena, r->first);
		uint32_t whole = 0;

		if (sent >= arena_start(arena, r->first + r->count) - start)
			whole = r->count;
		else
			while (
			    arena->table[r->first + whole].end - start <= sent)
				whole++;
		sent -= arena_start(arena, r->first + whole) - start;
		stats_add(&net->stats, STATS_MESSAGES_OUT, whole);
		r->first += whole;
		r->count -= whole;
		if (r->count > 0) {
			*begun = sent;
			return run;
		}
		run = r->next;
	}
	return 0;
}

/* Write queue and runs until done or the socket is full.  Returns the first
 * run not wholly sent (0: none); *begun as above.  Sets c->blocked. */
static uint32_t
flush_write(struct net *net, struct conn *c, uint32_t run, size_t *begun)
{
	struct iovec iov[FLUSH_IOV_MAX];
	size_t bytes, rest;
	ssize_t sent;
	int n;

	*begun = 0;
	while ((n = flush_gather(net, c, run, iov, &bytes)) > 0) {
		sent = flush_send(net, c, iov, n);
		if (sent == -1) {
			conn_abort(c);
			return 0;
		}
		rest = flush_sent_queue(net, c, (size_t)sent);
		run = flush_sent_runs(net, run, rest, begun);
		if ((size_t)sent < bytes) {
			c->blocked = true;
			return run;
		}
	}
	return 0;
}

/* Cut the connection if what it does not take is too much. */
static void
flush_enforce_budget(struct conn *c)
{
	uint64_t own = c->out->bytes;

	if (c->encrypted)
		own += tls_unsent(c);
	if (!budget_is_over(
		&c->net->budget, BUDGET_OUTPUT, own, c->net->conns.count))
		return;
	stats_add(&c->net->stats, STATS_MEMORY_CLOSES, 1);
	conn_cut(c);
}

/* The kernel did not take everything. */
static void
flush_settle_queue(struct conn *c)
{
	flush_enforce_budget(c);
	if (c->state == CONN_DEAD)
		return;
	c->blocked = true;
	if (c->out->answer_bytes <= CONN_ANSWERS_MAX / 2)
		conn_resume(c, PAUSE_ANSWERS);
	else if (c->out->answer_bytes > CONN_ANSWERS_MAX)
		conn_pause(c, PAUSE_ANSWERS);
	conn_update_events(c);
}

/* After writing: no empty queue is kept, and the state may move on. */
static void
flush_settle(struct conn *c)
{
	if (c->state == CONN_DEAD)
		return;
	if (c->out != NULL && outq_empty(c->out))
		outq_free(&c->out);
	if (c->out != NULL) {
		flush_settle_queue(c);
		return;
	}
	c->blocked = false;
	conn_written(c);
	if (c->paused & PAUSE_ANSWERS)
		conn_resume(c, PAUSE_ANSWERS);
	conn_update_events(c);
}

static void
flush_entry(struct net *net, struct conn *c, uint32_t run)
{
	size_t begun = 0;

	if (c->state == CONN_DEAD)
		return;
	if (c->state != CONN_OPEN)
		run = 0;
	if (!c->blocked && !conn_is_held(c))
		run = flush_write(net, c, run, &begun);
	if (run != 0 && c->state == CONN_OPEN)
		overflow_queue_runs(net, c, run, begun);
	flush_settle(c);
}

/* Output that was added while flushing (a close frame, more of a file) is for
 * the next turn, so that no connection can hold this turn up. */
static void
flush_keep_added(struct net *net, uint32_t flushed)
{
	struct outbox *box = &net->outbox;
	uint32_t kept = 0;

	for (uint32_t i = flushed; i < box->entries_count; i++) {
		box->entries[kept] = box->entries[i];
		box->entries[kept].conn->pending = kept + 1;
		kept++;
	}
	box->entries_count = kept;
	box->runs_count = 0;
	if (kept > 0)
		net->more = true;
}

void
flush_turn(struct net *net)
{
	struct outbox *box = &net->outbox;
	uint32_t count = box->entries_count;

	for (uint32_t i = 0; i < count; i++) {
		struct outbox_entry entry = box->entries[i];

		entry.conn->pending = 0;
		flush_entry(net, entry.conn, entry.first);
	}
	flush_keep_added(net, count);
	tls_turn(net);
	arena_reset(&net->arena);
}

void
flush_conn(struct conn *c)
{
	struct net *net = c->net;
	size_t begun;

	if (!transport_flush(c)) {
		conn_abort(c);
		return;
	}
	if (c->out != NULL && !conn_is_held(c)) {
		c->blocked = false;
		flush_write(net, c, 0, &begun);
	}
	flush_settle(c);
}
