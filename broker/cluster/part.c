/* SPDX-License-Identifier: MIT */
/* part.c - see part.h. */

#include "broker/cluster/part.h"

#include "broker/cluster/numbers.h"
#include "common/json.h"
#include "common/utf8.h"

#include <string.h>

#define PART_HEAD       32u
#define PART_ENTRY_HEAD 28u

enum { PART_KNOWN = 1 << 0, PART_UNSURE = 1 << 1, PART_MORE = 1 << 2 };

void
part_init(struct part *part)
{
	memset(part, 0, sizeof(*part));
	part->hosts = 1;
	buf_init(&part->entries);
}

void
part_fini(struct part *part)
{
	buf_fini(&part->entries);
}

bool
part_has_room(const struct part *part, uint64_t key, uint64_t last_key)
{
	if (part->entries.len < PART_BYTES_MAX)
		return true;
	/* Few have one key, unless somebody has looked for such names. */
	return key != 0 && key == last_key &&
	       part->entries.len < PART_LEN_MAX - PART_HEAD - 1024;
}

void
part_add(struct part *part, const struct part_entry *entry)
{
	char *at = buf_room(&part->entries, PART_ENTRY_HEAD);

	put_u64(at, entry->key);
	put_u64(at + 8, entry->number);
	put_u64(at + 16, entry->seq);
	put_u16(at + 24, entry->info_len);
	at[26] = (char)entry->name_len;
	at[27] = (char)entry->is_verified;
	part->entries.len += PART_ENTRY_HEAD;
	buf_add(&part->entries, entry->name, entry->name_len);
	if (entry->info_len > 0)
		buf_add(&part->entries, entry->info, entry->info_len);
	part->count++;
}

/* Read an entry.  Returns its length; 0: it is not whole. */
static size_t
part_read_entry(const char *at, size_t len, struct part_entry *entry)
{
	if (len < PART_ENTRY_HEAD)
		return 0;
	entry->key = get_u64(at);
	entry->number = get_u64(at + 8);
	entry->seq = get_u64(at + 16);
	entry->info_len = get_u16(at + 24);
	entry->name_len = (uint8_t)at[26];
	entry->is_verified = at[27] != 0;
	entry->name = at + PART_ENTRY_HEAD;
	entry->info = entry->name + entry->name_len;
	len -= PART_ENTRY_HEAD;
	return len < (size_t)entry->name_len + entry->info_len
	           ? 0
	           : PART_ENTRY_HEAD + entry->name_len + entry->info_len;
}

bool
part_next(const struct part *part, size_t *at, struct part_entry *entry)
{
	size_t len;

	if (*at == part->entries.len)
		return false;
	len = part_read_entry(
	    part->entries.at + *at, part->entries.len - *at, entry);
	*at += len;
	return len > 0;
}

static int
part_compare(const struct part_entry *a, const struct part_entry *b)
{
	size_t len = a->name_len < b->name_len ? a->name_len : b->name_len;
	int order;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	order = memcmp(a->name, b->name, len);
	if (order != 0)
		return order;
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return (int)a->is_verified - (int)b->is_verified;
}

/* A part that is being read in order. */
struct part_reader {
	const struct part *part;
	size_t at;
	bool has_entry;
	struct part_entry entry;
};

static void
part_step(struct part_reader *reader)
{
	reader->has_entry =
	    part_next(reader->part, &reader->at, &reader->entry);
}

/* Where a part that is cut ends: at the key of its last entry, all of whose are
 * in it, or at its name. */
static bool
part_last(const struct part *part, struct part_entry *last)
{
	size_t at = 0;

	if (!part->has_more)
		return false;
	while (part_next(part, &at, last))
		continue;
	return part->count > 0;
}

/* Whether an entry is behind one that is the last of which all is known. */
static bool
part_is_behind(const struct part_entry *entry, const struct part_entry *last)
{
	return last->key != 0 ? entry->key > last->key
	                      : part_compare(entry, last) > 0;
}

/* The next of both.  One that both have is one, and its numbers add up. */
static bool
part_take(
    struct part_reader *a, struct part_reader *b, struct part_entry *entry)
{
	int order = !a->has_entry   ? 1
	            : !b->has_entry ? -1
	                            : part_compare(&a->entry, &b->entry);

	if (!a->has_entry && !b->has_entry)
		return false;
	*entry = order <= 0 ? a->entry : b->entry;
	if (order == 0) {
		entry->number += b->entry.number;
		if (b->entry.seq > entry->seq)
			entry->seq = b->entry.seq;
	}
	if (order <= 0)
		part_step(a);
	if (order >= 0)
		part_step(b);
	return true;
}

/* Put the entries together. */
static void
part_merge_entries(struct part *out, const struct part *a, const struct part *b,
    uint32_t limit)
{
	struct part_reader ra = { .part = a }, rb = { .part = b };
	struct part_entry entry, last_a, last_b;
	bool is_cut_a = part_last(a, &last_a), is_cut_b = part_last(b, &last_b);
	uint64_t key = 0;

	part_step(&ra);
	part_step(&rb);
	while (part_take(&ra, &rb, &entry)) {
		if ((is_cut_a && part_is_behind(&entry, &last_a)) ||
		    (is_cut_b && part_is_behind(&entry, &last_b)) ||
		    (out->count >= limit &&
			(entry.key == 0 || entry.key != key)) ||
		    !part_has_room(out, entry.key, key)) {
			out->has_more = true;
			return;
		}
		part_add(out, &entry);
		key = entry.key;
	}
	out->has_more = a->has_more || b->has_more;
}

void
part_merge(struct part *into, const struct part *other, uint32_t limit)
{
	struct part out;

	part_init(&out);
	out.hosts = into->hosts + other->hosts;
	out.silent = into->silent + other->silent;
	out.is_known = into->is_known || other->is_known;
	out.is_unsure = into->is_unsure || other->is_unsure;
	out.subscribers = into->subscribers + other->subscribers;
	out.members = into->members + other->members;
	part_merge_entries(&out, into, other, limit);
	part_fini(into);
	*into = out;
}

void
part_write(struct buf *out, const struct part *part)
{
	char *at = buf_room(out, PART_HEAD);

	put_u32(at, part->hosts);
	put_u32(at + 4, part->silent);
	put_u32(at + 8, part->count);
	put_u32(at + 12, (part->is_known ? PART_KNOWN : 0u) |
			     (part->is_unsure ? PART_UNSURE : 0u) |
			     (part->has_more ? PART_MORE : 0u));
	put_u64(at + 16, part->subscribers);
	put_u64(at + 24, part->members);
	out->len += PART_HEAD;
	if (part->entries.len > 0)
		buf_add(out, part->entries.at, part->entries.len);
}

/* Whether an entry is one that a host can tell. */
static bool
part_is_sound(const struct part_entry *entry)
{
	const char *why;
	size_t where;

	return utf8_valid(entry->name, entry->name_len) &&
	       (entry->info_len == 0 ||
		   (utf8_valid(entry->info, entry->info_len) &&
		       json_check(entry->info, entry->info_len, &where, &why) ==
			   JSON_OK &&
		       json_within_depth(entry->info, entry->info_len, 61)));
}

/* Whether these are so many entries, in order. */
static bool
part_checks(const char *at, size_t len, uint32_t count)
{
	struct part_entry entry, before;
	size_t n;

	for (uint32_t i = 0; i < count; i++) {
		n = part_read_entry(at, len, &entry);
		if (n == 0 || !part_is_sound(&entry) ||
		    (i > 0 && part_compare(&before, &entry) >= 0))
			return false;
		before = entry;
		at += n;
		len -= n;
	}
	return len == 0;
}

bool
part_read(const void *data, size_t len, struct part *part)
{
	const char *at = data;
	uint32_t flags;

	if (len < PART_HEAD || len > PART_LEN_MAX ||
	    !part_checks(at + PART_HEAD, len - PART_HEAD, get_u32(at + 8)))
		return false;
	flags = get_u32(at + 12);
	part->hosts = get_u32(at);
	part->silent = get_u32(at + 4);
	part->count = get_u32(at + 8);
	part->is_known = (flags & PART_KNOWN) != 0;
	part->is_unsure = (flags & PART_UNSURE) != 0;
	part->has_more = (flags & PART_MORE) != 0;
	part->subscribers = get_u64(at + 16);
	part->members = get_u64(at + 24);
	buf_reset(&part->entries);
	if (len > PART_HEAD)
		buf_add(&part->entries, at + PART_HEAD, len - PART_HEAD);
	return true;
}
