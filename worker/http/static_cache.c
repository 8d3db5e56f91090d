/* SPDX-License-Identifier: MIT */
/* static_cache.c - see static_cache.h. */

#include "worker/http/static_cache.h"

#include "common/xmalloc.h"
#include "worker/net/kept.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct static_kept {
	char *name; /* owned; NULL: a free place */
	struct stat st;
	struct static_file file; /* its body is a reference of ours */
};

struct static_cache {
	struct static_kept files[STATIC_CACHE_FILES];
	unsigned next; /* whose place is taken next */
	size_t bytes;
};

struct static_cache *
static_cache_new(void)
{
	return xcalloc(1, sizeof(struct static_cache));
}

static void
static_cache_forget(struct static_cache *cache, struct static_kept *kept)
{
	if (kept->name == NULL)
		return;
	cache->bytes -= kept->file.size;
	free(kept->name);
	if (kept->file.body != NULL)
		kept_drop(&kept->file.body);
	memset(kept, 0, sizeof(*kept));
}

void
static_cache_free(struct static_cache **cachep)
{
	struct static_cache *cache = *cachep;

	*cachep = NULL;
	for (unsigned i = 0; i < STATIC_CACHE_FILES; i++)
		static_cache_forget(cache, &cache->files[i]);
	free(cache);
}

static struct static_kept *
static_cache_named(struct static_cache *cache, const char *name)
{
	for (unsigned i = 0; i < STATIC_CACHE_FILES; i++)
		if (cache->files[i].name != NULL &&
		    strcmp(cache->files[i].name, name) == 0)
			return &cache->files[i];
	return NULL;
}

static bool
static_cache_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Whether it is the same file, and nobody has changed it. */
static bool
static_cache_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       static_cache_same_time(&a->st_mtim, &b->st_mtim) &&
	       static_cache_same_time(&a->st_ctim, &b->st_ctim);
}

bool
static_cache_find(struct static_cache *cache, int root, const char *name,
    struct static_file *file)
{
	struct static_kept *kept = static_cache_named(cache, name);
	struct stat st;

	if (kept == NULL)
		return false;
	if (fstatat(root, name, &st, 0) == -1 ||
	    !static_cache_same(&st, &kept->st)) {
		static_cache_forget(cache, kept);
		return false;
	}
	*file = kept->file;
	return true;
}

/* Read all of a file.  Returns false if it was not as long as had been said, or
 * was changed meanwhile. */
static bool
static_cache_read(int fd, const struct stat *st, unsigned char *body)
{
	size_t len = (size_t)st->st_size, got = 0;
	struct stat after;
	ssize_t n = 1;

	while (got < len && n != 0) {
		n = pread(fd, body + got, len - got, (off_t)got);
		if (n == -1 && errno != EINTR)
			return false;
		got += n > 0 ? (size_t)n : 0;
	}
	return got == len && fstat(fd, &after) == 0 &&
	       static_cache_same(st, &after);
}

/* A place for so many bytes: those who have been here longest leave. */
static struct static_kept *
static_cache_place(struct static_cache *cache, size_t size)
{
	struct static_kept *kept;

	do {
		kept = &cache->files[cache->next];
		cache->next = (cache->next + 1) % STATIC_CACHE_FILES;
		static_cache_forget(cache, kept);
	} while (cache->bytes + size > STATIC_CACHE_BYTES);
	return kept;
}

bool
static_cache_add(struct static_cache *cache, const char *name,
    const struct stat *st, time_t now, struct static_file *file)
{
	struct static_kept *kept;
	struct kept *body;

	if (file->size > STATIC_CACHE_FILE ||
	    now - st->st_mtim.tv_sec < STATIC_CACHE_SETTLED ||
	    now - st->st_ctim.tv_sec < STATIC_CACHE_SETTLED)
		return false;
	body = file->size > 0 ? kept_room((uint32_t)file->size) : NULL;
	if (!static_cache_read(
		file->fd, st, body != NULL ? body->bytes : NULL)) {
		if (body != NULL)
			kept_drop(&body);
		return false;
	}
	close(file->fd);
	file->fd = -1;
	file->body = body;
	kept = static_cache_place(cache, file->size);
	*kept = (struct static_kept){
		.name = xstrdup(name), .st = *st, .file = *file
	};
	cache->bytes += file->size;
	return true;
}
