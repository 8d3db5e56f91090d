/* SPDX-License-Identifier: MIT */
/*
 * static.h - the files under --root, and nothing else.
 *
 * Where a request's path may lead, and which symbolic links are followed, is said
 * in beneath.h.
 *
 * The server holds the directory, not its name: to serve another directory of
 * the same name, restart the server.
 *
 * Only regular files are served, and none with a segment that begins with a
 * dot.  No listings, no ranges.  Small ones are kept in memory (static_cache.h).
 *
 * Beside a file that compresses well may lie its compressed form NAME.gz, made
 * by the operator (for the chat, by make).  A NAME.gz older than the file is
 * ignored, so that nobody who edits the file sees its former content.
 */

#ifndef WORKER_HTTP_STATIC_H
#define WORKER_HTTP_STATIC_H

#include "common/http.h"
#include "worker/http/static_file.h"

#include <stdbool.h>

struct static_cache;

struct static_files {
	int root;                   /* O_PATH; borrowed */
	bool walks;                 /* beneath.h */
	struct static_cache *cache; /* owned */
};

enum static_status {
	STATIC_OK = 0,
	STATIC_REDIRECT,    /* 301 to the same path and a slash: a directory */
	STATIC_BAD_PATH,    /* 400: broken percent-encoding, or a NUL */
	STATIC_FORBIDDEN,   /* 403: there, but not for us to read */
	STATIC_NOT_FOUND,   /* 404 */
	STATIC_UNAVAILABLE, /* 503: out of descriptors, or the disk fails */
};

/*
 * Serve the files of this directory (O_PATH; borrowed for as long as files are
 * found), whose path is there for the log alone.
 *
 * Owns:    memory, until static_close().
 * Returns: false, with errno, after logging what was wrong in one line.
 */
bool static_open(struct static_files *files, int root, const char *path);

/* Free what is kept of files. */
void static_close(struct static_files *files);

/*
 * Open what a request's path (percent-encoded, as in struct http_request) asks
 * for.  A path that ends in a slash asks for index.html in that directory.
 *
 * With STATIC_REDIRECT the path is safe to be sent back with a slash behind it:
 * it does not begin with two slashes, which a browser would take for a host.
 *
 * Blocks:  while the file system looks the name up; not on FIFOs or devices.
 * Owns:    on STATIC_OK the caller owns file->fd, if there is one.  Otherwise
 *          nothing is open and file is undefined.
 */
enum static_status static_find(const struct static_files *files,
    const struct http_text *path, struct static_file *file);

/*
 * Take NAME.gz in the place of a file that was found by that path and
 * compresses, if it is there and not older; else leave the file as it is.
 *
 * Blocks:  as static_find() does.
 * Owns:    closes the file->fd that it replaces.
 */
void static_prefer_gzip(const struct static_files *files,
    const struct http_text *path, struct static_file *file);

#endif
