/* SPDX-License-Identifier: MIT */
/*
 * static.c - see static.h.
 *
 * The path is cut at its slashes first and decoded afterwards, so a %2F never
 * makes a directory.  What a name may be is decided here (no empty segments, no
 * leading dots), where a name may lead is decided by beneath.c.
 */

#include "worker/http/static.h"

#include "common/log.h"
#include "common/mime.h"
#include "common/percent.h"
#include "worker/http/beneath.h"
#include "worker/http/static_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STATIC_INDEX    "index.html"
#define STATIC_GZIP     ".gz"
#define STATIC_PATH_MAX HTTP_HEAD_MAX /* bytes; the kernel takes less */

/* A path, decoded, without its first slash; a directory's has its index. */
struct static_name {
	char text[STATIC_PATH_MAX + sizeof(STATIC_INDEX STATIC_GZIP)];
	size_t len;
	bool is_index;
};

bool
static_open(struct static_files *files, int root, const char *path)
{
	files->root = root;
	files->cache = NULL;
	if (!beneath_probe(root, &files->walks)) {
		log_error("--root %s", path);
		return false;
	}
	files->cache = static_cache_new();
	return true;
}

void
static_close(struct static_files *files)
{
	static_cache_free(&files->cache);
}

/*
 * Whether a segment is allowed: empty only at the end, no ".", "..", or
 * dotfile, and no encoded slash, which no file name has.
 */
static bool
static_is_segment(const char *segment, size_t len, bool is_last)
{
	if (len == 0)
		return is_last;
	return segment[0] != '.' && memchr(segment, '/', len) == NULL;
}

static enum static_status
static_decode(const struct http_text *path, struct static_name *name)
{
	const char *at = path->at, *end = path->at + path->len;

	name->len = 0;
	if (path->len == 0 || path->len > STATIC_PATH_MAX || *at != '/')
		return STATIC_NOT_FOUND;
	while (at < end) { /* at a slash */
		const char *segment = at + 1;
		char *out = name->text + name->len;
		size_t len;

		at = memchr(segment, '/', (size_t)(end - segment));
		if (at == NULL)
			at = end;
		if (!percent_decode_path(
			segment, (size_t)(at - segment), out, &len))
			return STATIC_BAD_PATH;
		if (!static_is_segment(out, len, at == end))
			return STATIC_NOT_FOUND;
		name->len += len;
		if (at < end)
			name->text[name->len++] = '/';
	}
	return STATIC_OK;
}

/* Append the index to a directory's name, and the NUL to any. */
static void
static_complete(struct static_name *name)
{
	name->is_index = name->len == 0 || name->text[name->len - 1] == '/';
	if (name->is_index) {
		memcpy(name->text + name->len, STATIC_INDEX,
		    sizeof(STATIC_INDEX) - 1);
		name->len += sizeof(STATIC_INDEX) - 1;
	}
	name->text[name->len] = '\0';
}

/* The status for the client that fits errno after an attempt to open a file. */
static enum static_status
static_failure(void)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case ELOOP:
	case EXDEV: /* would have left the root */
	case ENXIO: /* a socket, or a device without a driver */
	case ENODEV:
		return STATIC_NOT_FOUND;
	case EACCES:
	case EPERM:
		return STATIC_FORBIDDEN;
	default:
		/* Among them EMFILE, ENFILE, EIO, and EAGAIN: a rename came
		 * between, so that the kernel could not be sure. */
		log_warn("cannot open a file under --root");
		return STATIC_UNAVAILABLE;
	}
}

static void
static_describe(const struct static_name *name, const struct stat *st,
    struct static_file *file)
{
	uint64_t mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000u +
	                    (uint64_t)st->st_mtim.tv_nsec;

	file->size = (uint64_t)st->st_size;
	file->mtime = st->st_mtim.tv_sec;
	file->mtime_ns = st->st_mtim.tv_nsec;
	file->type = mime_type(name->text, name->len);
	file->compresses = mime_compresses(file->type);
	file->is_gzip = false;
	snprintf(file->etag, sizeof(file->etag),
	    "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"", mtime_ns, file->size,
	    (uint64_t)st->st_ino);
}

/* Decide whether the opened file can be served.  The index of a directory is
 * never redirected: its path has its slash already. */
static enum static_status
static_inspect(
    const struct static_name *name, struct stat *st, struct static_file *file)
{
	if (fstat(file->fd, st) == -1)
		return static_failure();
	if (S_ISDIR(st->st_mode) && !name->is_index)
		return STATIC_REDIRECT;
	if (!S_ISREG(st->st_mode))
		return STATIC_NOT_FOUND;
	static_describe(name, st, file);
	return STATIC_OK;
}

/* Open the file of that name under the root; -1 with errno. */
static int
static_open_file(
    const struct static_files *files, const struct static_name *name)
{
	return beneath_open(files->root, name->text, files->walks);
}

/* Find the file of a name, in memory or by opening it: then st is what fstat(2)
 * says of it. */
static enum static_status
static_look(const struct static_files *files, const struct static_name *name,
    struct stat *st, struct static_file *file)
{
	enum static_status status;

	if (static_cache_find(files->cache, files->root, name->text, file))
		return STATIC_OK;
	file->body = NULL;
	file->fd = static_open_file(files, name);
	if (file->fd == -1)
		return static_failure();
	status = static_inspect(name, st, file);
	if (status != STATIC_OK)
		close(file->fd);
	return status;
}

/* Keep a file that was opened in memory, if it may be kept. */
static void
static_keep(const struct static_files *files, const struct static_name *name,
    const struct stat *st, struct static_file *file)
{
	if (file->fd != -1)
		static_cache_add(
		    files->cache, name->text, st, time(NULL), file);
}

enum static_status
static_find(const struct static_files *files, const struct http_text *path,
    struct static_file *file)
{
	struct static_name name;
	enum static_status status = static_decode(path, &name);
	struct stat st;

	if (status != STATIC_OK)
		return status;
	static_complete(&name);
	status = static_look(files, &name, &st, file);
	if (status == STATIC_OK)
		static_keep(files, &name, &st, file);
	return status;
}

/* Whether one file was changed before another one was. */
static bool
static_is_older(const struct static_file *file, const struct static_file *than)
{
	return file->mtime != than->mtime ? file->mtime < than->mtime
	                                  : file->mtime_ns < than->mtime_ns;
}

static void
static_drop(const struct static_file *file)
{
	if (file->fd != -1)
		close(file->fd);
}

/* The compressed form is kept only when it is chosen: to make room for it may
 * cost the file that was found before. */
void
static_prefer_gzip(const struct static_files *files,
    const struct http_text *path, struct static_file *file)
{
	struct static_name name;
	struct static_file gzip;
	struct stat st;

	if (!file->compresses || static_decode(path, &name) != STATIC_OK)
		return;
	static_complete(&name);
	memcpy(name.text + name.len, STATIC_GZIP, sizeof(STATIC_GZIP));
	if (static_look(files, &name, &st, &gzip) != STATIC_OK)
		return;
	if (static_is_older(&gzip, file)) {
		static_drop(&gzip);
		return;
	}
	static_drop(file);
	static_keep(files, &name, &st, &gzip);
	file->body = gzip.body;
	file->fd = gzip.fd;
	file->size = gzip.size;
	memcpy(file->etag, gzip.etag, sizeof(file->etag));
	file->is_gzip = true;
}
