/* SPDX-License-Identifier: MIT */
/* load_report.c - see load_report.h. */

#include "tests/load/load_report.h"

#include <inttypes.h>
#include <string.h>

/* The quantiles that are reported. */
static const struct {
	const char *text;
	const char *json;
	double share;
} quantiles[] = {
	{ "p50", "p50_us", 0.5 },
	{ "p90", "p90_us", 0.9 },
	{ "p99", "p99_us", 0.99 },
	{ "p99.9", "p999_us", 0.999 },
	{ "max", "max_us", 1.0 },
};

#define QUANTILES (sizeof(quantiles) / sizeof(*quantiles))

static void
load_sum_add(struct load_sum *sum, const struct load_process *p)
{
	sum->ready += load_get(&p->ready);
	sum->failed += load_get(&p->failed);
	sum->broken += load_get(&p->broken);
	sum->done += load_get(&p->is_done);
	sum->sent += load_get(&p->sent);
	sum->unsent += load_get(&p->unsent);
	sum->delivered += load_get(&p->delivered);
	sum->doubled += load_get(&p->doubled);
	sum->disordered += load_get(&p->disordered);
	sum->strange += load_get(&p->strange);
	if (load_get(&p->late_ns) > sum->late_ns)
		sum->late_ns = load_get(&p->late_ns);
	if (load_get(&p->last_ns) > sum->last_ns)
		sum->last_ns = load_get(&p->last_ns);
	if (load_get(&p->has_why) != 0 && sum->why == NULL)
		sum->why = p->why;
	histogram_merge(&sum->latency, &p->latency);
}

/* Whoever's connection broke missed what was sent to the room since, and what
 * was on its way. */
static uint64_t
load_broken_owed(struct load_shared *shared)
{
	uint64_t owed = 0, had = 0;

	for (unsigned i = 0; i < shared->processes; i++)
		had += load_get(&shared->process[i].broken_had);
	for (unsigned i = 0; i < shared->rooms; i++) {
		const struct load_room *room = load_room(shared, i);

		owed += load_get(&room->broken) * load_get(&room->sent);
	}
	return owed > had ? owed - had : 0;
}

void
load_sum_up(struct load_sum *sum, struct load_shared *shared)
{
	memset(sum, 0, sizeof(*sum));
	for (unsigned i = 0; i < shared->processes; i++)
		load_sum_add(sum, &shared->process[i]);
	/* After all deliveries: what is delivered was expected before. */
	for (unsigned i = 0; i < shared->processes; i++)
		sum->expected += load_get(&shared->process[i].expected);
	if (sum->broken > 0)
		sum->broken_owed = load_broken_owed(shared);
}

uint64_t
load_sum_lost(const struct load_sum *sum)
{
	uint64_t came = sum->delivered + sum->broken_owed;

	return sum->expected > came ? sum->expected - came : 0;
}

bool
load_sum_is_clean(const struct load_sum *sum)
{
	return load_sum_lost(sum) == 0 && sum->doubled == 0 &&
	       sum->disordered == 0 && sum->strange == 0 && sum->broken == 0 &&
	       sum->failed == 0;
}

static double
load_quantile_us(const struct load_sum *sum, size_t i)
{
	return (double)histogram_quantile(&sum->latency, quantiles[i].share) /
	       1e3;
}

/* x per unit, 0 where there is no unit. */
static double
load_per(double x, double unit)
{
	return unit > 0 ? x / unit : 0;
}

void
load_report_progress(FILE *f, const struct load_sum *sum,
    const struct load_sum *before, double seconds, double step)
{
	fprintf(f,
	    "%5.1f s  sent %.0f/s  delivered %.0f/s  outstanding %" PRIu64
	    "  p50 %.2f ms  p99 %.2f ms",
	    seconds, load_per((double)(sum->sent - before->sent), step),
	    load_per((double)(sum->delivered - before->delivered), step),
	    load_sum_lost(sum), load_quantile_us(sum, 0) / 1e3,
	    load_quantile_us(sum, 2) / 1e3);
	if (sum->broken > 0)
		fprintf(f, "  connections broken: %" PRIu64, sum->broken);
	fprintf(f, "\n");
}

static void
load_report_server(FILE *f, const struct load_result *r)
{
	const struct procstat *server = r->server;
	double cpu_ns = (double)procstat_cpu_ns(server);

	if (server->count == 0) {
		fprintf(f, "server       not to be seen from here\n");
		return;
	}
	fprintf(f, "server CPU   %.2f s  %.1f %%  %.2f us per delivery\n",
	    cpu_ns / 1e9, load_per(cpu_ns / 1e7, r->server_seconds),
	    load_per(cpu_ns / 1e3, (double)r->sum->delivered));
	fprintf(f, "%12s %-16s %10s %10s %10s\n", "pid", "name", "CPU s",
	    "RSS MiB", "PSS MiB");
	for (size_t i = 0; i < server->count; i++) {
		const struct procstat_process *p = &server->process[i];

		fprintf(f, "%12d %-16s %10.2f %10.1f %10.1f\n", (int)p->pid,
		    p->name, (double)(p->cpu_end_ns - p->cpu_start_ns) / 1e9,
		    (double)p->rss_kib / 1024, (double)p->pss_kib / 1024);
	}
}

void
load_report_text(FILE *f, const struct load_result *r)
{
	const struct load_options *o = r->options;
	const struct load_sum *sum = r->sum;

	fprintf(f,
	    "%u clients in rooms of %u, each sending %u bytes every %g s, "
	    "for %g s%s\n",
	    o->clients, o->room_size, o->size, o->interval, o->seconds,
	    r->is_interrupted ? " (interrupted)" : "");
	fprintf(f, "sent         %" PRIu64 "  %.0f per second\n", sum->sent,
	    load_per((double)sum->sent, r->seconds));
	fprintf(f, "delivered    %" PRIu64 "  %.0f per second\n",
	    sum->delivered, load_per((double)sum->delivered, r->seconds));
	fprintf(f,
	    "lost         %" PRIu64 "  doubled %" PRIu64
	    "  out of order %" PRIu64 "\n",
	    load_sum_lost(sum), sum->doubled, sum->disordered);
	fprintf(f, "latency     ");
	for (size_t i = 0; i < QUANTILES; i++)
		fprintf(f, " %s %.2f ms ", quantiles[i].text,
		    load_quantile_us(sum, i) / 1e3);
	fprintf(f, "\ngenerator    %u process%s, at worst %.2f ms late\n",
	    r->processes, r->processes == 1 ? "" : "es",
	    (double)sum->late_ns / 1e6);
	if (sum->unsent > 0)
		fprintf(f,
		    "not sent     %" PRIu64 ", for want of room in the "
		    "socket\n",
		    sum->unsent);
	if (sum->strange > 0)
		fprintf(f,
		    "strange      %" PRIu64 " messages, not of this run "
		    "and room\n",
		    sum->strange);
	if (sum->broken > 0)
		fprintf(f,
		    "broken       %" PRIu64
		    " connections, which missed %" PRIu64 ": %s\n",
		    sum->broken, sum->broken_owed, sum->why);
	load_report_server(f, r);
}

/* Print a string as JSON. */
static void
load_json_string(FILE *f, const char *text)
{
	putc('"', f);
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(f, "\\%c", c);
		else if (c < 0x20)
			fprintf(f, "\\u%04x", c);
		else
			putc(c, f);
	}
	putc('"', f);
}

static void
load_json_server(FILE *f, const struct load_result *r)
{
	const struct procstat *server = r->server;
	double cpu_ns = (double)procstat_cpu_ns(server);

	fprintf(f,
	    ",\"server\":{\"cpu_s\":%.6f,\"cpu_percent\":%.2f,"
	    "\"cpu_us_per_delivery\":%.4f,\"processes\":[",
	    cpu_ns / 1e9, load_per(cpu_ns / 1e7, r->server_seconds),
	    load_per(cpu_ns / 1e3, (double)r->sum->delivered));
	for (size_t i = 0; i < server->count; i++) {
		const struct procstat_process *p = &server->process[i];

		fprintf(f, "%s{\"pid\":%d,\"name\":", i > 0 ? "," : "",
		    (int)p->pid);
		load_json_string(f, p->name);
		fprintf(f,
		    ",\"cpu_s\":%.6f,\"rss_kib\":%" PRIu64
		    ",\"pss_kib\":%" PRIu64 "}",
		    (double)(p->cpu_end_ns - p->cpu_start_ns) / 1e9, p->rss_kib,
		    p->pss_kib);
	}
	fprintf(f, "]}");
}

void
load_report_json(FILE *f, const struct load_result *r)
{
	const struct load_options *o = r->options;
	const struct load_sum *sum = r->sum;

	fprintf(f, "{\"url\":");
	load_json_string(f, o->url);
	fprintf(f,
	    ",\"clients\":%u,\"room_size\":%u,\"size\":%u,\"interval_s\":%g,"
	    "\"seconds\":%g,\"processes\":%u,\"interrupted\":%s",
	    o->clients, o->room_size, o->size, o->interval, o->seconds,
	    r->processes, r->is_interrupted ? "true" : "false");
	fprintf(f,
	    ",\"measured_s\":%.6f,\"sent\":%" PRIu64 ",\"unsent\":%" PRIu64
	    ",\"expected\":%" PRIu64 ",\"delivered\":%" PRIu64
	    ",\"delivered_per_s\":%.1f,\"lost\":%" PRIu64
	    ",\"doubled\":%" PRIu64 ",\"out_of_order\":%" PRIu64
	    ",\"strange\":%" PRIu64 ",\"broken\":%" PRIu64
	    ",\"broken_missed\":%" PRIu64 ",\"late_max_us\":%.1f,\"why\":",
	    r->seconds, sum->sent, sum->unsent, sum->expected, sum->delivered,
	    load_per((double)sum->delivered, r->seconds), load_sum_lost(sum),
	    sum->doubled, sum->disordered, sum->strange, sum->broken,
	    sum->broken_owed, (double)sum->late_ns / 1e3);
	if (sum->why != NULL)
		load_json_string(f, sum->why);
	else
		fprintf(f, "null");
	fprintf(f, ",\"latency\":{");
	for (size_t i = 0; i < QUANTILES; i++)
		fprintf(f, "%s\"%s\":%.3f", i > 0 ? "," : "", quantiles[i].json,
		    load_quantile_us(sum, i));
	fprintf(f, "}");
	load_json_server(f, r);
	fprintf(f, "}\n");
}
