/* SPDX-License-Identifier: MIT */
/* crowd.c - see crowd.h. */

#include "tests/bench/crowd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/xmalloc.h"
#include "tests/bench/figures.h"

#define EVENTS_MAX   1024
#define SHAKING_MAX  128u /* handshakes under way at once */
#define STAMPS_MIN   64u  /* of a room; a power of two */
#define STAMPS_TOTAL (1u << 18)
#define PATIENCE_NS  (5 * (uint64_t)1000000000)
#define PATH_MAX_LEN 8192u

/* How many stamps a room has: as a mask. */
static uint64_t
crowd_stamp_mask(const struct crowd *crowd)
{
	uint64_t n = STAMPS_MIN;

	while (n * 2 * crowd->options->rooms <= STAMPS_TOTAL)
		n *= 2;
	return n - 1;
}

static void
crowd_watch(const struct crowd *crowd, struct probe *c, int how)
{
	struct epoll_event event = {
		.events = EPOLLIN | (probe_is_behind(c) ? EPOLLOUT : 0u),
		.data.ptr = c,
	};

	CHECK(epoll_ctl(crowd->epoll, how, c->fd, &event) == 0);
}

/* Start the next connection. */
static void
crowd_connect(struct crowd *crowd, size_t i)
{
	const struct bench_options *o = crowd->options;
	size_t members = (size_t)o->rooms * o->members;
	bool is_member = i < members;
	uint32_t room = (uint32_t)(is_member ? i / o->members : i - members);
	char path[PATH_MAX_LEN];
	int error;

	room += o->first_room;
	if (form_path(&o->form, o->target.path, room, is_member, o->common,
		path, sizeof(path)) == 0)
		bench_fail("too many topics for one request");
	error = probe_open(&crowd->conns[i], &o->target, &o->form, path, room,
	    o->first_room * o->members + (unsigned)i, 0);
	if (error != 0)
		bench_fail("connection %zu: %s", i, strerror(error));
	crowd_watch(crowd, &crowd->conns[i], EPOLL_CTL_ADD);
}

/* Take the deliveries of one connection. */
static void
crowd_deliver(
    struct crowd *crowd, struct probe *c, unsigned messages, uint64_t now)
{
	unsigned number = c->room - crowd->options->first_room;
	struct room *room = &crowd->rooms[number];
	uint64_t mask = crowd->is_timed ? crowd_stamp_mask(crowd) : 0;

	crowd->delivered += messages;
	crowd->last_ns = now;
	room->delivered += messages;
	if (!room->is_touched) {
		room->is_touched = true;
		crowd->touched[crowd->touched_count++] = number;
	}
	if (!crowd->is_timed)
		return;
	for (uint64_t k = c->delivered - messages; k < c->delivered; k++)
		histogram_add(&crowd->latency, now - room->stamps[k & mask]);
}

/* One connection can be read or written. */
static void
crowd_event(struct crowd *crowd, struct probe *c, uint32_t events, uint64_t now)
{
	bool was_behind = probe_is_behind(c);
	unsigned messages = 0;

	if (events & EPOLLOUT)
		probe_flush(c);
	if (events & ~(uint32_t)EPOLLOUT)
		messages = probe_read(c, &crowd->options->form);
	if (c->state == PROBE_BROKEN)
		bench_fail("connection %td of room %u: %s", c - crowd->conns,
		    c->room, c->why);
	if (probe_is_behind(c) != was_behind)
		crowd_watch(crowd, c, EPOLL_CTL_MOD);
	if (messages > 0)
		crowd_deliver(crowd, c, messages, now);
}

void
crowd_turn(struct crowd *crowd, int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n;

	for (size_t i = 0; i < crowd->touched_count; i++)
		crowd->rooms[crowd->touched[i]].is_touched = false;
	crowd->touched_count = 0;
	n = epoll_wait(crowd->epoll, events, EVENTS_MAX, timeout_ms);
	for (int i = 0; i < n; i++)
		crowd_event(
		    crowd, events[i].data.ptr, events[i].events, load_now_ns());
}

/* Let those that shake hands go on, until at most so many still do. */
static void
crowd_settle(struct crowd *crowd, size_t begun, size_t at_most)
{
	uint64_t since = load_now_ns();
	size_t first = 0, shaking;

	for (;;) {
		shaking = 0;
		while (first < begun && crowd->conns[first].state == PROBE_OPEN)
			first++;
		for (size_t i = first; i < begun; i++)
			shaking += crowd->conns[i].state != PROBE_OPEN;
		if (shaking <= at_most)
			return;
		if (load_now_ns() - since > PATIENCE_NS)
			bench_fail("%zu handshakes got no answer", shaking);
		crowd_turn(crowd, 1000);
	}
}

void
crowd_open(struct crowd *crowd, const struct bench_options *options)
{
	size_t members = (size_t)options->rooms * options->members;
	size_t stamps, begun = 0;

	memset(crowd, 0, sizeof(*crowd));
	crowd->options = options;
	crowd->epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(crowd->epoll != -1);
	crowd->conns_count =
	    members +
	    (form_publishes_apart(&options->form) ? options->rooms : 0);
	crowd->conns = xcalloc(crowd->conns_count, sizeof(*crowd->conns));
	crowd->rooms = xcalloc(options->rooms, sizeof(*crowd->rooms));
	crowd->touched = xcalloc(options->rooms, sizeof(*crowd->touched));
	crowd->frames =
	    xmalloc(CROWD_BURST * ((size_t)options->form.size + FORM_AROUND));
	stamps = crowd_stamp_mask(crowd) + 1;
	for (unsigned i = 0; i < options->rooms; i++) {
		crowd->rooms[i].stamps = xcalloc(stamps, sizeof(uint64_t));
		crowd->rooms[i].publisher =
		    form_publishes_apart(&options->form)
			? &crowd->conns[members + i]
			: &crowd->conns[(size_t)i * options->members];
	}
	for (; begun < crowd->conns_count; begun++) {
		crowd_connect(crowd, begun);
		if (begun % (SHAKING_MAX / 2) == 0)
			crowd_settle(crowd, begun + 1, SHAKING_MAX / 2);
	}
	crowd_settle(crowd, begun, 0);
	crowd->last_ns = load_now_ns();
}

void
crowd_close(struct crowd *crowd)
{
	for (size_t i = 0; i < crowd->conns_count; i++)
		probe_close(&crowd->conns[i]);
	for (unsigned i = 0; i < crowd->options->rooms; i++)
		free(crowd->rooms[i].stamps);
	close(crowd->epoll);
	free(crowd->conns);
	free(crowd->rooms);
	free(crowd->touched);
	free(crowd->frames);
	memset(crowd, 0, sizeof(*crowd));
}

void
crowd_publish(struct crowd *crowd, unsigned number, unsigned count,
    uint64_t due_ns, uint64_t step_ns)
{
	const struct form *form = &crowd->options->form;
	struct room *room = &crowd->rooms[number];
	bool was_behind = probe_is_behind(room->publisher);
	uint64_t mask = crowd_stamp_mask(crowd);
	size_t len = 0;

	CHECK(count <= CROWD_BURST);
	for (unsigned i = 0; i < count; i++) {
		len += form_publish(form, crowd->options->first_room + number,
		    room->topic, crowd->frames + len);
		room->topic = (room->topic + 1) % form->topics;
		room->stamps[(room->sent + i) & mask] = due_ns + i * step_ns;
	}
	room->sent += count;
	crowd->sent += count;
	probe_send(room->publisher, crowd->frames, len);
	if (room->publisher->state == PROBE_BROKEN)
		bench_fail(
		    "publisher of room %u: %s", number, room->publisher->why);
	if (probe_is_behind(room->publisher) != was_behind)
		crowd_watch(crowd, room->publisher, EPOLL_CTL_MOD);
}

/* The next member of the room speaks, once it has all that was said before: so
 * messages of a room still have one order. */
static void
crowd_pass_on(struct crowd *crowd, unsigned number)
{
	struct probe *first =
	    &crowd->conns[(size_t)number * crowd->options->members];
	struct room *room = &crowd->rooms[number];

	room->publisher = first + room->sent % crowd->options->members;
}

static void
crowd_fill_room(struct crowd *crowd, unsigned number)
{
	const struct bench_options *o = crowd->options;
	const struct room *room = &crowd->rooms[number];
	uint64_t flying = room->sent - room->delivered / o->members;

	if (o->everybody && flying > 0)
		return;
	if (o->everybody)
		crowd_pass_on(crowd, number);
	if (flying < o->window)
		crowd_publish(crowd, number, (unsigned)(o->window - flying),
		    load_now_ns(), 0);
}

void
crowd_fill(struct crowd *crowd, bool touched)
{
	if (touched)
		for (size_t i = 0; i < crowd->touched_count; i++)
			crowd_fill_room(crowd, crowd->touched[i]);
	else
		for (unsigned i = 0; i < crowd->options->rooms; i++)
			crowd_fill_room(crowd, i);
}

void
crowd_run(struct crowd *crowd, double seconds)
{
	uint64_t until = load_now_ns() + (uint64_t)(seconds * 1e9);

	crowd->last_ns = load_now_ns();
	crowd_fill(crowd, false);
	while (load_now_ns() < until) {
		crowd_turn(crowd, 100);
		crowd_fill(crowd, true);
		crowd_check_alive(crowd);
	}
}

void
crowd_chat(struct crowd *crowd)
{
	const struct bench_options *o = crowd->options;

	for (unsigned turn = 0; turn < o->members; turn++) {
		for (unsigned i = 0; i < o->rooms; i++) {
			if (!form_publishes_apart(&o->form))
				crowd->rooms[i].publisher =
				    &crowd->conns[i * o->members + turn];
			crowd_publish(crowd, i, 1, load_now_ns(), 0);
		}
		if (crowd_drain(crowd) > 0)
			bench_fail("not all messages came");
	}
}

void
crowd_check_alive(const struct crowd *crowd)
{
	if (load_now_ns() - crowd->last_ns > PATIENCE_NS)
		bench_fail("nothing is delivered any more: %llu messages sent, "
			   "%llu deliveries of %llu",
		    (unsigned long long)crowd->sent,
		    (unsigned long long)crowd->delivered,
		    (unsigned long long)crowd->sent * crowd->options->members);
}

uint64_t
crowd_drain(struct crowd *crowd)
{
	uint64_t owed = crowd->sent * crowd->options->members;
	uint64_t since = load_now_ns();

	/* One that comes twice must not make up for one that is lost, but
	 * that is for crowd_miscounted() to find. */
	while (crowd->delivered < owed) {
		if (crowd->last_ns > since)
			since = crowd->last_ns;
		if (load_now_ns() - since > PATIENCE_NS)
			break;
		crowd_turn(crowd, 100);
	}
	return owed > crowd->delivered ? owed - crowd->delivered : 0;
}

/* Deliveries over or under what each connection should have, with the sign
 * dropped: 0 when each has got every message once. */
static uint64_t
crowd_miscounted(const struct crowd *crowd)
{
	const struct bench_options *o = crowd->options;
	uint64_t wrong = 0;

	for (size_t i = 0; i < (size_t)o->rooms * o->members; i++) {
		uint64_t has = crowd->conns[i].delivered;
		uint64_t should = crowd->rooms[i / o->members].sent;

		wrong += has > should ? has - should : should - has;
	}
	return wrong;
}

int
crowd_end(struct crowd *crowd, uint64_t missing)
{
	uint64_t wrong = crowd_miscounted(crowd);

	figures_add("missing", (double)missing);
	figures_add("miscounted", (double)wrong);
	figures_end();
	crowd_close(crowd);
	return missing + wrong == 0 ? 0 : 1;
}
