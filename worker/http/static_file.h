/* SPDX-License-Identifier: MIT */
/* static_file.h - a file that is to be served: static.h finds it, file.h sends
 * it. */

#ifndef WORKER_HTTP_STATIC_FILE_H
#define WORKER_HTTP_STATIC_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct kept;

#define STATIC_ETAG_SIZE 53u /* three numbers, two dashes, quotes, NUL */

struct static_file {
	/* All of it, if it is kept in memory: borrowed until the next
	 * static_find().  NULL: it is to be read from fd, or is empty. */
	struct kept *body;
	int fd;        /* for reading; O_NONBLOCK, O_CLOEXEC.  -1: it is kept */
	uint64_t size; /* bytes, when it was opened */
	time_t mtime;  /* for Last-Modified */
	const char *type;            /* for Content-Type; a static string */
	long mtime_ns;               /* and its nanoseconds */
	char etag[STATIC_ETAG_SIZE]; /* with its quotes; a strong one */
	bool compresses;             /* the answer varies by Accept-Encoding */
	bool is_gzip; /* body or fd, size and etag are NAME.gz's */
};

/*
 * Whether the file's time of modification, in seconds, tells it from any later
 * content: a file changed in this second may change again in it, so nobody is
 * given that time to ask by (RFC 9110, 8.8.2.2).  now: seconds since 1970.
 */
static inline bool
static_has_settled(const struct static_file *file, time_t now)
{
	return file->mtime < now - 1;
}

#endif
