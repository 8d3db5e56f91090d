/* SPDX-License-Identifier: MIT */
/*
 * bench_idle.c - many connections that do nothing, and what they cost.
 *
 *	parent                             children, each with a share
 *	  'o' ---- open your first part -->
 *	  'o' ---- open the rest --------->   (each sends once and has got
 *	  memory is read after each           what its room sent, unless
 *	                                      there is a message to all)
 *	  nothing, for a while                answer pings
 *	  'w' ---- say when all have it -->
 *	  one message to all
 *
 * Memory per connection is the growth between the two sizes, so what a server
 * needs without clients does not count.  The connections are spread over as
 * many processes as their descriptors ask for.
 */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/xmalloc.h"
#include "tests/bench/crowd.h"
#include "tests/bench/figures.h"

#define OTHER_FILES 64u
#define PARTS       2u
#define COMMON      "all"
#define SETTLE_MS   1500 /* until a server has done its tidying up */

enum idle_order { IDLE_OPEN = 'o', IDLE_WAIT = 'w' };

struct idle_child {
	pid_t pid;
	int control;
	unsigned rooms[PARTS]; /* to open by each IDLE_OPEN */
};

struct idle {
	const struct bench_options *options;
	struct idle_child *children;
	unsigned processes;
	struct procstat server;
};

/* What the kernel has for itself, from /proc/meminfo. */
static uint64_t
idle_slab_kib(void)
{
	char line[128];
	unsigned long kib = 0;
	FILE *f = fopen("/proc/meminfo", "re");

	if (f == NULL)
		return 0;
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "Slab: %lu", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

/* In a child: wait for an order, answering pings meanwhile.  False: the parent
 * is done. */
static bool
idle_listen(int control, struct crowd *crowds, unsigned opened, char *order)
{
	struct pollfd fds[1 + PARTS] = { { .fd = control, .events = POLLIN } };

	for (;;) {
		for (unsigned i = 0; i < opened; i++)
			fds[1 + i] = (struct pollfd){ .fd = crowds[i].epoll,
				.events = POLLIN };
		if (poll(fds, 1 + opened, -1) == -1)
			return false;
		for (unsigned i = 0; i < opened; i++)
			if (fds[1 + i].revents != 0)
				crowd_turn(&crowds[i], 0);
		if (fds[0].revents != 0)
			return recv(control, order, 1, 0) == 1;
	}
}

/* In a child: wait until each connection has got one message more than its
 * room sent.  Returns when the last one came. */
static uint64_t
idle_await(struct crowd *crowds, unsigned opened)
{
	uint64_t last = 0, since = load_now_ns();

	for (unsigned i = 0; i < opened; i++) {
		struct crowd *crowd = &crowds[i];
		uint64_t should =
		    crowd->sent * crowd->options->members + crowd->conns_count;

		while (crowd->delivered < should) {
			crowd_turn(crowd, 100);
			if (load_now_ns() - since > 20 * UINT64_C(1000000000))
				bench_fail("the message to all came to %llu "
					   "too few",
				    (unsigned long long)(should -
							 crowd->delivered));
		}
		if (crowd->last_ns > last)
			last = crowd->last_ns;
	}
	return last;
}

static _Noreturn void
idle_child_main(const struct bench_options *options, unsigned first_room,
    const unsigned rooms[PARTS], int control)
{
	static struct crowd crowds[PARTS];
	static struct bench_options parts[PARTS];
	unsigned opened = 0;
	uint64_t answer;
	char order;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (idle_listen(control, crowds, opened, &order)) {
		if (order == IDLE_OPEN) {
			CHECK(opened < PARTS);
			parts[opened] = *options;
			parts[opened].first_room = first_room;
			parts[opened].rooms = rooms[opened];
			first_room += rooms[opened];
			crowd_open(&crowds[opened], &parts[opened]);
			if (!options->broadcast)
				crowd_chat(&crowds[opened]);
			answer = ++opened;
		} else {
			answer = idle_await(crowds, opened);
		}
		if (send(control, &answer, sizeof(answer), MSG_NOSIGNAL) !=
		    sizeof(answer))
			break;
	}
	_exit(0);
}

static void
idle_order(const struct idle *idle, char order)
{
	for (unsigned i = 0; i < idle->processes; i++)
		if (send(idle->children[i].control, &order, 1, MSG_NOSIGNAL) !=
		    1)
			bench_fail("process %u is gone", i);
}

/* Wait for all answers.  Returns the largest. */
static uint64_t
idle_answers(const struct idle *idle)
{
	uint64_t answer, largest = 0;

	for (unsigned i = 0; i < idle->processes; i++) {
		if (recv(idle->children[i].control, &answer, sizeof(answer),
			MSG_WAITALL) != sizeof(answer))
			bench_fail("process %u gave up", i);
		largest = answer > largest ? answer : largest;
	}
	return largest;
}

/* Spread the rooms of both parts over the processes, and start these. */
static void
idle_fork(struct idle *idle)
{
	const struct bench_options *o = idle->options;
	unsigned all = o->clients / o->members, base = o->base / o->members;
	unsigned first = 0, n = idle->processes;
	int pair[2];

	for (unsigned i = 0; i < n; i++) {
		struct idle_child *child = &idle->children[i];

		child->rooms[0] = base / n + (i < base % n);
		child->rooms[1] = (all - base) / n + (i < (all - base) % n);
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) ==
			-1 ||
		    (child->pid = fork()) == -1)
			bench_fail("cannot fork: %s", strerror(errno));
		if (child->pid == 0) {
			close(pair[0]);
			idle_child_main(o, first, child->rooms, pair[1]);
		}
		close(pair[1]);
		child->control = pair[0];
		first += child->rooms[0] + child->rooms[1];
	}
}

/* Open the next part; then look at the server's memory. */
static uint64_t
idle_grow(struct idle *idle, double *seconds, uint64_t *shm_kib)
{
	uint64_t began = load_now_ns();

	idle_order(idle, IDLE_OPEN);
	idle_answers(idle);
	*seconds = (double)(load_now_ns() - began) / 1e9;
	poll(NULL, 0, SETTLE_MS);
	procstat_update(&idle->server);
	procstat_read_memory(&idle->server);
	return procstat_pss_kib(&idle->server, shm_kib);
}

/* Milliseconds until one message has reached all. */
static double
idle_broadcast(struct idle *idle)
{
	const struct bench_options *o = idle->options;
	uint8_t *frame = xmalloc(o->form.size + FORM_AROUND);
	struct probe c = { .fd = -1 };
	uint64_t began;

	if (probe_open(&c, &o->target, &o->form, o->target.path, 0, 0, 0) != 0)
		bench_fail("cannot connect the publisher");
	while (c.state == PROBE_SHAKING) {
		struct pollfd fd = { .fd = c.fd, .events = POLLIN };

		poll(&fd, 1, 5000);
		probe_read(&c, &o->form);
	}
	idle_order(idle, IDLE_WAIT);
	began = load_now_ns();
	probe_send(&c, frame, form_publish_to(&o->form, COMMON, frame));
	began = idle_answers(idle) - began;
	probe_close(&c);
	free(frame);
	return (double)began / 1e6;
}

/* How many processes the connections take. */
static unsigned
idle_processes(const struct bench_options *o)
{
	struct rlimit files;
	unsigned needed;

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	needed = (unsigned)(o->clients / (files.rlim_cur - OTHER_FILES)) + 1;
	return o->processes > needed ? o->processes : needed;
}

static void
idle_measure(struct idle *idle)
{
	const struct bench_options *o = idle->options;
	unsigned base = o->base / o->members * o->members;
	unsigned all = o->clients / o->members * o->members;
	uint64_t pss[PARTS], slab[PARTS], shm_kib;
	double seconds[PARTS];

	for (unsigned i = 0; i < PARTS; i++) {
		pss[i] = idle_grow(idle, &seconds[i], &shm_kib);
		slab[i] = idle_slab_kib();
	}
	procstat_start(&idle->server);
	poll(NULL, 0, (int)(o->seconds * 1e3));
	procstat_update(&idle->server);
	figures_add("connections", all);
	figures_add("pss_bytes_per_connection",
	    ((double)pss[1] - (double)pss[0]) * 1024 / (all - base));
	figures_add("slab_bytes_per_connection",
	    ((double)slab[1] - (double)slab[0]) * 1024 / (all - base));
	figures_add("pss_kib", (double)pss[1]);
	figures_add("pss_base_kib", (double)pss[0]);
	figures_add("shm_kib", (double)shm_kib);
	figures_add("slab_kib", (double)slab[1]);
	figures_add("connect_s", seconds[0] + seconds[1]);
	figures_add("idle_cpu_percent",
	    (double)procstat_cpu_ns(&idle->server) / 1e7 / o->seconds);
	if (o->broadcast)
		figures_add("broadcast_ms", idle_broadcast(idle));
}

int
bench_idle(const struct bench_options *options)
{
	static struct idle idle;
	struct bench_options o = *options;
	int status = 0;

	if (o.base < o.members || o.clients < o.base + o.members)
		bench_fail("--clients is more than --base, which is at least "
			   "--members");
	o.common = o.broadcast ? COMMON : NULL;
	idle.options = &o;
	idle.processes = idle_processes(&o);
	idle.children = xcalloc(idle.processes, sizeof(*idle.children));
	bench_find_server(&o, &idle.server);
	idle_fork(&idle);
	figures_begin(o.json, "idle");
	idle_measure(&idle);
	figures_end();
	for (unsigned i = 0; i < idle.processes; i++)
		close(idle.children[i].control);
	for (unsigned i = 0; i < idle.processes; i++)
		waitpid(idle.children[i].pid, &status, 0);
	free(idle.children);
	return 0;
}
