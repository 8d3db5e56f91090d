/* SPDX-License-Identifier: MIT */
/*
 * floor.c - the least that any such server must do, to compare pubsubd with.
 *
 * Accept, answer the handshake, and for what was read from a publisher in one
 * recv(): count its frames, and write as many ready-made ones to every member
 * of its room, one send() each.  No parsing of what is in a frame, no topics,
 * no buffers for the slow, no time-outs, no close frames, one thread, epoll.
 * What a real server costs beyond this is the price of what it promises.
 *
 * It understands what `pubsub-load' sends and nothing else: the room is the
 * number behind "topic=r" in the request, and a message is one of --size bytes.
 *
 * With --rooms it takes messages in, too, as little as that can be: each frame is
 * unmasked, memmem(3) finds topic and message in it, the message is copied into
 * a frame for the room that the topic names, and at the end of the turn each
 * member of a room gets what there is for it by one send().
 */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/bug.h"
#include "common/handshake.h"
#include "common/ws.h"
#include "common/ws_whole.h"
#include "common/xmalloc.h"

#define INPUT_MAX  (256u * 1024)  /* bytes per recv() */
#define OUTPUT_MAX (1024u * 1024) /* bytes of ready-made frames */
#define EVENTS_MAX 256
#define ROOMS_MAX  100000u

struct member {
	bool is_open; /* the handshake is answered */
	uint32_t room;
	uint64_t rest;    /* bytes of the present frame that are to come */
	uint8_t head[14]; /* of a header that came in pieces */
	uint8_t head_len;
	struct buf kept; /* --rooms: a frame that is not whole yet */
};

struct room {
	int *fds;
	size_t count;
	size_t max;
	struct buf out; /* --rooms: what this turn has for its members */
};

static struct member *members; /* by descriptor */
static size_t members_max;
static struct room *rooms;
static uint8_t *output; /* frame after frame */
static size_t frame_len;
static int epoll;
static bool has_rooms;        /* --rooms */
static struct room **touched; /* with something to send in this turn */
static size_t touched_count;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Make as many frames of size bytes as OUTPUT_MAX holds, at least one. */
static void
make_frames(size_t size)
{
	uint8_t head[WS_HEADER_MAX];
	size_t head_len = ws_frame_header(head, WS_TEXT, size), n;

	frame_len = head_len + size;
	n = OUTPUT_MAX / frame_len;
	output = xmalloc(n * frame_len);
	memset(output, 'x', n * frame_len);
	for (size_t i = 0; i < n; i++)
		memcpy(output + i * frame_len, head, head_len);
}

static int
listen_on(uint16_t port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (fd == -1)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 ||
	    listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		die("listen");
	printf("floor: ready on http://127.0.0.1:%d\n", ntohs(addr.sin_port));
	fflush(stdout);
	return fd;
}

static void
watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		die("epoll_ctl");
}

static void
leave(int fd)
{
	struct room *room = &rooms[members[fd].room];

	for (size_t i = 0; i < room->count; i++)
		if (room->fds[i] == fd) {
			room->fds[i] = room->fds[--room->count];
			break;
		}
	buf_fini(&members[fd].kept);
	memset(&members[fd], 0, sizeof(members[fd]));
	close(fd);
}

static void
enter(int fd, uint32_t number)
{
	struct room *room = &rooms[number];

	if (room->count == room->max) {
		room->max = room->max == 0 ? 16 : 2 * room->max;
		room->fds =
		    xreallocarray(room->fds, room->max, sizeof(*room->fds));
	}
	room->fds[room->count++] = fd;
	members[fd].room = number;
	members[fd].is_open = true;
}

/* One request, which comes in one piece from the load generator. */
static void
shake_hands(int fd, const char *request)
{
	static const char key_line[] = "Sec-WebSocket-Key: ";
	char accept[HANDSHAKE_ACCEPT_LEN + 1], answer[256];
	const char *key = strstr(request, key_line);
	const char *room = strstr(request, "topic=r");
	unsigned long number =
	    room != NULL ? strtoul(room + strlen("topic=r"), NULL, 10) : 0;
	int len;

	if (key == NULL || number >= ROOMS_MAX ||
	    strstr(request, "\r\n\r\n") == NULL) {
		leave(fd);
		return;
	}
	handshake_accept(key + strlen(key_line), HANDSHAKE_KEY_LEN, accept);
	len = snprintf(answer, sizeof(answer),
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
	    "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
	    accept);
	if (send(fd, answer, (size_t)len, MSG_NOSIGNAL) == len)
		enter(fd, (uint32_t)number);
	else
		leave(fd);
}

/* The length of a client's header that begins so, 0 if not enough of it is
 * there, and that of what follows. */
static size_t
header_len(const uint8_t *head, size_t len, uint64_t *payload)
{
	size_t extra = 0;

	if (len >= 2)
		extra = (head[1] & 0x7f) == 126   ? 2
		        : (head[1] & 0x7f) == 127 ? 8
		                                  : 0;
	if (len < 6 + extra)
		return 0;
	*payload = extra == 0 ? head[1] & 0x7f : 0;
	for (size_t i = 0; i < extra; i++)
		*payload = *payload << 8 | head[2 + i];
	return 6 + extra;
}

/* How many data frames end in these bytes. */
static size_t
count_frames(struct member *m, const uint8_t *at, size_t len)
{
	size_t frames = 0, take;

	while (len > 0) {
		if (m->rest == 0) {
			m->head[m->head_len++] = *at++;
			len--;
			if (header_len(m->head, m->head_len, &m->rest) == 0)
				continue;
			m->head_len = 0;
			CHECK(m->rest > 0 && m->head[0] < 0x88);
		}
		take = m->rest < len ? (size_t)m->rest : len;
		m->rest -= take;
		at += take;
		len -= take;
		frames += m->rest == 0;
	}
	return frames;
}

/* There are no queues here: whoever does not take all at once ends the run. */
static void
fan_out(const struct room *room, size_t frames)
{
	size_t most = OUTPUT_MAX / frame_len, len;

	for (; frames > 0; frames -= frames < most ? frames : most) {
		len = (frames < most ? frames : most) * frame_len;
		for (size_t i = 0; i < room->count; i++)
			if (send(room->fds[i], output, len,
				MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
				die("a subscriber does not keep up");
	}
}

/* What stands behind a word of a message. */
static const char *
find(const char *text, size_t len, const char *word)
{
	const char *found = memmem(text, len, word, strlen(word));

	CHECK(found != NULL);
	return found + strlen(word);
}

/* One message, {"topic":"r000000-000000","message":"xxx"}. */
static void
take_in(const char *text, size_t len)
{
	unsigned long number =
	    strtoul(find(text, len, "\"topic\":\"r"), NULL, 10);
	const char *message = find(text, len, "\"message\":\"");
	size_t message_len = (size_t)(text + len - message) - strlen("\"}");
	uint8_t head[WS_HEADER_MAX];
	struct room *room;

	CHECK(number < ROOMS_MAX);
	room = &rooms[number];
	if (room->out.len == 0)
		touched[touched_count++] = room;
	buf_add(&room->out, head, ws_frame_header(head, WS_TEXT, message_len));
	buf_add(&room->out, message, message_len);
}

/* Take in the whole frames.  Returns how many bytes they have. */
static size_t
take_in_frames(uint8_t *at, size_t len)
{
	size_t done = 0, head;
	uint64_t payload;

	while ((head = header_len(at + done, len - done, &payload)) > 0 &&
	       payload <= len - done - head) {
		CHECK(payload > 0 && at[done] == (0x80 | WS_TEXT));
		ws_mask(at + done + head, payload, at + done + head - 4);
		take_in((char *)at + done + head, payload);
		done += head + payload;
	}
	return done;
}

static void
take_in_all(struct member *m, uint8_t *input, size_t len)
{
	size_t done;

	if (m->kept.len > 0) {
		buf_add(&m->kept, input, len);
		done = take_in_frames((uint8_t *)m->kept.at, m->kept.len);
		m->kept.len -= done;
		memmove(m->kept.at, m->kept.at + done, m->kept.len);
	} else {
		done = take_in_frames(input, len);
		buf_add(&m->kept, input + done, len - done);
	}
}

/* The end of a turn: to each member what there is for it. */
static void
send_rooms(void)
{
	for (size_t i = 0; i < touched_count; i++) {
		struct room *room = touched[i];

		for (size_t k = 0; k < room->count; k++)
			if (send(room->fds[k], room->out.at, room->out.len,
				MSG_NOSIGNAL | MSG_DONTWAIT) !=
			    (ssize_t)room->out.len)
				die("a subscriber does not keep up");
		buf_reset(&room->out);
	}
	touched_count = 0;
}

static void
accept_all(int listener)
{
	int fd;

	/* cppcheck-suppress nullPointer ; it does not know accept4(2) */
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		CHECK((size_t)fd < members_max);
		watch(fd);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

static void
receive(int fd)
{
	static uint8_t input[INPUT_MAX + 1];
	ssize_t n = recv(fd, input, INPUT_MAX, 0);
	size_t frames;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		leave(fd);
		return;
	}
	input[n] = '\0';
	if (!members[fd].is_open) {
		shake_hands(fd, (const char *)input);
		return;
	}
	if (has_rooms) {
		take_in_all(&members[fd], input, (size_t)n);
		return;
	}
	frames = count_frames(&members[fd], input, (size_t)n);
	if (frames > 0)
		fan_out(&rooms[members[fd].room], frames);
}

/* --listen PORT, --size BYTES and maybe --rooms, which must come in this order. */
int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	struct rlimit files;
	int listener, n;

	has_rooms = argc == 6 && strcmp(argv[5], "--rooms") == 0;
	if ((argc != 5 && !has_rooms) || strcmp(argv[1], "--listen") != 0 ||
	    strcmp(argv[3], "--size") != 0 || atoi(argv[4]) < 1) {
		fputs("usage: floor --listen PORT --size BYTES [--rooms]\n",
		    stderr);
		return 2;
	}
	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	members_max = files.rlim_max < (1u << 20) ? files.rlim_max : 1u << 20;
	members = xcalloc(members_max, sizeof(*members));
	rooms = xcalloc(ROOMS_MAX, sizeof(*rooms));
	touched = xcalloc(ROOMS_MAX, sizeof(*touched));
	make_frames((size_t)atoi(argv[4]));
	epoll = epoll_create1(0);
	watch(listener = listen_on((uint16_t)atoi(argv[2])));
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++)
			if (events[i].data.fd == listener)
				accept_all(listener);
			else
				receive(events[i].data.fd);
		send_rooms();
	}
}
