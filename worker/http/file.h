/* SPDX-License-Identifier: MIT */
/* file.h - send a file as the body of a response, a piece at a time. */

#ifndef WORKER_HTTP_FILE_H
#define WORKER_HTTP_FILE_H

struct conn;
struct http_request;
struct static_file;

/*
 * Answer a GET or HEAD with this file: 200, or what its conditions ask for
 * (http_condition.h), 304 or 412.  The next request is read
 * when all that is left of it is a piece of 64 KiB or less in the queue, if any.
 * Owns: file->fd, if there is one, from now on.
 */
void file_send(struct conn *c, const struct http_request *req,
    const struct static_file *file);

#endif
