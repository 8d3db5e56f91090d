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
 *	--listen PORT	on loopback; 0: any
 *	--size BYTES	of a message
 *	--rooms		take messages in, too: intake.h
 *	--ping SECONDS	ping every member so often: pings.h
 *	--processes N	at one port, and a message goes to all: peers.h
 */

#include "tests/floor/floor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bug.h"
#include "common/handshake.h"
#include "common/ws.h"
#include "common/xmalloc.h"
#include "tests/floor/intake.h"
#include "tests/floor/options.h"
#include "tests/floor/peers.h"
#include "tests/floor/pings.h"

#define INPUT_MAX  (256u * 1024)  /* bytes per recv() */
#define OUTPUT_MAX (1024u * 1024) /* bytes of ready-made frames */
#define EVENTS_MAX 256

struct floor floor_state;

static uint8_t *output; /* frame after frame */
static size_t frame_len;
static int epoll;
static bool has_rooms; /* --rooms */

_Noreturn void
floor_die(const char *what)
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

/* A listening socket, which others may share the port with.  *port: 0, for any,
 * becomes the one that was chosen. */
static int
listen_on(uint16_t *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (fd == -1)
		floor_die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == -1 ||
	    listen(fd, 4096) == -1 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) == -1)
		floor_die("listen");
	*port = ntohs(addr.sin_port);
	return fd;
}

/* One for each process.  Returns this process's. */
static int
listen_all(uint16_t port, unsigned processes)
{
	static int listeners[PEERS_MAX];
	unsigned self;

	for (unsigned i = 0; i < processes; i++)
		listeners[i] = listen_on(&port);
	printf("floor: ready on http://127.0.0.1:%u\n", port);
	fflush(stdout);
	self = peers_fork(processes);
	for (unsigned i = 0; i < processes; i++)
		if (i != self)
			close(listeners[i]);
	return listeners[self];
}

static void
watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == -1)
		floor_die("epoll_ctl");
}

static void
leave(int fd)
{
	struct member *m = &floor_state.members[fd];
	struct room *room = &floor_state.rooms[m->room];

	for (size_t i = 0; i < room->count; i++)
		if (room->fds[i] == fd) {
			room->fds[i] = room->fds[--room->count];
			break;
		}
	buf_fini(&m->kept);
	memset(m, 0, sizeof(*m));
	close(fd);
}

static void
enter(int fd, uint32_t number)
{
	struct room *room = &floor_state.rooms[number];

	if (room->count == room->max) {
		room->max = room->max == 0 ? 16 : 2 * room->max;
		room->fds =
		    xreallocarray(room->fds, room->max, sizeof(*room->fds));
	}
	room->fds[room->count++] = fd;
	floor_state.members[fd].room = number;
	floor_state.members[fd].is_open = true;
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

size_t
floor_header(const uint8_t *head, size_t len, uint64_t *payload)
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
			if (floor_header(m->head, m->head_len, &m->rest) == 0)
				continue;
			m->head_len = 0;
			if (m->rest == 0) { /* it has no payload: a pong */
				CHECK(m->head[0] == (0x80 | WS_PONG));
				continue;
			}
		}
		take = m->rest < len ? (size_t)m->rest : len;
		m->rest -= take;
		at += take;
		len -= take;
		frames += m->rest == 0;
	}
	return frames;
}

void
floor_send(int fd, const void *data, size_t len)
{
	if (send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len)
		floor_die("a subscriber does not keep up");
}

/* Send so many of the ready-made messages. */
static void
send_messages(int fd, uint64_t messages)
{
	uint64_t most = OUTPUT_MAX / frame_len, now;

	for (; messages > 0; messages -= now) {
		now = messages < most ? messages : most;
		floor_send(fd, output, now * frame_len);
	}
}

static void
send_to_all(uint64_t messages)
{
	for (size_t fd = 0; fd < floor_state.members_end; fd++)
		if (floor_state.members[fd].is_open)
			send_messages((int)fd, messages);
}

static void
fan_out(const struct room *room, uint64_t messages)
{
	if (peers_fd() != -1) {
		peers_tell(messages);
		send_to_all(messages);
		return;
	}
	for (size_t i = 0; i < room->count; i++)
		send_messages(room->fds[i], messages);
}

static void
accept_all(int listener)
{
	int fd;

	/* cppcheck-suppress nullPointer ; it does not know accept4(2) */
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		CHECK((size_t)fd < floor_state.members_max);
		if ((size_t)fd >= floor_state.members_end)
			floor_state.members_end = (size_t)fd + 1;
		watch(fd);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		floor_die("accept");
}

static void
receive(int fd)
{
	static uint8_t input[INPUT_MAX + 1];
	struct member *m = &floor_state.members[fd];
	ssize_t n = recv(fd, input, INPUT_MAX, 0);
	size_t frames;

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		leave(fd);
		return;
	}
	input[n] = '\0';
	if (!m->is_open) {
		shake_hands(fd, (const char *)input);
		return;
	}
	if (has_rooms) {
		intake_take(m, input, (size_t)n);
		return;
	}
	frames = count_frames(m, input, (size_t)n);
	if (frames > 0)
		fan_out(&floor_state.rooms[m->room], frames);
}

static void
make_tables(void)
{
	struct rlimit files;
	size_t most = 1u << 20;

	CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = files.rlim_max;
	CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
	if (files.rlim_max < most)
		most = files.rlim_max;
	floor_state.members_max = most;
	floor_state.members = xcalloc(most, sizeof(*floor_state.members));
	floor_state.rooms = xcalloc(ROOMS_MAX, sizeof(*floor_state.rooms));
}

int
main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	struct floor_options options;
	int listener, n;

	if (!floor_options_read(argc, argv, &options))
		return 2;
	has_rooms = options.has_rooms;
	make_tables();
	make_frames((size_t)options.size);
	intake_init();
	pings_init((unsigned)options.ping_seconds);
	listener =
	    listen_all((uint16_t)options.port, (unsigned)options.processes);
	epoll = epoll_create1(0);
	watch(listener);
	if (peers_fd() != -1)
		watch(peers_fd());
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS_MAX, pings_turn());
		for (int i = 0; i < n; i++)
			if (events[i].data.fd == listener)
				accept_all(listener);
			else if (events[i].data.fd == peers_fd())
				send_to_all(peers_take());
			else
				receive(events[i].data.fd);
		intake_send();
	}
}
