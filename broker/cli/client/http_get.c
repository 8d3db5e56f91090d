/* SPDX-License-Identifier: MIT */
/*
 * http_get.c - see http_get.h.  One connection per question, in
 * HTTP/1.0, so that the end of the answer is plain.
 */

#include "broker/cli/client/http_get.h"

#include "broker/cli/client/connect.h"
#include "broker/cli/client/credential.h"
#include "broker/cli/client/server_message.h"
#include "common/http_answer.h"
#include "common/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define GET_SECONDS  10
#define GET_READ     (64u * 1024)
#define GET_BODY_MAX (64u << 20)

/* Note why there is no answer, and be false. */
#define get_fail(end, kind, ...) \
	(outcome_set((end), (kind), __VA_ARGS__), false)

/* Returns: a connected socket that blocks for a while only, or -1. */
static int
get_connect(const struct url *url, struct outcome *end)
{
	struct timeval limit = { .tv_sec = GET_SECONDS };
	struct pollfd poll_fd;
	struct connecting dial;
	int fd = -1;

	if (connecting_init(&dial, url))
		while (fd == -1 && connecting_next(&dial)) {
			poll_fd = (struct pollfd){ dial.fd, POLLOUT, 0 };
			if (poll(&poll_fd, 1, CONNECTING_MS) == 1)
				fd = connecting_result(&dial);
			else
				connecting_timed_out(&dial);
		}
	if (fd == -1)
		outcome_set(end, CLIENT_UNREACHABLE, "%s", dial.why);
	connecting_fini(&dial);
	if (fd == -1)
		return -1;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

static bool
get_send(int fd, struct tls_client *tls, const struct buf *request,
    struct outcome *end)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < request->len) {
		const char *data = request->at + sent;

		n = tls != NULL
		        ? tls_client_send(tls, data, request->len - sent)
		        : send(fd, data, request->len - sent, MSG_NOSIGNAL);
		if (n == -1 && errno == EINTR) /* stopped, and continued */
			continue;
		if (n == -1 && errno == EPROTO && tls != NULL)
			return get_fail(
			    end, CLIENT_ALIEN, "%s", tls_client_why(tls));
		if (n == -1)
			return get_fail(end, CLIENT_LOST, "connection lost: %s",
			    strerror(errno));
		sent += (size_t)n;
	}
	return true;
}

/* Read until the server ends the connection. */
static bool
get_receive(
    int fd, struct tls_client *tls, struct buf *answer, struct outcome *end)
{
	ssize_t n;

	for (;;) {
		char *room = buf_room(answer, GET_READ);

		do
			n = tls != NULL
			        ? tls_client_receive(tls, room, GET_READ)
			        : recv(fd, room, GET_READ, 0);
		while (n == -1 && errno == EINTR);
		if (n == 0)
			return true;
		if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return get_fail(end, CLIENT_LOST,
			    "no answer within %d s", GET_SECONDS);
		if (n == -1)
			return get_fail(end, CLIENT_LOST, "connection lost: %s",
			    strerror(errno));
		answer->len += (size_t)n;
		if (answer->len > GET_BODY_MAX)
			return get_fail(
			    end, CLIENT_ALIEN, "its answer has no end");
	}
}

/* The value of an object's member; its raw is NULL if there is none. */
static struct json_token
get_member(
    struct json_reader *reader, const char *text, size_t len, const char *name)
{
	struct json_token key, value, found = { 0 };

	if (json_object_open(reader, text, len) == JSON_OK)
		while (json_member_next(reader, &key, &value))
			if (server_message_is(&key, name, strlen(name)))
				found = value;
	return found;
}

/* Say the reason, too, that stands in an error's body:
 * {"error":{"code":...,"reason":...}}. */
static void
get_add_reason(struct outcome *end, const char *body, size_t len)
{
	size_t told = strlen(end->why), where;
	struct json_token error, reason;
	struct json_reader reader;
	char text[200];
	const char *why;

	if (json_check(body, len, &where, &why) != JSON_OK)
		return;
	json_reader_init(&reader);
	error = get_member(&reader, body, len, "error");
	reason = error.raw != NULL
	             ? get_member(&reader, error.raw, error.raw_len, "reason")
	             : error;
	if (reason.raw != NULL && reason.kind == JSON_STRING)
		snprintf(end->why + told, sizeof(end->why) - told, ": %s",
		    server_message_copy(&reason, text, sizeof(text)));
	json_reader_fini(&reader);
}

/* Take the head off the answer, and judge it. */
static bool
get_judge(struct buf *text, struct outcome *end)
{
	struct http_answer answer;
	size_t scanned = 0, body_len;

	switch (http_parse_answer(
	    text->at, text->len, HTTP_HEAD_MAX, &scanned, &answer)) {
	case HTTP_OK:
		break;
	case HTTP_PARTIAL:
		return get_fail(end, CLIENT_LOST,
		    "the server ended the connection without an answer");
	case HTTP_REFUSED:
		return get_fail(
		    end, CLIENT_ALIEN, "no pubsubd: %s", answer.head.why);
	}
	if (answer.status != 200) {
		outcome_refused(end, &answer);
		get_add_reason(end, text->at + answer.head.head_len,
		    text->len - answer.head.head_len);
		return false;
	}
	body_len = text->len - answer.head.head_len;
	if (answer.content_length != HTTP_LENGTH_TO_END &&
	    answer.content_length != body_len)
		return get_fail(end, CLIENT_LOST, "the answer was cut off");
	memmove(text->at, text->at + answer.head.head_len, body_len);
	text->len = body_len;
	return true;
}

bool
client_get(const struct url *url, const struct tls_client_context *context,
    const char *target, const char *lines, struct buf *body,
    struct outcome *end)
{
	const char *const parts[] = { "GET ", url->base, target,
		" HTTP/1.0\r\nHost: ", url->authority, "\r\n", lines, "\r\n" };
	struct tls_client *tls = NULL;
	struct buf request;
	bool ok;
	int fd;

	if ((fd = get_connect(url, end)) == -1)
		return false;
	if (context != NULL)
		tls = tls_client_new(context, fd, url->host);
	buf_init(&request);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_puts(&request, parts[i]);
	buf_reset(body);
	ok = get_send(fd, tls, &request, end) &&
	     get_receive(fd, tls, body, end) && get_judge(body, end);
	credential_wipe(&request);
	tls_client_free(tls);
	close(fd);
	return ok;
}

void
client_put_escaped(struct buf *target, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9'))
			buf_add(target, &c, 1);
		else
			buf_printf(target, "%%%02X", (unsigned char)c);
	}
}
