/* SPDX-License-Identifier: MIT */
/*
 * load_run.c - the parent: forks the processes and takes them through a run.
 *
 *	connecting --all ready--> sending --all sent--> waiting --all came, or
 *	    |                        |                     |     time is up
 *	    +--- one failed ---------+------ signal -------+--> closing
 *
 * The children only count; the parent looks at their counters on a timer and
 * gives the word for the next phase.
 */

#include <ev.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/container.h"
#include "common/xmalloc.h"
#include "tests/load/load.h"
#include "tests/load/load_report.h"
#include "tests/load/procstat.h"

#define OTHER_FILES 32   /* descriptors that are not connections */
#define TICK        0.02 /* seconds */
#define STUCK_NS    (15 * (uint64_t)1000000000) /* without a new client */
#define WAITING_NS  (60 * (uint64_t)1000000000) /* for what comes slowly */
#define CLOSING_NS  (10 * (uint64_t)1000000000)
#define SECOND_NS   ((uint64_t)1000000000)

enum run_phase { RUN_CONNECTING, RUN_SENDING, RUN_WAITING, RUN_CLOSING };

struct run_child {
	struct run *run;
	ev_child watcher;
	int control;
};

struct run {
	const struct load_options *options;
	const struct load_target *target;
	struct load_shared *shared;
	struct run_child *children;
	unsigned alive;

	struct ev_loop *loop;
	ev_timer tick;
	ev_signal interrupt;
	ev_signal terminate;

	enum run_phase phase;
	uint64_t phase_ns;    /* when it began */
	uint64_t progress_ns; /* when the next line of progress is due */
	uint64_t before_ns;   /* when the last one was printed */
	uint64_t ready_ns;    /* when a client became ready last */
	struct load_sum sum;
	struct load_sum before; /* at the last line of progress */
	struct procstat server;
	uint64_t server_ns; /* when procstat_start() was */
	double server_seconds;
	bool is_interrupted;
	bool is_failed; /* there is nothing to report */
};

static void
run_order(struct run *run, enum load_order order)
{
	char byte = (char)order;

	/* One that is dead is noticed as a child, not here. */
	for (unsigned i = 0; i < run->shared->processes; i++)
		(void)!send(run->children[i].control, &byte, 1, MSG_NOSIGNAL);
}

static void
run_enter(struct run *run, enum run_phase phase)
{
	run->phase = phase;
	run->phase_ns = load_now_ns();
}

/* Take the figures and close everything. */
static void
run_finish(struct run *run)
{
	procstat_update(&run->server);
	procstat_read_memory(&run->server);
	if (run->server_ns != 0)
		run->server_seconds =
		    (double)(load_now_ns() - run->server_ns) / 1e9;
	load_sum_up(&run->sum, run->shared);
	run_order(run, LOAD_CLOSE);
	run_enter(run, RUN_CLOSING);
}

/* Give up before the first message. */
static void
run_give_up(struct run *run, const char *what)
{
	load_sum_up(&run->sum, run->shared);
	fprintf(stderr, "pubsub-load: %s: %llu of %u clients are ready%s%s\n",
	    what, (unsigned long long)run->sum.ready, run->options->clients,
	    run->sum.why != NULL ? ": " : "",
	    run->sum.why != NULL ? run->sum.why : "");
	run->is_failed = true;
	run_finish(run);
}

/* All are ready: the first message is due now. */
static void
run_start(struct run *run)
{
	if (run->options->server_pid != 0)
		procstat_add(&run->server, run->options->server_pid);
	else if (run->target->is_local)
		procstat_add_listeners(&run->server, run->target->port);
	procstat_start(&run->server);
	run->server_ns = load_now_ns();
	load_set(&run->shared->start_ns, run->server_ns);
	run->before_ns = run->server_ns;
	run->progress_ns = run->server_ns + SECOND_NS;
	run_order(run, LOAD_GO);
	run_enter(run, RUN_SENDING);
}

static void
run_progress(struct run *run, uint64_t now)
{
	if (now < run->progress_ns)
		return;
	while (run->progress_ns <= now)
		run->progress_ns += SECOND_NS;
	if (run->phase == RUN_CONNECTING) {
		fprintf(stderr, "connecting   %llu of %u clients are ready\n",
		    (unsigned long long)run->sum.ready, run->options->clients);
		return;
	}
	/* So that of a process that dies only its last second is lost. */
	procstat_update(&run->server);
	load_report_progress(stderr, &run->sum, &run->before,
	    (double)(now - load_get(&run->shared->start_ns)) / 1e9,
	    (double)(now - run->before_ns) / 1e9);
	run->before = run->sum;
	run->before_ns = now;
}

static void
run_check_ready(struct run *run, uint64_t now)
{
	if (run->sum.ready > run->before.ready || run->ready_ns == 0)
		run->ready_ns = now;
	run->before.ready = run->sum.ready;
	if (run->sum.failed + run->sum.broken > 0)
		run_give_up(run, "cannot connect all");
	else if (run->sum.ready == run->options->clients)
		run_start(run);
	else if (now - run->ready_ns > STUCK_NS)
		run_give_up(run, "no progress in connecting");
}

/* Has nothing come for long enough, or in all too much time passed? */
static bool
run_waited(const struct run *run, uint64_t now)
{
	uint64_t last_ns =
	    run->sum.last_ns > run->phase_ns ? run->sum.last_ns : run->phase_ns;

	/* A delivery may be newer than this turn of the loop. */
	return now - run->phase_ns > WAITING_NS ||
	       (now > last_ns &&
		   (double)(now - last_ns) / 1e9 > run->options->wait);
}

static void
run_tick_cb(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct run *run = container_of(w, struct run, tick);
	uint64_t now = load_now_ns();

	(void)revents;
	if (run->phase != RUN_CLOSING) {
		load_sum_up(&run->sum, run->shared);
		run_progress(run, now);
	}
	switch (run->phase) {
	case RUN_CONNECTING:
		run_check_ready(run, now);
		break;
	case RUN_SENDING:
		if (run->sum.broken == run->options->clients)
			run_order(run, LOAD_STOP);
		if (run->sum.done == run->shared->processes)
			run_enter(run, RUN_WAITING);
		break;
	case RUN_WAITING:
		if (load_sum_lost(&run->sum) == 0 || run_waited(run, now))
			run_finish(run);
		break;
	case RUN_CLOSING:
		if (now - run->phase_ns > CLOSING_NS)
			ev_break(loop, EVBREAK_ALL);
		break;
	}
}

/* The first time, what is under way may arrive; the second time not. */
static void
run_interrupt(struct run *run)
{
	run->is_interrupted = true;
	switch (run->phase) {
	case RUN_CONNECTING:
		run_give_up(run, "interrupted");
		break;
	case RUN_SENDING:
		run_order(run, LOAD_STOP);
		run_enter(run, RUN_WAITING);
		break;
	case RUN_WAITING:
		run_finish(run);
		break;
	case RUN_CLOSING:
		ev_break(run->loop, EVBREAK_ALL);
		break;
	}
}

static void
run_interrupt_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	run_interrupt(container_of(w, struct run, interrupt));
}

static void
run_terminate_cb(struct ev_loop *loop, ev_signal *w, int revents)
{
	(void)loop;
	(void)revents;
	run_interrupt(container_of(w, struct run, terminate));
}

static void
run_child_cb(struct ev_loop *loop, ev_child *w, int revents)
{
	struct run *run = container_of(w, struct run_child, watcher)->run;

	(void)revents;
	ev_child_stop(loop, w);
	if (--run->alive == 0)
		ev_break(loop, EVBREAK_ALL);
	if (run->phase == RUN_CLOSING)
		return;
	fprintf(stderr, "pubsub-load: a process of the generator died\n");
	run->is_failed = true;
	run_finish(run);
}

/* In the child: forget the others' sockets, so that their ends are seen. */
static _Noreturn void
run_child_main(struct run *run, unsigned self, int control)
{
	unsigned processes = run->shared->processes;
	unsigned clients = run->options->clients;
	unsigned first = (unsigned)((uint64_t)clients * self / processes);
	unsigned next = (unsigned)((uint64_t)clients * (self + 1) / processes);

	for (unsigned i = 0; i <= self; i++)
		close(run->children[i].control);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	load_proc_main(run->options, run->target, run->shared, self, first,
	    next - first, control);
}

/* Fork one process.  False: the system does not let us. */
static bool
run_fork(struct run *run, unsigned self)
{
	struct run_child *child = &run->children[self];
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1) {
		perror("pubsub-load: socketpair");
		return false;
	}
	child->run = run;
	child->control = pair[0];
	if ((pid = fork()) == -1) {
		perror("pubsub-load: fork");
		return false;
	}
	if (pid == 0)
		run_child_main(run, self, pair[1]);
	close(pair[1]);
	ev_child_init(&child->watcher, run_child_cb, pid, 0);
	run->alive++;
	return true;
}

/* How many processes it takes, each with as many descriptors as it may have.
 * 0: more than the options allow. */
static unsigned
run_processes(const struct load_options *options)
{
	struct rlimit limit;
	rlim_t each;
	unsigned needed;

	CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	each = limit.rlim_max > 2 * OTHER_FILES ? limit.rlim_max - OTHER_FILES
	                                        : OTHER_FILES;
	needed = (unsigned)((options->clients + each - 1) / each);
	if (options->processes == 0)
		return needed;
	if (options->processes >= needed)
		return options->processes < options->clients
		           ? options->processes
		           : options->clients;
	fprintf(stderr,
	    "pubsub-load: %u clients need at least %u processes, for a process "
	    "may have %llu files\n",
	    options->clients, needed, (unsigned long long)limit.rlim_max);
	return 0;
}

/* Memory for what the processes share, zeroed. */
static struct load_shared *
run_share(unsigned processes, unsigned rooms)
{
	size_t size = sizeof(struct load_shared) +
	              processes * sizeof(struct load_process) +
	              rooms * sizeof(struct load_room);
	struct load_shared *shared = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		perror("pubsub-load: mmap");
		exit(1);
	}
	shared->processes = processes;
	shared->rooms = rooms;
	CHECK(getrandom(&shared->run, sizeof(shared->run), 0) ==
	      sizeof(shared->run));
	return shared;
}

static void
run_watch(struct run *run)
{
	/* After the forks: a loop belongs to one process. */
	run->loop = ev_default_loop(EVFLAG_AUTO);
	for (unsigned i = 0; i < run->alive; i++)
		ev_child_start(run->loop, &run->children[i].watcher);
	ev_timer_init(&run->tick, run_tick_cb, TICK, TICK);
	ev_timer_start(run->loop, &run->tick);
	ev_signal_init(&run->interrupt, run_interrupt_cb, SIGINT);
	ev_signal_start(run->loop, &run->interrupt);
	ev_signal_init(&run->terminate, run_terminate_cb, SIGTERM);
	ev_signal_start(run->loop, &run->terminate);
}

static int
run_report(const struct run *run)
{
	uint64_t start = load_get(&run->shared->start_ns);
	struct load_result result = {
		.options = run->options,
		.sum = &run->sum,
		.server = &run->server,
		.processes = run->shared->processes,
		.server_seconds = run->server_seconds,
		.is_interrupted = run->is_interrupted,
	};

	if (run->is_failed)
		return 1;
	if (run->sum.last_ns > start)
		result.seconds = (double)(run->sum.last_ns - start) / 1e9;
	if (run->options->json)
		load_report_json(stdout, &result);
	else
		load_report_text(stdout, &result);
	return load_sum_is_clean(&run->sum) ? 0 : 1;
}

int
load_run(const struct load_options *options, const struct load_target *target)
{
	static struct run run;
	unsigned processes = run_processes(options);
	bool is_complete = true;

	if (processes == 0)
		return 2;
	run.options = options;
	run.target = target;
	run.shared = run_share(processes,
	    (options->clients + options->room_size - 1) / options->room_size);
	run.children = xcalloc(processes, sizeof(*run.children));
	run.progress_ns = load_now_ns() + SECOND_NS;
	for (unsigned i = 0; i < processes && is_complete; i++)
		is_complete = run_fork(&run, i);
	if (!is_complete)
		return 1; /* the children see the end of their sockets */
	run_watch(&run);
	ev_run(run.loop, 0);
	return run_report(&run);
}
