/* SPDX-License-Identifier: MIT */
/*
 * join.c - begin with a log, or go on with it; see state.h.
 *
 *	a new ring      read the log from about a ring's bytes back, or from
 *	                further back, and take the first checkpoint as the state
 *	                to begin with
 *	no checkpoint   nobody has said anything for as long as the stream goes
 *	                back: a genesis, by whoever is first
 *	a ring that     read on behind what it has, if the stream is the same
 *	 has joined     one and has not lost that
 */

#include "broker/bridge/state.h"
#include "broker/cluster/bridge_args.h"
#include "common/clock.h"
#include "common/log.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* How long the stream may take to show what it has, milliseconds. */
#define JOIN_PATIENCE_MS 5000

/* Tries, at each of which another host may have been first, or servers elect a
 * leader and do not answer. */
#define JOIN_TRIES    5
#define JOIN_RETRY_MS 500 /* milliseconds */

/* So many times further back, if there was no checkpoint. */
#define JOIN_FURTHER 16

/* Take the ring's lock, however long others have it: the watchdog sees to
 * them. */
static void
join_lock(struct bridge *b)
{
	while (ring_lock(&b->ring) != RING_OK)
		poll(NULL, 0, 5);
}

/* The name of a stream's life: when it was made, in nanoseconds. */
static void
join_stream_name(const struct link_stream *stream, char name[LAYOUT_STREAM])
{
	snprintf(name, LAYOUT_STREAM, "%" PRIx64, (uint64_t)stream->created_ns);
}

/* Where to look for a checkpoint: as many messages back as a ring has place for,
 * or more each time. */
static uint64_t
join_look_from(const struct bridge *b, unsigned rings)
{
	const struct link_stream *s = &b->stream;
	uint64_t each, back;

	if (s->messages == 0)
		return s->last + 1;
	each = s->bytes / s->messages + 1;
	back = b->seg.ring_size / each * rings;
	return s->last > s->first + back ? s->last - back : s->first;
}

/* Whether a message is a state that one can begin with; then what it is. */
static bool
join_is_state(const struct bridge *b, natsMsg *msg, uint64_t number,
    struct ring_log_state *state)
{
	const char *data = natsMsg_GetData(msg);
	size_t len = (size_t)natsMsg_GetDataLength(msg);
	char name[LOG_NAME + 1];
	struct log_head head;

	if (!log_read(data, len, &head) || head.kind == LOG_BATCH ||
	    head.kind == LOG_LOST)
		return false;
	/* join-1: a checkpoint, or where the log begins */
	log_read_state(data, state, name);
	if (head.kind == LOG_GENESIS) {
		*state = (struct ring_log_state){
			.pos = number << LAYOUT_PLACE_BITS | LAYOUT_PLACE_INDEX
		};
		return true;
	}
	/* What follows it has to be there. */
	return state->pos >> LAYOUT_PLACE_BITS < number &&
	       (state->pos >> LAYOUT_PLACE_BITS) + 1 >= b->stream.first;
}

enum join_found {
	JOIN_FOUND = 0,
	JOIN_NONE,    /* all that is there was read */
	JOIN_UNKNOWN, /* it did not come in time */
};

/* Read until there is a state, or no message is left. */
static enum join_found
join_find(struct bridge *b, struct ring_log_state *state)
{
	uint64_t until = clock_monotonic_ms() + JOIN_PATIENCE_MS;
	uint64_t number = 0, behind = b->stream.messages;
	natsMsg *msg;

	while (behind > 0 && clock_monotonic_ms() < until) {
		struct pollfd fd = { .fd = b->link.pipe[0], .events = POLLIN };

		poll(&fd, 1, 100);
		while ((msg = link_next(&b->link, &number, &behind)) != NULL) {
			bool found = join_is_state(b, msg, number, state);

			natsMsg_Destroy(msg);
			if (found)
				return JOIN_FOUND;
		}
	}
	return behind == 0 ? JOIN_NONE : JOIN_UNKNOWN;
}

/* Begin the log, if nobody else does. */
static void
join_begin_log(struct bridge *b)
{
	const struct ring_log_state none = { .pos = 0 };

	log_checkpoint(&b->text, LOG_GENESIS, b->seg.header->cluster.self,
	    b->client, &none);
	if (link_publish_behind(
		&b->link, b->text.at, b->text.len, b->stream.last))
		log_info("the log begins with this host");
}

/* Read the log from a message on.  Blocks: some seconds, while servers elect a
 * leader. */
static bool
join_read(struct bridge *b, uint64_t from, char error[LINK_ERROR_MAX])
{
	for (int i = 0; i < JOIN_TRIES; i++) {
		if (link_read(&b->link, from, error))
			return true;
		log_warnx("%s", error);
		poll(NULL, 0, JOIN_RETRY_MS);
	}
	return false;
}

/* The ring begins with this state. */
static void
join_take(
    struct bridge *b, const struct ring_log_state *state, const char *name)
{
	join_lock(b);
	ring_log_join(&b->ring, state, name, b->stream.last);
	ring_unlock(&b->ring);
	log_info("joined the log %s at message %" PRIu64, name,
	    state->pos >> LAYOUT_PLACE_BITS);
}

/* A log without a state is begun, but only if all of it was looked at: a genesis
 * in the midst of one costs each host its ring. */
static int
join_anew(struct bridge *b, const char *name)
{
	char error[LINK_ERROR_MAX] = "others were first each time";
	struct ring_log_state state;
	unsigned rings = 1;
	bool missing;

	for (int i = 0; i < JOIN_TRIES; i++) {
		uint64_t from = join_look_from(b, rings);
		bool is_all =
		    from <= b->stream.first || b->stream.messages == 0;

		if (!join_read(b, from, error))
			break;
		switch (join_find(b, &state)) {
		case JOIN_FOUND:
			join_take(b, &state, name);
			return BRIDGE_DONE;
		case JOIN_NONE:
			rings *= JOIN_FURTHER;
			if (is_all)
				join_begin_log(b);
			break;
		case JOIN_UNKNOWN:
			log_warnx("the log is not shown to its end");
			break;
		}
		/* What is not known is found out in the next turn. */
		if (!link_ask(&b->link, &b->stream, &missing, error))
			log_warnx("%s", error);
	}
	log_errorx("cannot join the log: %s", error);
	return BRIDGE_FAILED;
}

/*
 * The log ends before what this host has, says a server.  It may be one that is
 * cut off from the others and does not know of the rest, and that led them before
 * and has not noticed: a quorum decides.  What one takes from us now is the log's
 * end.  Returns BRIDGE_DONE, or the exit status.
 */
static int
join_verify_end(struct bridge *b, uint64_t known)
{
	struct ring_log_state state;
	uint64_t number;

	ring_log_state(&b->seg, &state);
	log_checkpoint(&b->text, LOG_CHECKPOINT, b->seg.header->cluster.self,
	    b->client, &state);
	if (!link_publish_stored(&b->link, b->text.at, b->text.len, &number)) {
		log_warnx("a server has the log to %" PRIu64 ", this host to "
			  "%" PRIu64 ": trying another server",
		    b->stream.last, known);
		return BRIDGE_FAILED;
	}
	if (number > known)
		return BRIDGE_DONE;
	log_errorx("the log has lost what this host has: it ends with message "
		   "%" PRIu64 ", this host has %" PRIu64,
	    number, known);
	return BRIDGE_RENEW;
}

int
bridge_verify(struct bridge *b)
{
	const struct layout_cluster *c = &b->seg.header->cluster;
	uint64_t known = atomic_load(&c->pos) >> LAYOUT_PLACE_BITS;
	char name[LAYOUT_STREAM];

	join_stream_name(&b->stream, name);
	if (strcmp(c->stream, name) != 0) {
		log_errorx(
		    "the log is another one: %s, not %s", name, c->stream);
		return BRIDGE_RENEW;
	}
	if (b->stream.last < known)
		return join_verify_end(b, known);
	if (b->stream.first > known + 1) {
		log_errorx("the log has lost what this host needs: it has "
			   "messages %" PRIu64 " to %" PRIu64
			   ", behind %" PRIu64,
		    b->stream.first, b->stream.last, known);
		return BRIDGE_RENEW;
	}
	return BRIDGE_DONE;
}

int
bridge_join(struct bridge *b)
{
	const struct layout_cluster *c = &b->seg.header->cluster;
	char name[LAYOUT_STREAM], error[LINK_ERROR_MAX];
	uint64_t known;
	int status;

	/* A predecessor may have died in the midst of noting what it had put into
	 * the ring.  A checkpoint of such words would be another log's. */
	join_lock(b);
	ring_unlock(&b->ring);
	join_stream_name(&b->stream, name);
	status = atomic_load(&c->joined) != 0 ? bridge_verify(b)
	                                      : join_anew(b, name);
	if (status != BRIDGE_DONE)
		return status;
	/* read-1: the message once more of which perhaps half is in the ring */
	known = atomic_load(&c->pos) >> LAYOUT_PLACE_BITS;
	if (join_read(b, known > 0 ? known : 1, error))
		return BRIDGE_DONE;
	log_errorx("cannot read the log: %s", error);
	return BRIDGE_FAILED;
}
