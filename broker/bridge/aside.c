/* SPDX-License-Identifier: MIT */
/* aside.c - see aside.h. */

#include "broker/bridge/aside.h"

#include "broker/bridge/link.h"
#include "common/log.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#define ASIDE_BACK_MS 1000 /* without progress: send again */

static void
aside_count(struct asides *as, enum layout_cluster_counter which)
{
	atomic_fetch_add_explicit(
	    &as->seg->header->cluster.counters[which], 1, memory_order_relaxed);
}

static const struct layout_cluster *
aside_words(const struct aside *one)
{
	return &one->seg.header->cluster;
}

/* The log has its records up to this number. */
static uint64_t
aside_back(const struct asides *as, const struct aside *one)
{
	return ring_origin_last(as->seg, aside_words(one)->self);
}

/* Nobody needs it any more. */
static void
aside_done(struct asides *as, struct aside *one)
{
	if (one->has_begun)
		sender_fini(&one->sender);
	if (one->seg.header != NULL)
		segment_close(&one->seg);
	one->has_begun = false;
	atomic_fetch_or(&as->seg->header->cluster.asides_done,
	    UINT32_C(1) << (one - as->at));
}

/* Nobody can have what it has. */
static void
aside_drop_damaged(struct asides *as, struct aside *one)
{
	log_errorx("the ring of epoch %s is damaged: what it had not sent is "
		   "lost",
	    one->seg.header->epoch);
	aside_done(as, one);
}

static void
aside_open(struct asides *as, struct aside *one, int fd, const char *name)
{
	char error[SEGMENT_ERROR_MAX];

	switch (segment_adopt(&one->seg, fd, name, error)) {
	case SEGMENT_OK:
		/* An origin has one ring. */
		if (!ring_outbox_sound(&one->seg) ||
		    aside_words(one)->self == as->seg->header->cluster.self)
			aside_drop_damaged(as, one);
		break;
	case SEGMENT_FAILED:
		log_errorx(
		    "a ring that was given up waits for the next bridge: "
		    "%s",
		    error);
		break;
	default:
		log_errorx("what a ring that was given up had not sent is "
			   "lost: %s",
		    error);
		aside_done(as, one);
	}
}

void
asides_open(struct asides *as, const struct segment *seg, struct link *link,
    const int fds[SEGMENT_ASIDE_MAX], const char *name)
{
	char own[SEGMENT_ASIDE_NAME_MAX];

	memset(as, 0, sizeof(*as));
	as->seg = seg;
	as->link = link;
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		if (fds[i] == -1)
			continue;
		segment_aside_name(own, name, i);
		aside_open(as, &as->at[i], fds[i], own);
		close(fds[i]);
	}
}

static void
aside_begin(struct asides *as, struct aside *one, uint64_t now)
{
	const struct layout_cluster *c = aside_words(one);
	uint64_t last = aside_back(as, one);

	log_info("the ring of epoch %s, which was given up, has %" PRIu64
		 " messages; the log has them up to %" PRIu64
		 ", another host up to %" PRIu64,
	    one->seg.header->epoch, atomic_load(&c->out), last,
	    atomic_load(&c->confirmed));
	/* aside-2: behind what the log has of it */
	sender_init_aside(&one->sender, &one->seg, last);
	one->has_begun = true;
	one->progress_ms = now;
}

/* Whether another host has all of it, and so has the log; but a log that knows
 * nothing of the ring was begun since, and needs no more than was not confirmed. */
static bool
aside_is_over(const struct asides *as, const struct aside *one)
{
	const struct layout_cluster *c = aside_words(one);
	uint64_t back = aside_back(as, one), out = atomic_load(&c->out);

	return atomic_load(&c->confirmed) >= out && (back == 0 || back >= out);
}

/* What has come back is done; nothing has for a while: go back. */
static void
aside_settle(struct asides *as, struct aside *one, uint64_t now)
{
	if (sender_came_back(&one->sender, aside_back(as, one)) ||
	    !sender_is_waiting(&one->sender))
		one->progress_ms = now;
	if (now - one->progress_ms < ASIDE_BACK_MS)
		return;
	one->progress_ms = now;
	sender_go_back(&one->sender);
	aside_count(as, CLUSTER_GO_BACKS);
}

/* Returns false if the ring cannot be read on. */
static bool
aside_send(struct asides *as, struct aside *one, bool may_send)
{
	const struct buf *batch;

	if (!sender_fill(&one->sender))
		return false;
	sender_came_back(&one->sender, aside_back(as, one));
	while (may_send && (batch = sender_next(&one->sender)) != NULL) {
		if (!link_publish(as->link, batch->at, batch->len))
			break; /* it is sent again */
		aside_count(as, CLUSTER_SENT);
	}
	return true;
}

void
asides_turn(struct asides *as, bool is_new, bool may_send, uint64_t now)
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		struct aside *one = &as->at[i];

		if (one->seg.header == NULL || (is_new && !one->has_begun))
			continue;
		if (!one->has_begun)
			aside_begin(as, one, now);
		aside_settle(as, one, now);
		if (aside_is_over(as, one)) {
			log_info("the ring of epoch %s is needed no more",
			    one->seg.header->epoch);
			aside_done(as, one);
		} else if (!aside_send(as, one, may_send)) {
			aside_drop_damaged(as, one);
		}
	}
}

void
asides_go_back(struct asides *as)
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		if (as->at[i].has_begun)
			sender_go_back(&as->at[i].sender);
}

void
asides_skipped(struct asides *as, const struct log_head *head)
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		struct aside *one = &as->at[i];

		if (!one->has_begun || head->origin != aside_words(one)->self ||
		    head->round != one->sender.round ||
		    head->prev + head->count <= aside_back(as, one))
			continue;
		sender_go_back(&one->sender);
		aside_count(as, CLUSTER_GO_BACKS);
	}
}

void
asides_confirm(struct asides *as, const struct ring_log_state *state)
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		struct aside *one = &as->at[i];

		if (one->has_begun)
			sender_confirm(&one->sender,
			    state != NULL
				? ring_state_last(state, aside_words(one)->self)
				: UINT64_MAX,
			    aside_back(as, one));
	}
}

bool
asides_have(const struct asides *as, uint64_t origin)
{
	for (unsigned i = 0; i < SEGMENT_ASIDE_MAX; i++)
		if (as->at[i].seg.header != NULL &&
		    aside_words(&as->at[i])->self == origin)
			return true;
	return false;
}
