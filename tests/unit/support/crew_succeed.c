/* SPDX-License-Identifier: MIT */
/* crew_succeed.c - one worker in the place of another; see crew.h. */

#include "broker/ring/topics.h"
#include "common/bug.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"
#include "worker/delivery/adopt.h"
#include "worker/handover/conn_record.h"
#include "worker/handover/conn_restore.h"
#include "worker/handover/conn_save.h"
#include "worker/open.h"
#include "worker/take_over.h"

#include <unistd.h>

/* Make a connection again of what is written of it. */
static void
crew_move_conn(struct crew *crew, struct conn *c)
{
	struct hub *to = &crew->w[1].hub;
	struct conn_record record;
	struct buf before, after;
	struct conn *made;

	buf_init(&before);
	buf_init(&after);
	assert_true(conn_is_at_rest(c));
	assert_true(conn_save(&before, c));
	assert_int_equal(
	    conn_record_read(&record, before.at, before.len), CONN_RECORD_OK);
	assert_true(conn_restore(to, dup(c->io.fd), &record, false));
	made = LIST_FIRST(&to->net->conns.living);
	assert_int_equal(made->number, c->number);
	assert_true(conn_save(&after, made));
	assert_int_equal(after.len, before.len);
	assert_memory_equal(after.at, before.at, before.len);
	buf_fini(&before);
	buf_fini(&after);
}

/* Begin with what worker 0 has. */
static void
crew_rebuild(struct crew *crew)
{
	struct worker *from = &crew->w[0], *to = &crew->w[1];
	struct sub_topic *topic, *next;
	struct conn *c;

	tail_go_on_at(&to->hub, from->tail.cursor.pos);
	HASH_ITER(hh, from->hub.subs.by_name, topic, next)
		assert_true(adopt_topic(
		    &to->hub, &(struct adopt_topic){ .name = topic->name,
				  .name_len = topic->name_len,
				  .slot = topic->slot,
				  .seq = topic->seq,
				  .pos = topic->pos }));
	LIST_FOREACH(c, &from->net.conns.living, link)
		crew_move_conn(crew, c);
	adopt_unused(&to->hub);
	conns_adopted(&to->net);
}

/* What a worker does from here on is not done to its slot, as if its process had
 * ended: it leaves the topics in the name of the next slot, which is nobody's. */
static void
crew_detach(struct worker *w)
{
	static _Atomic uint64_t counters[STATS_COUNT];
	struct sub_topic *topic, *next;

	w->hub.slot++;
	w->net.stats.counters = w->net.budget.stats.counters = counters;
	assert_int_equal(ring_lock(&w->hub.ring), RING_OK);
	HASH_ITER(hh, w->hub.subs.by_name, topic, next)
		for (uint32_t i = 0; i < topic->count; i++)
			topics_subscribe(w->hub.seg, topic->slot, w->hub.slot);
	ring_unlock(&w->hub.ring);
}

void
crew_succeed(struct crew *crew)
{
	static const int no_socket = -1;

	assert_int_equal(crew->count, 1);
	crew->wakeup[1] = crew->wakeup[0];
	crew->args[1] = crew->args[0];
	crew->args[1].predecessor = &no_socket;
	crew->args[1].wakeup = &crew->wakeup[1];
	assert_true(worker_open(&crew->w[1], &crew->args[1], crew->service));
	bug_set_hook(NULL);
	crew_stand_still(&crew->w[1]);
	close(crew->w[1].take_over.ours);
	close(crew->w[1].take_over.theirs);
	crew_rebuild(crew);
	crew_detach(&crew->w[0]);
	take_over_claim(&crew->w[1]);
	worker_close(&crew->w[0]);
	crew->first = 1;
	crew->count = 2;
}
