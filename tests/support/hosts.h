/* SPDX-License-Identifier: MIT */
/*
 * hosts.h - hosts of a cluster in plain memory, and the stream between them: an
 * array of messages, numbered from 1.
 */

#ifndef TESTS_SUPPORT_HOSTS_H
#define TESTS_SUPPORT_HOSTS_H

#include "broker/cluster/ingest.h"
#include "broker/cluster/sender.h"
#include "tests/support/testseg.h"

#include <stddef.h>
#include <stdint.h>

#define HOSTS_BODY_MAX   512u /* bytes of a message */
#define HOSTS_STREAM_MAX 4096u

struct host {
	struct testseg t;
	struct ring ring; /* of its bridge */
	struct ingest in;
	struct sender sender;
};

struct stream {
	struct buf messages[HOSTS_STREAM_MAX + 1]; /* by number */
	uint64_t last;
};

/* A host whose ring begins with the stream. */
void host_open(struct host *host, uint64_t ring_size, uint32_t topics_max);
void host_close(struct host *host);

/* A client of the host publishes: into the outbox.  Returns its number there. */
uint64_t host_accept(struct host *host, const char *topic, const char *text);

/* The same in local mode: a message of the host at once. */
uint64_t host_publish(struct host *host, const char *topic, const char *text);

/* The host goes local: what only waits becomes messages.  Returns whom that
 * wakes. */
uint64_t host_show(struct host *host);

/* The bridge sends what waits; the stream has it at once. */
void host_send(struct host *host, struct stream *stream);

/* The bridge says where it stands. */
void host_checkpoint(struct host *host, struct stream *stream);

/* The bridge takes one message of the stream. */
enum ingest_result host_take(
    struct host *host, const struct stream *stream, uint64_t message);

/* The bridge takes all that it has not; each is what it can go on with. */
void host_catch_up(struct host *host, const struct stream *stream);

/* Add a message to the stream.  Returns its number. */
uint64_t stream_add(struct stream *stream, const void *data, size_t len);
void stream_close(struct stream *stream);

#endif
