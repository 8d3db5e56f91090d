/* SPDX-License-Identifier: MIT */
/*
 * bench_slow.c - what members that do not keep up cost those that do.
 *
 * In turn, several times: a closed loop with only good members, then the same
 * with some that never read, or read one byte a second.  Those are subscribed
 * like the others but neither waited for nor counted, and what is measured
 * begins when the kernel takes no more for them: from then on the server has
 * the trouble.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/xmalloc.h"
#include "tests/bench/crowd.h"
#include "tests/bench/figures.h"

#define ROUNDS_MAX   64u
#define SLOW_INPUT   4096 /* bytes that the kernel keeps for one */
#define SHAKE_MS     5000
#define SLOW_FILL_NS (15 * UINT64_C(1000000000))

/* What a round has found, without (0) and with (1) the slow. */
struct slow_round {
	double cpu_us[2]; /* per delivery to the others */
	double per_s[2];
	double p50_us[2];
	double p99_us[2];
};

struct slow {
	const struct bench_options *options;
	struct crowd crowd;
	struct procstat server;
	struct probe *conns; /* the deaf, then the dribbling */
	unsigned count;
	struct slow_round rounds[ROUNDS_MAX];
};

static void
slow_open(struct slow *slow)
{
	const struct bench_options *o = slow->options;
	char path[256];

	if (form_path(&o->form, o->target.path, o->first_room, true, NULL, path,
		sizeof(path)) == 0)
		bench_fail("too many topics for one request");
	for (unsigned i = 0; i < slow->count; i++) {
		struct probe *c = &slow->conns[i];
		struct pollfd poll_fd = { .events = POLLIN };

		if (probe_open(c, &o->target, &o->form, path, o->first_room, 0,
			SLOW_INPUT) != 0)
			bench_fail("cannot connect a slow member");
		poll_fd.fd = c->fd;
		while (c->state == PROBE_SHAKING || c->state == PROBE_JOINING) {
			if (poll(&poll_fd, 1, SHAKE_MS) != 1)
				bench_fail("a slow member gets no answer");
			probe_read(c, &o->form);
		}
		if (c->state != PROBE_OPEN)
			bench_fail("a slow member: %s", c->why);
	}
}

static void
slow_close(struct slow *slow)
{
	for (unsigned i = 0; i < slow->count; i++)
		probe_close(&slow->conns[i]);
}

/* Run for a while, in steps of a second at which the dribbling read. */
static void
slow_run(struct slow *slow, double seconds)
{
	char byte;

	while (seconds > 0) {
		for (unsigned i = slow->options->deaf; i < slow->count; i++)
			if (slow->conns[i].state == PROBE_OPEN)
				(void)!recv(
				    slow->conns[i].fd, &byte, 1, MSG_DONTWAIT);
		crowd_run(&slow->crowd, seconds < 1 ? seconds : 1);
		seconds -= 1;
	}
}

/* Bytes that wait in the kernel on this side, for all the slow. */
static uint64_t
slow_waiting(const struct slow *slow)
{
	uint64_t sum = 0;
	int n;

	for (unsigned i = 0; i < slow->count; i++)
		if (ioctl(slow->conns[i].fd, FIONREAD, &n) == 0)
			sum += (uint64_t)n;
	return sum;
}

/* Bytes after which the server's end is full, too: the kernel takes up to 100
 * KiB there, and counts more than the bytes. */
#define SLOW_OUTPUT (192u * 1024)

/* Go on until the slow have no room for more, on both ends. */
static void
slow_fill(struct slow *slow)
{
	struct crowd *crowd = &slow->crowd;
	uint64_t before, now = slow_waiting(slow), sent, since = load_now_ns();

	do {
		before = now;
		slow_run(slow, 0.2);
		now = slow_waiting(slow);
	} while (now > before + slow->count);
	sent = crowd->sent;
	while ((crowd->sent - sent) * slow->options->form.size < SLOW_OUTPUT) {
		slow_run(slow, 0.1);
		if (load_now_ns() - since > SLOW_FILL_NS)
			bench_fail("the slow do not fill up");
	}
}

/* Measure one half of a round. */
static void
slow_measure(struct slow *slow, struct slow_round *round, int with)
{
	struct crowd *crowd = &slow->crowd;
	uint64_t began, delivered;
	double span;

	slow_run(slow, slow->options->warm);
	memset(&crowd->latency, 0, sizeof(crowd->latency));
	crowd->is_timed = true;
	procstat_start(&slow->server);
	delivered = crowd->delivered;
	began = load_now_ns();
	slow_run(slow, slow->options->seconds);
	span = (double)(load_now_ns() - began) / 1e9;
	procstat_update(&slow->server);
	crowd->is_timed = false;
	delivered = crowd->delivered - delivered;
	if (delivered == 0)
		bench_fail("nothing was delivered");
	round->cpu_us[with] =
	    (double)procstat_cpu_ns(&slow->server) / 1e3 / (double)delivered;
	round->per_s[with] = (double)delivered / span;
	round->p50_us[with] =
	    (double)histogram_quantile(&crowd->latency, 0.5) / 1e3;
	round->p99_us[with] =
	    (double)histogram_quantile(&crowd->latency, 0.99) / 1e3;
}

/* What is held for the clients of a server, KiB. */
struct slow_memory {
	uint64_t user, kernel;
};

/* KiB that the kernel has for all TCP sockets of this network. */
static uint64_t
slow_kernel_kib(void)
{
	unsigned long pages = 0;
	char line[256];
	const char *at;
	FILE *file = fopen("/proc/net/sockstat", "re");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "TCP:", 4) == 0 &&
		    (at = strstr(line, "mem ")) != NULL)
			sscanf(at, "mem %lu", &pages);
	if (file != NULL)
		fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;
}

static struct slow_memory
slow_memory(struct slow *slow)
{
	uint64_t shm;

	procstat_read_memory(&slow->server);
	return (struct slow_memory){
		.user = procstat_pss_kib(&slow->server, &shm),
		.kernel = slow_kernel_kib(),
	};
}

/* Print each round's halves; their ratios are the reader's to take. */
static void
slow_report(struct slow *slow, const struct slow_memory memory[2])
{
	static const char *const half[] = { "without", "with" };
	char name[64];

	figures_add("rounds", slow->options->rounds);
	for (unsigned i = 0; i < slow->options->rounds; i++)
		for (int with = 0; with < 2; with++) {
			const struct slow_round *r = &slow->rounds[i];
			const struct {
				const char *name;
				double value;
			} values[] = {
				{ "cpu_us_per_delivery", r->cpu_us[with] },
				{ "deliveries_per_s", r->per_s[with] },
				{ "p50_us", r->p50_us[with] },
				{ "p99_us", r->p99_us[with] },
			};

			for (size_t v = 0; v < 4; v++) {
				snprintf(name, sizeof(name), "%s_%u_%s",
				    half[with], i, values[v].name);
				figures_add(name, values[v].value);
			}
		}
	for (int with = 0; with < 2; with++) {
		snprintf(name, sizeof(name), "pss_%s_kib", half[with]);
		figures_add(name, (double)memory[with].user);
		snprintf(name, sizeof(name), "kernel_%s_kib", half[with]);
		figures_add(name, (double)memory[with].kernel);
	}
}

int
bench_slow(const struct bench_options *options)
{
	static struct slow slow;
	struct slow_memory memory[2] = { 0 };
	uint64_t missing;

	slow.options = options;
	slow.count = options->deaf + options->dribbling;
	slow.conns = xcalloc(slow.count, sizeof(*slow.conns));
	crowd_open(&slow.crowd, options);
	bench_find_server(options, &slow.server);
	for (unsigned i = 0; i < options->rounds; i++) {
		slow_measure(&slow, &slow.rounds[i], 0);
		if (i == 0)
			memory[0] = slow_memory(&slow);
		slow_open(&slow);
		slow_fill(&slow);
		slow_measure(&slow, &slow.rounds[i], 1);
		memory[1] = slow_memory(&slow);
		slow_close(&slow);
	}
	missing = crowd_drain(&slow.crowd);
	figures_begin(options->json, "slow");
	slow_report(&slow, memory);
	free(slow.conns);
	return crowd_end(&slow.crowd, missing);
}
