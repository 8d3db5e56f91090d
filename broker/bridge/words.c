/* SPDX-License-Identifier: MIT */
/*
 * words.c - see words.h.
 *
 *	init    makes the stream, or says that there is one
 *	status  listens to the log for a while and tells of the hosts
 *	check   the same in an exit status: 0 if every host that is heard goes
 *	        on, and all have the same log
 */

#include "broker/bridge/words.h"

#include "broker/cluster/log_message.h"
#include "common/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Hosts speak twice a second. */
#define WORDS_LISTEN_MS 1300

/* A server that has just started, or servers that elect a leader, do not answer
 * for some seconds: a look at a rolling restart is no alarm. */
#define WORDS_PATIENCE_MS 20000
#define WORDS_RETRY_MS    100

#define WORDS_HOSTS 64u

struct words_host {
	uint64_t origin;
	struct ring_log_state state; /* of its last checkpoint */
	uint64_t number;             /* the message that it was */
	unsigned said;               /* checkpoints heard */
	char name[LOG_NAME + 1];
};

struct words_hosts {
	struct words_host host[WORDS_HOSTS];
	unsigned count;
	uint64_t last; /* message of the stream */
};

static void
words_note(
    struct words_hosts *hosts, const void *data, size_t len, uint64_t number)
{
	struct words_host *host = NULL;
	struct log_head head;

	hosts->last = number;
	if (!log_read(data, len, &head) || head.kind != LOG_CHECKPOINT)
		return;
	for (unsigned i = 0; i < hosts->count; i++)
		if (hosts->host[i].origin == head.origin)
			host = &hosts->host[i];
	if (host == NULL && hosts->count == WORDS_HOSTS)
		return;
	if (host == NULL)
		host = &hosts->host[hosts->count++];
	host->origin = head.origin;
	host->number = number;
	host->said++;
	log_read_state(data, &host->state, host->name);
}

/* Listen to what is said from now on. */
static bool
words_listen(struct link *link, const struct link_stream *stream,
    struct words_hosts *hosts, char error[LINK_ERROR_MAX])
{
	uint64_t until = clock_monotonic_ms() + WORDS_LISTEN_MS;
	uint64_t number, behind;
	natsMsg *msg;

	memset(hosts, 0, sizeof(*hosts));
	hosts->last = stream->last;
	if (!link_read(link, stream->last + 1, error))
		return false;
	while (clock_monotonic_ms() < until) {
		struct pollfd fd = { .fd = link->pipe[0], .events = POLLIN };

		poll(&fd, 1, 100);
		while ((msg = link_next(link, &number, &behind)) != NULL) {
			words_note(hosts, natsMsg_GetData(msg),
			    (size_t)natsMsg_GetDataLength(msg), number);
			natsMsg_Destroy(msg);
		}
	}
	return true;
}

/* Whether two hosts that stand at the same place have another hash. */
static const struct words_host *
words_differs(const struct words_hosts *hosts, const struct words_host *host)
{
	for (unsigned i = 0; i < hosts->count; i++)
		if (hosts->host[i].state.pos == host->state.pos &&
		    hosts->host[i].state.hash != host->state.hash)
			return &hosts->host[i];
	return NULL;
}

static int
words_init(struct link *link)
{
	char error[LINK_ERROR_MAX];
	struct link_stream stream;
	bool missing = false, made = false;

	if (!link_ask(link, &stream, &missing, error)) {
		if (!missing)
			return fprintf(stderr, "pubsubd: %s\n", error), 1;
		if (!link_create(link, error)) {
			fprintf(stderr,
			    "pubsubd: %s: a log is made on three servers that "
			    "have found each other, or on one alone\n",
			    error);
			return 1;
		}
		if (!link_ask(link, &stream, &missing, error))
			return fprintf(stderr, "pubsubd: %s\n", error), 1;
		made = true;
	}
	printf("%s %s: replicas %d, %s storage\n", link->stream,
	    made ? "made" : "is there", stream.replicas,
	    stream.is_file ? "file" : "memory");
	if (stream.replicas < 3)
		printf("with fewer than 3 replicas the log does not survive "
		       "the loss of a server\n");
	return 0;
}

/* Ask for the stream and listen to it, again until servers answer. */
static bool
words_look(struct link *link, struct link_stream *stream,
    struct words_hosts *hosts, char error[LINK_ERROR_MAX])
{
	uint64_t until = clock_monotonic_ms() + WORDS_PATIENCE_MS;
	bool missing = false;

	while (!link_ask(link, stream, &missing, error) ||
	       !words_listen(link, stream, hosts, error)) {
		if (missing || clock_monotonic_ms() >= until)
			return false;
		poll(NULL, 0, WORDS_RETRY_MS);
	}
	return true;
}

/* Tell of the hosts, unless only the exit status is wanted. */
static int
words_status(struct link *link, bool quiet)
{
	static struct words_hosts hosts;
	char error[LINK_ERROR_MAX];
	struct link_stream stream;
	bool bad = false;

	if (!words_look(link, &stream, &hosts, error))
		return fprintf(stderr, "pubsubd: %s\n", error), 1;
	if (!quiet)
		printf("%s: messages %" PRIu64 " to %" PRIu64
		       ", replicas %d, %u hosts\n",
		    link->stream, stream.first, hosts.last, stream.replicas,
		    hosts.count);
	for (unsigned i = 0; i < hosts.count; i++) {
		const struct words_host *host = &hosts.host[i];
		uint64_t at = host->state.pos >> LAYOUT_PLACE_BITS;
		bool differs = words_differs(&hosts, host) != NULL;

		bad = bad || differs;
		if (!quiet)
			printf("%s  at %" PRIu64 "  behind %" PRIu64
			       "  hash %016" PRIx64 "%s\n",
			    host->name, at, host->number - 1 - at,
			    host->state.hash, differs ? "  ANOTHER LOG" : "");
	}
	if (quiet && hosts.count == 0)
		fprintf(stderr, "pubsubd: no host is heard of\n");
	if (quiet && bad)
		fprintf(stderr, "pubsubd: hosts have different logs\n");
	return bad || (quiet && hosts.count == 0);
}

int
words_run(const char *word, const struct link_options *options)
{
	char error[LINK_ERROR_MAX];
	struct link link;
	int status;

	if (strcmp(word, "init") != 0 && strcmp(word, "status") != 0 &&
	    strcmp(word, "check") != 0) {
		fprintf(stderr,
		    "pubsubd: cluster: init, status or check, not %s\n", word);
		return 2;
	}
	if (!link_open(&link, options, error)) {
		fprintf(stderr, "pubsubd: %s\n", error);
		return 1;
	}
	if (!link_check_server(&link, error)) {
		fprintf(stderr, "pubsubd: %s\n", error);
		status = 1;
	} else if (strcmp(word, "init") == 0) {
		status = words_init(&link);
	} else {
		status = words_status(&link, strcmp(word, "check") == 0);
	}
	return status;
}
