/* SPDX-License-Identifier: MIT */
/* dedup.c - see dedup.h. */

#include "broker/ring/dedup.h"

#include "broker/ring/changing.h"
#include "broker/shared/stop_point.h"
#include "common/bug.h"
#include "common/siphash.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define DEDUP_TEXT_MAX 255u
#define DEDUP_TEXTS    3u

/* Append one text with its length before it, or "ab","c" were "a","bc". */
static size_t
dedup_append(unsigned char *to, struct dedup_text text)
{
	CHECK(text.len <= DEDUP_TEXT_MAX);
	to[0] = (unsigned char)text.len;
	if (text.len > 0)
		memcpy(to + 1, text.at, text.len);
	return 1 + text.len;
}

struct dedup_key
dedup_hash(const struct segment *seg, struct dedup_text topic,
    struct dedup_text user, struct dedup_text key)
{
	unsigned char all[1 + DEDUP_TEXTS * (1 + DEDUP_TEXT_MAX)];
	struct dedup_key hash;
	size_t len = 1;

	len += dedup_append(all + len, topic);
	len += dedup_append(all + len, user);
	len += dedup_append(all + len, key);
	all[0] = 1; /* topics_hash() is of names alone */
	hash.half[0] = siphash(&seg->header->hash_key, all, len);
	all[0] = 2;
	hash.half[1] = siphash(&seg->header->hash_key, all, len);
	return hash;
}

static struct layout_key *
dedup_entry(const struct segment *seg, uint64_t number)
{
	return &seg->key_entries[number % seg->keys_max];
}

static uint32_t *
dedup_bucket(const struct segment *seg, const uint64_t key[2])
{
	return &seg->key_buckets[key[0] & (seg->key_bucket_count - 1)];
}

/* The entry that has this key, or NULL. */
static struct layout_key *
dedup_find(const struct segment *seg, const uint64_t key[2])
{
	uint32_t at = *dedup_bucket(seg, key);

	while (at != 0) {
		struct layout_key *entry = &seg->key_entries[at - 1];

		if (entry->key[0] == key[0] && entry->key[1] == key[1])
			return entry;
		at = entry->link;
	}
	return NULL;
}

static void
dedup_link(const struct segment *seg, uint64_t number)
{
	struct layout_key *entry = dedup_entry(seg, number);
	uint32_t *bucket = dedup_bucket(seg, entry->key);

	entry->link = *bucket;
	*bucket = (uint32_t)(number % seg->keys_max) + 1;
}

/* Take an entry out of its bucket's chain. */
static void
dedup_unlink(const struct segment *seg, uint64_t number)
{
	struct layout_key *entry = dedup_entry(seg, number);
	uint32_t place = (uint32_t)(number % seg->keys_max) + 1;
	uint32_t *at = dedup_bucket(seg, entry->key);

	while (*at != 0 && *at != place)
		at = &seg->key_entries[*at - 1].link;
	if (*at == place)
		*at = entry->link;
}

/* Forget the oldest.  While the index is being changed. */
static void
dedup_drop(struct segment *seg)
{
	dedup_unlink(seg, seg->keys->first);
	atomic_signal_fence(memory_order_seq_cst);
	seg->keys->first++;
	stop_point_here(seg->header, STOP_KEY_DROPPED);
}

static bool
dedup_is_old(const struct segment *seg, uint64_t now_ms, uint64_t window_ms)
{
	const struct layout_keys *keys = seg->keys;

	return keys->first != keys->next &&
	       dedup_entry(seg, keys->first)->at_ms + window_ms <= now_ms;
}

enum dedup_status
dedup_look(struct segment *seg, const struct dedup_key *key, uint64_t now_ms,
    uint64_t window_ms, uint64_t *seq)
{
	const struct layout_key *entry;

	if (dedup_is_old(seg, now_ms, window_ms)) {
		changing_begin(&seg->keys->changing);
		while (dedup_is_old(seg, now_ms, window_ms))
			dedup_drop(seg);
		changing_end(&seg->keys->changing);
	}
	entry = dedup_find(seg, key->half);
	if (entry != NULL) {
		*seq = entry->seq;
		return DEDUP_KNOWN;
	}
	return dedup_count(seg) < seg->keys_max ? DEDUP_NEW : DEDUP_FULL;
}

void
dedup_put(struct segment *seg, const struct dedup_key *key, uint64_t seq,
    uint64_t now_ms)
{
	const struct layout_key *known = dedup_find(seg, key->half);
	struct layout_keys *keys = seg->keys;
	struct layout_key *entry;

	if (known != NULL && known->seq == seq)
		return;
	changing_begin(&seg->keys->changing);
	if (dedup_count(seg) >= seg->keys_max)
		dedup_drop(seg);
	entry = dedup_entry(seg, keys->next);
	memcpy(entry->key, key->half, sizeof(entry->key));
	entry->seq = seq;
	entry->at_ms = now_ms;
	stop_point_here(seg->header, STOP_KEY_HALF_PUT);
	atomic_signal_fence(memory_order_seq_cst);
	keys->next++;
	atomic_signal_fence(memory_order_seq_cst);
	stop_point_here(seg->header, STOP_KEY_COUNTED);
	dedup_link(seg, keys->next - 1);
	changing_end(&seg->keys->changing);
}

uint64_t
dedup_count(const struct segment *seg)
{
	return seg->keys->next - seg->keys->first;
}

/* The entries are whole; trust no link. */
static void
dedup_index(struct segment *seg)
{
	const struct layout_keys *keys = seg->keys;

	memset(seg->key_buckets, 0,
	    seg->key_bucket_count * sizeof(*seg->key_buckets));
	stop_point_here(seg->header, STOP_KEY_INDEX_EMPTY);
	for (uint64_t number = keys->first; number != keys->next; number++)
		dedup_link(seg, number);
	changing_end(&seg->keys->changing);
}

void
dedup_repair(struct segment *seg)
{
	if (seg->keys->changing != 0)
		dedup_index(seg);
}

bool
dedup_recover(struct segment *seg, char error[SEGMENT_ERROR_MAX])
{
	const struct layout_keys *keys = seg->keys;

	if (keys->first > keys->next || dedup_count(seg) > seg->keys_max) {
		snprintf(error, SEGMENT_ERROR_MAX,
		    "keys out of order: %" PRIu64 " to %" PRIu64, keys->first,
		    keys->next);
		return false;
	}
	dedup_index(seg);
	return true;
}
