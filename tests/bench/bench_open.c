/* SPDX-License-Identifier: MIT */
/*
 * bench_open.c - an open loop: messages at a fixed rate, whatever comes back.
 *
 * A delivery's latency counts from the moment its message was due, not from
 * when it was sent: so a server (or a generator) that stalls pays for all who
 * would have been served meanwhile.  The messages go to the rooms in turn, at
 * even distances.
 */

#include "tests/bench/crowd.h"
#include "tests/bench/figures.h"

struct pace {
	double step_ns;    /* between two messages, of whichever room */
	uint64_t start_ns; /* when the first was due */
	uint64_t count;    /* due so far and sent */
	uint64_t late_ns;  /* the worst: sent after it was due */
};

static uint64_t
pace_due(const struct pace *pace)
{
	return pace->start_ns + (uint64_t)((double)pace->count * pace->step_ns);
}

/* Send all that is due, one by one: a burst would be a message each, too. */
static void
pace_send(struct pace *pace, struct crowd *crowd, uint64_t until)
{
	uint64_t due, now = load_now_ns();

	for (unsigned i = 0; i < CROWD_BURST; i++) {
		due = pace_due(pace);
		if (due > now || due >= until)
			return;
		if (now - due > pace->late_ns)
			pace->late_ns = now - due;
		crowd_publish(crowd,
		    (unsigned)(pace->count % crowd->options->rooms), 1, due, 0);
		pace->count++;
	}
}

/* Keep the pace for so many seconds.  The last millisecond before a message is
 * due is spent looking, for epoll's sleep is as coarse. */
static void
pace_run(struct pace *pace, struct crowd *crowd, double seconds)
{
	uint64_t until = load_now_ns() + (uint64_t)(seconds * 1e9), now, due;
	int wait_ms;

	while ((now = load_now_ns()) < until) {
		due = pace_due(pace);
		wait_ms = due > now ? (int)((due - now) / 1000000) : 0;
		crowd_turn(crowd, wait_ms);
		pace_send(pace, crowd, until);
		if (crowd->sent > 0)
			crowd_check_alive(crowd);
	}
}

int
bench_open(const struct bench_options *options)
{
	static struct crowd crowd;
	struct procstat server = { .count = 0 };
	struct pace pace = { .step_ns = 1e9 / options->rate };
	uint64_t before, missing;

	crowd_open(&crowd, options);
	bench_find_server(options, &server);
	pace.start_ns = load_now_ns();
	crowd.last_ns = pace.start_ns;
	pace_run(&pace, &crowd, options->warm);
	crowd.is_timed = true;
	pace.late_ns = 0;
	before = crowd.delivered;
	procstat_start(&server);
	pace_run(&pace, &crowd, options->seconds);
	procstat_update(&server);
	missing = crowd_drain(&crowd);

	figures_begin(options->json, "open");
	figures_add("rate_per_s", options->rate);
	figures_add("deliveries", (double)(crowd.delivered - before));
	figures_add(
	    "deliveries_per_s", options->rate * (double)options->members);
	figures_add("server_cpu_percent",
	    (double)procstat_cpu_ns(&server) / 1e7 / options->seconds);
	figures_add("late_us", (double)pace.late_ns / 1e3);
	figures_add_latency("", &crowd.latency);
	return crowd_end(&crowd, missing);
}
