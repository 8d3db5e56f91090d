/* SPDX-License-Identifier: MIT */
/*
 * ring_bench.c - what the ring alone can do, without a socket in sight.
 *
 * How many records per second one writer and several append; how soon a
 * reader in another process sees a message, polling or asleep, next to how
 * soon a bare eventfd wakes it up in the same run; what a record costs that
 * nobody wants.  Writers run on the first processor, readers on the second,
 * where there are two.
 *
 * A message carries the time of its making in the place of its connection's
 * number, so that a reader knows how old it is.
 */

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/ring/ring.h"
#include "broker/ring/topics.h"
#include "broker/shared/wakeup.h"
#include "common/bug.h"
#include "tests/bench/figures.h"
#include "tests/load/load.h"
#include "tests/support/testseg.h"

#define RING_SIZE   (32u << 20) /* bytes, the server's default */
#define TOPICS      1024u
#define BATCH       64u
#define BODY_MAX    (16u * 1024)
#define WRITERS_MAX 4u
#define WRITER      0u /* worker slots */
#define READER      1u
#define NAP_NS      20000u /* in which a reader falls asleep */
#define PER_LOOK    64     /* rounds between two looks at the clock */

/* What processes tell each other. */
struct shared {
	load_number go;      /* the writers may begin */
	load_number done;    /* records, or messages seen */
	load_number sent_ns; /* of the bare eventfd's present message */
	load_number enough;  /* the reader is to leave */
	struct histogram latency;
};

static struct testseg t;
static struct wakeup wakeup;
static struct shared *shared;
static uint32_t slot;
static char body[BODY_MAX];
static double seconds = 0.5;

/* Run on one processor, if there is another for the others. */
static void
pin(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		(void)sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* A fresh ring with a topic, of which READER is a subscriber. */
static void
fresh(void)
{
	struct ring ring;

	testseg_open(&t, RING_SIZE, TOPICS);
	CHECK(wakeup_open(&wakeup, &t.seg, 2));
	ring_attach(&ring, &t.seg, WRITER);
	slot = hand_topic(&ring, "bench");
	topics_subscribe(&t.seg, slot, READER);
	ring_detach(&ring);
	memset(shared, 0, sizeof(*shared));
}

static void
stale(void)
{
	wakeup_close(&wakeup);
	testseg_close(&t);
}

static pid_t
spawn(void (*run)(unsigned self), unsigned self)
{
	pid_t pid = fork();

	CHECK(pid != -1);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(self);
		_exit(0);
	}
	return pid;
}

static void
reap(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void
wait_for(const load_number *number, uint64_t value)
{
	uint64_t since = load_now_ns();

	while (load_get(number) < value)
		if (load_now_ns() - since > UINT64_C(10000000000))
			bug_die(__FILE__, __LINE__, __func__, "nobody answers");
}

/* Publish a batch, under one lock. */
static void
publish(struct ring *ring, struct ring_msg *msgs, size_t n)
{
	hand_lock(ring);
	CHECK(ring_publish(ring, msgs, n) == RING_OK);
	ring_unlock(ring);
}

static void
fill(struct ring_msg *msgs, uint32_t body_len)
{
	for (size_t i = 0; i < BATCH; i++)
		msgs[i] = (struct ring_msg){
			.topic = slot, .body = body, .body_len = body_len
		};
}

/* Bytes of a body whose record has so many. */
static uint32_t
body_of_record(uint32_t record)
{
	return record - (uint32_t)sizeof(struct layout_record) -
	       (uint32_t)strlen("bench");
}

/* Write for a while.  Returns: records per second. */
static double
write_records(unsigned self, uint32_t body_len, size_t batch)
{
	struct ring ring;
	struct ring_msg msgs[BATCH];
	uint64_t began, now, count = 0;

	ring_attach(&ring, &t.seg, self);
	fill(msgs, body_len);
	began = now = load_now_ns();
	while ((double)(now - began) < seconds * 1e9) {
		for (int i = 0; i < PER_LOOK; i++)
			publish(&ring, msgs, batch);
		count += PER_LOOK * batch;
		now = load_now_ns();
	}
	ring_detach(&ring);
	return (double)count / ((double)(now - began) / 1e9);
}

static size_t writers_batch;

/* One of several writers. */
static void
writer_main(unsigned self)
{
	double rate;

	wait_for(&shared->go, 1);
	rate = write_records(self, body_of_record(128), writers_batch);
	atomic_fetch_add(&shared->done, (uint64_t)rate);
}

static void
measure_writers(const char *name, unsigned writers, size_t batch)
{
	pid_t pids[WRITERS_MAX];

	fresh();
	writers_batch = batch;
	for (unsigned i = 0; i < writers; i++)
		pids[i] = spawn(writer_main, i);
	load_set(&shared->go, 1);
	for (unsigned i = 0; i < writers; i++)
		reap(pids[i]);
	figures_add(name, (double)load_get(&shared->done));
	stale();
}

static void
measure_sizes(void)
{
	static const uint32_t sizes[] = { 32, 128, 512, 2048, BODY_MAX };
	char name[64];
	double rate;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		fresh();
		rate = write_records(WRITER, sizes[i], BATCH);
		snprintf(name, sizeof(name), "body_%u_records_per_s", sizes[i]);
		figures_add(name, rate);
		stale();
	}
}

/* Read what there is and enter how old it is. */
static void
read_all(struct reader *r)
{
	uint64_t now;

	while (reader_read(r) == RING_OK) {
		now = load_now_ns();
		for (size_t i = 0; i < r->batch.count; i++)
			histogram_add(
			    &shared->latency, now - r->batch.records[i].conn);
		load_add(&shared->done, r->batch.count);
	}
}

static void
polling_main(unsigned self)
{
	struct reader r;

	(void)self;
	pin(1);
	reader_open(&r, &t.seg, BATCH, BODY_MAX);
	load_set(&shared->go, 1);
	while (load_get(&shared->enough) == 0)
		read_all(&r);
	reader_close(&r);
}

/* As a worker: asleep, a last look at the head, poll(2). */
static void
sleeping_main(unsigned self)
{
	struct pollfd fd = { .fd = wakeup.fd[READER], .events = POLLIN };
	struct reader r;

	(void)self;
	pin(1);
	wakeup_claim_slot(&wakeup, READER);
	reader_open(&r, &t.seg, BATCH, BODY_MAX);
	load_set(&shared->go, 1);
	while (load_get(&shared->enough) == 0) {
		wakeup_fall_asleep(&wakeup);
		if (ring_head(&t.seg) != r.cur.pos)
			wakeup_ring(&wakeup, READER);
		CHECK(poll(&fd, 1, -1) == 1);
		wakeup_get_up(&wakeup);
		wakeup_clear(&wakeup);
		read_all(&r);
	}
	reader_close(&r);
}

/* No ring: a time in shared memory and an eventfd. */
static void
bare_main(unsigned self)
{
	struct pollfd fd = { .fd = wakeup.fd[READER], .events = POLLIN };
	uint64_t value;

	(void)self;
	pin(1);
	load_set(&shared->go, 1);
	while (load_get(&shared->enough) == 0) {
		CHECK(poll(&fd, 1, -1) == 1);
		CHECK(read(fd.fd, &value, sizeof(value)) == sizeof(value));
		histogram_add(&shared->latency,
		    load_now_ns() - load_get(&shared->sent_ns));
		load_add(&shared->done, 1);
	}
}

static void
send_message(struct ring *ring)
{
	struct ring_msg msg = { .topic = slot,
		.body = body,
		.body_len = 64,
		.conn = load_now_ns() };

	publish(ring, &msg, 1);
	wakeup_wake(&wakeup, ring_interest(ring, &msg, 1));
}

static void
send_bare(struct ring *ring)
{
	(void)ring;
	load_set(&shared->sent_ns, load_now_ns());
	wakeup_ring(&wakeup, READER);
}

/* Send one by one, each when the one before was seen and its reader has had
 * time to fall asleep again. */
static void
measure_latency(
    const char *prefix, void (*reader)(unsigned), void (*send)(struct ring *))
{
	uint64_t until, since, sent = 0;
	struct ring ring;
	pid_t pid;

	fresh();
	pid = spawn(reader, READER);
	pin(0);
	ring_attach(&ring, &t.seg, WRITER);
	wakeup_claim_slot(&wakeup, WRITER);
	wait_for(&shared->go, 1);
	until = load_now_ns() + (uint64_t)(seconds * 1e9);
	while (load_now_ns() < until) {
		since = load_now_ns();
		while (load_now_ns() - since < NAP_NS)
			;
		send(&ring);
		wait_for(&shared->done, ++sent);
	}
	load_set(&shared->enough, 1);
	wakeup_ring(&wakeup, READER);
	reap(pid);
	figures_add_latency(prefix, &shared->latency);
	ring_detach(&ring);
	stale();
}

/* A reader passes by what it does not want. */
static void
measure_unwanted(void)
{
	struct ring ring;
	struct ring_msg msgs[BATCH];
	struct reader r;
	uint64_t began, spent = 0, count = 0;
	const size_t round = 3000; /* batches: 24 MB, less than the ring */

	fresh();
	ring_attach(&ring, &t.seg, WRITER);
	reader_open(&r, &t.seg, BATCH, BODY_MAX);
	memset(r.wanted, 0, TOPICS / 8);
	fill(msgs, body_of_record(128));
	while ((double)spent < seconds * 1e9) {
		for (size_t i = 0; i < round; i++)
			publish(&ring, msgs, BATCH);
		began = load_now_ns();
		while (reader_read(&r) == RING_OK)
			;
		spent += load_now_ns() - began;
		CHECK(r.cur.pos == ring_head(&t.seg));
		count += round * BATCH;
	}
	figures_add("unwanted_ns", (double)spent / (double)count);
	reader_close(&r);
	ring_detach(&ring);
	stale();
}

static void
parse(int argc, char **argv, bool *json)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0) {
			*json = true;
		} else if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc &&
			   atof(argv[i + 1]) > 0) {
			seconds = atof(argv[++i]);
		} else {
			fputs("usage: ring-bench [--seconds EACH] [--json]\n",
			    stderr);
			exit(2);
		}
}

int
main(int argc, char **argv)
{
	bool json = false;

	parse(argc, argv, &json);
	memset(body, 'x', sizeof(body));
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED);
	figures_begin(json, "ring");
	measure_writers("one_by_one_per_s", 1, 1);
	measure_writers("batched_per_s", 1, BATCH);
	measure_writers("writers_2_per_s", 2, 1);
	measure_writers("writers_2_batched_per_s", 2, BATCH);
	measure_writers("writers_4_per_s", 4, 1);
	measure_writers("writers_4_batched_per_s", 4, BATCH);
	measure_sizes();
	measure_latency("bare_", bare_main, send_bare);
	measure_latency("sleeping_", sleeping_main, send_message);
	measure_latency("polling_", polling_main, send_message);
	measure_unwanted();
	figures_end();
	return 0;
}
