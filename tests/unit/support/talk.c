/* SPDX-License-Identifier: MIT */
/* talk.c - see talk.h. */

#include "tests/unit/support/talk.h"

#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TALK_MAX 8192u

/* Format, with ' for " and $ for the epoch.  Returns static text. */
static const char *__attribute__((format(printf, 2, 0)))
talk_text(const struct peer *client, const char *fmt, va_list ap)
{
	static char text[TALK_MAX];
	char raw[TALK_MAX];
	const char *epoch = client->crew->t.seg.header->epoch;
	size_t len = 0;
	int n = vsnprintf(raw, sizeof(raw), fmt, ap);

	assert_in_range(n, 0, sizeof(raw) - 1);
	for (const char *p = raw; *p != '\0'; p++) {
		assert_in_range(len, 0, sizeof(text) - LAYOUT_EPOCH - 2);
		if (*p == '$') {
			strcpy(text + len, epoch);
			len += strlen(epoch);
		} else {
			text[len++] = *p;
			if (*p == '\'')
				text[len - 1] = '"';
		}
	}
	text[len] = '\0';
	return text;
}

void
talk_handshake(struct peer *client, const char *query)
{
	char head[4096];
	int n = snprintf(head, sizeof(head), "%s", peer_handshake(query));

	snprintf(head + n - 2, sizeof(head) - (size_t)n + 2,
	    "Sec-WebSocket-Protocol: pubsubd.v1\r\n\r\n");
	peer_send_string(client, head);
}

struct peer *
talk_open(struct crew *crew, unsigned worker, const char *query, int sndbuf)
{
	struct peer *client = peer_connect(crew, worker, sndbuf);

	talk_handshake(client, query);
	crew_run(crew);
	peer_receive(client);
	peer_expect_status(client, 101);
	talk_expect_start(client, "{'type':'welcome',");
	return client;
}

struct peer *
talk_begin(struct crew *crew, const char *topic, unsigned count, size_t pad,
    int sndbuf)
{
	crew_start(crew, 1);
	talk_publish(crew, topic, count, pad);
	return talk_open(crew, 0, "", sndbuf);
}

void
talk(struct peer *client, const char *fmt, ...)
{
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = talk_text(client, fmt, ap);
	va_end(ap);
	peer_frame(client, WS_TEXT, text, strlen(text));
}

void
talk_expect(struct peer *client, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	peer_expect(client, talk_text(client, fmt, ap));
	va_end(ap);
}

void
talk_expect_start(struct peer *client, const char *fmt, ...)
{
	struct peer_frame frame;
	const char *text;
	va_list ap;

	va_start(ap, fmt);
	text = talk_text(client, fmt, ap);
	va_end(ap);
	if (!peer_next(client, &frame))
		fail_msg("\"%s...\" did not come", text);
	if (frame.opcode != WS_TEXT || frame.len < strlen(text) ||
	    memcmp(frame.data, text, strlen(text)) != 0)
		fail_msg("instead of \"%s...\" came %d, \"%.*s\"", text,
		    frame.opcode, (int)frame.len, frame.data);
}

void
talk_expect_messages(
    struct peer *client, const char *topic, uint64_t from, uint64_t to)
{
	for (; from <= to; from++)
		talk_expect_start(client,
		    "{'type':'message','topic':'%s','seq':%" PRIu64 ",'time':",
		    topic, from);
}

void
talk_publish(struct crew *crew, const char *topic, unsigned count, size_t pad)
{
	struct ring ring;
	char text[TALK_MAX];
	uint32_t slot;

	ring_attach(&ring, &crew->t.seg, TESTSEG_WORKERS - 1);
	slot = hand_topic(&ring, topic);
	assert_in_range(pad, 0, sizeof(text) - 32);
	while (count-- > 0) {
		int n = snprintf(text, sizeof(text), "\"%" PRIu64 " ",
		    ring_topic_seq(&crew->t.seg, slot) + 1);

		memset(text + n, '.', pad);
		strcpy(text + n + pad, "\"");
		hand_publish(&ring, slot, text);
	}
	for (unsigned i = 0; i < crew->count; i++)
		wakeup_ring(&crew->doorbells, i);
	ring_detach(&ring);
}

/* Enter one frame.  Returns false if it is about something else. */
static bool
books_enter_frame(struct books *books, const struct peer_frame *frame)
{
	char text[1024], start[600];
	uint64_t from, to;
	int n;

	snprintf(text, sizeof(text), "%.*s", (int)frame->len, frame->data);
	n = snprintf(start, sizeof(start),
	    "{\"type\":\"message\",\"topic\":\"%s\",\"seq\":", books->topic);
	if (strncmp(text, start, (size_t)n) == 0) {
		from = strtoull(text + n, NULL, 10);
		if (from != books->next)
			fail_msg("%s: %" PRIu64 " came instead of %" PRIu64,
			    books->topic, from, books->next);
		books->next++;
		books->messages++;
		return true;
	}
	n = snprintf(start, sizeof(start),
	    "{\"type\":\"gap\",\"topic\":\"%s\",\"from\":", books->topic);
	if (strncmp(text, start, (size_t)n) != 0)
		return false;
	if (sscanf(text + n,
		"%" SCNu64 ",\"to\":%" SCNu64 " ,\"reason\":\"%15[^\"]\"}",
		&from, &to, books->reason) != 3 ||
	    from != books->next || to < from)
		fail_msg("not from %" PRIu64 " on: %s", books->next, text);
	books->next = to + 1;
	books->missed += to - from + 1;
	books->gaps++;
	return true;
}

void
books_enter(struct books *books, struct peer *client)
{
	struct peer_frame frame;

	while (peer_next(client, &frame))
		if (frame.opcode != WS_TEXT ||
		    !books_enter_frame(books, &frame))
			books->others++;
}
