/* SPDX-License-Identifier: MIT */
/* member_repair.c - make all lists of members anew, and check what that reads;
 * see member_table.h. */

#include "broker/ring/member_lists.h"
#include "broker/ring/member_share.h"
#include "broker/ring/member_table.h"
#include "broker/shared/stop_point.h"
#include "common/xmalloc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEMBER_FAIL(...) \
	(snprintf(error, SEGMENT_ERROR_MAX, __VA_ARGS__), false)

void
member_apply(const struct segment *seg, uint8_t flags, uint64_t index)
{
	struct layout_member *m;

	if (index >= seg->members_max)
		return;
	m = &seg->members[index];
	if ((flags & RECORD_JOIN) != 0 && m->state == MEMBER_MADE)
		m->state = MEMBER_PRESENT;
	if ((flags & RECORD_LEAVE) != 0 && m->state == MEMBER_PRESENT)
		m->state = MEMBER_FREE;
}

/* Those who are there, in the order in which they came. */
struct member_order {
	uint64_t key;
	uint32_t index;
};

static int
member_compare(const void *a, const void *b)
{
	const struct member_order *one = a, *two = b;

	return one->key < two->key ? -1 : one->key > two->key;
}

/* Empty all lists. */
static void
member_clear_lists(struct segment *seg)
{
	struct layout_members *all = &seg->header->members;
	uint32_t topics = atomic_load(&seg->header->used);

	for (uint32_t topic = 0; topic < topics; topic++)
		seg->attendance[topic].first = seg->attendance[topic].last = 0;
	memset(seg->member_buckets, 0,
	    seg->member_bucket_count * sizeof(*seg->member_buckets));
	member_shares_clear(seg);
	all->free = all->pieces_free = 0;
	all->leaves_first = all->leaves_last = 0;
	atomic_store(&all->leave_ms, 0);
	atomic_store(&all->present, 0);
}

/* Put these into the lists of their topics, and those without a connection among
 * those who leave. */
static void
member_relink(struct segment *seg, struct member_order *order, uint32_t count)
{
	uint32_t leaves = 0;

	qsort(order, count, sizeof(*order), member_compare);
	for (uint32_t i = 0; i < count; i++) {
		seg->members[order[i].index].is_leaving = 0;
		member_list_add(seg, order[i].index);
	}
	atomic_store(&seg->header->members.present, count);
	for (uint32_t i = 0; i < count; i++)
		if (member_is_gone(seg, order[i].index)) {
			order[leaves].index = order[i].index;
			order[leaves++].key =
			    seg->members[order[i].index].leave_ms;
		}
	qsort(order, leaves, sizeof(*order), member_compare);
	for (uint32_t i = 0; i < leaves; i++)
		member_leaves_add(seg, order[i].index);
}

/* Find the pieces that belong to nobody. */
static void
member_free_pieces(
    struct segment *seg, const struct member_order *order, uint32_t count)
{
	struct layout_members *all = &seg->header->members;
	unsigned char *taken = xcalloc(seg->pieces_max + 1, 1);

	all->pieces_left = seg->pieces_max;
	for (uint32_t i = 0; i < count; i++) {
		const struct layout_member *m = &seg->members[order[i].index];
		uint32_t left =
		    member_pieces((size_t)m->user_len + m->info_len);
		uint32_t at = m->text;

		for (; left > 0 && at != 0 && at <= seg->pieces_max; left--) {
			taken[at] = 1;
			all->pieces_left--;
			at = seg->pieces[at - 1].next;
		}
	}
	for (uint32_t at = all->pieces_used; at > 0; at--)
		if (!taken[at]) {
			seg->pieces[at - 1].next = all->pieces_free;
			all->pieces_free = at;
		}
	free(taken);
}

/* Make all lists anew. */
static void
member_rebuild(struct segment *seg)
{
	struct layout_members *all = &seg->header->members;
	struct member_order *order = xcalloc(all->used + 1, sizeof(*order));
	uint32_t count = 0;

	/* rebuild-1: half of them may be wrong */
	member_clear_lists(seg);
	stop_point_here(seg->header, STOP_MEMBERS_CLEARED);
	/* rebuild-2: behind the replay of what was in the ring (repair-1), which
	 * has set the states */
	for (uint32_t i = all->used; i > 0; i--) {
		struct layout_member *m = &seg->members[i - 1];

		if (m->state == MEMBER_PRESENT) {
			member_share_add(seg, m);
			order[count].index = i - 1;
			order[count++].key = m->serial;
			continue;
		}
		m->state = MEMBER_FREE;
		m->next = all->free;
		all->free = i;
	}
	member_free_pieces(seg, order, count);
	/* rebuild-3: who has no connection leaves, whatever it had begun */
	member_relink(seg, order, count);
	free(order);
	/* rebuild-4: last, or nobody would repeat it after another death */
	member_end(seg);
}

void
member_table_repair(struct segment *seg)
{
	if (seg->header->members.changing != 0)
		member_rebuild(seg);
}

void
member_table_begin_run(struct segment *seg, uint64_t leave_ms)
{
	uint32_t used = seg->header->members.used;

	member_begin(seg);
	member_forget_watching(seg, UINT64_MAX);
	for (uint32_t i = 0; i < used; i++)
		seg->members[i].leave_ms = leave_ms;
	memset(seg->member_counts, 0,
	    (size_t)used * LAYOUT_WORKERS * sizeof(*seg->member_counts));
	member_rebuild(seg);
}

/* One member's text: all its pieces are there, and its alone. */
static bool
member_check_text(const struct segment *seg, const struct layout_member *m,
    unsigned char *taken)
{
	uint32_t left = member_pieces((size_t)m->user_len + m->info_len);
	uint32_t at = m->text;

	for (; left > 0; left--) {
		if (at == 0 || at > seg->header->members.pieces_used ||
		    taken[at])
			return false;
		taken[at] = 1;
		at = seg->pieces[at - 1].next;
	}
	return true;
}

/* Whether it can be found by what it says of itself. */
static bool
member_check_hash(const struct segment *seg, const struct layout_member *m)
{
	char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX];
	struct member_user user = { .name = text,
		.name_len = m->user_len,
		.is_verified = m->is_verified };

	member_text(seg, (uint32_t)(m - seg->members), text);
	return m->hash == member_hash(seg, m->topic, &user);
}

static bool
member_check_one(const struct segment *seg, const struct layout_member *m,
    unsigned char *taken)
{
	return m->state <= MEMBER_PRESENT &&
	       m->topic < atomic_load(&seg->header->used) &&
	       seg->topics[m->topic].state == TOPIC_LIVE && m->serial > 0 &&
	       m->serial <= seg->header->members.serial && m->user_len > 0 &&
	       m->user_len <= LAYOUT_USER_MAX &&
	       m->info_len <= LAYOUT_INFO_MAX && m->is_verified <= 1 &&
	       member_check_text(seg, m, taken) && member_check_hash(seg, m);
}

bool
member_table_check(const struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	const struct layout_members *all = &seg->header->members;
	unsigned char *taken;
	bool ok = true;

	if (all->used > seg->members_max ||
	    all->pieces_used > seg->pieces_max ||
	    all->serial > UINT64_C(1) << 52)
		return MEMBER_FAIL("more members than the table has");
	taken = xcalloc(seg->pieces_max + 1, 1);
	for (uint32_t i = 0; i < all->used && ok; i++)
		if (seg->members[i].state != MEMBER_FREE &&
		    !member_check_one(seg, &seg->members[i], taken))
			ok = MEMBER_FAIL("member %" PRIu32 ": damaged", i);
	free(taken);
	return ok;
}
