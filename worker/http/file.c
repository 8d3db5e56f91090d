/* SPDX-License-Identifier: MIT */
/*
 * file.c - see file.h.
 *
 * Where the kernel can send from the file itself, it does (sendfile(2)), and so
 * no byte comes through here but a small piece at each stop: when a turn has had
 * enough or the socket is full, that piece is put into the queue, which brings
 * it to the socket when there is room, and calls file_written() then.  So waiting
 * for a slow reader, its limits and its end are those of any queue.  What is
 * sent encrypted has to come through here, in larger pieces.
 */

#include "worker/http/file.h"

#include "common/http.h"
#include "common/http_condition.h"
#include "common/xmalloc.h"
#include "worker/http/http_conn.h"
#include "worker/http/reply.h"
#include "worker/http/static_file.h"
#include "worker/net/conn.h"
#include "worker/net/feed.h"
#include "worker/net/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* Bytes that are read and written at once: of what goes to the socket anyway,
 * and of what has to be encrypted. */
#define FILE_PIECE           16384u
#define FILE_PIECE_ENCRYPTED 65536u

/* What the kernel sends of one file in a turn, bytes. */
#define FILE_TURN_MAX (1024u * 1024)

/* A file that is being sent. */
struct file_sending {
	int fd; /* owned */
	uint64_t at;
	uint64_t left;
	bool keep_alive;
};

/* Read len > 0 bytes of the file, straight into the connection's queue.
 * Returns false if the file has become shorter than the length that the head
 * has already told. */
static bool
file_put_piece(struct conn *c, struct file_sending *f, size_t len)
{
	char *room = conn_answer_room(c, len);
	size_t got = 0;
	ssize_t n;

	while (got < len) {
		n = pread(f->fd, room + got, len - got, (off_t)(f->at + got));
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		got += (size_t)n;
	}
	f->at += len;
	f->left -= len;
	return true;
}

/* Have the kernel send what the socket takes.  Where it cannot, or the socket is
 * broken, nothing is sent: the next piece tells. */
static void
file_send_from_kernel(struct conn *c, struct file_sending *f)
{
	size_t most = f->left < FILE_TURN_MAX ? (size_t)f->left : FILE_TURN_MAX;
	off_t at = (off_t)f->at;
	ssize_t n;

	do
		n = sendfile(c->io.fd, f->fd, &at, most);
	while (n == -1 && errno == EINTR);
	stats_add(&c->net->stats, STATS_WRITES, 1);
	if (n <= 0)
		return;
	stats_add(&c->net->stats, STATS_BYTES_OUT, (uint64_t)n);
	f->at += (uint64_t)n;
	f->left -= (uint64_t)n;
}

/* Close the file; its descriptor is another's from now on. */
static void
file_close(struct conn *c)
{
	struct file_sending *f = c->data;

	close(f->fd);
	free(f);
	c->data = NULL;
	c->net->conns.file_count--;
}

static void
file_done(struct conn *c)
{
	struct file_sending *f = c->data;
	bool keep_alive = f->keep_alive;

	file_close(c);
	http_conn_next(c, keep_alive);
	if (!keep_alive)
		return;
	http_conn_idle(c);
	conn_resume(c, PAUSE_WRITTEN);
}

/* Send on; when the last piece in the queue is out, again. */
static void
file_written(struct conn *c)
{
	struct file_sending *f = c->data;
	size_t piece = c->encrypted ? FILE_PIECE_ENCRYPTED : FILE_PIECE;

	/* Not past what waits, as the head does at first. */
	if (c->out == NULL && !c->encrypted && f->left > piece)
		file_send_from_kernel(c, f);
	if (f->left == 0) {
		file_done(c);
		return;
	}
	if (!file_put_piece(c, f, f->left < piece ? (size_t)f->left : piece))
		conn_abort(c);
	else if (f->left == 0)
		file_done(c); /* the last piece waits to be written */
}

static size_t
file_feed(struct conn *c, char *data, size_t len)
{
	(void)c;
	(void)data;
	(void)len;
	return 0; /* the next request waits for the end of the file */
}

static void
file_end(struct conn *c)
{
	if (c->data != NULL)
		file_close(c);
}

/* A response is half-written, so there is no way to say why: just abort. */
static void
file_refuse(struct conn *c, enum conn_refusal why)
{
	(void)why;
	conn_abort(c);
}

/* The file ends by itself; then the connection is one that may ask. */
static void
file_go_away(struct conn *c, bool restart)
{
	(void)c;
	(void)restart;
}

static const struct conn_handler file_handler = {
	.feed = file_feed,
	.written = file_written,
	.due = progress_due,
	.end = file_end,
	.refuse = file_refuse,
	.go_away = file_go_away,
};

static enum http_condition
file_condition(const struct http_request *req, const struct static_file *file)
{
	time_t now = time(NULL);
	const struct http_validators validators = { .etag = file->etag,
		.has_modified = static_has_settled(file, now),
		.modified = file->mtime };

	return http_condition_check(req, &validators, now);
}

/* Answer with a head alone, or with what is kept in memory. */
static void
file_send_at_once(struct conn *c, const struct http_request *req, int status,
    const struct static_file *file)
{
	http_reply_file(c, req, status, file);
	if (file->fd != -1)
		close(file->fd);
	else if (status == 200 && file->body != NULL &&
		 !http_text_equal(&req->method, "HEAD"))
		conn_answer_kept(c, file->body);
	if (!http_reply_keeps_alive(c, req))
		conn_close_when_written(c);
}

/* A download has two descriptors until it ends, and may take its time: those of
 * all are counted, so that some are left for what is no client. */
static void
file_begin(struct conn *c, const struct http_request *req,
    const struct static_file *file)
{
	struct conns *conns = &c->net->conns;
	struct file_sending *f;

	if (conns->count + conns->file_count >= conns->fds_max) {
		close(file->fd);
		stats_add(&c->net->stats, STATS_REFUSED_LIMIT, 1);
		http_conn_error(c, req, 503, "this server is full, try later");
		return;
	}
	conns->file_count++;
	http_reply_file(c, req, 200, file);
	f = xcalloc(1, sizeof(*f));
	f->fd = file->fd;
	f->left = file->size;
	f->keep_alive = http_reply_keeps_alive(c, req);
	conn_speak(c, &file_handler, f);
	conn_pause(c, PAUSE_WRITTEN);
	progress_begin(c);
	file_written(c);
}

void
file_send(struct conn *c, const struct http_request *req,
    const struct static_file *file)
{
	switch (file_condition(req, file)) {
	case HTTP_CONDITION_MET:
		if (file->fd == -1 || http_text_equal(&req->method, "HEAD"))
			file_send_at_once(c, req, 200, file);
		else
			file_begin(c, req, file);
		return;
	case HTTP_CONDITION_NOT_MODIFIED:
		file_send_at_once(c, req, 304, file);
		return;
	case HTTP_CONDITION_FAILED:
		if (file->fd != -1)
			close(file->fd);
		http_conn_error(
		    c, req, 412, "the file is not the one that was meant");
		return;
	}
}
