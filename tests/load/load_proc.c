/* SPDX-License-Identifier: MIT */
/*
 * load_proc.c - one process of the load generator: a loop and its clients.
 *
 *	connecting --all joined--> ready --LOAD_GO--> sending --> done
 *
 * A client joins its room by publishing a message of number 0 to it, which
 * subscribes it, and is ready when its own copy comes back.  Only then is
 * everything sent to the room owed to it.
 *
 * Who sends when is fixed in advance: client i is due at the same fraction of
 * every interval, a fraction that spreads the members of one room as well as
 * all clients evenly (multiples of the golden ratio).  Sorted by it, the
 * clients take turns, so that one timer is enough.
 */

#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/container.h"
#include "common/xmalloc.h"
#include "tests/load/ledger.h"
#include "tests/load/load.h"
#include "tests/load/load_client.h"
#include "tests/load/load_message.h"

#define CONNECT_TICK   0.01 /* seconds */
#define PENDING_MAX    256  /* connections under way at a time */
#define SEND_TURN_MAX  64   /* messages before the sockets are read again */
#define JOIN_AGAIN     1.0  /* seconds; the join may have been dropped */
#define CLOSE_PATIENCE 3.0  /* seconds for the server to close */
#define GOLDEN_RATIO   0.6180339887498949

struct member {
	struct load_client client;
	struct load_proc *proc;
	struct ledger *ledger; /* of each member of its room */
	double phase;          /* when in an interval, in nanoseconds */
	uint32_t number;       /* of its last message */
	uint64_t received;     /* different messages */
	bool is_open;
	bool is_ready;
};

struct load_proc {
	const struct load_options *options;
	struct load_shared *shared;
	struct load_process *counters;
	struct load_client_env env;
	struct ev_loop *loop;
	ev_io control;
	ev_timer connect;
	ev_timer join;
	ev_timer send;
	ev_timer give_up;

	unsigned first; /* number of members[0] among the clients of all */
	unsigned count;
	struct member *members;
	struct member **order; /* by phase */
	struct ledger *ledgers;
	char *text; /* room for one message and its envelope */

	unsigned connected; /* load_client_connect() was called for so many */
	unsigned pending;   /* of them not open and not failed */
	unsigned open;
	double allowance; /* of connections, see proc_connect_cb() */
	unsigned turn;    /* who sends next: order[turn] ... */
	unsigned round;   /* ... for this time, from 0 */
	bool is_closing;
};

static unsigned
member_number(const struct member *m)
{
	return m->proc->first + (unsigned)(m - m->proc->members);
}

static struct load_room *
member_room(const struct member *m)
{
	return load_room(
	    m->proc->shared, member_number(m) / m->proc->options->room_size);
}

/* How many are in the room of client i; the last room takes the rest. */
static unsigned
proc_room_len(const struct load_proc *p, unsigned i)
{
	unsigned first = i - i % p->options->room_size;
	unsigned left = p->options->clients - first;

	return left < p->options->room_size ? left : p->options->room_size;
}

/* Publish a message of the member's to its room. */
static void
member_publish(struct member *m, uint32_t number, uint64_t now)
{
	struct load_proc *p = m->proc;
	struct load_message message = {
		.sender = member_number(m),
		.number = number,
		.sent_ns = now,
	};
	size_t len = load_message_write(p->text, p->shared->run,
	    message.sender / p->options->room_size, &message, p->options->size);

	load_client_send(&m->client, p->text, len);
}

static void
proc_opened(struct load_client *c)
{
	struct member *m = container_of(c, struct member, client);

	m->is_open = true;
	m->proc->pending--;
	m->proc->open++;
	member_publish(m, 0, 0);
}

/* A message of the run came: is it new, and how long did it take? */
static void
proc_delivered(struct member *m, const struct load_message *message)
{
	struct load_process *counters = m->proc->counters;
	uint64_t now = load_now_ns();

	switch (ledger_enter(
	    &m->ledger[message->sender % m->proc->options->room_size],
	    message->number)) {
	case LEDGER_DOUBLE:
		load_add(&counters->doubled, 1);
		return;
	case LEDGER_LATE:
		load_add(&counters->disordered, 1);
		break;
	case LEDGER_NEW:
		break;
	}
	m->received++;
	load_add(&counters->delivered, 1);
	load_set(&counters->last_ns, now);
	histogram_add(&counters->latency, now - message->sent_ns);
}

static void
proc_message(struct load_client *c, const char *text, size_t len)
{
	struct member *m = container_of(c, struct member, client);
	unsigned room_size = m->proc->options->room_size;
	struct load_message message;

	if (!load_message_read(&message, text, len) ||
	    message.sender / room_size != member_number(m) / room_size)
		load_add(&m->proc->counters->strange, 1);
	else if (message.number > 0)
		proc_delivered(m, &message);
	else if (message.sender == member_number(m) && !m->is_ready) {
		m->is_ready = true;
		load_add(&m->proc->counters->ready, 1);
	}
}

/* Keep the first reason for the report. */
static void
proc_note(struct load_process *counters, const char *why)
{
	if (load_get(&counters->has_why) != 0)
		return;
	strncpy(counters->why, why, sizeof(counters->why) - 1);
	load_set(&counters->has_why, 1);
}

static void
proc_ended(struct load_client *c, const char *why)
{
	struct member *m = container_of(c, struct member, client);
	struct load_proc *p = m->proc;

	if (m->is_open)
		p->open--;
	else
		p->pending--;
	m->is_open = false;
	if (p->is_closing) {
		if (p->open + p->pending == 0)
			ev_break(p->loop, EVBREAK_ALL);
		return;
	}
	proc_note(p->counters, why);
	if (!m->is_ready) {
		load_add(&p->counters->failed, 1);
		return;
	}
	load_add(&p->counters->broken_had, m->received);
	load_add(&p->counters->broken, 1);
	atomic_fetch_add(&member_room(m)->broken, 1);
}

/* Connect some more, at the process's share of the rate. */
static void
proc_connect_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct load_proc *p = container_of(w, struct load_proc, connect);
	double per_tick =
	    p->options->connect_rate * CONNECT_TICK / p->shared->processes;

	(void)revents;
	p->allowance += per_tick;
	while (p->allowance >= 1 && p->connected < p->count &&
	       p->pending < PENDING_MAX) {
		struct member *m = &p->members[p->connected++];

		p->allowance--;
		p->pending++;
		load_client_connect(&m->client, &p->env, member_number(m));
	}
	/* Waiting for the pending ones must not end in a burst. */
	if (p->allowance > per_tick)
		p->allowance = per_tick;
	if (p->connected == p->count)
		ev_timer_stop(loop, w);
}

/* Join again where the first time was in vain. */
static void
proc_join_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct load_proc *p = container_of(w, struct load_proc, join);

	(void)loop;
	(void)revents;
	for (unsigned i = 0; i < p->connected; i++) {
		struct member *m = &p->members[i];

		if (m->is_open && !m->is_ready &&
		    !load_client_is_behind(&m->client))
			member_publish(m, 0, 0);
	}
}

/* Send the message that was due then. */
static void
member_send(struct member *m, uint64_t due, uint64_t now)
{
	struct load_process *counters = m->proc->counters;

	if (!m->is_open)
		return;
	if (load_client_is_behind(&m->client)) {
		load_add(&counters->unsent, 1);
		return;
	}
	if (now - due > load_get(&counters->late_ns))
		load_set(&counters->late_ns, now - due);
	/* Owed before it is on its way, lest more come than are expected. */
	load_add(&counters->expected, proc_room_len(m->proc, member_number(m)));
	load_add(&counters->sent, 1);
	atomic_fetch_add(&member_room(m)->sent, 1);
	member_publish(m, ++m->number, now);
}

/* When the next message is due.  False: there is none. */
static bool
proc_next_due(const struct load_proc *p, uint64_t *due)
{
	double at =
	    p->round * p->options->interval * 1e9 + p->order[p->turn]->phase;

	*due = load_get(&p->shared->start_ns) + (uint64_t)at;
	return at < p->options->seconds * 1e9;
}

/* Send what is due, then sleep until something is. */
static void
proc_send_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct load_proc *p = container_of(w, struct load_proc, send);
	uint64_t due, now = load_now_ns();
	double delay = 0;

	(void)revents;
	for (int i = 0; i < SEND_TURN_MAX; i++) {
		if (!proc_next_due(p, &due)) {
			load_set(&p->counters->is_done, 1);
			return;
		}
		if (due > now) {
			delay = (double)(due - now) / 1e9;
			break;
		}
		member_send(p->order[p->turn], due, now);
		if (++p->turn == p->count) {
			p->turn = 0;
			p->round++;
		}
	}
	ev_timer_set(w, delay, 0);
	ev_timer_start(loop, w);
}

static void
proc_give_up_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	(void)w;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
proc_stop_sending(struct load_proc *p)
{
	ev_timer_stop(p->loop, &p->connect);
	ev_timer_stop(p->loop, &p->join);
	ev_timer_stop(p->loop, &p->send);
	load_set(&p->counters->is_done, 1);
}

/* Close all; the last one to end ends the loop. */
static void
proc_close(struct load_proc *p)
{
	proc_stop_sending(p);
	p->is_closing = true;
	ev_timer_start(p->loop, &p->give_up);
	if (p->open + p->pending == 0)
		ev_break(p->loop, EVBREAK_ALL);
	for (unsigned i = 0; i < p->connected; i++)
		if (!load_client_is_idle(&p->members[i].client))
			load_client_close(&p->members[i].client);
}

static void
proc_control_cb(struct ev_loop *loop, ev_io *w, int revents)
{
	struct load_proc *p = container_of(w, struct load_proc, control);
	char order;

	(void)revents;
	if (read(w->fd, &order, 1) != 1) {
		ev_break(loop, EVBREAK_ALL);
		return;
	}
	switch ((enum load_order)order) {
	case LOAD_GO:
		ev_timer_stop(loop, &p->join);
		ev_timer_start(loop, &p->send);
		break;
	case LOAD_STOP:
		proc_stop_sending(p);
		break;
	case LOAD_CLOSE:
		proc_close(p);
		break;
	}
}

static int
proc_compare_phase(const void *a, const void *b)
{
	const struct member *left = *(struct member *const *)a;
	const struct member *right = *(struct member *const *)b;

	return (left->phase > right->phase) - (left->phase < right->phase);
}

/* Make the members, and put them in the order of their turns. */
static void
proc_init_members(struct load_proc *p)
{
	p->members = xcalloc(p->count, sizeof(*p->members));
	p->order = xcalloc(p->count, sizeof(struct member *));
	p->ledgers = xcalloc(
	    (size_t)p->count * p->options->room_size, sizeof(*p->ledgers));
	for (unsigned i = 0; i < p->count; i++) {
		struct member *m = &p->members[i];
		double golden = (p->first + i) * GOLDEN_RATIO;

		m->proc = p;
		m->ledger = &p->ledgers[(size_t)i * p->options->room_size];
		m->phase = (golden - (double)(uint64_t)golden) *
		           p->options->interval * 1e9;
		p->order[i] = m;
	}
	qsort(p->order, p->count, sizeof(struct member *), proc_compare_phase);
}

static void
proc_init_watchers(struct load_proc *p, int control_fd)
{
	ev_io_init(&p->control, proc_control_cb, control_fd, EV_READ);
	ev_io_start(p->loop, &p->control);
	ev_timer_init(&p->connect, proc_connect_cb, 0, CONNECT_TICK);
	ev_timer_start(p->loop, &p->connect);
	ev_timer_init(&p->join, proc_join_cb, JOIN_AGAIN, JOIN_AGAIN);
	ev_timer_start(p->loop, &p->join);
	ev_timer_init(&p->send, proc_send_cb, 0, 0);
	ev_timer_init(&p->give_up, proc_give_up_cb, CLOSE_PATIENCE, 0);
}

void
load_proc_main(const struct load_options *options,
    const struct load_target *target, struct load_shared *shared, unsigned self,
    unsigned first, unsigned count, int control_fd)
{
	static const struct load_client_events events = {
		.opened = proc_opened,
		.message = proc_message,
		.ended = proc_ended,
	};
	struct load_proc proc = {
		.options = options,
		.shared = shared,
		.counters = &shared->process[self],
		.loop = ev_loop_new(EVFLAG_AUTO),
		.first = first,
		.count = count,
		.text = xmalloc(LOAD_ENVELOPE_MAX + options->size),
	};

	load_client_env_init(&proc.env, proc.loop, target, &events,
	    LOAD_ENVELOPE_MAX + options->size);
	proc_init_members(&proc);
	proc_init_watchers(&proc, control_fd);
	ev_run(proc.loop, 0);
	_exit(0);
}
