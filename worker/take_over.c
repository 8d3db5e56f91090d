/* SPDX-License-Identifier: MIT */
/* take_over.c - see take_over.h. */

#include "worker/take_over.h"

#include "broker/shared/stop_point.h"
#include "broker/shared/succession.h"
#include "broker/shared/wakeup.h"
#include "broker/shared/worker_args.h"
#include "common/log.h"
#include "worker/answering.h"
#include "worker/delivery/adopt.h"
#include "worker/delivery/attend.h"
#include "worker/delivery/watch.h"
#include "worker/handover/conn_record.h"
#include "worker/handover/conn_restore.h"
#include "worker/handover/hub_record.h"
#include "worker/handover/identity_record.h"
#include "worker/handover/parcel.h"
#include "worker/reload.h"
#include "worker/requests/caller.h"
#include "worker/net/conns.h"
#include "worker/state.h"
#include "worker/take_over_move.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* How often the word of the slot is looked at anyway, milliseconds. */
#define TAKE_OVER_LOOK_MS 250

static struct layout_worker *
take_over_slot(const struct worker *w)
{
	return &w->hub.seg->workers[w->hub.slot];
}

bool
take_over_open(struct worker *w)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		log_error("no socket for the connections to come over");
		return false;
	}
	w->take_over.ours = pair[0];
	w->take_over.theirs = pair[1];
	return true;
}

static void
take_over_close(int *fd)
{
	close(*fd);
	*fd = -1;
}

/* The supervisor has the end that we ask by, too (parcel.h). */
_Static_assert(sizeof(struct hub_hello) <= PARCEL_SHORT_MAX,
    "whoever asks has asked or not");

/* Ask the predecessor, which gets the other end of our socket. */
static bool
take_over_ask(struct worker *w)
{
	struct hub_hello hello = { .version = CONN_RECORD_VERSION };
	const int fds[] = { w->take_over.theirs, w->args->move_fd };
	bool moves = take_over_moves(w);
	enum parcel_status status;
	struct buf body;

	buf_init(&body);
	hub_hello_put(&body, &hello);
	status = parcel_send(*w->args->predecessor,
	    moves ? HUB_PARCEL_ASK_TO_MOVE : HUB_PARCEL_ASK, &body, fds,
	    moves ? 2 : 1);
	buf_fini(&body);
	close(*w->args->predecessor);
	if (moves)
		close(w->args->move_fd);
	/* Its copies are the predecessor's alone, so we see when it ends. */
	take_over_close(&w->take_over.theirs);
	return status == PARCEL_OK;
}

static bool
take_over_hello(struct worker *w, const struct buf *body)
{
	struct hub_hello hello;

	if (!hub_hello_take(&hello, body))
		return false;
	if (take_over_moves(w))
		take_over_floor(w);
	else if (strcmp(hello.epoch, w->hub.seg->header->epoch) == 0)
		tail_go_on_at(&w->hub, hello.cursor);
	else
		return false;
	/* Ours are above all of theirs. */
	if (w->net.conns.numbered < hello.numbered)
		w->net.conns.numbered = hello.numbered;
	return true;
}

static bool
take_over_topics(struct worker *w, const struct buf *body)
{
	struct adopt_topic topic;
	enum fields_status status;
	struct fields topics;

	fields_begin(&topics, body->at, body->len);
	while ((status = hub_topic_next(&topics, &topic)) == FIELDS_OK)
		if (!adopt_topic(&w->hub, &topic))
			return false;
	return status == FIELDS_END;
}

static bool
take_over_identities(struct worker *w, const struct buf *body)
{
	struct access_known known;
	enum fields_status status;
	struct fields identities;
	struct field field;

	fields_begin(&identities, body->at, body->len);
	while ((status = hub_identity_next(&identities, &field)) == FIELDS_OK)
		if (!identity_record_read(&known, field.at, field.len) ||
		    !access_adopt(&w->access, &known))
			return false;
	return status == FIELDS_END;
}

static bool
take_over_rebuild(
    struct worker *w, struct parcel *parcel, const struct buf *body)
{
	struct conn_record record;
	enum fields_status status;
	struct fields conns;
	struct field field;
	uint32_t count = 0;

	fields_begin(&conns, body->at, body->len);
	while ((status = hub_conn_next(&conns, &field)) == FIELDS_OK) {
		if (count == parcel->fds_count ||
		    conn_record_read(&record, field.at, field.len) !=
			CONN_RECORD_OK ||
		    !conn_restore(&w->hub, parcel->fds[count++], &record,
			take_over_moves(w)))
			return false;
	}
	return status == FIELDS_END && count == parcel->fds_count;
}

/* The same, in another ring under its lock, which nobody else needs for long. */
static bool
take_over_conns(struct worker *w, struct parcel *parcel, const struct buf *body)
{
	bool ok;

	if (take_over_moves(w))
		take_over_lock(w);
	ok = take_over_rebuild(w, parcel, body);
	if (take_over_moves(w))
		ring_unlock(&w->hub.ring);
	stop_point_here(w->hub.seg->header, STOP_HALF_TAKEN);
	return ok;
}

/* One parcel.  Returns false if it is none that should come. */
static bool
take_over_parcel(
    struct worker *w, struct parcel *parcel, const struct buf *body)
{
	if (parcel->kind == HUB_PARCEL_CONNS)
		return take_over_conns(w, parcel, body);
	if (parcel->fds_count > 0)
		return false;
	if (parcel->kind == HUB_PARCEL_HELLO)
		return take_over_hello(w, body);
	if (parcel->kind == HUB_PARCEL_IDENTITIES)
		return take_over_identities(w, body);
	return parcel->kind == HUB_PARCEL_TOPICS && take_over_topics(w, body);
}

/* Receive all, and rebuild it. */
static bool
take_over_receive(struct worker *w)
{
	struct parcel parcel;
	struct buf body;
	bool is_first = true, ok;
	char why[128];

	buf_init(&body);
	for (;;) {
		ok = parcel_receive(w->take_over.ours, &parcel, &body) ==
		     PARCEL_OK;
		if (!ok || parcel.kind == HUB_PARCEL_END)
			break;
		ok = is_first == (parcel.kind == HUB_PARCEL_HELLO) &&
		     take_over_parcel(w, &parcel, &body);
		if (!ok)
			break;
		is_first = false;
	}
	buf_fini(&body);
	if (ok && !is_first) {
		if (!take_over_moves(w))
			adopt_unused(&w->hub);
		access_adopted(&w->access);
		conns_adopted(&w->net);
		return true;
	}
	snprintf(why, sizeof(why), "%s", log_last_error());
	log_errorx("the connections did not come over%s%s",
	    why[0] != '\0' ? ": " : "", why);
	return false;
}

/* Tell the supervisor that everything is here. */
static bool
take_over_tell(struct worker *w)
{
	uint64_t one = 1;
	ssize_t sent;

	stop_point_here(w->hub.seg->header, STOP_ALL_TAKEN);
	if (!succession_step(take_over_slot(w),
		take_over_moves(w) ? SUCCESSION_NONE : SUCCESSION_FROZEN,
		SUCCESSION_REBUILT)) {
		log_errorx("the connections are not given away any more");
		return false;
	}
	sent = write(w->args->state_fd, &one, sizeof(one));
	(void)sent; /* as in worker_set_state() */
	stop_point_here(w->hub.seg->header, STOP_REBUILT);
	return true;
}

static void
take_over_pass_over(struct ev_loop *loop)
{
	(void)loop; /* what is pending stays so */
}

/*
 * Have the kernel watch all connections, for which libev makes a call each when
 * its loop turns next: 12 ms for 10,000, in the time in which the predecessor ends
 * and nobody can be served.  What is reported meanwhile is looked at when the loop
 * runs.
 */
static void
take_over_watch(struct worker *w)
{
	ev_set_invoke_pending_cb(w->net.loop, take_over_pass_over);
	ev_run(w->net.loop, EVRUN_NOWAIT);
	ev_set_invoke_pending_cb(w->net.loop, ev_invoke_pending);
}

/* Wait until a descriptor can be read, or the supervisor is dead: then without
 * end, if the predecessor has been told to leave.  Returns false if we are
 * neither told to go on nor ever will be. */
static bool
take_over_wait(struct worker *w, int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = w->args->supervisor_fd, .events = POLLIN },
	};
	bool is_orphan;

	poll(fds, 2, TAKE_OVER_LOOK_MS);
	is_orphan = fds[1].revents != 0;
	return !is_orphan ||
	       succession_of(take_over_slot(w)) >= SUCCESSION_COMMITTED;
}

/* Whether the predecessor has ended, or has at least closed its socket. */
static bool
take_over_is_alone(const struct worker *w)
{
	struct pollfd fd = { .fd = w->take_over.ours, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

/* Wait until the slot is ours.  Without a supervisor it is when the predecessor,
 * told to leave, has left. */
static bool
take_over_await(struct worker *w)
{
	const struct layout_worker *self = take_over_slot(w);
	int doorbell = w->hub.wakeup->fd[w->hub.slot];

	while (!take_over_is_alone(w))
		if (!take_over_wait(w, w->take_over.ours))
			return false;
	/* The doorbell is rung for us alone from here on. */
	while (succession_of(self) != SUCCESSION_GRANTED) {
		struct pollfd life = { .fd = w->args->supervisor_fd,
			.events = POLLIN };

		if (succession_of(self) == SUCCESSION_NONE)
			return false; /* the predecessor goes on */
		if (!take_over_wait(w, doorbell))
			return false;
		wakeup_clear(w->hub.wakeup);
		if (succession_of(self) == SUCCESSION_COMMITTED &&
		    poll(&life, 1, 0) == 1)
			return true;
	}
	return true;
}

/* What was counted apart is counted in the slot from now on. */
static void
take_over_count(struct worker *w)
{
	_Atomic uint64_t *counters = take_over_slot(w)->counters;

	stats_merge(counters, w->take_over.counters);
	w->net.stats.counters = counters;
	w->net.budget.stats.counters = counters;
	stats_add(&w->net.stats, STATS_HANDED_OVER, w->net.conns.count);
}

void
take_over_claim(struct worker *w)
{
	struct layout_worker *self = take_over_slot(w);

	stop_point_here(w->hub.seg->header, STOP_GRANTED);
	wakeup_claim_slot(w->hub.wakeup, w->hub.slot);
	take_over_lock(w);
	adopt_slot(&w->hub);
	attend_adopt(&w->hub);
	watches_adopted(&w->hub);
	ring_unlock(&w->hub.ring);
	stop_point_here(w->hub.seg->header, STOP_SLOT_COUNTED);
	take_over_count(w);
	reload_tell(w);
	answering_forget(w);
	if (!succession_step(self, SUCCESSION_GRANTED, SUCCESSION_NONE))
		succession_step(self, SUCCESSION_COMMITTED, SUCCESSION_NONE);
	w->net.more = true;
	/* There may be other ones than those that they came under. */
	caller_hold_to_rules(&w->hub);
	conn_restore_go_on(&w->net);
}

bool
take_over(struct worker *w)
{
	bool moves = take_over_moves(w);

	if (moves)
		w->take_over.move = move_number(w->args->move);
	stop_point_here(w->hub.seg->header, STOP_SUCCEEDING);
	if (!take_over_ask(w)) {
		log_errorx("the predecessor cannot be asked");
		return false;
	}
	if (!take_over_receive(w) || !take_over_tell(w))
		return false;
	take_over_watch(w);
	if (moves ? !take_over_await_move(w) : !take_over_await(w)) {
		log_errorx("the predecessor goes on");
		return false;
	}
	if (moves)
		take_over_go_on(w);
	else
		take_over_claim(w);
	take_over_close(&w->take_over.ours);
	log_info("%u connections taken over", w->net.conns.count);
	return true;
}
