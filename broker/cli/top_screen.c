/* SPDX-License-Identifier: MIT */
/* top_screen.c - see top_screen.h. */

#include "broker/cli/top_screen.h"

#include "broker/cli/format.h"
#include "broker/status/busiest.h"
#include "broker/status/overview.h"

#include <stdio.h>

#define TOP_HEAD_ROWS   7  /* above the workers' table */
#define TOP_TITLE_ROWS  4  /* an empty line and a title of each table */
#define TOP_TOPICS_MIN  5  /* rows that topics get before workers */
#define TOP_TOPICS_MAX  50 /* topics on a screen of any size */
#define TOP_TOPICS_ONCE 10 /* without a screen */

/* A rate, or "-" as long as there is nothing to compare with. */
static const char *
top_rate(const struct top_view *view, unsigned worker, enum stats_id id,
    char out[FORMAT_MAX])
{
	if (!look_follows(view->now, view->before))
		return "-";
	return format_number(
	    look_rate(view->now, view->before, worker, id), out);
}

/* The sum of two rates that are told as one. */
static const char *
top_rates(const struct top_view *view, unsigned worker, enum stats_id one,
    enum stats_id other, char out[FORMAT_MAX])
{
	if (!look_follows(view->now, view->before))
		return "-";
	return format_number(
	    look_rate(view->now, view->before, worker, one) +
		look_rate(view->now, view->before, worker, other),
	    out);
}

static const char *
top_total(const struct top_view *view, enum stats_id id, char out[FORMAT_MAX])
{
	return format_number((double)look_total(view->now, LOOK_ALL, id), out);
}

static const char *
top_byte_rate(
    const struct top_view *view, enum stats_id id, char out[FORMAT_MAX])
{
	if (!look_follows(view->now, view->before))
		return "-";
	return format_bytes(
	    look_rate(view->now, view->before, LOOK_ALL, id), out);
}

static void
top_put_server(struct buf *buf, const struct top_view *view)
{
	const struct layout_header *header = view->seg->header;
	unsigned workers = view->now->workers;
	char uptime[FORMAT_MAX];

	buf_printf(buf, "pubsubd %s: %s, up %s, %u worker%s, version %s\n",
	    view->instance, overview_state(header),
	    format_uptime(overview_uptime_ms(header), uptime), workers,
	    workers == 1 ? "" : "s", header->run.version);
}

static void
top_put_messages(struct buf *buf, const struct top_view *view)
{
	char in[FORMAT_MAX], out[FORMAT_MAX], drops[FORMAT_MAX];
	char missed[FORMAT_MAX];

	buf_printf(buf,
	    "messages/s     %5s in  %5s out  %5s dropped  %5s missed\n",
	    top_rate(view, LOOK_ALL, STATS_MESSAGES_IN, in),
	    top_rate(view, LOOK_ALL, STATS_MESSAGES_OUT, out),
	    top_rates(view, LOOK_ALL, STATS_DROPS, STATS_DROPS_MEMORY, drops),
	    top_rate(view, LOOK_ALL, STATS_MISSED, missed));
	buf_printf(buf, "bytes/s        %5s in  %5s out\n",
	    top_byte_rate(view, STATS_BYTES_IN, in),
	    top_byte_rate(view, STATS_BYTES_OUT, out));
}

static void
top_put_connections(struct buf *buf, const struct top_view *view)
{
	char all[FORMAT_MAX], sockets[FORMAT_MAX], streams[FORMAT_MAX];
	char new[FORMAT_MAX], subscriptions[FORMAT_MAX], buffered[FORMAT_MAX];

	buf_printf(buf,
	    "connections    %5s     %5s WebSockets  %5s event streams  "
	    "%5s new/s\n",
	    top_total(view, STATS_CONNECTIONS, all),
	    top_total(view, STATS_WEBSOCKETS, sockets),
	    top_total(view, STATS_EVENT_STREAMS, streams),
	    top_rate(view, LOOK_ALL, STATS_ACCEPTED, new));
	buf_printf(buf, "subscriptions  %5s     %5s bytes wait for sockets\n",
	    top_total(view, STATS_SUBSCRIPTIONS, subscriptions),
	    format_bytes(
		(double)look_total(view->now, LOOK_ALL, STATS_BUFFERED_BYTES),
		buffered));
}

/* "<= 50 us", "> 1 s", or "-" if there was none. */
static const char *
top_delay(const struct top_view *view, unsigned percent, char out[FORMAT_MAX])
{
	uint64_t ns = look_delay(view->now, view->before, percent);
	uint64_t most = stats_delay_bounds_ns[STATS_DELAY_BOUNDS - 1];
	char text[FORMAT_MAX];

	if (ns == 0)
		return "-";
	snprintf(out, FORMAT_MAX, "%s %.20s", ns > most ? ">" : "<=",
	    format_duration(ns > most ? most : ns, text));
	return out;
}

static void
top_put_ring(struct buf *buf, const struct top_view *view)
{
	const struct layout_header *header = view->seg->header;
	char half[FORMAT_MAX], most[FORMAT_MAX], size[FORMAT_MAX];
	char rate[FORMAT_MAX], topics[FORMAT_MAX];

	buf_printf(buf, "delivery       %s for 50 %%, %s for 99 %%\n",
	    top_delay(view, 50, half), top_delay(view, 99, most));
	buf_printf(buf,
	    "ring           %5s/s of %s; %s of %u topics; %llu worker deaths\n",
	    look_follows(view->now, view->before)
		? format_bytes(look_ring_rate(view->now, view->before), rate)
		: "-",
	    format_bytes((double)header->ring_size, size),
	    format_number(view->now->topics, topics), header->topics_max,
	    (unsigned long long)atomic_load(&header->run.deaths));
}

static void
top_put_worker(struct buf *buf, const struct top_view *view, unsigned slot)
{
	struct overview_worker worker = overview_worker(view->seg, slot);
	const uint64_t *counters = view->now->counters[slot];
	char conns[FORMAT_MAX], subs[FORMAT_MAX], in[FORMAT_MAX];
	char out[FORMAT_MAX], drops[FORMAT_MAX], buffered[FORMAT_MAX];
	char lag[FORMAT_MAX];

	buf_printf(buf, "%6u %7d %-8s %6s %6s %6s %6s %7s %8s %6s %3.0f%%\n",
	    slot, worker.pid, worker.state,
	    format_number((double)counters[STATS_CONNECTIONS], conns),
	    format_number((double)counters[STATS_SUBSCRIPTIONS], subs),
	    top_rate(view, slot, STATS_MESSAGES_IN, in),
	    top_rate(view, slot, STATS_MESSAGES_OUT, out),
	    top_rates(view, slot, STATS_DROPS, STATS_DROPS_MEMORY, drops),
	    format_bytes((double)counters[STATS_BUFFERED_BYTES], buffered),
	    format_bytes((double)worker.lag, lag),
	    (double)worker.lag * 100 / (double)view->seg->ring_size);
}

static void
top_put_workers(struct buf *buf, const struct top_view *view, unsigned rows)
{
	unsigned workers = view->now->workers;
	unsigned shown = workers <= rows ? workers : rows - 1;

	buf_printf(buf, "\n%6s %7s %-8s %6s %6s %6s %6s %7s %8s %6s\n",
	    "worker", "pid", "state", "conns", "subs", "in/s", "out/s",
	    "drops/s", "buffered", "lag");
	for (unsigned slot = 0; slot < shown; slot++)
		top_put_worker(buf, view, slot);
	if (shown < workers)
		buf_printf(buf, "%6s and %u more\n", "...", workers - shown);
}

static void
top_put_topics(struct buf *buf, const struct top_view *view, size_t rows)
{
	struct busy_topic topics[TOP_TOPICS_MAX];
	char rate[FORMAT_MAX], subscribers[FORMAT_MAX];
	size_t count = busiest_find(view->seg, view->now, view->before, topics,
	    rows < TOP_TOPICS_MAX ? rows : TOP_TOPICS_MAX);

	buf_printf(buf, "\n%6s %11s %16s  %s\n", "msgs/s", "subscribers", "seq",
	    "topic");
	for (size_t i = 0; i < count; i++)
		buf_printf(buf, "%6s %11s %16llu  %.*s\n",
		    format_number(topics[i].rate, rate),
		    format_number((double)topics[i].subscribers, subscribers),
		    (unsigned long long)topics[i].seq, topics[i].name_len,
		    topics[i].name);
}

void
top_screen_put(struct buf *buf, const struct top_view *view)
{
	unsigned workers = view->now->workers, room = workers + TOP_TOPICS_ONCE;
	const unsigned least = TOP_TOPICS_MIN + 2;

	if (view->rows != 0)
		room = view->rows > TOP_HEAD_ROWS + TOP_TITLE_ROWS + least
		           ? view->rows - TOP_HEAD_ROWS - TOP_TITLE_ROWS
		           : least;
	if (workers > room - TOP_TOPICS_MIN)
		workers = room - TOP_TOPICS_MIN;
	top_put_server(buf, view);
	top_put_messages(buf, view);
	top_put_connections(buf, view);
	top_put_ring(buf, view);
	top_put_workers(buf, view, workers);
	top_put_topics(buf, view, room - workers);
}
