/* SPDX-License-Identifier: MIT */
/* member_table.c - see member_table.h; making all of it anew is
 * member_repair.c's. */

#include "broker/ring/member_table.h"

#include "broker/ring/changing.h"
#include "broker/ring/member_lists.h"
#include "broker/ring/member_share.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"
#include "common/siphash.h"

#include <string.h>

uint32_t
member_hash(
    const struct segment *seg, uint32_t topic, const struct member_user *user)
{
	unsigned char key[sizeof(topic) + 1 + LAYOUT_USER_MAX];

	memcpy(key, &topic, sizeof(topic));
	key[sizeof(topic)] = user->is_verified;
	memcpy(key + sizeof(topic) + 1, user->name, user->name_len);
	return (uint32_t)siphash(
	    &seg->header->hash_key, key, sizeof(topic) + 1 + user->name_len);
}

uint32_t
member_key(const struct member_user *user)
{
	/* No secret: whoever knows it can only have users who stand close to
	 * each other in a list. */
	static const struct siphash_key known = { { 1, 1 } };
	unsigned char key[1 + LAYOUT_USER_MAX];
	uint32_t hash;

	key[0] = user->is_verified;
	memcpy(key + 1, user->name, user->name_len);
	hash = (uint32_t)siphash(&known, key, 1u + user->name_len);
	return hash != 0 ? hash : 1;
}

void
member_begin(struct segment *seg)
{
	changing_begin(&seg->header->members.changing);
}

void
member_end(struct segment *seg)
{
	changing_end(&seg->header->members.changing);
}

uint16_t *
member_count(const struct segment *seg, uint32_t index, unsigned worker)
{
	return &seg->member_counts[(size_t)index * LAYOUT_WORKERS + worker];
}

uint32_t
member_connections(const struct segment *seg, uint32_t index)
{
	unsigned n = segment_workers(seg);
	uint32_t sum = 0;

	for (unsigned w = 0; w < n; w++)
		if (segment_counts_worker(seg, w))
			sum += *member_count(seg, index, w);
	return sum;
}

bool
member_is_gone(const struct segment *seg, uint32_t index)
{
	for (unsigned w = 0; w < LAYOUT_WORKERS; w++)
		if (*member_count(seg, index, w) != 0)
			return false;
	return true;
}

void
member_text(const struct segment *seg, uint32_t index,
    char out[LAYOUT_USER_MAX + LAYOUT_INFO_MAX])
{
	const struct layout_member *m = &seg->members[index];
	size_t left = (size_t)m->user_len + m->info_len;
	uint32_t at = m->text;

	while (left > 0) {
		size_t n = left < LAYOUT_PIECE ? left : LAYOUT_PIECE;

		CHECK(at != 0 && at <= seg->pieces_max);
		memcpy(out, seg->pieces[at - 1].bytes, n);
		out += n;
		left -= n;
		at = seg->pieces[at - 1].next;
	}
}

void
member_user_of(const struct segment *seg, uint32_t index,
    char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX], struct member_user *user)
{
	const struct layout_member *m = &seg->members[index];

	member_text(seg, index, text);
	*user = (struct member_user){ .name = text,
		.name_len = m->user_len,
		.info = m->info_len > 0 ? text + m->user_len : NULL,
		.info_len = m->info_len,
		.holder = m->holder,
		.is_verified = m->is_verified };
}

/* Whether this is the member of the user. */
static bool
member_is(const struct segment *seg, const struct layout_member *m,
    uint32_t topic, const struct member_user *user)
{
	char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX];

	if (m->topic != topic || m->is_verified != user->is_verified ||
	    m->user_len != user->name_len)
		return false;
	member_text(seg, (uint32_t)(m - seg->members), text);
	return memcmp(text, user->name, user->name_len) == 0;
}

uint32_t
member_find(
    const struct segment *seg, uint32_t topic, const struct member_user *user)
{
	uint32_t hash = member_hash(seg, topic, user);
	uint32_t at = *member_bucket(seg, hash);

	for (; at != 0; at = seg->members[at - 1].next) {
		const struct layout_member *m = &seg->members[at - 1];

		if (m->hash == hash && member_is(seg, m, topic, user))
			return at - 1;
	}
	return MEMBER_NONE;
}

/* Take a piece that is free; there is one. */
static uint32_t
piece_take(struct segment *seg)
{
	struct layout_members *all = &seg->header->members;
	uint32_t at = all->pieces_free;

	if (at == 0)
		at = ++all->pieces_used;
	else
		all->pieces_free = seg->pieces[at - 1].next;
	all->pieces_left--;
	return at;
}

/* Put a text into pieces.  Returns the first. */
static uint32_t
piece_put(struct segment *seg, const char *text, size_t len)
{
	uint32_t first = 0, *link = &first;

	while (len > 0) {
		size_t n = len < LAYOUT_PIECE ? len : LAYOUT_PIECE;
		uint32_t at = piece_take(seg);

		memcpy(seg->pieces[at - 1].bytes, text, n);
		seg->pieces[at - 1].next = 0;
		*link = at;
		link = &seg->pieces[at - 1].next;
		text += n;
		len -= n;
	}
	return first;
}

/* Give the pieces of a text back. */
static void
piece_free(struct segment *seg, uint32_t at)
{
	struct layout_members *all = &seg->header->members;

	while (at != 0) {
		uint32_t next = seg->pieces[at - 1].next;

		seg->pieces[at - 1].next = all->pieces_free;
		all->pieces_free = at;
		all->pieces_left++;
		at = next;
	}
}

bool
member_has_room(const struct segment *seg)
{
	/* The words of the lists are for the lock's holder alone. */
	return atomic_load(&seg->header->members.present) < seg->members_max;
}

static void
member_fill(struct segment *seg, uint32_t index, uint32_t topic,
    const struct member_user *user)
{
	struct layout_members *all = &seg->header->members;
	char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX];

	memcpy(text, user->name, user->name_len);
	if (user->info_len > 0)
		memcpy(text + user->name_len, user->info, user->info_len);
	seg->members[index] = (struct layout_member){
		.serial = ++all->serial,
		.topic = topic,
		.hash = member_hash(seg, topic, user),
		.text = piece_put(
		    seg, text, (size_t)user->name_len + user->info_len),
		.info_len = user->info_len,
		.user_len = user->name_len,
		.is_verified = user->is_verified,
		.holder = user->holder,
		.key = member_key(user),
	};
	member_share_add(seg, &seg->members[index]);
	memset(member_count(seg, index, 0), 0,
	    LAYOUT_WORKERS * sizeof(*seg->member_counts));
}

uint32_t
member_make(struct segment *seg, uint32_t topic, const struct member_user *user,
    unsigned worker)
{
	struct layout_members *all = &seg->header->members;
	uint32_t pieces =
	    member_pieces((size_t)user->name_len + user->info_len);
	uint32_t index = all->free != 0 ? all->free - 1 : all->used;

	if (index == seg->members_max || all->pieces_left < pieces)
		return MEMBER_NONE;
	if (all->free != 0)
		all->free = seg->members[index].next;
	else
		all->used++;
	member_fill(seg, index, topic, user);
	*member_count(seg, index, worker) = 1;
	stop_point_here(seg->header, STOP_MEMBER_FILLED);
	atomic_signal_fence(memory_order_seq_cst);
	/* arrive-2: whole, so it may be believed */
	seg->members[index].state = MEMBER_MADE;
	return index;
}

void
member_free(struct segment *seg, uint32_t index)
{
	struct layout_members *all = &seg->header->members;
	struct layout_member *m = &seg->members[index];

	m->state = MEMBER_FREE;
	member_share_remove(seg, m);
	piece_free(seg, m->text);
	m->text = 0;
	m->next = all->free;
	all->free = index + 1;
}

void
member_link(struct segment *seg, uint32_t index)
{
	member_list_add(seg, index);
	seg->members[index].state = MEMBER_PRESENT;
	atomic_fetch_add(&seg->header->members.present, 1);
	stop_point_here(seg->header, STOP_MEMBER_LINKED);
}

void
member_unlink(struct segment *seg, uint32_t index)
{
	member_list_remove(seg, index);
	member_stay(seg, index);
	stop_point_here(seg->header, STOP_MEMBER_UNLINKED);
	member_free(seg, index);
	atomic_fetch_sub(&seg->header->members.present, 1);
}

void
member_begin_leaving(struct segment *seg, uint32_t index)
{
	if (!seg->members[index].is_leaving)
		member_leaves_add(seg, index);
}

void
member_stay(struct segment *seg, uint32_t index)
{
	if (seg->members[index].is_leaving)
		member_leaves_remove(seg, index);
}

void
member_forget_watching(struct segment *seg, uint64_t workers)
{
	uint32_t used = atomic_load(&seg->header->used);

	for (uint32_t topic = 0; topic < used; topic++)
		if ((atomic_load(&seg->attendance[topic].watched) & workers) !=
		    0)
			atomic_fetch_and(
			    &seg->attendance[topic].watched, ~workers);
}
