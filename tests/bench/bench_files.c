/* SPDX-License-Identifier: MIT */
/*
 * bench_files.c - one file, over and over, on connections that are kept.
 *
 * Each connection asks, reads the answer to its end and asks again, so as many
 * requests are under way as there are connections.  An answer has a length and
 * is whole and good, or the run ends; what is in it nobody looks at.
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/xmalloc.h"
#include "tests/bench/bench.h"
#include "tests/bench/figures.h"

#define HEAD_MAX    4096u
#define INPUT_MAX   (256u * 1024)
#define PATIENCE_MS 5000

struct fetcher {
	int fd;
	char head[HEAD_MAX + 1]; /* of an answer that is under way */
	size_t head_len;
	uint64_t rest;     /* of its body */
	uint64_t asked_ns; /* when */
};

static struct {
	struct fetcher *fetchers;
	unsigned count;
	int epoll;
	char request[2048];
	size_t request_len;
	uint64_t answers, bytes; /* whole ones, and of their bodies */
	bool is_timed;
	struct histogram latency;
} files;

static void
files_ask(struct fetcher *f)
{
	f->head_len = 0;
	f->asked_ns = load_now_ns();
	if (send(f->fd, files.request, files.request_len, MSG_NOSIGNAL) !=
	    (ssize_t)files.request_len)
		bench_fail("a request: %s", strerror(errno));
}

static void
files_open(struct fetcher *f, const struct load_target *target)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = f };
	int one = 1;

	f->fd = socket(target->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	CHECK(f->fd != -1);
	if (connect(f->fd, (const struct sockaddr *)&target->addr,
		target->addr_len) == -1)
		bench_fail("a connection: %s", strerror(errno));
	setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	CHECK(epoll_ctl(files.epoll, EPOLL_CTL_ADD, f->fd, &event) == 0);
}

/* The head of an answer is whole: how long is its body? */
static void
files_read_head(struct fetcher *f)
{
	static const char name[] = "\r\ncontent-length:";
	const char *found = strcasestr(f->head, name);

	f->rest = found != NULL ? strtoull(found + strlen(name), NULL, 10) : 0;
	if (strncmp(f->head, "HTTP/1.1 200 ", 13) != 0 || f->rest == 0)
		bench_fail("not as it should be: %s", f->head);
	files.bytes += f->rest;
}

/* Take what belongs to the head.  Returns how much that was. */
static size_t
files_take_head(struct fetcher *f, const char *at, size_t n)
{
	size_t had = f->head_len, take = HEAD_MAX - had;
	const char *end;

	take = take < n ? take : n;
	memcpy(f->head + had, at, take);
	f->head[had + take] = '\0';
	f->head_len += take;
	end = strstr(f->head, "\r\n\r\n");
	if (end == NULL) {
		if (f->head_len == HEAD_MAX)
			bench_fail("an endless head");
		return take;
	}
	files_read_head(f);
	f->head_len = HEAD_MAX; /* it is over */
	return (size_t)(end + 4 - f->head) - had;
}

static void
files_receive(struct fetcher *f)
{
	static char input[INPUT_MAX];
	ssize_t n = recv(f->fd, input, sizeof(input), MSG_DONTWAIT);
	size_t at = 0;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		bench_fail("cut off: %s", n == 0 ? "closed" : strerror(errno));
	if (f->head_len < HEAD_MAX)
		at = files_take_head(f, input, (size_t)n);
	if (f->head_len < HEAD_MAX)
		return;
	if ((size_t)n - at > f->rest)
		bench_fail("more than was said");
	f->rest -= (size_t)n - at;
	if (f->rest > 0)
		return;
	files.answers++;
	if (files.is_timed)
		histogram_add(&files.latency, load_now_ns() - f->asked_ns);
	files_ask(f);
}

static void
files_run(double seconds)
{
	uint64_t until = load_now_ns() + (uint64_t)(seconds * 1e9);
	struct epoll_event events[256];
	int n;

	while (load_now_ns() < until) {
		n = epoll_wait(files.epoll, events, 256, PATIENCE_MS);
		if (n == 0)
			bench_fail("nothing is answered any more");
		for (int i = 0; i < n; i++)
			files_receive(events[i].data.ptr);
	}
}

int
bench_files(const struct bench_options *options)
{
	const struct load_target *target = &options->target;
	struct procstat server = { .count = 0 };
	uint64_t answers, bytes, began;
	double span;

	files.epoll = epoll_create1(EPOLL_CLOEXEC);
	CHECK(files.epoll != -1);
	files.count = options->clients;
	files.fetchers = xcalloc(files.count, sizeof(*files.fetchers));
	files.request_len = (size_t)snprintf(files.request,
	    sizeof(files.request), "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n",
	    target->path, target->authority,
	    options->gzip ? "Accept-Encoding: gzip\r\n" : "");
	bench_find_server(options, &server);
	for (unsigned i = 0; i < files.count; i++)
		files_open(&files.fetchers[i], target);
	for (unsigned i = 0; i < files.count; i++)
		files_ask(&files.fetchers[i]);
	files_run(options->warm);
	files.is_timed = true;
	answers = files.answers;
	bytes = files.bytes;
	procstat_start(&server);
	began = load_now_ns();
	files_run(options->seconds);
	span = (double)(load_now_ns() - began) / 1e9;
	procstat_update(&server);
	answers = files.answers - answers;
	bytes = files.bytes - bytes;

	figures_begin(options->json, "files");
	figures_add("cpu_us_per_request", (double)procstat_cpu_ns(&server) /
					      1e3 /
					      (double)(answers + !answers));
	figures_add("requests_per_s", (double)answers / span);
	figures_add(
	    "bytes_per_request", (double)bytes / (double)(answers + !answers));
	figures_add("server_cpu_percent",
	    (double)procstat_cpu_ns(&server) / 1e7 / span);
	figures_add_latency("", &files.latency);
	figures_end();
	for (unsigned i = 0; i < files.count; i++)
		close(files.fetchers[i].fd);
	close(files.epoll);
	free(files.fetchers);
	return 0;
}
