/* SPDX-License-Identifier: MIT */
/* tell.c - see tell.h. */

#include "broker/cluster/tell.h"

#include "broker/ring/member_keys.h"
#include "broker/ring/topics.h"

/* How users of one key stand in a part: by name, then those of a token last. */
static int
tell_compare(const struct member_user *a, const struct member_user *b)
{
	int order =
	    topic_page_compare(a->name, a->name_len, b->name, b->name_len);

	return order != 0 ? order : (int)a->is_verified - (int)b->is_verified;
}

/* The next in order of those from page->at[from] on that have one key. */
static void
tell_bring_next(
    const struct segment *seg, struct member_keys *page, uint32_t from)
{
	char text[2][LAYOUT_USER_MAX + LAYOUT_INFO_MAX];
	struct member_user first, other;
	uint64_t word;

	for (uint32_t i = from + 1;
	     i < page->count && page->at[i] >> 32 == page->at[from] >> 32;
	     i++) {
		member_user_of(
		    seg, member_keys_index(page->at[from]), text[0], &first);
		member_user_of(
		    seg, member_keys_index(page->at[i]), text[1], &other);
		if (tell_compare(&first, &other) <= 0)
			continue;
		word = page->at[from];
		page->at[from] = page->at[i];
		page->at[i] = word;
	}
}

static void
tell_members(
    const struct segment *seg, struct member_keys *page, struct part *part)
{
	char text[LAYOUT_USER_MAX + LAYOUT_INFO_MAX];
	struct member_user user;
	uint64_t last = 0;

	part->has_more = page->has_more;
	for (uint32_t i = 0; i < page->count; i++) {
		uint32_t index;

		tell_bring_next(seg, page, i);
		index = member_keys_index(page->at[i]);
		if (!part_has_room(part, page->at[i] >> 32, last)) {
			part->has_more = true;
			return;
		}
		last = page->at[i] >> 32;
		member_user_of(seg, index, text, &user);
		part_add(part, &(struct part_entry){
				   .key = last,
				   .number = member_connections(seg, index),
				   .is_verified = user.is_verified,
				   .name_len = user.name_len,
				   .info_len = user.info_len,
				   .name = user.name,
				   .info = user.info,
			       });
	}
}

void
tell_topic(const struct segment *seg, uint32_t slot,
    const struct question *question, struct part *part)
{
	struct member_keys page;

	if ((question->wants_members || question->counts_members) &&
	    !members_are_all_known(seg))
		part->is_unsure = true;
	if (slot == TOPICS_NONE)
		return;
	part->is_known = true;
	part->subscribers = topics_subscribers(seg, slot);
	if (question->counts_members)
		part->members = members_count(seg, slot);
	if (!question->wants_members)
		return;
	member_keys_page(seg, slot, question->after, question->limit, &page);
	tell_members(seg, &page, part);
}

void
tell_topics(struct topic_page *page, bool is_own, struct part *part)
{
	uint32_t count = topic_page_sort(page, &part->has_more);

	for (uint32_t i = 0; i < count; i++) {
		const struct topic_page_entry *entry = topic_page_at(page, i);

		if (entry == NULL)
			continue;
		if (!part_has_room(part, 0, 0)) {
			part->has_more = true;
			return;
		}
		part_add(
		    part, &(struct part_entry){ .number = entry->subscribers,
			      .seq = is_own ? entry->seq : 0,
			      .name_len = entry->len,
			      .name = entry->name });
	}
}
