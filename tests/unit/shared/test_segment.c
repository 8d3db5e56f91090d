/* SPDX-License-Identifier: MIT */
/* test_segment.c - what broker/shared/segment.h promises. */

#include "broker/ring/ring.h"
#include "broker/ring/store.h"
#include "broker/shared/segment.h"
#include "broker/ring/topics.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RING_SIZE 8192u
#define TOPICS    100u

static char name[32]; /* of the instance: this process's own */
static char path[64]; /* of its segment */
static char error[SEGMENT_ERROR_MAX];

static int
setup(void **state)
{
	(void)state;
	snprintf(name, sizeof(name), "unit-%d", getpid());
	snprintf(path, sizeof(path), "/pubsubd.%s", name);
	error[0] = '\0';
	return 0;
}

/* Each test leaves nothing in /dev/shm, by its own doing. */
static int
teardown(void **state)
{
	int fd = shm_open(path, O_RDONLY, 0);

	(void)state;
	if (fd == -1)
		return 0;
	close(fd);
	shm_unlink(path);
	print_error("the test left %s behind\n", path);
	return -1;
}

/* Create the segment.  Returns the claim. */
static int
create_claimed(struct segment *seg)
{
	int claim;

	if (!store_create(seg, name,
		&(struct segment_shape){ .ring_size = RING_SIZE,
		    .topics_max = TOPICS,
		    .keys_max = 64 },
		&claim, error))
		fail_msg("%s", error);
	return claim;
}

static void
create(struct segment *seg)
{
	close(create_claimed(seg));
}

static void
test_size_has_room_for_everything(void **state)
{
	struct testseg t;
	const struct segment *seg = &t.seg;

	(void)state;
	testseg_open(&t, RING_SIZE + 1, TOPICS);
	assert_int_equal(seg->header->ring_size, RING_SIZE + LAYOUT_PAGE);
	assert_in_range(seg->header->buckets, TOPICS, 2 * TOPICS);
	const uintptr_t ends[] = {
		(uintptr_t)(seg->header + 1),
		(uintptr_t)(seg->workers + LAYOUT_WORKERS),
		(uintptr_t)(seg->stamps + LAYOUT_STAMPS),
		(uintptr_t)(seg->topics + TOPICS),
		(uintptr_t)(seg->buckets + seg->header->buckets),
		(uintptr_t)(seg->names + TOPICS),
		(uintptr_t)(seg->subscribers + LAYOUT_WORKERS * TOPICS),
		(uintptr_t)(seg->busy + (TOPICS + 63) / 64),
		(uintptr_t)(seg->attendance + TOPICS),
		(uintptr_t)(seg->members + seg->members_max),
		(uintptr_t)(seg->member_counts +
			    (size_t)seg->members_max * LAYOUT_WORKERS),
		(uintptr_t)(seg->member_buckets + seg->member_bucket_count),
		(uintptr_t)(seg->pieces + seg->pieces_max),
		(uintptr_t)(seg->member_holders +
			    LAYOUT_HOLDER_ROWS * LAYOUT_HOLDERS),
		(uintptr_t)(seg->asks + LAYOUT_ASKERS),
		(uintptr_t)(seg->answers + LAYOUT_WORKERS),
		(uintptr_t)(seg->questions + LAYOUT_QUESTIONS),
		(uintptr_t)(seg->gathered + LAYOUT_QUESTIONS),
		(uintptr_t)(seg->key_buckets + seg->key_bucket_count),
		(uintptr_t)(seg->value_buckets + seg->value_bucket_count),
		(uintptr_t)(seg->chunks + seg->chunks_max),
		(uintptr_t)(seg->ring + seg->header->ring_size),
	};
	const uintptr_t starts[] = {
		(uintptr_t)seg->workers,
		(uintptr_t)seg->stamps,
		(uintptr_t)seg->topics,
		(uintptr_t)seg->buckets,
		(uintptr_t)seg->names,
		(uintptr_t)seg->subscribers,
		(uintptr_t)seg->busy,
		(uintptr_t)seg->attendance,
		(uintptr_t)seg->members,
		(uintptr_t)seg->member_counts,
		(uintptr_t)seg->member_buckets,
		(uintptr_t)seg->pieces,
		(uintptr_t)seg->member_holders,
		(uintptr_t)seg->asks,
		(uintptr_t)seg->answers,
		(uintptr_t)seg->questions,
		(uintptr_t)seg->gathered,
		(uintptr_t)seg->keys,
		(uintptr_t)seg->retain,
		(uintptr_t)seg->chunks,
		(uintptr_t)seg->ring,
		(uintptr_t)seg->header + segment_size(&(struct segment_shape){
					     .ring_size = RING_SIZE + 1,
					     .topics_max = TOPICS,
					     .keys_max = TESTSEG_KEYS,
					     .members_max = TESTSEG_MEMBERS,
					     .questions_max = LAYOUT_QUESTIONS,
					     .chunks_max = TESTSEG_CHUNKS }),
	};
	for (size_t i = 0; i < COUNT(ends); i++) {
		assert_int_equal(starts[i] % LAYOUT_PAGE, 0);
		assert_in_range(
		    ends[i], starts[i] - LAYOUT_PAGE + 1, starts[i]);
	}
	testseg_close(&t);
}

static void
test_default_fits_the_shm_of_a_container(void **state)
{
	(void)state;
	assert_true(
	    segment_size(&(struct segment_shape){ .ring_size = 32u << 20,
		.topics_max = 32768,
		.keys_max = 8192,
		.members_max = 8192,
		.chunks_max = (8u << 20) / LAYOUT_CHUNK }) < 64u << 20);
}

/* A number of topics so large that no power of two reaches it in 32 bits. */
static void
test_size_of_absurd_numbers_is_large(void **state)
{
	(void)state;
	assert_true(
	    segment_size(&(struct segment_shape){ .ring_size = RING_SIZE,
		.topics_max = UINT32_MAX,
		.keys_max = 64 }) >
	    UINT32_MAX * (uint64_t)sizeof(struct layout_topic));
}

static void
test_every_format_is_an_epoch_of_its_own(void **state)
{
	struct testseg a, b;

	(void)state;
	testseg_open(&a, RING_SIZE, TOPICS);
	testseg_open(&b, RING_SIZE, TOPICS);
	assert_int_equal(strlen(a.seg.header->epoch), LAYOUT_EPOCH);
	assert_string_not_equal(a.seg.header->epoch, b.seg.header->epoch);
	testseg_close(&a);
	testseg_close(&b);
}

static void
test_created_segment_is_private_and_of_full_size(void **state)
{
	struct segment seg;
	struct stat st;
	int fd;

	(void)state;
	create(&seg);
	fd = shm_open(path, O_RDONLY, 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size,
	    segment_size(&(struct segment_shape){ .ring_size = RING_SIZE,
		.topics_max = TOPICS,
		.keys_max = 64 }));
	segment_close(&seg);
	assert_null(seg.header);
	segment_unlink(name);
}

static void
test_attached_segment_is_the_same_memory(void **state)
{
	struct segment seg, other;
	struct ring ring;
	uint32_t slot;

	(void)state;
	create(&seg);
	ring_attach(&ring, &seg, 0);
	slot = hand_topic(&ring, "t");
	assert_int_equal(segment_attach(&other, name, true, error), SEGMENT_OK);
	assert_ptr_not_equal(other.header, seg.header);
	assert_string_equal(other.header->epoch, seg.header->epoch);
	hand_publish(&ring, slot, "1");
	assert_int_equal(ring_topic_seq(&other, slot), 1);
	atomic_store(&other.header->run.order, RUN_DRAIN);
	assert_int_equal(atomic_load(&seg.header->run.order), RUN_DRAIN);
	ring_detach(&ring);
	segment_close(&other);
	segment_close(&seg);
	segment_unlink(name);
}

static void
test_read_only_attach_reads(void **state)
{
	struct segment seg, other;
	unsigned char resident;

	(void)state;
	create(&seg);
	assert_int_equal(
	    segment_attach(&other, name, false, error), SEGMENT_OK);
	assert_int_equal(ring_head(&other), ring_head(&seg));
	/* and its pages cannot be made writable again */
	assert_int_equal(
	    mprotect(other.header, other.size, PROT_READ | PROT_WRITE), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(mincore(other.header, 1, &resident), 0);
	segment_close(&other);
	segment_close(&seg);
	segment_unlink(name);
}

static void
test_missing_segment_is_missing(void **state)
{
	struct segment seg;

	(void)state;
	assert_int_equal(
	    segment_attach(&seg, name, true, error), SEGMENT_MISSING);
	assert_non_null(strstr(error, path));
}

/* Two servers of one name may have two pidfiles: the segment itself tells. */
static void
test_segment_that_exists_is_not_created(void **state)
{
	struct segment old, new;
	int claim;

	(void)state;
	create(&old);
	assert_false(store_create(&new, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    &claim, error));
	assert_non_null(strstr(error, path));
	assert_int_equal(segment_attach(&new, name, true, error), SEGMENT_OK);
	segment_close(&new);
	segment_close(&old);
	segment_unlink(name);
}

static void
test_claim_is_one_servers(void **state)
{
	struct segment seg;
	int claim, other;

	(void)state;
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_MISSING);
	claim = create_claimed(&seg);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_BUSY);
	assert_non_null(strstr(error, path));
	segment_close(&seg);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_BUSY);
	close(claim);
	assert_int_equal(segment_claim(name, &claim, error), SEGMENT_OK);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_BUSY);
	segment_remove(name, claim);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_MISSING);
}

/* A worker that outlives its supervisor keeps the segment mapped. */
static void
test_claim_is_held_by_children_too(void **state)
{
	struct segment seg;
	int claim, other, end[2];
	pid_t pid;
	char byte;

	(void)state;
	claim = create_claimed(&seg);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	if (pid == 0) {
		close(end[1]);
		close(claim);
		_exit(read(end[0], &byte, 1) == 0 ? 0 : 1);
	}
	assert_int_not_equal(pid, -1);
	close(end[0]);
	close(claim);
	segment_close(&seg);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_BUSY);
	close(end[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(segment_claim(name, &other, error), SEGMENT_OK);
	segment_remove(name, other);
}

static void
test_removing_leaves_anothers_segment(void **state)
{
	struct segment old, new, found;
	int claim;

	(void)state;
	claim = create_claimed(&old);
	segment_unlink(name);
	create(&new);
	segment_remove(name, claim);
	assert_int_equal(segment_attach(&found, name, true, error), SEGMENT_OK);
	assert_string_equal(found.header->epoch, new.header->epoch);
	segment_close(&found);
	segment_close(&new);
	segment_close(&old);
	segment_unlink(name);
}

/* Who may open it could have it mapped. */
static void
test_segment_that_others_may_open_is_not_taken_over(void **state)
{
	struct segment seg, found;
	int claim;

	(void)state;
	claim = create_claimed(&seg);
	assert_int_equal(
	    segment_take_over(&found, claim, name, error), SEGMENT_OK);
	segment_close(&found);
	assert_int_equal(fchmod(claim, 0660), 0);
	assert_int_equal(
	    segment_take_over(&found, claim, name, error), SEGMENT_FOREIGN);
	assert_int_equal(fchmod(claim, 0600), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchown(claim, 65534, (gid_t)-1), 0);
		assert_int_equal(segment_take_over(&found, claim, name, error),
		    SEGMENT_FOREIGN);
	}
	segment_remove(name, claim);
	segment_close(&seg);
}

static void
check_foreign(void)
{
	struct segment seg;

	error[0] = '\0';
	assert_int_equal(
	    segment_attach(&seg, name, true, error), SEGMENT_FOREIGN);
	assert_non_null(strstr(error, path));
}

static void
test_half_made_segment_is_foreign(void **state)
{
	const off_t sizes[] = { 0, 100, LAYOUT_PAGE, 1 << 20 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		int fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

		assert_int_not_equal(fd, -1);
		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		close(fd);
		check_foreign();
		segment_unlink(name);
	}
}

/* Each word that says what the segment is, one at a time. */
static void
test_foreign_header_is_foreign(void **state)
{
	struct segment seg;
	struct layout_header *h, good;

	(void)state;
	create(&seg);
	h = seg.header;
	memcpy(&good, h, sizeof(good));
#define SPOIL(what)                             \
	do {                                    \
		what;                           \
		check_foreign();                \
		memcpy(h, &good, sizeof(good)); \
	} while (0)
	SPOIL(h->magic++);
	SPOIL(atomic_fetch_add(&h->fingerprint, 1));
	SPOIL(atomic_store(&h->fingerprint, 0));
	SPOIL(h->segment_size += LAYOUT_PAGE);
	SPOIL(h->ring_size += LAYOUT_PAGE);
	SPOIL(h->ring_size = 0);
	SPOIL(h->ring_size = UINT64_MAX);
	SPOIL(h->ring_size++);
	SPOIL(h->topics_max = 0);
	SPOIL(h->topics_max = 4 * TOPICS);
	SPOIL(h->topics_max = UINT32_MAX);
	SPOIL(h->buckets *= 2);
	SPOIL(memset(h->epoch, 'x', sizeof(h->epoch)));
	SPOIL(memset(h->run.urls, 'x', sizeof(h->run.urls)));
#undef SPOIL
	segment_close(&seg);
	assert_int_equal(segment_attach(&seg, name, true, error), SEGMENT_OK);
	segment_close(&seg);
	segment_unlink(name);
}

/*
 * A ring of no bytes at all, in a file of the size that goes with it: the one
 * geometry that agrees with itself and cannot be used.
 */
static void
test_ring_of_no_bytes_is_foreign(void **state)
{
	struct segment seg;
	int claim;

	(void)state;
	if (!store_create(&seg, name,
		&(struct segment_shape){
		    .ring_size = 0, .topics_max = TOPICS, .keys_max = 64 },
		&claim, error))
		fail_msg("%s", error);
	check_foreign();
	segment_close(&seg);
	segment_remove(name, claim);
}

static void
test_segment_of_another_size_is_foreign(void **state)
{
	struct segment seg;
	int fd;

	(void)state;
	create(&seg);
	fd = shm_open(path, O_RDWR, 0);
	assert_int_equal(ftruncate(fd, (off_t)seg.size + LAYOUT_PAGE), 0);
	check_foreign();
	assert_int_equal(ftruncate(fd, (off_t)seg.size - LAYOUT_PAGE), 0);
	check_foreign();
	close(fd);
	segment_close(&seg);
	segment_unlink(name);
}

/* A limit on files stands for a /dev/shm that is too small. */
static void
test_too_large_is_told_at_once_and_leaves_nothing(void **state)
{
	struct rlimit old, small;
	struct segment seg;
	int claim;
	bool made;

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 1 << 20;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	made = store_create(&seg, name,
	    &(struct segment_shape){
		.ring_size = 2 << 20, .topics_max = TOPICS, .keys_max = 64 },
	    &claim, error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_false(made);
	assert_non_null(strstr(error, path));
	assert_non_null(strstr(error, "/dev/shm"));
	assert_non_null(strstr(error, "--ring-size"));

	assert_false(store_create(&seg, name,
	    &(struct segment_shape){ .ring_size = UINT64_C(1) << 63,
		.topics_max = TOPICS,
		.keys_max = 64 },
	    &claim, error));
}

/* Bytes of an open file that are in memory. */
static uint64_t
held(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_blocks * 512;
}

/* The first run of a new segment begins in what is in memory from the first. */
static void
test_segment_is_in_memory_once_it_is_filled(void **state)
{
	struct segment seg;
	int claim;

	(void)state;
	claim = create_claimed(&seg);
	store_begin_run(&seg, 2, 0);
	assert_int_equal(held(claim), segment_first_bytes());
	seg.ring[0] = 7;
	assert_true(segment_fill(&seg, claim, name, error));
	assert_int_equal(held(claim), seg.size);
	assert_int_equal(seg.ring[0], 7);
	assert_true(segment_fill(&seg, claim, name, error));
	assert_int_equal(seg.ring[0], 7);
	segment_close(&seg);
	segment_remove(name, claim);
}

static void
test_next_segment_is_in_memory_at_once(void **state)
{
	struct segment seg;
	int fd;

	(void)state;
	fd = segment_open_next(name, error);
	assert_int_not_equal(fd, -1);
	assert_true(store_create_next(&seg, fd, name,
	    &(struct segment_shape){
		.ring_size = RING_SIZE, .topics_max = TOPICS, .keys_max = 64 },
	    error));
	assert_int_equal(held(fd), seg.size);
	segment_close(&seg);
	close(fd);
	segment_remove_next(name);
}

static void
test_segments_set_aside_have_names_of_their_own(void **state)
{
	struct segment seg, again;
	int claims[2], fd;

	(void)state;
	assert_int_equal(segment_oldest_aside(name), -1);
	assert_int_equal(segment_open_aside(name, 0), -1);
	assert_int_equal(errno, ENOENT);
	claims[0] = create_claimed(&seg);
	seg.ring[0] = 7;
	assert_true(segment_set_aside(name, claims[0], 2));
	assert_false(segment_set_aside(name, claims[0], 1)); /* it has it */
	assert_int_equal(errno, ENOENT);
	assert_int_equal(segment_named_size(name), 0);
	assert_int_equal(segment_aside_size(name, 2), seg.size);
	segment_close(&seg);
	close(claims[0]);
	claims[1] = create_claimed(&seg);
	assert_true(segment_set_aside(name, claims[1], 0));
	segment_close(&seg);
	close(claims[1]);
	assert_int_equal(segment_oldest_aside(name), 2);
	fd = segment_open_aside(name, 2);
	assert_int_not_equal(fd, -1);
	assert_int_equal(
	    segment_take_over(&again, fd, name, error), SEGMENT_OK);
	assert_int_equal(again.ring[0], 7);
	close(fd);
	segment_remove_aside(name, 2);
	assert_int_equal(again.ring[0], 7); /* who has it keeps it */
	segment_close(&again);
	assert_int_equal(segment_oldest_aside(name), 0);
	assert_true(segment_remove_asides(name));
	assert_false(segment_remove_asides(name));
}

/* Their owner is another: only root can make such files, a mode that ours never have
 * is told apart in the same place. */
static void
test_files_of_others_are_not_segments_set_aside(void **state)
{
	char other[80];
	struct segment seg;
	int claim = create_claimed(&seg), others[SEGMENT_ASIDE_MAX];

	(void)state;
	for (int i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		assert_int_equal(segment_free_aside(name), i);
		snprintf(other, sizeof(other), "/pubsubd.%s~%d", name, i);
		others[i] = shm_open(other, O_RDWR | O_CREAT | O_EXCL, 0600);
		assert_int_not_equal(others[i], -1);
		assert_int_equal(fchmod(others[i], 0644), 0);
		assert_int_equal(ftruncate(others[i], 4096), 0);
	}
	assert_int_equal(segment_free_aside(name), -1);
	assert_int_equal(segment_oldest_aside(name), -1);
	assert_int_equal(segment_aside_size(name, 1), 0);
	assert_int_equal(segment_open_aside(name, 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(fchmod(others[1], 0600), 0);
	assert_int_equal(segment_aside_size(name, 1), 4096);
	assert_int_equal(segment_oldest_aside(name), 1);
	assert_true(segment_remove_asides(name));
	assert_int_equal(segment_free_aside(name), 1);
	for (int i = 0; i < SEGMENT_ASIDE_MAX; i++) {
		close(others[i]);
		segment_remove_aside(name, (unsigned)i);
	}
	segment_close(&seg);
	close(claim);
	segment_unlink(name);
}

/* With --user its owner is the supervisor's user, not that of who maps it. */
static void
test_descriptor_handed_down_is_mapped_whoever_has_the_file(void **state)
{
	struct segment seg, again;
	int claim = create_claimed(&seg);

	(void)state;
	assert_int_equal(fchmod(claim, 0644), 0);
	assert_int_equal(
	    segment_take_over(&again, claim, name, error), SEGMENT_FOREIGN);
	assert_int_equal(segment_adopt(&again, claim, name, error), SEGMENT_OK);
	seg.ring[0] = 7;
	assert_int_equal(again.ring[0], 7);
	segment_close(&again);
	segment_close(&seg);
	assert_int_equal(ftruncate(claim, 10), 0);
	assert_int_equal(
	    segment_adopt(&again, claim, name, error), SEGMENT_FOREIGN);
	close(claim);
	segment_unlink(name);
}

static void
test_new_run_begins_with_nobody(void **state)
{
	struct testseg t;
	struct layout_header *h;
	uint64_t id;

	(void)state;
	testseg_open(&t, RING_SIZE, TOPICS);
	h = t.seg.header;
	id = atomic_load(&h->run.id);
	topics_subscribe(&t.seg, 7, 2);
	topics_subscribe(&t.seg, TOPICS - 1, 63);
	atomic_store(&t.seg.workers[63].pid, 4711);
	atomic_store(&t.seg.workers[0].sleeping, 7);
	strcpy(t.seg.workers[0].last_words, "words");
	atomic_store(&h->sealed, 1);
	atomic_store(&h->run.order, RUN_DRAIN);
	atomic_store(&h->run.ready, 1);

	store_begin_run(&t.seg, 3, 2500);
	assert_int_equal(atomic_load(&h->run.id), id + 1);
	assert_int_equal(atomic_load(&h->run.workers), 3);
	assert_int_equal(atomic_load(&h->run.drain_ms), 2500);
	assert_int_equal(atomic_load(&h->run.supervisor), getpid());
	assert_int_equal(atomic_load(&h->run.order), RUN_SERVE);
	assert_int_equal(atomic_load(&h->run.ready), 0);
	assert_int_equal(atomic_load(&h->sealed), 0);
	assert_int_equal(atomic_load(&t.seg.topics[7].interest), 0);
	assert_int_equal(atomic_load(&t.seg.topics[TOPICS - 1].interest), 0);
	assert_int_equal(atomic_load(&t.seg.busy[7 / 64]), 0);
	assert_int_equal(atomic_load(&t.seg.busy[(TOPICS - 1) / 64]), 0);
	for (size_t i = 0; i < LAYOUT_WORKERS * TOPICS; i++)
		assert_int_equal(atomic_load(&t.seg.subscribers[i]), 0);
	assert_int_equal(atomic_load(&t.seg.workers[63].pid), 0);
	assert_int_equal(atomic_load(&t.seg.workers[0].sleeping), 0);
	assert_string_equal(t.seg.workers[0].last_words, "");
	testseg_close(&t);
}

static void
test_new_run_keeps_ring_and_directory(void **state)
{
	struct testseg t;
	struct ring ring;
	char epoch[LAYOUT_EPOCH + 1];
	uint32_t slot;

	(void)state;
	testseg_open(&t, RING_SIZE, TOPICS);
	ring_attach(&ring, &t.seg, 0);
	slot = hand_topic(&ring, "t");
	hand_publish(&ring, slot, "1");
	memcpy(epoch, t.seg.header->epoch, sizeof(epoch));
	store_begin_run(&t.seg, 2, 1000);
	assert_string_equal(t.seg.header->epoch, epoch);
	assert_int_equal(hand_topic(&ring, "t"), slot);
	assert_int_equal(hand_publish(&ring, slot, "2"), 2);
	ring_detach(&ring);
	testseg_close(&t);
}

/* Whatever a dead server's lock has become, held or no lock at all. */
static void
test_new_run_has_a_new_lock(void **state)
{
	struct testseg t;
	struct ring ring;

	(void)state;
	testseg_open(&t, RING_SIZE, TOPICS);
	for (int byte = 0; byte < 256; byte += 85) {
		memset(t.seg.header->lock, byte, sizeof(t.seg.header->lock));
		store_begin_run(&t.seg, 2, 1000);
		ring_attach(&ring, &t.seg, 0);
		hand_publish(&ring, hand_topic(&ring, "t"), "message");
		ring_detach(&ring);
	}
	testseg_close(&t);
}

static void
test_unlinked_segment_lives_while_it_is_mapped(void **state)
{
	struct segment seg, other;

	(void)state;
	create(&seg);
	segment_unlink(name);
	seg.ring[0] = 1;
	assert_int_equal(
	    segment_attach(&other, name, true, error), SEGMENT_MISSING);
	segment_close(&seg);
	segment_close(&seg); /* once more is no harm */
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_size_has_room_for_everything),
	T(test_default_fits_the_shm_of_a_container),
	T(test_size_of_absurd_numbers_is_large),
	T(test_every_format_is_an_epoch_of_its_own),
	T(test_created_segment_is_private_and_of_full_size),
	T(test_attached_segment_is_the_same_memory),
	T(test_read_only_attach_reads),
	T(test_missing_segment_is_missing),
	T(test_segment_that_exists_is_not_created),
	T(test_claim_is_one_servers),
	T(test_claim_is_held_by_children_too),
	T(test_removing_leaves_anothers_segment),
	T(test_segment_that_others_may_open_is_not_taken_over),
	T(test_half_made_segment_is_foreign),
	T(test_foreign_header_is_foreign),
	T(test_ring_of_no_bytes_is_foreign),
	T(test_segment_of_another_size_is_foreign),
	T(test_too_large_is_told_at_once_and_leaves_nothing),
	T(test_segment_is_in_memory_once_it_is_filled),
	T(test_next_segment_is_in_memory_at_once),
	T(test_segments_set_aside_have_names_of_their_own),
	T(test_files_of_others_are_not_segments_set_aside),
	T(test_descriptor_handed_down_is_mapped_whoever_has_the_file),
	T(test_new_run_begins_with_nobody),
	T(test_new_run_keeps_ring_and_directory),
	T(test_new_run_has_a_new_lock),
	T(test_unlinked_segment_lives_while_it_is_mapped),
};

SUITE_MAIN(tests);
