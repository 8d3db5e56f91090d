/* SPDX-License-Identifier: MIT */
/*
 * load_main.c - the command line of the load generator.
 *
 * Every option is a bounded number, a URL or a switch; what is out of bounds
 * is refused by name, with exit status 2.
 */

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"
#include "tests/load/load.h"
#include "tests/load/load_message.h"

#define PAIRS_MAX ((uint64_t)1 << 28) /* of receiver and sender: 2 GiB */

static const char usage[] =
    "usage: pubsub-load [options]\n"
    "       pubsub-load --mode window|open|slow|connect|idle [--help] ...\n"
    "Chat with a WebSocket server as many clients, and measure it.\n"
    "\n"
    "  --mode rooms        all this; the other modes have options of their\n"
    "                      own; must come first\n"
    "  --clients N         connections (10000)\n"
    "  --room-size N       clients in a room; the last one has the rest (10)\n"
    "  --interval SECONDS  between two messages of a client (1)\n"
    "  --seconds SECONDS   how long messages are sent (10)\n"
    "  --url URL           ws://HOST:PORT/PATH, or wss://\n"
    "                      (ws://localhost:8000/ws)\n"
    "  --size BYTES        length of a message (100)\n"
    "  --wait SECONDS      with no delivery, until the rest is lost (5)\n"
    "  --connect-rate N    new connections per second (5000)\n"
    "  --processes N       of the generator (as many as it needs)\n"
    "  --server-pid PID    the server, with its children, for CPU and memory\n"
    "                      (whoever listens on the port, if on this host)\n"
    "  --json              the report as one JSON object\n"
    "  --help\n"
    "\n"
    "Progress goes to stderr, the report to stdout.  Ctrl-C ends the run with\n"
    "the figures so far.  Exit status: 0 if every message arrived once, in\n"
    "order, 1 if not, 2 for an option that makes no sense.\n";

static _Noreturn void
main_refuse(const char *option, const char *value, const char *wrong)
{
	fprintf(stderr, "pubsub-load: --%s %s: %s\n", option, value, wrong);
	exit(2);
}

/* A whole number between min and max. */
static unsigned
main_count(const char *option, const char *value, unsigned min, unsigned max)
{
	char *end, wrong[80];
	unsigned long number = strtoul(value, &end, 10);

	if (*value < '0' || *value > '9' || *end != '\0' || number < min ||
	    number > max) {
		snprintf(wrong, sizeof(wrong), "not a number from %u to %u",
		    min, max);
		main_refuse(option, value, wrong);
	}
	return (unsigned)number;
}

/* Seconds, with a fraction if need be. */
static double
main_seconds(const char *option, const char *value, double min, double max)
{
	char *end, wrong[80];
	double number = strtod(value, &end);

	/* Written so that what is not a number fails, too. */
	if (end == value || *end != '\0' || !(number >= min && number <= max)) {
		snprintf(wrong, sizeof(wrong),
		    "not a time from %g to %g seconds", min, max);
		main_refuse(option, value, wrong);
	}
	return number;
}

enum main_option {
	MAIN_CLIENTS = 256,
	MAIN_ROOM_SIZE,
	MAIN_INTERVAL,
	MAIN_SECONDS,
	MAIN_URL,
	MAIN_SIZE,
	MAIN_WAIT,
	MAIN_CONNECT_RATE,
	MAIN_PROCESSES,
	MAIN_SERVER_PID,
	MAIN_JSON,
	MAIN_HELP,
};

static const struct option main_options[] = {
	{ "clients", required_argument, NULL, MAIN_CLIENTS },
	{ "room-size", required_argument, NULL, MAIN_ROOM_SIZE },
	{ "interval", required_argument, NULL, MAIN_INTERVAL },
	{ "seconds", required_argument, NULL, MAIN_SECONDS },
	{ "url", required_argument, NULL, MAIN_URL },
	{ "size", required_argument, NULL, MAIN_SIZE },
	{ "wait", required_argument, NULL, MAIN_WAIT },
	{ "connect-rate", required_argument, NULL, MAIN_CONNECT_RATE },
	{ "processes", required_argument, NULL, MAIN_PROCESSES },
	{ "server-pid", required_argument, NULL, MAIN_SERVER_PID },
	{ "json", no_argument, NULL, MAIN_JSON },
	{ "help", no_argument, NULL, MAIN_HELP },
	{ NULL, 0, NULL, 0 },
};

/* One option; name and value as given. */
static void
main_set(
    struct load_options *o, int option, const char *name, const char *value)
{
	switch (option) {
	case MAIN_CLIENTS:
		o->clients = main_count(name, value, 1, 1000000);
		break;
	case MAIN_ROOM_SIZE:
		o->room_size = main_count(name, value, 1, 1000000);
		break;
	case MAIN_INTERVAL:
		o->interval = main_seconds(name, value, 0.0001, 86400);
		break;
	case MAIN_SECONDS:
		o->seconds = main_seconds(name, value, 0.001, 86400);
		break;
	case MAIN_URL:
		o->url = value;
		break;
	case MAIN_SIZE:
		o->size = main_count(name, value, LOAD_MESSAGE_MIN, 1 << 24);
		break;
	case MAIN_WAIT:
		o->wait = main_seconds(name, value, 0, 3600);
		break;
	case MAIN_CONNECT_RATE:
		o->connect_rate = main_count(name, value, 1, 1000000);
		break;
	case MAIN_PROCESSES:
		o->processes = main_count(name, value, 1, 1024);
		break;
	case MAIN_SERVER_PID:
		o->server_pid = (pid_t)main_count(name, value, 1, 1 << 30);
		break;
	case MAIN_JSON:
		o->json = true;
		break;
	case MAIN_HELP:
		fputs(usage, stdout);
		exit(0);
	default: /* getopt_long() has said what is wrong */
		fputs("pubsub-load --help tells the options\n", stderr);
		exit(2);
	}
}

static void
main_parse(struct load_options *o, int argc, char **argv)
{
	int option, index = 0;

	while (
	    (option = getopt_long(argc, argv, "", main_options, &index)) != -1)
		main_set(o, option, main_options[index].name, optarg);
	if (optind < argc) {
		fprintf(
		    stderr, "pubsub-load: %s: not an option\n", argv[optind]);
		exit(2);
	}
	if (o->room_size > o->clients)
		o->room_size = o->clients;
	if ((uint64_t)o->clients * o->room_size > PAIRS_MAX) {
		fputs(
		    "pubsub-load: --room-size: too many for so many clients\n",
		    stderr);
		exit(2);
	}
}

/* The mode, if it is the first option, is taken off. */
static const char *
main_mode(int *argc, char ***argv)
{
	char *program = **argv;
	const char *mode;

	if (*argc < 3 || strcmp((*argv)[1], "--mode") != 0)
		return "rooms";
	mode = (*argv)[2];
	*argc -= 2;
	*argv += 2;
	**argv = program;
	return mode;
}

int
main(int argc, char **argv)
{
	const char *mode = main_mode(&argc, &argv);
	struct load_options options = {
		.clients = 10000,
		.room_size = 10,
		.interval = 1,
		.seconds = 10,
		.wait = 5,
		.size = 100,
		.connect_rate = 5000,
		.url = "ws://localhost:8000/ws",
	};
	static struct load_target target;
	char why[LOAD_WHY_MAX];
	int status;

	if (strcmp(mode, "rooms") != 0)
		return bench_main(mode, argc, argv);
	main_parse(&options, argc, argv);
	status = load_target_find(&target, options.url, options.clients, why);
	if (status != 0) {
		fprintf(stderr, "pubsub-load: %s: %s\n", options.url, why);
		if (status == 1)
			fputs("scripts/run.sh starts a server\n", stderr);
		return status;
	}
	return load_run(&options, &target);
}
