/* SPDX-License-Identifier: MIT */
/*
 * topic_page.h - the first topics of the directory in the order of their names, so
 * many at a time.
 *
 * The directory is not in order, and its names may only be read under the ring's
 * lock, which must not be held for the whole directory.  So a page looks through a
 * slice at a time.  It keeps the smallest names that fit in a heap, with the
 * greatest on top, which a smaller one replaces.
 *
 * A page is no snapshot: a topic that exists from beginning to end is in it once,
 * a topic that comes or goes meanwhile may be missing.
 */

#ifndef BROKER_RING_TOPIC_PAGE_H
#define BROKER_RING_TOPIC_PAGE_H

#include "broker/shared/segment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Slots looked at under one holding of the lock: well below a millisecond. */
#define TOPIC_PAGE_SLICE 2048u

/* Names in a page. */
#define TOPIC_PAGE_MAX 1000u

/* A topic that the page keeps. */
struct topic_page_entry {
	uint64_t seq;
	uint64_t subscribers;
	uint8_t len;
	char name[LAYOUT_TOPIC_NAME_MAX];
};

struct topic_page {
	/* Which topics; borrowed until the page is made. */
	const char *prefix, *after;
	uint8_t prefix_len, after_len;
	bool has_after;
	uint32_t limit; /* TOPIC_PAGE_MAX at most */
	/* Whether a topic may be told of. */
	bool (*may_tell)(void *arg, const char *name, size_t len);
	void *arg;
	/* The rest is topic_page.c's. */
	uint32_t next; /* slot to be looked at next */
	uint32_t count;
	struct topic_page_entry *entries; /* owned; one more than the limit */
	uint16_t *heap;                   /* owned: which of the entries */
};

/* Begin; what is above the line is the caller's.  Owns: the caller, until
 * topic_page_fini(), which may be called for one that is all zeros, too. */
void topic_page_begin(struct topic_page *page);
void topic_page_fini(struct topic_page *page);

/* Compare names byte by byte; a name comes before those that it begins. */
int topic_page_compare(
    const char *a, size_t a_len, const char *b, size_t b_len);

/* Look at some slots, under the lock.  Returns whether any are left. */
bool topic_page_slice(const struct segment *seg, struct topic_page *page);

/* All slots were looked at: put the names in order.  Returns how many there are,
 * and *more: there are others behind those. */
uint32_t topic_page_sort(struct topic_page *page, bool *more);

/* Of these, from 0 on; NULL: it was there before, having been freed in one slot
 * and made anew in a later one. */
const struct topic_page_entry *topic_page_at(
    const struct topic_page *page, uint32_t i);

#endif
