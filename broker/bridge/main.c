/* SPDX-License-Identifier: MIT */
/*
 * main.c - pubsubd-bridge: the program that knows the servers of a cluster's log.
 *
 * pubsubd calls it, as bridge_args.h says: `serve' beside the workers, and the
 * words of `pubsubd cluster'.
 */

#include "broker/bridge/serve.h"
#include "broker/bridge/words.h"
#include "broker/cluster/bridge_args.h"
#include "common/log.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_CLUSTER = 1,
	OPT_CLUSTER_NAME,
	OPT_CREDS,
	OPT_TLS_CA,
	OPT_NAME,
	OPT_SEGMENT,
	OPT_ASIDE,
	OPT_LIFE,
	OPT_MAX_MESSAGE,
	OPT_LOG_LEVEL,
	OPT_DOORBELLS
};

static const struct option options[] = {
	{ "cluster", required_argument, NULL, OPT_CLUSTER },
	{ "cluster-name", required_argument, NULL, OPT_CLUSTER_NAME },
	{ "cluster-creds", required_argument, NULL, OPT_CREDS },
	{ "cluster-tls-ca", required_argument, NULL, OPT_TLS_CA },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "segment", required_argument, NULL, OPT_SEGMENT },
	{ "aside", required_argument, NULL, OPT_ASIDE },
	{ "life", required_argument, NULL, OPT_LIFE },
	{ "max-message", required_argument, NULL, OPT_MAX_MESSAGE },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "doorbells", required_argument, NULL, OPT_DOORBELLS },
	{ NULL, 0, NULL, 0 },
};

static void
bridge_read_doorbells(struct serve_options *o, const char *text)
{
	char *end;

	while (*text != '\0' && o->doorbells_count < LAYOUT_WORKERS) {
		o->doorbells[o->doorbells_count++] =
		    (int)strtol(text, &end, 10);
		text = *end == ',' ? end + 1 : end;
		if (end == text && *end != '\0')
			return;
	}
}

/* PLACE:DESCRIPTOR */
static void
bridge_read_aside(struct serve_options *o, const char *text)
{
	unsigned place;
	int fd;

	if (sscanf(text, "%u:%d", &place, &fd) == 2 &&
	    place < SEGMENT_ASIDE_MAX)
		o->asides[place] = fd;
}

/* Returns false if an option is none of ours. */
static bool
bridge_read_options(
    int argc, char **argv, struct serve_options *o, int *log_level)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (option) {
		case OPT_CLUSTER:
			if (o->link.servers_count == LINK_SERVERS_MAX)
				return false;
			o->link.servers[o->link.servers_count++] = optarg;
			break;
		case OPT_CLUSTER_NAME:
			o->link.name = optarg;
			break;
		case OPT_CREDS:
			o->link.creds = optarg;
			break;
		case OPT_TLS_CA:
			o->link.tls_ca = optarg;
			break;
		case OPT_NAME:
			o->name = optarg;
			break;
		case OPT_SEGMENT:
			o->segment = atoi(optarg);
			break;
		case OPT_ASIDE:
			bridge_read_aside(o, optarg);
			break;
		case OPT_LIFE:
			o->life = atoi(optarg);
			break;
		case OPT_MAX_MESSAGE:
			o->max_message = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case OPT_LOG_LEVEL:
			*log_level = atoi(optarg);
			break;
		case OPT_DOORBELLS:
			bridge_read_doorbells(o, optarg);
			break;
		default:
			return false;
		}
	return o->link.servers_count > 0 && o->link.name != NULL;
}

int
main(int argc, char **argv)
{
	struct serve_options o = { .segment = -1, .life = -1, .name = "" };
	char client[LINK_ERROR_MAX] = "", host[64] = "";
	int log_level = LOG_INFO, status;

	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		o.asides[i] = -1;
	if (argc < 2 ||
	    !bridge_read_options(argc - 1, argv + 1, &o, &log_level)) {
		fprintf(stderr, "pubsubd-bridge: pubsubd calls this; see "
				"pubsubd cluster\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	gethostname(host, sizeof(host) - 1);
	snprintf(client, sizeof(client), "%s/%s", host, o.name);
	o.link.client = client;
	log_open("bridge", STDERR_FILENO, (enum log_level)log_level);
	status = strcmp(argv[1], BRIDGE_SERVE) == 0
	             ? serve(&o)
	             : words_run(argv[1], &o.link);
	fflush(stdout);
	_exit(status); /* see link_open() */
}
