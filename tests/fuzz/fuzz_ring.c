/* SPDX-License-Identifier: MIT */
/*
 * fuzz_ring.c - a segment that wild stores have been through.
 *
 * A ring with some topics and records is made once; the input is a list of
 * stores into it.  Then everything that reads a ring reads it: no look goes
 * beyond the segment (forbidden pages are on both sides) nor beyond a batch,
 * and every walk comes to an end.  What ring_recover() believes is taken over
 * and published to, as a new supervisor's workers would.
 *
 * The bytes of the lock are left alone: they are the C library's.
 */

#include "broker/ring/chain.h"
#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/stamps.h"
#include "broker/ring/topics.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/testseg.h"

#include <stdio.h>

#define RING_SIZE     8192u
#define TOPICS        8u
#define MADE          5u  /* topics at the beginning */
#define RECORDS       90u /* more than the ring holds */
#define BATCH_RECORDS 16u
#define BODY_ROOM     1024u
#define STORES_MAX    64
#define STEPS_MAX     (RING_SIZE / 8 + 8) /* no ring has more records */

/* What is made once, and put back before each input. */
static struct {
	struct testseg t;
	unsigned char *good; /* owned */
	uint64_t start;      /* a cursor that still can be read from */
} bench;

/* One store. */
struct store {
	uint8_t area; /* of the segment, see area_of() */
	uint8_t how;  /* see apply() */
	uint16_t where;
	uint64_t value;
};

static void
bench_make(void)
{
	struct ring ring;
	char name[16];

	testseg_open(&bench.t, RING_SIZE, TOPICS);
	/* The same bytes in every run, so that an input means the same. */
	memset(&bench.t.seg.header->hash_key, 1,
	    sizeof(bench.t.seg.header->hash_key));
	ring_attach(&ring, &bench.t.seg, 0);
	for (uint32_t i = 0; i < MADE; i++) {
		snprintf(name, sizeof(name), "topic %u", i);
		hand_topic(&ring, name);
	}
	for (uint32_t i = 0; i < RECORDS; i++) {
		if (i == RECORDS / 2)
			bench.start = ring_head(&bench.t.seg);
		stamps_add(&bench.t.seg, i + 1);
		hand_publish(&ring, i % MADE, "\"a message of some length\"");
	}
	ring_detach(&ring);
	bench.good = testseg_save(&bench.t);
}

/* The part of the segment that a store is in. */
static unsigned char *
area_of(const struct segment *seg, const struct store *store, size_t *size)
{
	struct layout_header *h = seg->header;

	switch (store->area % 7) {
	case 0: /* the words behind the lock; owner is the first of them */
		*size = sizeof(*h) - offsetof(struct layout_header, owner);
		return (unsigned char *)h +
		       offsetof(struct layout_header, owner);
	case 1:
		*size = offsetof(struct layout_header, lock);
		return (unsigned char *)h;
	case 2:
		*size = TOPICS * sizeof(*seg->topics);
		return (unsigned char *)seg->topics;
	case 3:
		*size = seg->bucket_count * sizeof(uint32_t);
		return (unsigned char *)(uintptr_t)seg->buckets;
	case 4:
		*size = LAYOUT_STAMPS * sizeof(*seg->stamps);
		return (unsigned char *)seg->stamps;
	case 5:
		*size = (TOPICS + 63) / 64 * sizeof(*seg->busy);
		return (unsigned char *)(uintptr_t)seg->busy;
	default:
		*size = RING_SIZE;
		return seg->ring;
	}
}

static void
apply(const struct segment *seg, const struct store *store)
{
	size_t size, at;
	unsigned char *area = area_of(seg, store, &size);
	uint64_t word;

	at = store->where * (size_t)8 % size / 8 * 8;
	if (at + 8 > size)
		at = size - 8;
	memcpy(&word, area + at, 8);
	switch (store->how % 4) {
	case 0:
		word = store->value;
		break;
	case 1:
		word += (uint64_t)(int64_t)(int8_t)store->value;
		break;
	case 2:
		word ^= UINT64_C(1) << store->value % 64;
		break;
	case 3: /* what stands elsewhere */
		memcpy(
		    &word, seg->ring + store->value % (RING_SIZE / 8) * 8, 8);
		break;
	}
	memcpy(area + at, &word, 8);
}

static void
apply_all(const struct segment *seg, const uint8_t *data, size_t size)
{
	struct store store;

	for (int i = 0; i < STORES_MAX && size >= sizeof(store); i++) {
		memcpy(&store, data, sizeof(store));
		apply(seg, &store);
		data += sizeof(store);
		size -= sizeof(store);
	}
}

static void
check_record(const struct ring_record *rec, const void *bytes, size_t size)
{
	CHECK(rec->topic < TOPICS);
	CHECK(fuzz_within(rec->name, rec->name_len, bytes, size));
	CHECK(fuzz_within(rec->body, rec->body_len, bytes, size));
}

/* Tail from here on, to the end. */
static void
tail(struct segment *seg, uint64_t from)
{
	enum ring_status status = RING_OK;
	struct stamps_cursor stamps = { 0 };
	struct reader r;

	reader_open(&r, seg, BATCH_RECORDS, ring_record_max(BODY_ROOM));
	r.cur.pos = from;
	for (size_t steps = 0; status == RING_OK || status == RING_LAPPED;
	     steps++) {
		CHECK(steps < STEPS_MAX);
		status = reader_read(&r);
		for (size_t i = 0; i < r.batch.count; i++) {
			check_record(
			    &r.batch.records[i], r.batch.bytes, r.batch.size);
			stamps_find(
			    seg, &stamps, r.batch.records[i].pos, r.cur.pos);
		}
	}
	reader_close(&r);
}

/* Look at what is said to be a record. */
static void
fetch(const struct segment *seg, uint64_t pos)
{
	size_t size = ring_record_max(BODY_ROOM);
	unsigned char *bytes = xmalloc(size);
	struct ring_record rec;

	if (ring_fetch(seg, pos, bytes, size, &rec) == RING_OK)
		check_record(&rec, bytes, size);
	free(bytes);
}

/* Walk a topic's chain back, and read it forwards. */
static void
walk(const struct segment *seg, uint32_t topic)
{
	uint64_t last = atomic_load(&seg->topics[topic].last);
	size_t size = ring_record_max(BODY_ROOM);
	unsigned char *bytes = xmalloc(size);
	struct ring_record rec;
	struct chain chain;

	fetch(seg, last);
	chain_init(&chain, seg, topic, ring_topic_seq(seg, topic), last);
	chain_walk(&chain, 0);
	CHECK(chain.seq + 1 - chain.low <= STEPS_MAX);
	for (uint64_t n = chain.low; n <= chain.seq && n != 0; n++)
		if (chain_read(&chain, n, bytes, size, &rec) == RING_OK)
			check_record(&rec, bytes, size);
	chain_fini(&chain);
	free(bytes);
}

static void
read_all(struct segment *seg)
{
	tail(seg, bench.start);
	tail(seg, ring_head(seg));
	tail(seg, atomic_load(&seg->header->applied));
	for (uint32_t topic = 0; topic < TOPICS; topic++) {
		topics_subscribers(seg, topic);
		walk(seg, topic);
	}
}

/* A new server goes on with the segment: all of it can be used. */
static void
take_over(struct segment *seg)
{
	struct ring ring;
	char name[16];

	store_begin_run(seg, TESTSEG_WORKERS, 1000);
	ring_attach(&ring, seg, 0);
	for (uint32_t i = 0; i < TOPICS + 2; i++) {
		uint64_t before, seq;
		uint32_t slot;

		snprintf(name, sizeof(name), "topic %u", i);
		slot = hand_topic(&ring, name);
		before = ring_topic_seq(seg, slot);
		seq = hand_publish(&ring, slot, "\"and on\"");
		CHECK(seq == before + 1 && seq != 0);
	}
	ring_detach(&ring);
	read_all(seg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[SEGMENT_ERROR_MAX] = "";
	struct segment *seg = &bench.t.seg;

	if (bench.good == NULL)
		bench_make();
	testseg_restore(&bench.t, bench.good);
	apply_all(seg, data, size);
	read_all(seg);
	if (ring_recover(seg, error))
		take_over(seg);
	else
		CHECK(error[0] != '\0');
	return 0;
}
