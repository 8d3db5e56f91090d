/* SPDX-License-Identifier: MIT */
/*
 * link.h - the connection to the servers of the log, by libnats.
 *
 * libnats has threads of its own.  They touch nothing of ours: a message that
 * comes is handed over by its address, through a pipe, to the one thread that
 * does everything else, and an end or a beginning of the connection is a count.
 *
 * Callers: the bridge; the command `cluster'.
 */

#ifndef BROKER_BRIDGE_LINK_H
#define BROKER_BRIDGE_LINK_H

#include <nats/nats.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_ERROR_MAX   512
#define LINK_SERVERS_MAX 16
#define LINK_WAIT_MS     2000 /* for an answer of a server */

struct link_options {
	const char *servers[LINK_SERVERS_MAX];
	int servers_count;
	const char *name;   /* of the cluster */
	const char *creds;  /* file; NULL: none */
	const char *tls_ca; /* likewise */
	const char *client; /* how the servers call us */
};

struct link {
	natsOptions *options;
	natsConnection *nc;
	jsCtx *js;
	natsSubscription *sub;
	char subject[80]; /* of the log */
	char stream[80];
	int pipe[2];        /* messages that have come; non-blocking to read */
	char questions[80]; /* subject of all hosts' questions */
	int questions_pipe[2]; /* these, and answers; non-blocking */
	_Atomic uint64_t reconnects;
	_Atomic bool is_closed; /* for good */
};

/* What is known of the stream. */
struct link_stream {
	uint64_t first, last; /* numbers of its messages; last < first: none */
	uint64_t bytes, messages;
	int64_t created_ns;
	int replicas;
	bool is_file;
};

/* Connect to any of the servers.  Tries once; later losses are made good in the
 * background.  It is open until the process ends, by
 * _exit(): threads of libnats still run then, and a bridge that destroyed what
 * they use died of SIGSEGV now and then.  Returns false with a reason. */
bool link_open(struct link *link, const struct link_options *options,
    char error[LINK_ERROR_MAX]);

/* Whether the server that we are connected to is one of 2.10 or later, before
 * which a log could split.  Returns false with a reason. */
bool link_check_server(struct link *link, char error[LINK_ERROR_MAX]);

/* Ask for the stream.  Returns false with a reason, *missing if there is none. */
bool link_ask(struct link *link, struct link_stream *stream, bool *missing,
    char error[LINK_ERROR_MAX]);

/* Make the stream: on three servers, or on one that is alone.  Returns false with
 * a reason, such as that fewer than three have found each other. */
bool link_create(struct link *link, char error[LINK_ERROR_MAX]);

/* Read from this message on: all that comes is in the pipe.  What was read
 * before is stopped, and forgotten. */
bool link_read(struct link *link, uint64_t from, char error[LINK_ERROR_MAX]);

/* The next message that has come; NULL: none.  Owns: the caller,
 * natsMsg_Destroy().  *number: in the stream; *behind: so many more are there. */
natsMsg *link_next(struct link *link, uint64_t *number, uint64_t *behind);

/* Publish, and hear nothing of it.  Blocks: a second at most. */
bool link_publish(struct link *link, const void *data, size_t len);

/* Publish, and wait until a quorum has it.  Returns whether one says so; then
 * *number: in the stream.  Blocks: LINK_WAIT_MS. */
bool link_publish_stored(
    struct link *link, const void *data, size_t len, uint64_t *number);

/* Publish if this is the stream's last message now.  Returns whether it was. */
bool link_publish_behind(
    struct link *link, const void *data, size_t len, uint64_t last);

bool link_is_up(const struct link *link);

/*
 * Hear what hosts ask, and what they answer to this one, whose ring is this as an
 * origin.  Who is not answered finds that out, so nothing is kept: what comes
 * while the pipe is full is dropped.
 * Returns false with a reason.
 */
bool link_hear_questions(
    struct link *link, uint64_t self, char error[LINK_ERROR_MAX]);

/* The next question or answer that has come; NULL: none.  Owns: the caller,
 * natsMsg_Destroy(). */
natsMsg *link_next_question(struct link *link);

/* Ask all hosts; or answer to one.  As link_publish(). */
bool link_ask_hosts(struct link *link, const void *data, size_t len);
bool link_answer_host(
    struct link *link, uint64_t origin, const void *data, size_t len);

#endif
