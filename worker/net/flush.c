/* SPDX-License-Identifier: MIT */
/* flush.c - collect, write once; see flush.h. */

#include "worker/net/flush.h"

#include "common/xmalloc.h"
#include "worker/net/budget.h"
#include "worker/net/overflow.h"
#include "worker/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void
outbox_init(struct outbox *box)
{
	memset(box, 0, sizeof(*box));
}

void
outbox_fini(struct outbox *box)
{
	free(box->entries);
	free(box->runs);
	outbox_init(box);
}

static struct outbox_entry *
outbox_entry(struct outbox *box, struct conn *c)
{
	if (c->pending != 0)
		return &box->entries[c->pending - 1];
	if (box->entries_count == box->entries_max) {
		box->entries_max = box->entries_max * 2 + 64;
		box->entries = xreallocarray(
		    box->entries, box->entries_max, sizeof(*box->entries));
	}
	box->entries[box->entries_count] = (struct outbox_entry){ .conn = c };
	c->pending = ++box->entries_count;
	return &box->entries[c->pending - 1];
}

void
outbox_touch(struct outbox *box, struct conn *c)
{
	outbox_entry(box, c);
}

/* Append a run to a connection's; neighbours are merged. */
static void
outbox_run(struct outbox *box, struct conn *c, uint32_t first, uint32_t count,
    bool replayed)
{
	struct outbox_entry *entry = outbox_entry(box, c);
	struct outbox_run *last;

	if (entry->last != 0) {
		last = &box->runs[entry->last - 1];
		if (last->first + last->count == first &&
		    last->replayed == replayed) {
			last->count += count;
			return;
		}
	}
	if (box->runs_count == box->runs_max) {
		box->runs_max = box->runs_max * 2 + 64;
		box->runs =
		    xreallocarray(box->runs, box->runs_max, sizeof(*box->runs));
	}
	box->runs[box->runs_count++] = (struct outbox_run){
		.first = first, .count = count, .replayed = replayed
	};
	if (entry->last != 0)
		box->runs[entry->last - 1].next = box->runs_count;
	else
		entry->first = box->runs_count;
	entry->last = box->runs_count;
}

void
outbox_frames(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count)
{
	outbox_run(box, c, first, count, false);
}

void
outbox_replay(
    struct outbox *box, struct conn *c, uint32_t first, uint32_t count)
{
	outbox_run(box, c, first, count, true);
}

bool
outbox_is_replayed(const struct outbox *box, const struct conn *c)
{
	uint32_t last = c->pending != 0 ? box->entries[c->pending - 1].last : 0;

	return last != 0 && box->runs[last - 1].replayed;
}

/* Describe the queue, then the runs, as far as they fit.  Returns how many
 * pieces; *bytes is their sum. */
static int
outbox_gather(struct worker *w, struct conn *c, uint32_t run,
    struct iovec iov[OUTBOX_IOV_MAX], size_t *bytes)
{
	const struct frames *frames = &w->frames;
	int n = c->out != NULL ? outq_iov(c->out, iov, OUTBOX_IOV_MAX) : 0;

	*bytes = 0;
	for (int i = 0; i < n; i++)
		*bytes += iov[i].iov_len;
	while (run != 0 && n < OUTBOX_IOV_MAX) {
		const struct outbox_run *r = &w->outbox.runs[run - 1];
		size_t start = frames_start(frames, r->first);
		size_t end = frames_start(frames, r->first + r->count);

		iov[n].iov_base = frames->bytes.at + start;
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
outbox_send(struct worker *w, struct conn *c, struct iovec *iov, int n)
{
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = (size_t)n };
	ssize_t sent;

	do
		sent = n == 1 ? send(c->io.fd, iov->iov_base, iov->iov_len,
				    MSG_NOSIGNAL | MSG_DONTWAIT)
		              : sendmsg(c->io.fd, &msg,
				    MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent == -1 && errno == EINTR);
	stats_add(&w->stats, STATS_WRITES, 1);
	if (sent == -1 &&
	    (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
		return 0;
	if (sent > 0)
		stats_add(&w->stats, STATS_BYTES_OUT, (uint64_t)sent);
	return sent;
}

/* The queue's share of what was written. */
static size_t
outbox_sent_queue(struct worker *w, struct conn *c, size_t sent)
{
	size_t queued = c->out != NULL ? c->out->bytes : 0;
	size_t part = sent < queued ? sent : queued;

	if (part > 0) {
		stats_add(
		    &w->stats, STATS_MESSAGES_OUT, outq_sent(c->out, part));
		outbox_account(w, queued, queued - part);
	}
	return sent - part;
}

/*
 * The runs' share.  Returns the run that still has unsent frames, shortened to
 * them, or 0; *begun is how much of its first frame has been sent.
 */
static uint32_t
outbox_sent_runs(struct worker *w, uint32_t run, size_t sent, size_t *begun)
{
	const struct frames *frames = &w->frames;

	*begun = 0;
	while (run != 0) {
		struct outbox_run *r = &w->outbox.runs[run - 1];
		size_t start = frames_start(frames, r->first);
		uint32_t whole = 0;

		if (sent >= frames_start(frames, r->first + r->count) - start)
			whole = r->count;
		else
			while (
			    frames->table[r->first + whole].end - start <= sent)
				whole++;
		sent -= frames_start(frames, r->first + whole) - start;
		stats_add(&w->stats, STATS_MESSAGES_OUT, whole);
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
outbox_write(struct worker *w, struct conn *c, uint32_t run, size_t *begun)
{
	struct iovec iov[OUTBOX_IOV_MAX];
	size_t bytes, rest;
	ssize_t sent;
	int n;

	*begun = 0;
	while ((n = outbox_gather(w, c, run, iov, &bytes)) > 0) {
		sent = outbox_send(w, c, iov, n);
		if (sent == -1) {
			conn_abort(c);
			return 0;
		}
		rest = outbox_sent_queue(w, c, (size_t)sent);
		run = outbox_sent_runs(w, run, rest, begun);
		if ((size_t)sent < bytes) {
			c->blocked = true;
			return run;
		}
	}
	return 0;
}

/* After writing: no empty queue is kept, and the state may move on. */
static void
outbox_settle(struct conn *c)
{
	budget_enforce_output(c);
	if (c->state == CONN_DEAD)
		return;
	if (c->out != NULL && outq_empty(c->out)) {
		outq_fini(c->out);
		free(c->out);
		c->out = NULL;
	}
	if (c->out == NULL) {
		c->blocked = false;
		conn_written(c);
	} else {
		c->blocked = true;
	}
	if (c->out == NULL || c->out->answer_bytes <= CONN_ANSWERS_MAX / 2)
		conn_resume(c, PAUSE_ANSWERS);
	else if (c->out->answer_bytes > CONN_ANSWERS_MAX)
		conn_pause(c, PAUSE_ANSWERS);
	conn_update_events(c);
}

static void
outbox_flush_conn(struct worker *w, struct conn *c, uint32_t run)
{
	size_t begun = 0;

	if (c->state == CONN_DEAD)
		return;
	if (!conn_is_listening(c))
		run = 0;
	if (!c->blocked && !conn_is_held(c))
		run = outbox_write(w, c, run, &begun);
	if (run != 0 && conn_is_listening(c))
		outbox_queue_runs(w, c, run, begun);
	outbox_settle(c);
}

/* What was added while flushing (a close frame, more of a file) is for the next
 * turn: no connection can hold this one up. */
static void
outbox_keep_added(struct worker *w, uint32_t flushed)
{
	struct outbox *box = &w->outbox;
	uint32_t kept = 0;

	for (uint32_t i = flushed; i < box->entries_count; i++) {
		box->entries[kept] = box->entries[i];
		box->entries[kept].conn->pending = kept + 1;
		kept++;
	}
	box->entries_count = kept;
	box->runs_count = 0;
	if (kept > 0)
		w->more = true;
}

void
outbox_flush(struct worker *w)
{
	struct outbox *box = &w->outbox;
	uint32_t count = box->entries_count;

	for (uint32_t i = 0; i < count; i++) {
		struct outbox_entry entry = box->entries[i];

		entry.conn->pending = 0;
		outbox_flush_conn(w, entry.conn, entry.first);
	}
	outbox_keep_added(w, count);
	frames_reset(&w->frames);
}

void
outbox_drain_conn(struct worker *w, struct conn *c)
{
	size_t begun;

	if (c->out != NULL && !conn_is_held(c)) {
		c->blocked = false;
		outbox_write(w, c, 0, &begun);
	}
	outbox_settle(c);
}
