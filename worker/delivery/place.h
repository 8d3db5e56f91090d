/* SPDX-License-Identifier: MIT */
/*
 * place.h - where a message stands in the log of a cluster, as clients see it:
 * STREAM.NUMBER, where STREAM is the name of the log's life.  All hosts have the
 * same place for a message, and another number of it (seq).  What was published
 * here without the log (local mode) has none here.
 */

#ifndef WORKER_DELIVERY_PLACE_H
#define WORKER_DELIVERY_PLACE_H

#include "broker/ring/ring.h"
#include "common/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of a place. */
#define PLACE_TEXT_MAX (LAYOUT_STREAM + BUF_DIGITS_MAX)

/* Bytes of a place as a member of a JSON object. */
#define PLACE_MEMBER_MAX (PLACE_TEXT_MAX + sizeof(",\"pos\":\"\""))

/* Whose places the next two write.  Borrowed.  Callers: once, in a cluster. */
void place_use(const struct segment *seg);

/* Whether that was called: this is a host of a cluster. */
bool place_is_used(void);

/* The place of a message; 0: it has none (broker/shared/layout_cluster.h). */
static inline uint64_t
place_of(const struct ring_record *rec)
{
	return rec->mark != NULL && !layout_mark_is_local(rec->mark)
	           ? rec->mark->pos
	           : 0;
}

/* Where the log stood, at the latest, when a message became one: all up to there
 * was in the ring before it.  0: there was none yet. */
static inline uint64_t
place_at(const struct ring_record *rec)
{
	return rec->mark != NULL ? rec->mark->pos : 0;
}

/* Write a place as it is, and as ,"pos":"STREAM.NUMBER".  Returns the bytes. */
size_t place_text(char out[PLACE_TEXT_MAX], uint64_t place);
size_t place_member(char out[PLACE_MEMBER_MAX], uint64_t place);

/* Append that member. */
void place_put(struct buf *buf, uint64_t place);

/* Read a place.  Returns its number; 0: it is none, or of another log. */
uint64_t place_parse(const char *text, size_t len);

#endif
