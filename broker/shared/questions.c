/* SPDX-License-Identifier: MIT */
/* questions.c - see questions.h. */

#include "broker/shared/questions.h"

#include "broker/shared/stop_point.h"
#include "broker/shared/words.h"
#include "common/buf.h"
#include "common/bug.h"

#include <string.h>

/* Have a free slot.  Returns QUESTIONS_NONE if there is none. */
static uint32_t
questions_claim(struct segment *seg, unsigned worker)
{
	for (uint32_t i = 0; i < seg->questions_max; i++) {
		uint64_t nobody = 0;

		if (atomic_compare_exchange_strong(
			&seg->questions[i].owner, &nobody, worker + 1))
			return i;
	}
	return QUESTIONS_NONE;
}

uint32_t
questions_put(struct segment *seg, unsigned worker, const void *bytes,
    size_t len, uint64_t *id)
{
	uint32_t slot = questions_claim(seg, worker);
	struct layout_question *q;

	CHECK(len <= QUESTIONS_LEN_MAX);
	if (slot == QUESTIONS_NONE)
		return QUESTIONS_NONE;
	q = &seg->questions[slot];
	stop_point_here(seg->header, STOP_QUESTION_CLAIMED);
	*id = words_begin_write(&q->id) + 1;
	atomic_store_explicit(&q->len, len, memory_order_relaxed);
	words_store(q->words, bytes, len);
	stop_point_here(seg->header, STOP_QUESTION_HALF_PUT);
	atomic_store_explicit(&q->id, *id, memory_order_release);
	atomic_fetch_add(&seg->header->cluster.asked, 1);
	return slot;
}

bool
questions_take(
    const struct segment *seg, uint32_t slot, uint64_t id, struct buf *out)
{
	const struct layout_gathered *g = &seg->gathered[slot];
	uint64_t version = words_version(&g->version), seen_id, len;

	words_load(&seen_id, &g->id, sizeof(seen_id));
	words_load(&len, &g->len, sizeof(len));
	if (seen_id != id || len > QUESTIONS_TOLD_MAX)
		return false;
	words_load(buf_room(out, len), g->words, len);
	if (!words_are_whole(&g->version, version))
		return false;
	out->len += len;
	return true;
}

void
questions_leave(struct segment *seg, uint32_t slot)
{
	atomic_store(&seg->questions[slot].owner, 0);
}

void
questions_clear_worker(struct segment *seg, unsigned worker)
{
	for (uint32_t i = 0; i < seg->questions_max; i++)
		if (atomic_load(&seg->questions[i].owner) == worker + 1)
			questions_leave(seg, i);
}

void
questions_seen_init(struct questions_seen *seen, const struct segment *seg)
{
	memset(seen, 0, sizeof(*seen));
	seen->asked = atomic_load(&seg->header->cluster.asked) - 1;
	for (uint32_t i = 0; i < seg->questions_max; i++)
		seen->ids[i] = atomic_load(&seg->gathered[i].id);
}

/* Read the question in a slot, if somebody asks it and it is new. */
static bool
questions_read(struct questions_seen *seen, const struct segment *seg,
    uint32_t slot, struct questions_one *one)
{
	const struct layout_question *q = &seg->questions[slot];
	uint64_t id = words_version(&q->id), owner, len;

	if (id == seen->ids[slot])
		return false;
	words_load(&owner, &q->owner, sizeof(owner));
	words_load(&len, &q->len, sizeof(len));
	if (owner == 0 || owner > LAYOUT_WORKERS || len > QUESTIONS_LEN_MAX)
		return false;
	words_load(one->bytes, q->words, len);
	if (!words_are_whole(&q->id, id))
		return false; /* its worker rings when it is */
	seen->ids[slot] = id;
	one->slot = slot;
	one->worker = (unsigned)owner - 1;
	one->id = id;
	one->len = len;
	return true;
}

bool
questions_next(struct questions_seen *seen, const struct segment *seg,
    struct questions_one *one)
{
	uint64_t asked = atomic_load(&seg->header->cluster.asked);

	if (asked == seen->asked)
		return false;
	for (uint32_t i = 0; i < seg->questions_max; i++)
		if (questions_read(seen, seg, i, one))
			return true;
	/* Asked meanwhile: seen in the next look. */
	seen->asked = asked;
	return false;
}

void
questions_answer(struct segment *seg, uint32_t slot, uint64_t id,
    const void *bytes, size_t len)
{
	struct layout_gathered *g = &seg->gathered[slot];
	uint64_t version;

	CHECK(len <= QUESTIONS_TOLD_MAX);
	version = words_begin_write(&g->version) + 1;
	atomic_store_explicit(&g->id, id, memory_order_relaxed);
	atomic_store_explicit(&g->len, len, memory_order_relaxed);
	words_store(g->words, bytes, len);
	stop_point_here(seg->header, STOP_QUESTION_HALF_TOLD);
	atomic_store_explicit(&g->version, version, memory_order_release);
}
