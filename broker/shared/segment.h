/* SPDX-License-Identifier: MIT */
/*
 * segment.h - the POSIX shared-memory segment: made, found, claimed, removed
 * (segment_file.c), laid out and recognised (segment.c), its name
 * (segment_name.c), and those beside it (segment_next.c, segment_aside.c).
 *
 * The supervisor creates it, and has it in memory in full (posix_fallocate(3))
 * before anybody is told that the server has started, so that a /dev/shm that is
 * too small is an error at start and never a SIGBUS later.  All others map the
 * existing segment; status maps it read-only.  This module never takes the ring's
 * lock.
 */

#ifndef BROKER_SHARED_SEGMENT_H
#define BROKER_SHARED_SEGMENT_H

#include "broker/shared/layout.h"
#include "broker/shared/layout_values.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SEGMENT_ERROR_MAX 256 /* bytes of a reason */

/*
 * A process's handle on the segment; pointers into its own mapping.  The
 * geometry is a private copy, checked when the segment was mapped: even if a
 * wild store changes the header, no process goes out of bounds.
 */
struct segment {
	struct layout_header *header;
	struct layout_worker *workers;
	struct layout_stamp *stamps;
	struct layout_topic *topics;
	_Atomic uint32_t *buckets;
	struct layout_name *names;
	_Atomic uint32_t *subscribers;        /* [worker * topics_max + slot] */
	_Atomic uint64_t *busy;               /* a bit per slot */
	struct layout_attendance *attendance; /* [topics_max] */
	struct layout_member *members;
	uint16_t *member_counts; /* [member * LAYOUT_WORKERS + worker] */
	uint32_t *member_buckets;
	struct layout_piece *pieces;
	uint32_t *member_holders; /* [row * LAYOUT_HOLDERS + cell] */
	struct layout_ask *asks;
	struct layout_answer *answers;
	struct layout_question *questions; /* [questions_max] */
	struct layout_gathered *gathered;  /* likewise */
	struct layout_keys *keys;
	struct layout_key *key_entries;
	uint32_t *key_buckets;
	struct layout_retain *retain;
	uint32_t *value_buckets;
	struct layout_chunk *chunks;
	unsigned char *ring;
	size_t size;
	uint64_t ring_size; /* bytes, a multiple of LAYOUT_PAGE */
	uint32_t topics_max;
	uint32_t bucket_count; /* a power of two */
	uint32_t members_max;
	uint32_t member_bucket_count; /* a power of two */
	uint32_t pieces_max;
	uint32_t keys_max;
	uint32_t key_bucket_count; /* a power of two */
	uint32_t chunks_max;
	uint32_t value_bucket_count; /* a power of two */
	uint32_t questions_max;
};

/* What can be chosen of a segment. */
struct segment_shape {
	uint64_t ring_size; /* bytes; rounded up to a page */
	uint32_t topics_max;
	uint32_t keys_max;    /* of publishes, remembered at a time (dedup.h) */
	uint32_t chunks_max;  /* for last values (retain.h) */
	uint32_t members_max; /* users in topics (member_table.h); 0: none */
	uint32_t questions_max; /* to the other hosts of a cluster; 0: none */
};

/* Bytes of a segment of this shape. */
uint64_t segment_size(const struct segment_shape *shape);

/* Bytes from its beginning that are in memory once it is made: the header and the
 * workers' table. */
uint64_t segment_first_bytes(void);

/*
 * Lay a segment out in a zeroed stretch of segment_size() bytes, aligned to
 * LAYOUT_PAGE: write its geometry, a new epoch and a new hash key into the
 * header, and fill the handle.  Nobody recognises it before segment_finish().
 * Callers: store.c (through segment_create() too), before any fork.
 */
void segment_lay_out(
    struct segment *seg, void *base, const struct segment_shape *shape);

/* Store the fingerprint: every part of the segment is made, and others may map
 * it from now on.  Callers: store.c. */
void segment_finish(struct segment *seg);

/* A number that changes when any struct of the layout does, or when its
 * counters mean something else. */
uint64_t segment_fingerprint(void);

/*
 * Fill the handle if this mapped memory is a segment of this layout and of this
 * size in bytes; nothing else in it has been looked at.
 */
bool segment_recognise(struct segment *seg, void *base, uint64_t size);

enum segment_status {
	SEGMENT_OK = 0,
	SEGMENT_MISSING, /* no such segment */
	SEGMENT_FOREIGN, /* another layout, size or owner; or half-made */
	SEGMENT_BUSY,    /* claimed by a server that lives, or by its workers */
	SEGMENT_FAILED,  /* the system said no; see error */
};

/*
 * Claim the existing segment of the instance `name', whatever it holds: to take
 * it over, or to remove it.  The claim is about this file alone; the lock file
 * (lockfile.h) makes sure that there is no other server of the name.
 *
 * A claim is a lock (flock(2)) on the file itself.  It lasts as long as any
 * process has the descriptor, or a mapping made by it: it survives execve(2),
 * and the workers of a killed supervisor hold it as long as they live.
 *
 * Blocks:  a moment, for a holder that is just ending.
 * Returns: SEGMENT_OK with the descriptor in *claim; SEGMENT_MISSING,
 *          SEGMENT_FOREIGN (another user's), SEGMENT_BUSY or SEGMENT_FAILED with
 *          a reason.
 * Owns:    the caller, close(2) or segment_remove().
 */
enum segment_status segment_claim(
    const char *name, int *claim, char error[SEGMENT_ERROR_MAX]);

/*
 * Map the segment that was claimed, read-write, after the checks of
 * segment_attach().
 */
enum segment_status segment_take_over(struct segment *seg, int claim,
    const char *name, char error[SEGMENT_ERROR_MAX]);

/*
 * Map a segment, read-write, by a descriptor that the supervisor has handed down
 * over execve(2): it has looked whose the file is, and with --user that is not the
 * user whom its programs run as.
 * Returns: as segment_take_over().
 */
enum segment_status segment_adopt(struct segment *seg, int fd, const char *name,
    char error[SEGMENT_ERROR_MAX]);

/* Remove the name, if it still means the segment that was claimed, and give up
 * the claim; and what a killed server has left of a segment to come. */
void segment_remove(const char *name, int claim);

/*
 * The segment to come, which an upgrade makes beside the one that is served: an
 * empty file with a name of its own, which segment_make() fills, and its name, with
 * segment_name_next(), in place of the one before.  Only the server of that name
 * may call these.
 * Returns: a descriptor, or -1 with a reason; false with errno set.
 * Owns:    the caller, close(2) and segment_remove_next().
 */
int segment_open_next(const char *name, char error[SEGMENT_ERROR_MAX]);
bool segment_name_next(const char *name);
void segment_remove_next(const char *name);

/*
 * Segments whose rings were given up, and that a cluster still needs: each has one of
 * these places, and a name of its own with that.  Only the server of the name `name'
 * may call these.
 *
 * segment_set_aside() gives the claimed segment that name instead of its own.  Whoever
 * has it mapped keeps it.  Returns false with errno set, ENOENT if it has lost its
 * name.
 */
#define SEGMENT_ASIDE_MAX 4
bool segment_set_aside(const char *name, int claim, unsigned place);

/* Its name, as that of an instance, which none can have. */
#define SEGMENT_ASIDE_NAME_MAX 48 /* bytes of the longest, ~ and a digit */
void segment_aside_name(
    char aside[SEGMENT_ASIDE_NAME_MAX], const char *name, unsigned place);

/* The first place of which no file has the name, not even another user's; -1: none. */
int segment_free_aside(const char *name);

/* Open one, read-write.  Returns -1 with errno set: ENOENT, there is none; EPERM, the
 * file is not this user's.  Owns: the caller, close(2). */
int segment_open_aside(const char *name, unsigned place);

/* Remove one.  Returns false with errno set. */
bool segment_remove_aside(const char *name, unsigned place);

/* Remove all of this user's.  Returns whether there were any. */
bool segment_remove_asides(const char *name);

/* Bytes of one; 0: there is none of this user's. */
uint64_t segment_aside_size(const char *name, unsigned place);

/* The place of the one that was set aside first; -1: there is none. */
int segment_oldest_aside(const char *name);

/* Bytes of the file that has this name; 0: none has.  A moment's value. */
uint64_t segment_named_size(const char *name);

/*
 * Give an empty file its size, and lay it out, mapped read-write and claimed.
 * Only its first bytes are in memory: the rest reads as zeros, and who writes to
 * it before segment_fill() may get a SIGBUS.
 * Returns false with a reason; the file is the caller's in any case.
 * Callers: store.c.
 */
bool segment_make(struct segment *seg, int fd, const char *name,
    const struct segment_shape *shape, char error[SEGMENT_ERROR_MAX]);

/*
 * Create the segment of the instance `name' as segment_make() does.  There must be
 * none: remove it first.
 * Returns true, or false with a reason that names the segment in error.
 * Owns: the caller; segment_close() unmaps, segment_remove() removes.
 * Callers: store_create().
 */
bool segment_create(struct segment *seg, const char *name,
    const struct segment_shape *shape, int *claim,
    char error[SEGMENT_ERROR_MAX]);

/*
 * Have all of a segment's file, fd, in memory.  What is there already stays as it
 * is, and costs little.
 * Blocks:  for about 0.2 ms for each MiB that is new.
 * Returns: true, or false with a reason that names the segment and what to change.
 */
bool segment_fill(const struct segment *seg, int fd, const char *name,
    char error[SEGMENT_ERROR_MAX]);

/*
 * Map an existing segment.  Checks owner, size, magic, fingerprint and geometry
 * before anything else in it is believed.  Root may look at everybody's; to be
 * writable it must be this very user's and closed to others, who could still
 * have it open.
 * Callers: status, stop, restart (read-only); tests.
 */
enum segment_status segment_attach(struct segment *seg, const char *name,
    bool writable, char error[SEGMENT_ERROR_MAX]);

/*
 * Map an existing segment as segment_attach() does to read it, in such a way that
 * what is changed is changed in this process alone: a trial of a repair.  What
 * others write is seen as long as it has not been changed here.
 * Callers: inspect.
 */
enum segment_status segment_attach_copy(
    struct segment *seg, const char *name, char error[SEGMENT_ERROR_MAX]);

/*
 * Map an existing segment for writing as segment_attach() does, and keep its
 * descriptor: for locks on its bytes (fcntl(2)).
 * Callers: commands that ask workers.
 * Owns:    the caller, segment_close() and close(2).
 */
enum segment_status segment_attach_keeping(struct segment *seg,
    const char *name, int *fd, char error[SEGMENT_ERROR_MAX]);

/*
 * Map, read-only, the segment of this name that a process has open: it may have
 * lost its name, or the name may mean another by now.  As segment_attach().
 * Callers: status, stop, restart.
 */
enum segment_status segment_attach_of(struct segment *seg, const char *name,
    pid_t pid, char error[SEGMENT_ERROR_MAX]);

/* Whether the name means the segment that was claimed: systemd-logind removes
 * what a user has in /dev/shm when the user logs out (RemoveIPC=yes). */
bool segment_is_named(const char *name, int claim);

/* Give the claimed segment its name back.  Returns false with errno set: ENOENT
 * if it was removed, for then the kernel gives it no other; EEXIST if the name
 * is taken.  It succeeds where the file has been renamed. */
bool segment_put_name_back(const char *name, int claim);

/* How many workers the run has: never more than the table has room for. */
unsigned segment_workers(const struct segment *seg);

/* Whether what a worker has counted in the segment's tables is of living
 * connections.  While it starts they are still those of its dead predecessor. */
bool segment_counts_worker(const struct segment *seg, unsigned worker);

/* Unmap. */
void segment_close(struct segment *seg);

/* Remove the name; processes that have mapped the segment keep it.  Callers:
 * tests. */
void segment_unlink(const char *name);

#endif
