/* SPDX-License-Identifier: MIT */
/* bench_main.c - the options of the modes that measure, see bench.h. */

#include <getopt.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/bug.h"
#include "tests/bench/bench.h"

static const char usage[] =
    "usage: pubsub-load --mode MODE [options]\n"
    "\n"
    "  window   closed loop: a number of messages in flight; CPU per delivery\n"
    "  open     fixed rate; latency from the moment a message was due\n"
    "  slow     the others' figures with members that do not read\n"
    "  connect  a storm of newcomers; CPU per connection\n"
    "  idle     hold connections; memory of each, CPU, a message to all\n"
    "  files    a file by HTTP, over and over; CPU per request\n"
    "  rooms    chat and check every message: see pubsub-load --help\n"
    "\n"
    "all modes:\n"
    "  --url URL          ws://HOST:PORT/PATH (ws://localhost:8000/ws)\n"
    "  --server-pid PID   the server, with its children (whoever listens)\n"
    "  --form FORM        plain, v1, acked, answers, nats, nchan, prose\n"
    "                     or deflate (plain)\n"
    "  --size BYTES       length of a message (100)\n"
    "  --cpu N            run on this processor only\n"
    "  --json             figures as one JSON object\n"
    "window, open, slow; files: warm, seconds:\n"
    "  --rooms N          groups of members with topics of their own (1)\n"
    "  --members N        of a room (window, open, slow: 1000; else 10)\n"
    "  --topics N         of a room (1)\n"
    "  --window N         messages in flight per room (16)\n"
    "  --rate N           open: messages per second, of all rooms (100)\n"
    "  --everybody        window: members publish in turn, not one of them\n"
    "  --warm SECONDS     before the figures count (0.3)\n"
    "  --seconds SECONDS  that they count (2)\n"
    "  --rounds N         slow: how often without and with (3)\n"
    "  --deaf N           slow: members that never read (1)\n"
    "  --dribbling N      slow: members that read a byte a second (0)\n"
    "connect, idle, files:\n"
    "  --clients N        connections (10000; files: 64)\n"
    "  --base N           idle: of which memory is not counted (2000)\n"
    "  --processes N      idle: of the generator, at least\n"
    "  --broadcast        idle: instead of a chat in each room, a message to\n"
    "                     all in the end\n"
    "  --gzip             files: take it compressed\n"
    "\n"
    "Exit status: 0 if all came once, 1 if not, 2 for senseless options.\n";

static _Noreturn void
bench_refuse(const char *option, const char *value)
{
	fprintf(
	    stderr, "pubsub-load: --%s %s: makes no sense\n", option, value);
	exit(2);
}

void
bench_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("pubsub-load: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

void
bench_find_server(const struct bench_options *options, struct procstat *server)
{
	if (options->server_pid != 0)
		procstat_add(server, options->server_pid);
	else
		procstat_add_listeners(server, options->target.port);
	if (server->count == 0)
		bench_fail("the server's processes are not to be seen");
}

/* What the options set; its address is known before main(). */
static struct bench_options bench;
static const char *bench_url = "ws://localhost:8000/ws";
static const char *bench_form = "plain";
static unsigned bench_cpu = CPU_SETSIZE; /* any */

enum setting_kind { SETTING_NUMBER, SETTING_REAL, SETTING_TEXT, SETTING_FLAG };

static const struct setting {
	const char *name;
	enum setting_kind kind;
	void *value; /* unsigned, double, const char * or bool */
	double min;
	double max;
} settings[] = {
	{ "url", SETTING_TEXT, &bench_url, 0, 0 },
	{ "form", SETTING_TEXT, &bench_form, 0, 0 },
	{ "server-pid", SETTING_NUMBER, &bench.server_pid, 1, 1 << 30 },
	{ "size", SETTING_NUMBER, &bench.form.size, 1, 1 << 20 },
	{ "cpu", SETTING_NUMBER, &bench_cpu, 0, CPU_SETSIZE - 1 },
	{ "rooms", SETTING_NUMBER, &bench.rooms, 1, 100000 },
	{ "members", SETTING_NUMBER, &bench.members, 1, 1000000 },
	{ "topics", SETTING_NUMBER, &bench.form.topics, 1, 1000 },
	{ "window", SETTING_NUMBER, &bench.window, 1, 1024 },
	{ "rate", SETTING_REAL, &bench.rate, 0.001, 1e7 },
	{ "warm", SETTING_REAL, &bench.warm, 0, 3600 },
	{ "seconds", SETTING_REAL, &bench.seconds, 0.01, 3600 },
	{ "rounds", SETTING_NUMBER, &bench.rounds, 1, 64 },
	{ "deaf", SETTING_NUMBER, &bench.deaf, 0, 10000 },
	{ "dribbling", SETTING_NUMBER, &bench.dribbling, 0, 10000 },
	{ "clients", SETTING_NUMBER, &bench.clients, 1, 1000000 },
	{ "base", SETTING_NUMBER, &bench.base, 1, 1000000 },
	{ "processes", SETTING_NUMBER, &bench.processes, 1, 1024 },
	{ "broadcast", SETTING_FLAG, &bench.broadcast, 0, 0 },
	{ "everybody", SETTING_FLAG, &bench.everybody, 0, 0 },
	{ "gzip", SETTING_FLAG, &bench.gzip, 0, 0 },
	{ "json", SETTING_FLAG, &bench.json, 0, 0 },
	{ "help", SETTING_FLAG, NULL, 0, 0 },
};

#define SETTINGS (sizeof(settings) / sizeof(*settings))

static void
bench_set(const struct setting *setting, const char *text)
{
	char *end;
	double number;

	if (setting->value == NULL) {
		fputs(usage, stdout);
		exit(0);
	}
	if (setting->kind == SETTING_FLAG) {
		*(bool *)setting->value = true;
		return;
	}
	if (setting->kind == SETTING_TEXT) {
		*(const char **)setting->value = text;
		return;
	}
	number = strtod(text, &end);
	if (end == text || *end != '\0' ||
	    !(number >= setting->min && number <= setting->max))
		bench_refuse(setting->name, text);
	if (setting->kind == SETTING_REAL)
		*(double *)setting->value = number;
	else
		*(unsigned *)setting->value = (unsigned)number;
}

static void
bench_parse(int argc, char **argv)
{
	struct option options[SETTINGS + 1] = { { .name = NULL } };
	int i;

	for (size_t n = 0; n < SETTINGS; n++) {
		options[n].name = settings[n].name;
		options[n].has_arg = settings[n].kind != SETTING_FLAG;
		options[n].val = 256 + (int)n;
	}
	while ((i = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (i < 256)
			exit(2); /* it has said what is wrong */
		else
			bench_set(&settings[i - 256], optarg);
	if (optind < argc)
		bench_refuse("mode", argv[optind]);
	if (!form_find(bench_form, &bench.form.kind))
		bench_refuse("form", bench_form);
	if (bench.form.kind == FORM_NCHAN && bench.form.topics > 1)
		bench_refuse("topics", "more than one with nchan");
	if (bench.everybody && form_publishes_apart(&bench.form))
		bench_refuse("everybody", bench_form);
	if (bench.broadcast && bench.form.kind > FORM_ACKED)
		bench_refuse("broadcast", bench_form);
}

/* Take one processor, and all the descriptors there are. */
static void
bench_settle(void)
{
	struct rlimit files;
	cpu_set_t cpus;

	if (bench_cpu < CPU_SETSIZE) {
		CPU_ZERO(&cpus);
		CPU_SET(bench_cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus) == -1)
			bench_fail("there is no processor %u", bench_cpu);
	}
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
}

static const struct bench_mode {
	const char *name;
	int (*run)(const struct bench_options *options);
	unsigned members; /* unless told otherwise */
	unsigned clients; /* likewise */
} modes[] = {
	{ "window", bench_window, 1000, 10000 },
	{ "open", bench_open, 1000, 10000 },
	{ "slow", bench_slow, 1000, 10000 },
	{ "connect", bench_connect, 10, 10000 },
	{ "idle", bench_idle, 10, 10000 },
	{ "files", bench_files, 1, 64 },
};

int
bench_main(const char *name, int argc, char **argv)
{
	const struct bench_mode *mode = NULL;
	char why[LOAD_WHY_MAX];
	int status;

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(modes[i].name, name) == 0)
			mode = &modes[i];
	if (mode == NULL)
		bench_refuse("mode", name);
	bench = (struct bench_options){
		.form = { .size = 100, .topics = 1 },
		.rooms = 1,
		.members = mode->members,
		.window = 16,
		.rate = 100,
		.warm = 0.3,
		.seconds = 2,
		.rounds = 3,
		.deaf = 1,
		.clients = mode->clients,
		.base = 2000,
	};
	bench_parse(argc, argv);
	bench_settle();
	status = load_target_find(&bench.target, bench_url, bench.clients, why);
	if (status != 0) {
		fprintf(stderr, "pubsub-load: %s: %s\n", bench_url, why);
		return status;
	}
	return mode->run(&bench);
}
