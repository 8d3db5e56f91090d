/* SPDX-License-Identifier: MIT */
/*
 * test_file.c - how worker/http/file.h sends a file, whatever the kernel takes.
 *
 * sendfile(2) of this program takes as many bytes at once as the test says.
 */

#include "tests/support/dice.h"
#include "tests/support/suite.h"
#include "tests/unit/support/crew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SIZE 3000000u
#define SEED UINT64_C(0x9e3779b97f4a7c15)

static struct {
	size_t most;   /* at once */
	int error;     /* what it fails with; 0: it does not */
	uint64_t sent; /* in all */
} kernel;

ssize_t
sendfile(int out, int in, off_t *at, size_t len)
{
	ssize_t n;

	if (kernel.error != 0) {
		errno = kernel.error;
		return -1;
	}
	n = syscall(
	    SYS_sendfile, out, in, at, len < kernel.most ? len : kernel.most);
	kernel.sent += n > 0 ? (uint64_t)n : 0;
	return n;
}

/* The byte of a file at this place. */
static uint8_t
byte_at(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16));
}

/* A file that has another byte everywhere. */
static void
make_file(struct crew *crew)
{
	uint8_t piece[1000];
	int fd;

	crew_file(crew, "large", 0);
	fd = openat(crew->root_fd, "large", O_WRONLY);
	assert_int_not_equal(fd, -1);
	for (size_t at = 0; at < SIZE; at += sizeof(piece)) {
		for (size_t i = 0; i < sizeof(piece); i++)
			piece[i] = byte_at(at + i);
		assert_int_equal(
		    write(fd, piece, sizeof(piece)), sizeof(piece));
	}
	close(fd);
}

static struct peer *
ask(struct crew *crew)
{
	struct peer *client;

	memset(&kernel, 0, sizeof(kernel));
	kernel.most = SIZE_MAX;
	crew->tcp = true;
	crew_start(crew, 1);
	make_file(crew);
	client = peer_connect(crew, 0, 0);
	peer_send_string(client,
	    "GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
	    "GET /none HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return client;
}

/* The file comes, every byte once, and then the next answer. */
static void
expect_file(struct crew *crew, struct peer *client)
{
	CREW_UNTIL(crew, (peer_receive(client), client->len > 4));
	peer_expect_status(client, 200);
	CREW_UNTIL(
	    crew, (peer_receive(client), client->len - client->at > SIZE));
	for (size_t at = 0; at < SIZE; at++)
		if ((uint8_t)client->got[client->at + at] != byte_at(at))
			fail_msg("byte %zu is another", at);
	client->at += SIZE;
	peer_expect_status(client, 404);
	peer_close(&client);
}

static void
test_the_kernel_sends_most_of_it(void **state)
{
	struct crew *crew = *state;

	expect_file(crew, ask(crew));
	assert_true(kernel.sent > SIZE / 2);
}

/* As much as is asked for, never what was asked for. */
static void
test_whatever_the_kernel_takes(void **state)
{
	struct crew *crew = *state;
	struct peer *client = ask(crew);
	struct dice dice = { .state = SEED };

	while (client->len < SIZE / 2) {
		kernel.most = 1 + dice_below(&dice, 50000);
		crew_turn(crew, 0);
		peer_receive(client);
	}
	expect_file(crew, client);
	assert_true(kernel.sent > 0);
}

/* A file system that has no pages, or a full socket. */
static void
test_a_kernel_that_cannot(void **state)
{
	static const int errors[] = { EINVAL, ENOSYS, EAGAIN };
	struct crew *crew = *state;
	struct peer *client = ask(crew);

	for (size_t i = 0; client->len < SIZE / 2; i++) {
		kernel.error = errors[i % COUNT(errors)];
		crew_turn(crew, 0);
		peer_receive(client);
	}
	expect_file(crew, client);
	assert_int_equal(kernel.sent, 0);
}

/* Half of it is there: what the head has told cannot come any more. */
static void
test_a_file_that_shrinks_is_cut(void **state)
{
	struct crew *crew = *state;
	struct peer *client = ask(crew);

	kernel.most = 10000;
	crew_turns(crew, 0, 3);
	crew_file(crew, "large", 50000);
	CREW_UNTIL(crew, (peer_receive(client), client->eof || client->reset));
	assert_true(client->len < SIZE);
	assert_int_equal(crew->w[0].net.conns.count, 0);
	peer_close(&client);
}

#define T(test) cmocka_unit_test_setup_teardown(test, crew_setup, crew_teardown)

static const struct CMUnitTest tests[] = {
	T(test_the_kernel_sends_most_of_it),
	T(test_whatever_the_kernel_takes),
	T(test_a_kernel_that_cannot),
	T(test_a_file_that_shrinks_is_cut),
};

SUITE_MAIN(tests);
