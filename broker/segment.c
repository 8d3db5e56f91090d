/* SPDX-License-Identifier: MIT */
/* segment.c - make, find, check and remove the segment; see segment.h. */

#include "broker/segment.h"

#include "broker/ring.h"
#include "broker/stop.h"
#include "common/bug.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_PATH_MAX 64 /* "/pubsubd." and the longest name */

/* How long a claim waits for its holder to end, and how often it looks. */
#define SEGMENT_CLAIM_MS      500
#define SEGMENT_CLAIM_LOOK_MS 10

struct segment_geometry {
	uint64_t workers_at, stamps_at, topics_at, buckets_at, names_at,
	    subscribers_at, busy_at, ring_at, ring_size, size;
	uint32_t topics_max, buckets;
};

static uint64_t
segment_page_round(uint64_t n)
{
	return (n + LAYOUT_PAGE - 1) & ~(uint64_t)(LAYOUT_PAGE - 1);
}

/* Where everything lies, from the two numbers that can be chosen. */
static struct segment_geometry
segment_plan(uint64_t ring_size, uint32_t topics_max)
{
	struct segment_geometry g = { .topics_max = topics_max, .buckets = 64 };
	uint64_t at = 0;

	while (g.buckets < topics_max && g.buckets < UINT32_C(1) << 31)
		g.buckets *= 2;
	at += segment_page_round(sizeof(struct layout_header));
	g.workers_at = at;
	at += segment_page_round(LAYOUT_WORKERS * sizeof(struct layout_worker));
	g.stamps_at = at;
	at += segment_page_round(LAYOUT_STAMPS * sizeof(struct layout_stamp));
	g.topics_at = at;
	at += segment_page_round(topics_max * sizeof(struct layout_topic));
	g.buckets_at = at;
	at += segment_page_round(g.buckets * sizeof(uint32_t));
	g.names_at = at;
	at += segment_page_round(topics_max * sizeof(struct layout_name));
	g.subscribers_at = at;
	at += segment_page_round(
	    (uint64_t)LAYOUT_WORKERS * topics_max * sizeof(uint32_t));
	g.busy_at = at;
	at += segment_page_round(
	    ((uint64_t)topics_max + 63) / 64 * sizeof(uint64_t));
	g.ring_at = at;
	g.ring_size = segment_page_round(ring_size);
	g.size = at + g.ring_size;
	return g;
}

uint64_t
segment_size(uint64_t ring_size, uint32_t topics_max)
{
	return segment_plan(ring_size, topics_max).size;
}

/* Mix one more number into another. */
static uint64_t
segment_mix(uint64_t h, uint64_t part)
{
	return (h ^ part) * UINT64_C(0x100000001b3);
}

/* A number that changes when any struct of the layout does, or when its
 * counters mean something else. */
static uint64_t
segment_fingerprint(void)
{
	const uint64_t parts[] = { sizeof(struct layout_header),
		sizeof(struct layout_worker), sizeof(struct layout_topic),
		sizeof(struct layout_name), sizeof(struct layout_record),
		offsetof(struct layout_header, run),
		offsetof(struct layout_header, lock),
		offsetof(struct layout_header, head),
		offsetof(struct layout_header, used),
		offsetof(struct layout_header, hash_key), STATS_COUNT,
		offsetof(struct layout_worker, confined),
		offsetof(struct layout_worker, counters),
		offsetof(struct layout_worker, delays), STATS_DELAY_BOUNDS,
		sizeof(struct layout_stamp), LAYOUT_STAMPS,
		offsetof(struct layout_header, stamped),
		offsetof(struct layout_topic, state), LAYOUT_WORKERS,
		LAYOUT_LOCK_SIZE };
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		h = segment_mix(h, parts[i]);
	for (int i = 0; i < STATS_COUNT; i++)
		for (const char *at = stats_info[i].name; *at != '\0'; at++)
			h = segment_mix(h, (unsigned char)*at);
	for (int i = 0; i < STATS_DELAY_BOUNDS; i++)
		h = segment_mix(h, stats_delay_bounds_ns[i]);
	return h;
}

/* Fill the handle from the geometry. */
static void
segment_point(struct segment *seg, void *base, const struct segment_geometry *g)
{
	unsigned char *at = base;

	seg->header = base;
	seg->workers = (void *)(at + g->workers_at);
	seg->stamps = (void *)(at + g->stamps_at);
	seg->topics = (void *)(at + g->topics_at);
	seg->buckets = (void *)(at + g->buckets_at);
	seg->names = (void *)(at + g->names_at);
	seg->subscribers = (void *)(at + g->subscribers_at);
	seg->busy = (void *)(at + g->busy_at);
	seg->ring = at + g->ring_at;
	seg->size = g->size;
	seg->ring_size = g->ring_size;
	seg->topics_max = g->topics_max;
	seg->bucket_count = g->buckets;
}

/* A random word: two rings are never mistaken for one another. */
static void
segment_make_epoch(char epoch[LAYOUT_EPOCH + 1])
{
	static const char digits[32] = "abcdefghijkmnpqrstuvwxyz23456789";
	unsigned char random[LAYOUT_EPOCH];

	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	for (unsigned i = 0; i < LAYOUT_EPOCH; i++)
		epoch[i] = digits[random[i] % 32];
	epoch[LAYOUT_EPOCH] = '\0';
}

void
segment_format(
    struct segment *seg, void *base, uint64_t ring_size, uint32_t topics_max)
{
	struct segment_geometry g = segment_plan(ring_size, topics_max);
	struct layout_header *h = base;

	segment_point(seg, base, &g);
	h->magic = LAYOUT_MAGIC;
	h->segment_size = g.size;
	h->ring_size = g.ring_size;
	h->topics_max = topics_max;
	h->buckets = g.buckets;
	h->workers_at = g.workers_at;
	h->stamps_at = g.stamps_at;
	h->topics_at = g.topics_at;
	h->buckets_at = g.buckets_at;
	h->names_at = g.names_at;
	h->subscribers_at = g.subscribers_at;
	h->busy_at = g.busy_at;
	h->ring_at = g.ring_at;
	segment_make_epoch(h->epoch);
	siphash_key_make(&h->hash_key);
	ring_format(seg);
	atomic_store_explicit(
	    &h->fingerprint, segment_fingerprint(), memory_order_release);
}

static void
segment_path(char path[SEGMENT_PATH_MAX], const char *name)
{
	snprintf(path, SEGMENT_PATH_MAX, "/pubsubd.%s", name);
}

static void
segment_error(
    char error[SEGMENT_ERROR_MAX], const char *name, const char *what, int err)
{
	snprintf(error, SEGMENT_ERROR_MAX, "shared memory /pubsubd.%s: %s%s%s",
	    name, what, err != 0 ? ": " : "", err != 0 ? strerror(err) : "");
}

/* Give the file its full size, in memory, now. */
static bool
segment_allocate(
    int fd, const char *name, uint64_t size, char error[SEGMENT_ERROR_MAX])
{
	char what[96];
	int err;

	do
		err = posix_fallocate(fd, 0, (off_t)size);
	while (err == EINTR);
	if (err == 0)
		return true;
	snprintf(what, sizeof(what),
	    "no room for %llu MiB in /dev/shm (see --ring-size, --max-topics)",
	    (unsigned long long)(size >> 20));
	segment_error(error, name, what, err);
	return false;
}

static void *
segment_map(int fd, uint64_t size, bool writable)
{
	return mmap(NULL, size, writable ? PROT_READ | PROT_WRITE : PROT_READ,
	    MAP_SHARED, fd, 0);
}

/* Whether the name means the file that is open. */
static bool
segment_is_named(const char *path, int fd)
{
	struct stat open_one, named;
	int other = shm_open(path, O_RDONLY | O_CLOEXEC, 0);
	bool same = other != -1 && fstat(other, &named) == 0 &&
	            fstat(fd, &open_one) == 0 &&
	            open_one.st_dev == named.st_dev &&
	            open_one.st_ino == named.st_ino;

	if (other != -1)
		close(other);
	return same;
}

/* Lock an open segment.  Who ended a moment ago may not have closed it yet. */
static bool
segment_lock(int fd)
{
	const struct timespec moment = { 0, SEGMENT_CLAIM_LOOK_MS * 1000000L };

	for (int tries = SEGMENT_CLAIM_MS / SEGMENT_CLAIM_LOOK_MS;; tries--) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK || tries == 0)
			return false;
		nanosleep(&moment, NULL);
	}
}

enum segment_status
segment_claim(const char *name, int *claim, char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status = SEGMENT_FAILED;
	char path[SEGMENT_PATH_MAX];
	int fd, err;

	segment_path(path, name);
	for (;;) {
		fd = shm_open(path, O_RDWR | O_CLOEXEC, 0);
		if (fd == -1) {
			err = errno;
			segment_error(error, name, "cannot be opened", err);
			return err == ENOENT ? SEGMENT_MISSING : SEGMENT_FAILED;
		}
		if (!segment_lock(fd))
			break;
		/* Or it was removed between our open and our lock. */
		if (segment_is_named(path, fd)) {
			*claim = fd;
			return SEGMENT_OK;
		}
		close(fd);
	}
	err = errno;
	close(fd);
	if (err == EWOULDBLOCK) {
		status = SEGMENT_BUSY;
		err = 0;
	}
	segment_error(error, name,
	    status == SEGMENT_BUSY ? "another server of this name has it"
				   : "cannot be locked",
	    err);
	return status;
}

void
segment_remove(const char *name, int claim)
{
	char path[SEGMENT_PATH_MAX];

	segment_path(path, name);
	if (segment_is_named(path, claim))
		shm_unlink(path);
	close(claim);
}

/* Fill a file that was just made. */
static bool
segment_make(struct segment *seg, int fd, const char *name, uint64_t ring_size,
    uint32_t topics_max, char error[SEGMENT_ERROR_MAX])
{
	uint64_t size = segment_size(ring_size, topics_max);
	void *base;

	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		segment_error(error, name, "cannot be locked", errno);
		return false;
	}
	if (!segment_allocate(fd, name, size, error))
		return false;
	base = segment_map(fd, size, true);
	if (base == MAP_FAILED) {
		segment_error(error, name, "cannot be mapped", errno);
		return false;
	}
	segment_format(seg, base, ring_size, topics_max);
	return true;
}

bool
segment_create(struct segment *seg, const char *name, uint64_t ring_size,
    uint32_t topics_max, int *claim, char error[SEGMENT_ERROR_MAX])
{
	char path[SEGMENT_PATH_MAX];
	int fd;

	segment_path(path, name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		segment_error(error, name, "cannot be created", errno);
		return false;
	}
	if (!segment_make(seg, fd, name, ring_size, topics_max, error)) {
		segment_remove(name, fd);
		return false;
	}
	*claim = fd;
	return true;
}

/* Whether a mapped header describes a segment of this layout and size. */
static bool
segment_is_ours(
    const struct layout_header *h, uint64_t size, struct segment_geometry *g)
{
	if (size < sizeof(*h) || h->magic != LAYOUT_MAGIC ||
	    atomic_load_explicit(&h->fingerprint, memory_order_acquire) !=
		segment_fingerprint())
		return false;
	if (h->topics_max == 0 || h->ring_size == 0 || h->ring_size > size ||
	    h->topics_max > size / sizeof(struct layout_topic))
		return false;
	*g = segment_plan(h->ring_size, h->topics_max);
	return g->size == size && h->segment_size == size &&
	       g->ring_size == h->ring_size && g->buckets == h->buckets &&
	       memchr(h->epoch, '\0', sizeof(h->epoch)) != NULL &&
	       memchr(h->run.urls, '\0', sizeof(h->run.urls)) != NULL;
}

/* Map an open segment if it is one.  Closes nothing. */
static enum segment_status
segment_attach_fd(struct segment *seg, int fd, const char *name, bool writable,
    char error[SEGMENT_ERROR_MAX])
{
	struct segment_geometry g;
	struct stat st;
	void *base;

	if (fstat(fd, &st) == -1) {
		segment_error(error, name, "cannot be examined", errno);
		return SEGMENT_FAILED;
	}
	if (st.st_uid != geteuid() && geteuid() != 0) {
		segment_error(error, name, "belongs to another user", 0);
		return SEGMENT_FOREIGN;
	}
	if (st.st_size < (off_t)sizeof(struct layout_header)) {
		segment_error(error, name, "is half-made", 0);
		return SEGMENT_FOREIGN;
	}
	base = segment_map(fd, (uint64_t)st.st_size, writable);
	if (base == MAP_FAILED) {
		segment_error(error, name, "cannot be mapped", errno);
		return SEGMENT_FAILED;
	}
	if (!segment_is_ours(base, (uint64_t)st.st_size, &g)) {
		munmap(base, (size_t)st.st_size);
		segment_error(error, name, "is of another version", 0);
		return SEGMENT_FOREIGN;
	}
	segment_point(seg, base, &g);
	return SEGMENT_OK;
}

enum segment_status
segment_take_over(struct segment *seg, int claim, const char *name,
    char error[SEGMENT_ERROR_MAX])
{
	struct stat st;

	if (fstat(claim, &st) == 0 &&
	    (st.st_uid != geteuid() || (st.st_mode & 077) != 0)) {
		segment_error(error, name, "is open to another user", 0);
		return SEGMENT_FOREIGN;
	}
	return segment_attach_fd(seg, claim, name, true, error);
}

enum segment_status
segment_attach(struct segment *seg, const char *name, bool writable,
    char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status;
	char path[SEGMENT_PATH_MAX];
	int fd, err;

	segment_path(path, name);
	fd = shm_open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC, 0);
	if (fd == -1) {
		err = errno;
		segment_error(error, name, "cannot be opened", err);
		return err == ENOENT ? SEGMENT_MISSING : SEGMENT_FAILED;
	}
	status = segment_attach_fd(seg, fd, name, writable, error);
	close(fd);
	return status;
}

void
segment_begin_run(struct segment *seg, unsigned workers, uint32_t drain_ms)
{
	struct layout_header *h = seg->header;

	ring_make_lock(seg);
	memset(seg->workers, 0, LAYOUT_WORKERS * sizeof(*seg->workers));
	memset(seg->subscribers, 0,
	    (size_t)LAYOUT_WORKERS * seg->topics_max *
		sizeof(*seg->subscribers));
	for (uint32_t slot = 0; slot < seg->topics_max; slot++)
		atomic_store(&seg->topics[slot].interest, 0);
	for (uint32_t i = 0; i * 64 < seg->topics_max; i++)
		atomic_store(&seg->busy[i], 0);
	stop_here(h, STOP_RUN_HALF_BEGUN);
	atomic_store(&h->sealed, 0);
	atomic_store(&h->owner, 0);
	atomic_store(&h->stop_at, 0);

	atomic_store(&h->run.ready, 0);
	atomic_store(&h->run.order, RUN_SERVE);
	atomic_store(&h->run.order_ms, 0);
	atomic_store(&h->run.workers, workers);
	atomic_store(&h->run.drain_ms, drain_ms);
	atomic_store(&h->run.deaths, 0);
	atomic_store(&h->run.lock_deaths, 0);
	atomic_store(&h->run.watchdog_kills, 0);
	atomic_store(&h->run.respawns, 0);
	atomic_store(&h->run.started_ms, clock_monotonic_ms());
	atomic_store(&h->run.started_at, clock_wall_ms());
	atomic_store(&h->run.supervisor, (int32_t)getpid());
	atomic_fetch_add(&h->run.id, 1);
}

unsigned
segment_workers(const struct segment *seg)
{
	uint32_t n = atomic_load_explicit(
	    &seg->header->run.workers, memory_order_relaxed);

	return n < LAYOUT_WORKERS ? n : LAYOUT_WORKERS;
}

void
segment_close(struct segment *seg)
{
	if (seg->header != NULL)
		munmap(seg->header, seg->size);
	memset(seg, 0, sizeof(*seg));
}

void
segment_unlink(const char *name)
{
	char path[SEGMENT_PATH_MAX];

	segment_path(path, name);
	shm_unlink(path);
}
