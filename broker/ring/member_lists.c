/* SPDX-License-Identifier: MIT */
/* member_lists.c - see member_lists.h. */

#include "broker/ring/member_lists.h"

#include "common/bug.h"

/* The member of a link that is not 0. */
static struct layout_member *
member_at(const struct segment *seg, uint32_t link)
{
	CHECK(link <= seg->members_max);
	return &seg->members[link - 1];
}

static void
member_bucket_remove(struct segment *seg, uint32_t index)
{
	uint32_t *link = member_bucket(seg, seg->members[index].hash);

	while (*link != index + 1) {
		CHECK(*link != 0);
		link = &member_at(seg, *link)->next;
	}
	*link = seg->members[index].next;
}

void
member_list_add(struct segment *seg, uint32_t index)
{
	struct layout_member *m = &seg->members[index];
	struct layout_attendance *all = &seg->attendance[m->topic];
	uint32_t *bucket = member_bucket(seg, m->hash);

	m->next = *bucket;
	*bucket = index + 1;
	m->before = all->last;
	m->behind = 0;
	if (all->last != 0)
		member_at(seg, all->last)->behind = index + 1;
	else
		all->first = index + 1;
	all->last = index + 1;
}

void
member_list_remove(struct segment *seg, uint32_t index)
{
	const struct layout_member *m = &seg->members[index];
	struct layout_attendance *all = &seg->attendance[m->topic];

	member_bucket_remove(seg, index);
	if (m->before != 0)
		member_at(seg, m->before)->behind = m->behind;
	else
		all->first = m->behind;
	if (m->behind != 0)
		member_at(seg, m->behind)->before = m->before;
	else
		all->last = m->before;
}

/* When the next one leaves is looked at without the lock. */
static void
member_leaves_tell(struct segment *seg)
{
	struct layout_members *all = &seg->header->members;
	uint64_t at = all->leaves_first != 0
	                  ? member_at(seg, all->leaves_first)->leave_ms
	                  : 0;

	atomic_store(&all->leave_ms, at);
}

/* Those who leave are in the order of their times: nearly always the newest is
 * the last, unless --leave-delay has become shorter. */
void
member_leaves_add(struct segment *seg, uint32_t index)
{
	struct layout_members *all = &seg->header->members;
	struct layout_member *m = &seg->members[index];
	uint32_t before = all->leaves_last;

	while (before != 0 && member_at(seg, before)->leave_ms > m->leave_ms)
		before = member_at(seg, before)->leaves_before;
	m->leaves_before = before;
	m->leaves_behind = before != 0 ? member_at(seg, before)->leaves_behind
	                               : all->leaves_first;
	if (before != 0)
		member_at(seg, before)->leaves_behind = index + 1;
	else
		all->leaves_first = index + 1;
	if (m->leaves_behind != 0)
		member_at(seg, m->leaves_behind)->leaves_before = index + 1;
	else
		all->leaves_last = index + 1;
	m->is_leaving = 1;
	member_leaves_tell(seg);
}

void
member_leaves_remove(struct segment *seg, uint32_t index)
{
	struct layout_members *all = &seg->header->members;
	struct layout_member *m = &seg->members[index];

	if (m->leaves_before != 0)
		member_at(seg, m->leaves_before)->leaves_behind =
		    m->leaves_behind;
	else
		all->leaves_first = m->leaves_behind;
	if (m->leaves_behind != 0)
		member_at(seg, m->leaves_behind)->leaves_before =
		    m->leaves_before;
	else
		all->leaves_last = m->leaves_before;
	m->is_leaving = 0;
	member_leaves_tell(seg);
}
