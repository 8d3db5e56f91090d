/* SPDX-License-Identifier: MIT */
/* testseg.c - see testseg.h. */

#include "broker/ring/store.h"
#include "tests/support/testseg.h"

#include "broker/ring/topics.h"
#include "common/bug.h"
#include "common/xmalloc.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void
testseg_open(struct testseg *t, uint64_t ring_size, uint32_t topics_max)
{
	const struct segment_shape shape = { .ring_size = ring_size,
		.topics_max = topics_max,
		.keys_max = TESTSEG_KEYS,
		.members_max = TESTSEG_MEMBERS,
		.questions_max = LAYOUT_QUESTIONS,
		.chunks_max = TESTSEG_CHUNKS };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (size_t)segment_size(&shape);

	CHECK(size % page == 0); /* the ring's end is the memory's */
	t->mapped = size + 2 * page;
	t->mapping =
	    mmap(NULL, t->mapped, PROT_NONE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(t->mapping != MAP_FAILED);
	CHECK(mprotect(t->mapping + page, size, PROT_READ | PROT_WRITE) == 0);
	store_format(&t->seg, t->mapping + page, &shape);
	store_begin_run(&t->seg, TESTSEG_WORKERS, 1000);
}

void
testseg_close(struct testseg *t)
{
	CHECK(munmap(t->mapping, t->mapped) == 0);
	memset(t, 0, sizeof(*t));
}

unsigned char *
testseg_save(const struct testseg *t)
{
	return memcpy(xmalloc(t->seg.size), t->seg.header, t->seg.size);
}

void
testseg_restore(struct testseg *t, const unsigned char *saved)
{
	memcpy(t->seg.header, saved, t->seg.size);
}

void
hand_lock(struct ring *ring)
{
	while (ring_lock(ring) != RING_OK)
		sched_yield();
}

uint32_t
hand_topic(struct ring *ring, const char *name)
{
	size_t len = strlen(name);
	uint32_t slot;

	hand_lock(ring);
	slot = topics_open(
	    ring->seg, name, len, topics_hash(ring->seg, name, len));
	ring_unlock(ring);
	CHECK(slot != TOPICS_NONE);
	return slot;
}

uint32_t
hand_find(const struct segment *seg, const char *name)
{
	size_t len = strlen(name);

	return topics_find(seg, name, len, topics_hash(seg, name, len));
}

struct ring_msg
hand_msg(uint32_t topic, const char *text)
{
	struct ring_msg msg = {
		.topic = topic, .body = text, .body_len = (uint32_t)strlen(text)
	};

	return msg;
}

uint64_t
hand_publish(struct ring *ring, uint32_t topic, const char *text)
{
	struct ring_msg msg = hand_msg(topic, text);

	hand_lock(ring);
	CHECK(ring_publish(ring, &msg, 1) == RING_OK);
	ring_unlock(ring);
	return msg.seq;
}

void
reader_open(
    struct reader *r, struct segment *seg, size_t records_max, size_t size)
{
	size_t words = (seg->topics_max + 63) / 64;

	memset(r, 0, sizeof(*r));
	ring_attach(&r->ring, seg, 0);
	r->cur.pos = ring_head(seg);
	r->batch.records = xcalloc(records_max, sizeof(*r->batch.records));
	r->batch.records_max = records_max;
	r->batch.bytes = xmalloc(size);
	r->batch.size = size;
	r->wanted = xmalloc(words * sizeof(*r->wanted));
	memset(r->wanted, 0xff, words * sizeof(*r->wanted));
}

void
reader_close(struct reader *r)
{
	free(r->batch.records);
	free(r->batch.bytes);
	free(r->wanted);
	ring_detach(&r->ring);
}

enum ring_status
reader_read(struct reader *r)
{
	return ring_tail(&r->ring, &r->cur, r->wanted, &r->batch);
}
