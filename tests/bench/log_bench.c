/* SPDX-License-Identifier: MIT */
/*
 * log_bench.c - what the servers of a cluster's log do without a cluster: bare
 * libnats, to compare pubsubd with.
 *
 *	publisher --publish--> stream with three copies --> ordered consumers
 *	    ^                                                     |
 *	    +---------- so many publishes are on their way <------+
 *
 * A publish is --batch messages of --size bytes in one, and bears its number.
 * What does not come back within a second is published again, all from there
 * on, as the bridge does; so a loss costs time and nothing else.
 *
 *	log-bench make    make the stream, led by the server --leader
 *	log-bench window  keep --flight publishes on their way for some seconds
 *	log-bench first   connect, publish, and have it back: how long that takes
 *	log-bench read    read the last --bytes of a stream to its end
 */

#include <getopt.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bug.h"
#include "common/xmalloc.h"
#include "tests/bench/figures.h"
#include "tests/load/load.h"

#define SECOND        INT64_C(1000000000)
#define SERVERS_MAX   16
#define CONSUMERS_MAX 32u
#define FLIGHT_MAX    1024u
#define PATIENCE_NS   (30 * (uint64_t)SECOND) /* nothing came */
#define RESEND_NS     ((uint64_t)SECOND)
#define MAKE_TRIES    60
#define STREAM_BYTES  (INT64_C(256) << 20)

/* As the command line says. */
static struct {
	char *servers[SERVERS_MAX];
	int servers_count;
	const char *stream;
	const char *leader; /* NULL: any */
	unsigned batch, size, flight, consumers, bytes;
	double warm, seconds;
} options = {
	.stream = "bare",
	.batch = 1,
	.size = 100,
	.flight = 1,
	.consumers = 1,
	.bytes = 1u << 20,
	.warm = 0.3,
	.seconds = 1,
};

/* One reader of the stream.  Under the lock. */
struct consumer {
	natsConnection *nc;
	jsCtx *js;
	natsSubscription *sub;
	uint64_t back; /* publishes that have come, in their order */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t news;
	struct consumer consumers[CONSUMERS_MAX];
	uint64_t sent, resent;
	uint64_t stamps[FLIGHT_MAX]; /* when each was published first */
	uint64_t last_ns;            /* something came back */
	uint64_t pause_ns;           /* the longest between two of them */
	uint64_t bytes;              /* read mode */
	bool is_timed, is_done;
	struct histogram latency;
} state = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.news = PTHREAD_COND_INITIALIZER,
};

static _Noreturn void
fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("log-bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void
must(natsStatus status, const char *what)
{
	const char *why = nats_GetLastError(NULL);

	if (status != NATS_OK)
		fail("%s: %s: %s", what, natsStatus_GetText(status),
		    why != NULL ? why : "");
}

/* Connect the consumer of this number, each to the next of the servers. */
static void
connect_consumer(unsigned number)
{
	struct consumer *c = &state.consumers[number];
	const char *servers[SERVERS_MAX];
	natsOptions *o;
	jsOptions js;

	for (int i = 0; i < options.servers_count; i++)
		servers[i] =
		    options.servers[((int)number + i) % options.servers_count];
	must(natsOptions_Create(&o), "options");
	must(natsOptions_SetServers(o, servers, options.servers_count), "url");
	must(natsOptions_SetNoRandomize(o, true), "options");
	must(natsOptions_SetSendAsap(o, true), "options");
	must(natsOptions_SetReconnectWait(o, 100), "options");
	must(natsOptions_SetMaxReconnect(o, -1), "options");
	must(natsOptions_SetPingInterval(o, 1000), "options");
	must(natsOptions_SetReconnectBufSize(o, 0), "options");
	must(natsConnection_Connect(&c->nc, o), servers[0]);
	natsOptions_Destroy(o);
	jsOptions_Init(&js);
	js.Wait = 5000;
	must(natsConnection_JetStream(&c->js, c->nc, &js), "JetStream");
}

static bool
is_led_well(const jsStreamInfo *info)
{
	return options.leader == NULL ||
	       (info->Cluster != NULL && info->Cluster->Leader != NULL &&
		   strcmp(info->Cluster->Leader, options.leader) == 0);
}

/* The stream as `pubsubd cluster init' would make it.  Who leads is the servers'
 * choice, so it is made anew until that is the right one. */
static int
mode_make(void)
{
	jsCtx *js = state.consumers[0].js;
	jsStreamInfo *info = NULL;
	jsStreamConfig config;
	bool done = false;

	jsStreamConfig_Init(&config);
	config.Name = options.stream;
	config.Subjects = &options.stream;
	config.SubjectsLen = 1;
	config.Storage = js_FileStorage;
	config.MaxBytes = STREAM_BYTES;
	config.MaxAge = 3600 * SECOND;
	config.Replicas = 3;
	for (int i = 0; i < MAKE_TRIES && !done; i++) {
		js_DeleteStream(js, options.stream, NULL, NULL);
		must(js_AddStream(&info, js, &config, NULL, NULL), "stream");
		done = is_led_well(info);
		jsStreamInfo_Destroy(info);
	}
	if (!done)
		fail("%s never leads", options.leader);
	figures_begin(true, "make");
	figures_end();
	return 0;
}

/* A publish has come back, in a thread of libnats. */
static void
message_cb(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	struct consumer *c = arg;
	uint64_t number, now = load_now_ns();

	(void)nc;
	(void)sub;
	memcpy(&number, natsMsg_GetData(msg), sizeof(number));
	pthread_mutex_lock(&state.lock);
	if (number == c->back) {
		c->back++;
		if (c == &state.consumers[0]) {
			if (state.is_timed)
				histogram_add(&state.latency,
				    now - state.stamps[number % FLIGHT_MAX]);
			if (now - state.last_ns > state.pause_ns)
				state.pause_ns = now - state.last_ns;
			state.last_ns = now;
		}
		pthread_cond_signal(&state.news);
	}
	pthread_mutex_unlock(&state.lock);
	natsMsg_Destroy(msg);
}

/* from: a number of the stream's, or 0 for what is published from now on. */
static void
subscribe(struct consumer *c, const char *subject, natsMsgHandler callback,
    uint64_t from)
{
	jsSubOptions so;

	jsSubOptions_Init(&so);
	so.Stream = options.stream;
	so.Ordered = true;
	so.Config.DeliverPolicy =
	    from > 0 ? js_DeliverByStartSequence : js_DeliverNew;
	so.Config.OptStartSeq = from;
	so.Config.Heartbeat = SECOND / 2;
	must(
	    js_Subscribe(&c->sub, c->js, subject, callback, c, NULL, &so, NULL),
	    "consumer");
	must(natsSubscription_SetPendingLimits(c->sub, -1, -1), "consumer");
}

/* What all consumers have.  Under the lock. */
static uint64_t
all_back(void)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < options.consumers; i++)
		if (state.consumers[i].back < least)
			least = state.consumers[i].back;
	return least;
}

/* Publish the next, or one again.  It may be lost: then it comes again. */
static void
publish(uint64_t number)
{
	static char *data;
	size_t len = (size_t)options.batch * options.size;

	if (data == NULL) {
		data = xmalloc(len);
		memset(data, 'x', len);
	}
	memcpy(data, &number, sizeof(number));
	natsConnection_Publish(
	    state.consumers[0].nc, options.stream, data, (int)len);
}

/* Wait until a publish has come back to all; or go back. */
static void
wait_for_news(uint64_t seen)
{
	uint64_t since = load_now_ns(), now, from, to;
	struct timespec until;

	pthread_mutex_lock(&state.lock);
	while (all_back() == seen) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		pthread_cond_timedwait(&state.news, &state.lock, &until);
		now = load_now_ns();
		if (all_back() != seen || now - since < RESEND_NS)
			continue;
		if (now - state.last_ns > PATIENCE_NS)
			fail("publishes do not come back any more");
		since = now;
		from = seen;
		to = state.sent;
		state.resent += to - from;
		pthread_mutex_unlock(&state.lock);
		for (; from < to; from++)
			publish(from);
		pthread_mutex_lock(&state.lock);
	}
	pthread_mutex_unlock(&state.lock);
}

static void
keep_window(double seconds)
{
	uint64_t until = load_now_ns() + (uint64_t)(seconds * 1e9), back, sent;

	while (load_now_ns() < until) {
		pthread_mutex_lock(&state.lock);
		back = all_back();
		sent = state.sent;
		pthread_mutex_unlock(&state.lock);
		if (sent - back == options.flight) {
			wait_for_news(back);
			continue;
		}
		pthread_mutex_lock(&state.lock);
		state.stamps[sent % FLIGHT_MAX] = load_now_ns();
		state.sent++;
		pthread_mutex_unlock(&state.lock);
		publish(sent);
	}
}

static void
begin(void)
{
	for (unsigned i = 0; i < options.consumers; i++) {
		if (i > 0)
			connect_consumer(i);
		subscribe(&state.consumers[i], options.stream, message_cb, 0);
	}
	state.last_ns = load_now_ns();
}

static int
mode_window(void)
{
	uint64_t before, began;
	double span, each;

	begin();
	keep_window(options.warm);
	pthread_mutex_lock(&state.lock);
	before = all_back();
	state.pause_ns = 0;
	state.is_timed = true;
	pthread_mutex_unlock(&state.lock);
	began = load_now_ns();
	keep_window(options.seconds);
	pthread_mutex_lock(&state.lock);
	span = (double)(load_now_ns() - began) / 1e9;
	each = (double)(all_back() - before) * options.batch / span;
	if (load_now_ns() - state.last_ns > state.pause_ns)
		state.pause_ns = load_now_ns() - state.last_ns;
	pthread_mutex_unlock(&state.lock);
	figures_begin(true, "window");
	figures_add("messages_per_s", each);
	figures_add("bytes_per_s", each * options.size);
	figures_add("resent", (double)state.resent);
	figures_add("pause_ms", (double)state.pause_ns / 1e6);
	figures_add_latency("", &state.latency);
	figures_end();
	return 0;
}

static int
mode_first(uint64_t began)
{
	begin();
	state.sent = 1;
	publish(0);
	wait_for_news(0);
	figures_begin(true, "first");
	figures_add("first_ms", (double)(load_now_ns() - began) / 1e6);
	figures_end();
	return 0;
}

/* The same for who reads what is there: the last one has none behind it. */
static void
read_cb(natsConnection *nc, natsSubscription *sub, natsMsg *msg, void *arg)
{
	jsMsgMetaData *meta = NULL;
	struct consumer *c = arg;

	(void)nc;
	(void)sub;
	must(natsMsg_GetMetaData(&meta, msg), "metadata");
	pthread_mutex_lock(&state.lock);
	c->back++;
	state.bytes += (uint64_t)natsMsg_GetDataLength(msg);
	state.is_done = state.is_done || meta->NumPending == 0;
	pthread_cond_signal(&state.news);
	pthread_mutex_unlock(&state.lock);
	jsMsgMetaData_Destroy(meta);
	natsMsg_Destroy(msg);
}

static int
mode_read(uint64_t began)
{
	struct consumer *c = &state.consumers[0];
	jsStreamInfo *info = NULL;
	uint64_t first, last, from;

	must(js_GetStreamInfo(&info, c->js, options.stream, NULL, NULL),
	    options.stream);
	if (info->State.Msgs == 0)
		fail("%s: nothing in it", options.stream);
	first = info->State.FirstSeq;
	last = info->State.LastSeq;
	from = options.bytes / (info->State.Bytes / info->State.Msgs + 1) + 1;
	from = from > last - first ? first : last - from;
	subscribe(c, info->Config->Subjects[0], read_cb, from);
	jsStreamInfo_Destroy(info);
	pthread_mutex_lock(&state.lock);
	while (!state.is_done)
		pthread_cond_wait(&state.news, &state.lock);
	pthread_mutex_unlock(&state.lock);
	figures_begin(true, "read");
	figures_add("read_ms", (double)(load_now_ns() - began) / 1e6);
	figures_add("publishes", (double)c->back);
	figures_add("bytes", (double)state.bytes);
	figures_end();
	return 0;
}

static void
set_number(const char *text, unsigned *value, unsigned most)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || number == 0 || number > most)
		fail("%s: makes no sense", text);
	*value = (unsigned)number;
}

static void
read_options(int argc, char **argv)
{
	static const struct option known[] = {
		{ "url", 1, NULL, 'u' },
		{ "stream", 1, NULL, 'n' },
		{ "leader", 1, NULL, 'l' },
		{ "batch", 1, NULL, 'b' },
		{ "size", 1, NULL, 's' },
		{ "flight", 1, NULL, 'f' },
		{ "consumers", 1, NULL, 'c' },
		{ "bytes", 1, NULL, 'B' },
		{ "warm", 1, NULL, 'w' },
		{ "seconds", 1, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int i;

	while ((i = getopt_long(argc, argv, "", known, NULL)) != -1)
		switch (i) {
		case 'u':
			if (options.servers_count == SERVERS_MAX)
				fail("too many servers");
			options.servers[options.servers_count++] = optarg;
			break;
		case 'n':
			options.stream = optarg;
			break;
		case 'l':
			options.leader = optarg;
			break;
		case 'b':
			set_number(optarg, &options.batch, 4096);
			break;
		case 's':
			set_number(optarg, &options.size, 65536);
			break;
		case 'f':
			set_number(optarg, &options.flight, FLIGHT_MAX);
			break;
		case 'c':
			set_number(optarg, &options.consumers, CONSUMERS_MAX);
			break;
		case 'B':
			set_number(optarg, &options.bytes, 1u << 30);
			break;
		case 'w':
			options.warm = strtod(optarg, NULL);
			break;
		case 't':
			options.seconds = strtod(optarg, NULL);
			break;
		default:
			exit(2);
		}
	if (options.servers_count == 0 || options.size < sizeof(uint64_t))
		fail("--url, and --size of 8 or more");
}

int
main(int argc, char **argv)
{
	uint64_t began = load_now_ns();
	const char *mode = argc > 1 ? argv[1] : "";
	int status = 2;

	if (argc < 2)
		fail("a mode: make, window, first or read");
	read_options(argc - 1, argv + 1);
	connect_consumer(0);
	if (strcmp(mode, "make") == 0)
		status = mode_make();
	else if (strcmp(mode, "window") == 0)
		status = mode_window();
	else if (strcmp(mode, "first") == 0)
		status = mode_first(began);
	else if (strcmp(mode, "read") == 0)
		status = mode_read(began);
	fflush(stdout);
	/* Threads of libnats still run, and use what would be destroyed. */
	_Exit(status);
}
