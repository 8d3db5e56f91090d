/* SPDX-License-Identifier: MIT */
/* serve.c - see serve.h, and state.h for the other file. */

#include "broker/bridge/serve.h"

#include "broker/bridge/state.h"
#include "broker/cluster/bridge_args.h"
#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds. */
#define SERVE_CHECKPOINT_MS 500  /* between two of them, at most */
#define SERVE_BACK_MS       1000 /* without progress: send again */
#define SERVE_SILENT_MS     4000 /* without a word: another server */
#define SERVE_LOCK_MS       5    /* until the next try for the lock */
#define SERVE_RETRY_MS      500  /* until servers are asked again */

/*
 * A checkpoint is due at the latest when so many bytes of others were taken, this
 * part of a ring or less: the others hold what they publish until they hear that
 * this host has it, and publish no more when a part of their rings is full.
 */
#define SERVE_CHECKPOINT_PART  64
#define SERVE_CHECKPOINT_BYTES (512u * 1024)

/* Less than the smallest part of the ring that makes a full outbox, one percent. */
#define SERVE_FREED_PART 256

/* Whether the supervisor is gone, and with it the workers that we are for. */
static bool
serve_is_over(struct bridge *b)
{
	struct pollfd life = { .fd = b->options->life, .events = POLLIN };
	uint64_t now = clock_monotonic_ms();

	if (b->leave_ms == 0 && poll(&life, 1, 0) == 1)
		b->leave_ms =
		    now + atomic_load(&b->seg.header->run.drain_ms) + 1;
	return b->leave_ms != 0 &&
	       (now >= b->leave_ms || atomic_load(&b->seg.header->sealed));
}

/* What has come back is done; nothing has for a while: go back. */
static void
serve_settle(struct bridge *b, uint64_t now)
{
	bool news = sender_came_back(
	    &b->sender, ring_origin_last(&b->seg, bridge_words(b)->self));

	if (news || !sender_is_waiting(&b->sender))
		b->progress_ms = b->went_back_ms = now;
	if (now - b->went_back_ms >= SERVE_BACK_MS) {
		b->went_back_ms = now;
		sender_go_back(&b->sender);
		bridge_count(b, CLUSTER_GO_BACKS);
	}
}

/* Note from where on the outbox waits.  Workers that it held back, full, are told
 * when it has moved on: what is let go is no message for any of them. */
static void
serve_note_outbox(struct bridge *b)
{
	uint64_t from = sender_waits_from(&b->sender);
	uint64_t freed_to = from != 0 ? from : ring_head(&b->seg);

	atomic_store(&bridge_words(b)->waits_from, from);
	if (freed_to < b->freed_to + b->seg.ring_size / SERVE_FREED_PART)
		return;
	b->freed_to = freed_to;
	for (unsigned slot = 0; slot < b->wakeup.self; slot++)
		wakeup_ring(&b->wakeup, slot);
}

/* From the ring into the log.  Returns BRIDGE_DONE, or the exit status. */
static int
serve_send(struct bridge *b)
{
	const struct buf *batch;

	if (!sender_fill(&b->sender)) {
		log_errorx("messages were overwritten before they were sent "
			   "to the log, or are damaged");
		return BRIDGE_RENEW;
	}
	sender_came_back(
	    &b->sender, ring_origin_last(&b->seg, bridge_words(b)->self));
	serve_note_outbox(b);
	if (!link_is_up(&b->link) || b->verify_ms != 0)
		return BRIDGE_DONE;
	while ((batch = sender_next(&b->sender)) != NULL) {
		/* send-1: and hear nothing of it */
		if (!link_publish(&b->link, batch->at, batch->len))
			break; /* it is sent again, as any that is lost */
		bridge_count(b, CLUSTER_SENT);
	}
	return BRIDGE_DONE;
}

/* Whether the others are to hear how far this host is. */
static bool
serve_is_checkpoint_due(const struct bridge *b, uint64_t now)
{
	uint64_t part = b->seg.ring_size / SERVE_CHECKPOINT_PART;

	return now >= b->checkpoint_ms ||
	       b->taken_bytes >= SERVE_CHECKPOINT_BYTES ||
	       b->taken_bytes >= part;
}

static void
serve_checkpoint(struct bridge *b, uint64_t now)
{
	struct ring_log_state state;

	if (!serve_is_checkpoint_due(b, now))
		return;
	b->checkpoint_ms = now + SERVE_CHECKPOINT_MS;
	b->taken_bytes = 0;
	atomic_fetch_add_explicit(
	    &b->seg.workers[b->ring.self].beat, 1, memory_order_relaxed);
	bridge_set(b, CLUSTER_CONNECTED, link_is_up(&b->link));
	if (!link_is_up(&b->link) || b->verify_ms != 0)
		return;
	ring_log_state(&b->seg, &state);
	log_checkpoint(
	    &b->text, LOG_CHECKPOINT, bridge_words(b)->self, b->client, &state);
	link_publish(&b->link, b->text.at, b->text.len);
}

/* The connection was lost and made anew: what was under way may be lost. */
static void
serve_look_at_link(struct bridge *b)
{
	uint64_t reconnects = atomic_load(&b->link.reconnects);

	if (reconnects == b->reconnects)
		return;
	log_info("connected to a server of the cluster again");
	b->reconnects = reconnects;
	bridge_set(b, CLUSTER_RECONNECTS, reconnects);
	sender_go_back(&b->sender);
	asides_go_back(&b->asides);
	b->verify_ms = 1;
}

/* After a loss of the connection: is the stream the one that we had joined?  Its
 * servers may have lost it, and somebody made it anew.  Returns BRIDGE_DONE, or
 * the exit status. */
static int
serve_verify(struct bridge *b, uint64_t now)
{
	char error[LINK_ERROR_MAX];
	bool missing;

	if (b->verify_ms == 0 || now < b->verify_ms || !link_is_up(&b->link))
		return BRIDGE_DONE;
	b->verify_ms = now + SERVE_RETRY_MS;
	if (link_ask(&b->link, &b->stream, &missing, error)) {
		b->verify_ms = 0;
		return bridge_verify(b);
	}
	if (!missing)
		return BRIDGE_DONE; /* they elect a leader perhaps */
	log_errorx("the log is gone: %s", error);
	return BRIDGE_FAILED;
}

/* Nothing of the log for too long, or nothing of ours in it, although we are
 * connected: begin anew, with any server. */
static bool
serve_is_stuck(const struct bridge *b, uint64_t now)
{
	return atomic_load(&b->link.is_closed) ||
	       (link_is_up(&b->link) &&
		   (now - b->heard_ms >= SERVE_SILENT_MS ||
		       now - b->progress_ms >= SERVE_SILENT_MS));
}

/* What this host's workers ask the others, and the others it. */
static void
serve_questions(struct bridge *b, uint64_t now)
{
	struct host_message head;
	natsMsg *msg;

	while ((msg = link_next_question(&b->link)) != NULL) {
		const char *data = natsMsg_GetData(msg);
		size_t len = (size_t)natsMsg_GetDataLength(msg);
		bool is_one = host_message_read(data, len, &head) &&
		              head.origin != bridge_words(b)->self;

		if (is_one && head.kind == HOST_ASKS) {
			telling_take(&b->telling, msg);
			continue;
		}
		if (is_one)
			asking_answered(&b->asking, &head,
			    data + HOST_MESSAGE_HEAD, len - HOST_MESSAGE_HEAD);
		natsMsg_Destroy(msg);
	}
	asking_turn(&b->asking, now);
	b->tells_late = !telling_turn(&b->telling);
}

/* How long to wait for events, milliseconds, at most until the next
 * checkpoint. */
static int
serve_timeout(const struct bridge *b, uint64_t now)
{
	int timeout =
	    b->checkpoint_ms > now ? (int)(b->checkpoint_ms - now) : 0;
	int due = asking_due_in(&b->asking, now);

	if (due != -1 && due < timeout)
		timeout = due;
	if ((b->first < b->count || b->tells_late) && timeout > SERVE_LOCK_MS)
		timeout = SERVE_LOCK_MS;
	if (telling_has_work(&b->telling) && !b->tells_late)
		timeout = 0;
	return timeout;
}

/* Wait for a doorbell, a message, or the next checkpoint. */
static void
serve_wait(struct bridge *b)
{
	struct pollfd fds[] = {
		{ .fd = b->wakeup.fd[b->wakeup.self], .events = POLLIN },
		{ .fd = b->link.questions_pipe[0], .events = POLLIN },
		/* Not while those that have come wait. */
		{ .fd = b->first < b->count ? -1 : b->link.pipe[0],
		    .events = POLLIN },
	};
	int timeout = serve_timeout(b, clock_monotonic_ms());

	wakeup_fall_asleep(&b->wakeup);
	/* The look: what came before it rings no doorbell. */
	if (atomic_load(&bridge_words(b)->out) > b->sender.gathered.newest)
		timeout = 0;
	poll(fds, sizeof(fds) / sizeof(fds[0]), timeout);
	wakeup_get_up(&b->wakeup);
	wakeup_clear(&b->wakeup);
}

static int
serve_turn(struct bridge *b)
{
	uint64_t now = clock_monotonic_ms();
	int status;

	serve_look_at_link(b);
	status = serve_verify(b, now);
	if (status == BRIDGE_DONE)
		status = bridge_receive(b, now);
	if (status != BRIDGE_DONE)
		return status;
	serve_settle(b, now);
	/* First: it is older. */
	asides_turn(&b->asides,
	    atomic_load(&bridge_words(b)->pos) >> LAYOUT_PLACE_BITS <
		b->stream.last,
	    link_is_up(&b->link) && b->verify_ms == 0, now);
	status = serve_send(b);
	if (status != BRIDGE_DONE)
		return status;
	serve_checkpoint(b, now);
	serve_questions(b, now);
	if (serve_is_stuck(b, now)) {
		log_warnx("nothing comes of the log: trying another server");
		return BRIDGE_FAILED;
	}
	return BRIDGE_DONE;
}

/* Connect, and know the stream.  Returns BRIDGE_DONE, or the exit status. */
static int
serve_connect(struct bridge *b)
{
	char error[LINK_ERROR_MAX];
	bool missing = false;

	if (!link_open(&b->link, &b->options->link, error)) {
		log_errorx("no server of the cluster: %s", error);
		return BRIDGE_FAILED;
	}
	if (!link_check_server(&b->link, error)) {
		log_errorx("%s", error);
		return BRIDGE_FAILED;
	}
	while (!link_ask(&b->link, &b->stream, &missing, error)) {
		if (missing)
			log_errorx(
			    "there is no log of the name %s yet: make it "
			    "with `pubsubd cluster init'",
			    b->options->link.name);
		if (missing || serve_is_over(b))
			return BRIDGE_FAILED;
		log_warnx("%s", error);
		poll(NULL, 0, SERVE_RETRY_MS);
	}
	if ((uint64_t)natsConnection_GetMaxPayload(b->link.nc) <
	    ring_record_max(b->options->max_message) + LOG_BYTES_MAX) {
		log_errorx("the server takes messages of %" PRId64
			   " bytes: raise its max_payload, or lower "
			   "--max-message",
		    natsConnection_GetMaxPayload(b->link.nc));
		return BRIDGE_FAILED;
	}
	return BRIDGE_DONE;
}

static bool
serve_open(struct bridge *b)
{
	const struct serve_options *o = b->options;
	char error[SEGMENT_ERROR_MAX];
	unsigned self;

	if (segment_adopt(&b->seg, o->segment, o->name, error) != SEGMENT_OK) {
		log_errorx("%s", error);
		return false;
	}
	self = ring_bridge_slot(&b->seg);
	if (o->doorbells_count != self + 1) {
		log_errorx(
		    "%u doorbells, and %u workers", o->doorbells_count, self);
		return false;
	}
	wakeup_adopt(&b->wakeup, &b->seg, o->doorbells, o->doorbells_count);
	wakeup_claim_slot(&b->wakeup, self);
	ring_attach(&b->ring, &b->seg, self);
	buf_init(&b->text);
	return true;
}

/* Returns BRIDGE_DONE, or the exit status. */
static int
serve_hear_questions(struct bridge *b, bool meets)
{
	char error[LINK_ERROR_MAX];

	asking_init(&b->asking, &b->seg, &b->wakeup, &b->link, meets,
	    clock_monotonic_ms());
	telling_init(&b->telling, &b->ring, &b->link);
	if (link_hear_questions(&b->link, bridge_words(b)->self, error))
		return BRIDGE_DONE;
	log_errorx("%s", error);
	return BRIDGE_FAILED;
}

int
serve(const struct serve_options *options)
{
	static struct bridge bridge;
	struct bridge *b = &bridge;
	bool meets;
	int status;

	b->options = options;
	b->client = options->link.client;
	if (!serve_open(b))
		return BRIDGE_FAILED;
	meets = atomic_load(&bridge_words(b)->joined) == 0;
	status = serve_connect(b);
	if (status == BRIDGE_DONE)
		status = bridge_join(b);
	if (status == BRIDGE_DONE)
		status = serve_hear_questions(b, meets);
	if (status != BRIDGE_DONE)
		return status;
	ingest_init(&b->in, &b->ring, options->max_message);
	sender_init(&b->sender, &b->seg);
	asides_open(
	    &b->asides, &b->seg, &b->link, options->asides, options->name);
	b->progress_ms = b->went_back_ms = b->heard_ms = clock_monotonic_ms();
	while (status == BRIDGE_DONE && !serve_is_over(b)) {
		status = serve_turn(b);
		if (status == BRIDGE_DONE)
			serve_wait(b);
	}
	bridge_set(b, CLUSTER_CONNECTED, 0);
	return status;
}
