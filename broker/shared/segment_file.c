/* SPDX-License-Identifier: MIT */
/* segment_file.c - find, claim, make, map and remove the file of a segment; see
 * segment.h. */

#include "broker/shared/segment.h"

#include "broker/shared/segment_of.h"
#include "broker/shared/segment_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

/* How long a claim waits for its holder to end, and how often it looks. */
#define SEGMENT_CLAIM_MS      500
#define SEGMENT_CLAIM_LOOK_MS 10

static void
segment_error(
    char error[SEGMENT_ERROR_MAX], const char *name, const char *what, int err)
{
	snprintf(error, SEGMENT_ERROR_MAX, "shared memory /pubsubd.%s: %s%s%s",
	    name, what, err != 0 ? ": " : "", err != 0 ? strerror(err) : "");
}

/* Say why a file of this size, in bytes, could not be had. */
static void
segment_no_room(
    const char *name, uint64_t size, int err, char error[SEGMENT_ERROR_MAX])
{
	char what[96];

	snprintf(what, sizeof(what),
	    err == EPERM || err == ENOSYS
		? "%llu MiB cannot be allocated"
		: "no room for %llu MiB in /dev/shm (see --ring-size, "
		  "--max-topics)",
	    (unsigned long long)(size >> 20));
	segment_error(error, name, what, err);
}

/* Whether there is room for so many bytes, so far as the file system can say: it
 * fails a start before anything else is begun. */
static bool
segment_has_room(int fd, uint64_t bytes)
{
	struct statvfs st;

	return fstatvfs(fd, &st) == -1 || st.f_blocks == 0 ||
	       bytes / st.f_frsize <= st.f_bavail;
}

/* Have the first bytes of a file in memory. */
static int
segment_have(int fd, uint64_t bytes)
{
	int err;

	do
		err = posix_fallocate(fd, 0, (off_t)bytes);
	while (err == EINTR);
	return err;
}

bool
segment_fill(const struct segment *seg, int fd, const char *name,
    char error[SEGMENT_ERROR_MAX])
{
	int err = segment_have(fd, seg->size);

	if (err != 0)
		segment_no_room(name, seg->size, err, error);
	return err == 0;
}

/* What a mapping is for. */
enum segment_use {
	SEGMENT_TO_READ,
	SEGMENT_TO_WRITE,
	SEGMENT_TO_TRY,
	SEGMENT_HANDED_DOWN /* to write; who handed it down has looked whose it is */
};

static void *
segment_map(int fd, uint64_t size, enum segment_use use)
{
	return mmap(NULL, size,
	    use == SEGMENT_TO_READ ? PROT_READ : PROT_READ | PROT_WRITE,
	    use == SEGMENT_TO_TRY ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED,
	    fd, 0);
}

/*
 * Whether the file of that name is a plain file of this user; root may look at
 * everybody's.  Checked before any lock on the file is believed, because any
 * user can make a file in /dev/shm, and lock it.
 */
static bool
segment_is_own(const char *name, const struct stat *st, bool to_look,
    char error[SEGMENT_ERROR_MAX])
{
	char what[96];

	if (!S_ISREG(st->st_mode)) {
		segment_error(error, name, "is not a plain file", 0);
		return false;
	}
	if (st->st_uid == geteuid() || (to_look && geteuid() == 0))
		return true;
	snprintf(what, sizeof(what),
	    "belongs to another user (uid %u): choose another --name",
	    (unsigned)st->st_uid);
	segment_error(error, name, what, 0);
	return false;
}

/* Open the file of that name, if it is ours.  Sets *fd only if it returns
 * OK. */
static enum segment_status
segment_open(const char *name, int flags, bool to_look, int *fd,
    char error[SEGMENT_ERROR_MAX])
{
	char path[SEGMENT_PATH_MAX], full[SEGMENT_PATH_MAX];
	struct stat st;
	int err;

	segment_path(path, name);
	*fd = shm_open(path, flags | O_CLOEXEC, 0);
	err = errno;
	segment_full_path(full, name);
	if (*fd == -1 && (err == ENOENT || lstat(full, &st) == -1)) {
		segment_error(error, name, "cannot be opened", err);
		return err == ENOENT ? SEGMENT_MISSING : SEGMENT_FAILED;
	}
	if (*fd != -1 && fstat(*fd, &st) == -1) {
		segment_error(error, name, "cannot be examined", errno);
		close(*fd);
		return SEGMENT_FAILED;
	}
	if (!segment_is_own(name, &st, to_look, error)) {
		if (*fd != -1)
			close(*fd);
		return SEGMENT_FOREIGN;
	}
	if (*fd != -1)
		return SEGMENT_OK;
	segment_error(error, name, "cannot be opened", err);
	return SEGMENT_FAILED;
}

/* Lock an open segment.  A process that ended a moment ago may not have closed
 * it yet. */
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
	enum segment_status status;
	int fd, err;

	for (;;) {
		status = segment_open(name, O_RDWR, false, &fd, error);
		if (status != SEGMENT_OK)
			return status;
		if (!segment_lock(fd))
			break;
		/* Or it was removed between our open and our lock. */
		if (segment_is_named(name, fd)) {
			*claim = fd;
			return SEGMENT_OK;
		}
		close(fd);
	}
	err = errno;
	close(fd);
	if (err == EWOULDBLOCK) {
		segment_error(
		    error, name, "another server of this name has it", 0);
		return SEGMENT_BUSY;
	}
	segment_error(error, name, "cannot be locked", err);
	return SEGMENT_FAILED;
}

void
segment_remove(const char *name, int claim)
{
	char path[SEGMENT_PATH_MAX];

	segment_path(path, name);
	if (segment_is_named(name, claim))
		shm_unlink(path);
	close(claim);
	segment_remove_next(name);
}

bool
segment_make(struct segment *seg, int fd, const char *name,
    const struct segment_shape *shape, char error[SEGMENT_ERROR_MAX])
{
	uint64_t size = segment_size(shape);
	void *base;
	int err;

	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		segment_error(error, name, "cannot be locked", errno);
		return false;
	}
	err = segment_has_room(fd, size)
	          ? segment_have(fd, segment_first_bytes())
	          : ENOSPC;
	if (err == 0 && ftruncate(fd, (off_t)size) == -1)
		err = errno;
	if (err != 0) {
		segment_no_room(name, size, err, error);
		return false;
	}
	base = segment_map(fd, size, SEGMENT_TO_WRITE);
	if (base == MAP_FAILED) {
		segment_error(error, name, "cannot be mapped", errno);
		return false;
	}
	segment_lay_out(seg, base, shape);
	return true;
}

bool
segment_create(struct segment *seg, const char *name,
    const struct segment_shape *shape, int *claim,
    char error[SEGMENT_ERROR_MAX])
{
	char path[SEGMENT_PATH_MAX];
	int fd;

	segment_path(path, name);
	fd = shm_open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd == -1) {
		segment_error(error, name, "cannot be created", errno);
		return false;
	}
	if (!segment_make(seg, fd, name, shape, error)) {
		segment_remove(name, fd);
		return false;
	}
	*claim = fd;
	return true;
}

/* Map an open file of ours if it is a segment.  Closes nothing.  To map it for
 * writing, no other user must have access to it. */
static enum segment_status
segment_attach_fd(struct segment *seg, int fd, const char *name,
    enum segment_use use, char error[SEGMENT_ERROR_MAX])
{
	bool writable = use == SEGMENT_TO_WRITE;
	struct stat st;
	void *base;

	if (fstat(fd, &st) == -1) {
		segment_error(error, name, "cannot be examined", errno);
		return SEGMENT_FAILED;
	}
	if (use != SEGMENT_HANDED_DOWN &&
	    !segment_is_own(name, &st, !writable, error))
		return SEGMENT_FOREIGN;
	if (writable && (st.st_mode & 077) != 0) {
		segment_error(error, name, "is open to another user", 0);
		return SEGMENT_FOREIGN;
	}
	if (st.st_size < (off_t)sizeof(struct layout_header)) {
		segment_error(error, name, "is half-made", 0);
		return SEGMENT_FOREIGN;
	}
	base = segment_map(fd, (uint64_t)st.st_size, use);
	if (base == MAP_FAILED) {
		segment_error(error, name, "cannot be mapped", errno);
		return SEGMENT_FAILED;
	}
	if (!segment_recognise(seg, base, (uint64_t)st.st_size)) {
		munmap(base, (size_t)st.st_size);
		segment_error(error, name, "is of another version", 0);
		return SEGMENT_FOREIGN;
	}
	return SEGMENT_OK;
}

enum segment_status
segment_take_over(struct segment *seg, int claim, const char *name,
    char error[SEGMENT_ERROR_MAX])
{
	return segment_attach_fd(seg, claim, name, SEGMENT_TO_WRITE, error);
}

enum segment_status
segment_adopt(struct segment *seg, int fd, const char *name,
    char error[SEGMENT_ERROR_MAX])
{
	return segment_attach_fd(seg, fd, name, SEGMENT_HANDED_DOWN, error);
}

/* Sets *fd only if it returns OK. */
static enum segment_status
segment_attach_named(struct segment *seg, const char *name,
    enum segment_use use, int *fd, char error[SEGMENT_ERROR_MAX])
{
	bool writable = use == SEGMENT_TO_WRITE;
	enum segment_status status;
	int opened;

	status = segment_open(
	    name, writable ? O_RDWR : O_RDONLY, !writable, &opened, error);
	if (status != SEGMENT_OK)
		return status;
	status = segment_attach_fd(seg, opened, name, use, error);
	if (status == SEGMENT_OK && fd != NULL)
		*fd = opened;
	else
		close(opened);
	return status;
}

enum segment_status
segment_attach(struct segment *seg, const char *name, bool writable,
    char error[SEGMENT_ERROR_MAX])
{
	return segment_attach_named(seg, name,
	    writable ? SEGMENT_TO_WRITE : SEGMENT_TO_READ, NULL, error);
}

enum segment_status
segment_attach_copy(
    struct segment *seg, const char *name, char error[SEGMENT_ERROR_MAX])
{
	return segment_attach_named(seg, name, SEGMENT_TO_TRY, NULL, error);
}

enum segment_status
segment_attach_keeping(struct segment *seg, const char *name, int *fd,
    char error[SEGMENT_ERROR_MAX])
{
	return segment_attach_named(seg, name, SEGMENT_TO_WRITE, fd, error);
}

enum segment_status
segment_attach_of(struct segment *seg, const char *name, pid_t pid,
    char error[SEGMENT_ERROR_MAX])
{
	enum segment_status status;
	int fd = segment_open_of(name, pid);

	if (fd == -1) {
		snprintf(error, SEGMENT_ERROR_MAX,
		    "process %d has no shared memory /pubsubd.%s open",
		    (int)pid, name);
		return SEGMENT_MISSING;
	}
	status = segment_attach_fd(seg, fd, name, SEGMENT_TO_READ, error);
	close(fd);
	return status;
}

void
segment_close(struct segment *seg)
{
	if (seg->header != NULL)
		munmap(seg->header, seg->size);
	memset(seg, 0, sizeof(*seg));
}
