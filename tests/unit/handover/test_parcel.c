/* SPDX-License-Identifier: MIT */
/*
 * test_parcel.c - what worker/handover/parcel.h promises, one test per promise.
 *
 * Both ends of the socket are here.  A parcel that is longer than the socket's
 * buffer is sent by a child, and waitpid() tells that it is done.
 */

#include "tests/support/suite.h"
#include "worker/handover/parcel.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIND 7u
#define LONG (4u * 1024 * 1024) /* bytes: no socket's buffer is as long */

static int ends[2]; /* to send, to receive; -1: closed */
static struct buf body, got;
static struct parcel parcel;

static int
setup(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	buf_init(&body);
	buf_init(&got);
	return 0;
}

static void
close_end(int i)
{
	if (ends[i] != -1)
		close(ends[i]);
	ends[i] = -1;
}

static int
teardown(void **state)
{
	(void)state;
	close_end(0);
	close_end(1);
	buf_fini(&body);
	buf_fini(&got);
	return 0;
}

static enum parcel_status
receive(void)
{
	return parcel_receive(ends[1], &parcel, &got);
}

/* Whether two descriptors are of one open file. */
static bool
is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

static unsigned
open_descriptors(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

static void
test_bytes_and_descriptors_come_together(void **state)
{
	int pipes[2];

	(void)state;
	assert_int_equal(pipe(pipes), 0);
	buf_puts(&body, "two connections");
	assert_int_equal(
	    parcel_send(ends[0], KIND, &body, pipes, 2), PARCEL_OK);
	assert_int_equal(receive(), PARCEL_OK);
	assert_int_equal(parcel.kind, KIND);
	assert_int_equal(got.len, body.len);
	assert_memory_equal(got.at, body.at, body.len);
	assert_int_equal(parcel.fds_count, 2);
	assert_true(is_same(parcel.fds[0], pipes[0]));
	assert_true(is_same(parcel.fds[1], pipes[1]));
	assert_int_equal(fcntl(parcel.fds[0], F_GETFD), FD_CLOEXEC);
	assert_int_not_equal(fcntl(pipes[0], F_GETFD), -1);
	parcel_close(&parcel);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_a_parcel_has_as_many_descriptors_as_the_kernel_takes(void **state)
{
	int fds[PARCEL_FDS_MAX];
	unsigned before;

	(void)state;
	before = open_descriptors();
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = ends[0];
	assert_int_equal(
	    parcel_send(ends[0], KIND, &body, fds, COUNT(fds)), PARCEL_OK);
	assert_int_equal(receive(), PARCEL_OK);
	assert_int_equal(parcel.fds_count, COUNT(fds));
	assert_true(is_same(parcel.fds[COUNT(fds) - 1], ends[0]));
	parcel_close(&parcel);
	assert_int_equal(open_descriptors(), before);
}

static void
test_parcels_stay_apart(void **state)
{
	const int fds[] = { ends[0], ends[1], ends[0] };

	(void)state;
	for (uint32_t kind = 1; kind <= 3; kind++) {
		buf_reset(&body);
		buf_number(&body, kind);
		assert_int_equal(
		    parcel_send(ends[0], kind, &body, fds, kind), PARCEL_OK);
	}
	for (uint32_t kind = 1; kind <= 3; kind++) {
		assert_int_equal(receive(), PARCEL_OK);
		assert_int_equal(parcel.kind, kind);
		assert_int_equal(parcel.fds_count, kind);
		assert_int_equal(got.len, 1);
		assert_int_equal(got.at[0], '0' + (char)kind);
		parcel_close(&parcel);
	}
}

static void
test_a_parcel_may_be_longer_than_the_sockets_buffer(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	memset(buf_room(&body, LONG), 'x', LONG);
	body.len = LONG;
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		close(ends[1]); /* so that it ends if its parent does */
	if (pid == 0)
		_exit((int)parcel_send(ends[0], KIND, &body, ends, 1));
	assert_int_equal(receive(), PARCEL_OK);
	assert_int_equal(got.len, LONG);
	assert_memory_equal(got.at, body.at, LONG);
	assert_int_equal(parcel.fds_count, 1);
	parcel_close(&parcel);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_the_end_of_the_other_side_is_told(void **state)
{
	(void)state;
	close_end(0);
	assert_int_equal(receive(), PARCEL_GONE);
	ends[0] = dup(ends[1]);
	assert_int_equal(
	    parcel_send(ends[0], KIND, &body, NULL, 0), PARCEL_GONE);
}

/* Everything but the last byte, from a sender that then dies. */
static void
test_a_cut_parcel_leaves_no_descriptors(void **state)
{
	int inner[2];
	char bytes[256];
	ssize_t n;
	unsigned before;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, inner), 0);
	before = open_descriptors();
	buf_puts(&body, "cut");
	parcel_send(inner[0], KIND, &body, NULL, 0);
	n = recv(inner[1], bytes, sizeof(bytes), 0);
	assert_true(n > 3);
	for (ssize_t len = 1; len < n; len++) {
		assert_int_equal(send(ends[0], bytes, (size_t)len, 0), len);
		shutdown(ends[0], SHUT_WR);
		assert_int_equal(receive(), PARCEL_GONE);
		assert_int_equal(open_descriptors(), before);
		close_end(0);
		close_end(1);
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	}
	close(inner[0]);
	close(inner[1]);
}

static void
test_bytes_that_are_no_parcel_are_refused(void **state)
{
	static const char nonsense[64] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

	(void)state;
	assert_int_equal(
	    send(ends[0], nonsense, sizeof(nonsense), 0), sizeof(nonsense));
	assert_int_equal(receive(), PARCEL_BROKEN);
}

/* The descriptors of one parcel come with the head of another. */
static void
test_descriptors_that_are_not_announced_are_refused(void **state)
{
	int inner[2];
	char bytes[64];
	unsigned before;
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, inner), 0);
	before = open_descriptors();
	parcel_send(inner[0], KIND, &body, ends, 2);
	n = recv(inner[1], bytes, sizeof(bytes), 0); /* drops the descriptors */
	assert_true(n > 0);
	assert_int_equal(send(ends[0], bytes, (size_t)n, 0), n);
	assert_int_equal(receive(), PARCEL_BROKEN);
	assert_int_equal(open_descriptors(), before);
	close(inner[0]);
	close(inner[1]);
}

/* A packet shows what one call has sent.  A successor was killed between the head
 * and the bytes, and the worker that it asked waited for them for ever. */
static void
test_a_short_parcel_is_sent_at_once(void **state)
{
	char packet[2 * PARCEL_SHORT_MAX];
	int pair[2];
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	buf_room(&body, PARCEL_SHORT_MAX);
	memset(body.at, 'x', PARCEL_SHORT_MAX);
	body.len = PARCEL_SHORT_MAX;
	assert_int_equal(parcel_send(pair[0], KIND, &body, ends, 2), PARCEL_OK);
	n = recv(pair[1], packet, sizeof(packet), MSG_DONTWAIT);
	assert_true(n > (ssize_t)PARCEL_SHORT_MAX);
	assert_int_equal(packet[n - 1], 'x');
	assert_int_equal(
	    recv(pair[1], packet, sizeof(packet), MSG_DONTWAIT), -1);
	close(pair[0]);
	close(pair[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_bytes_and_descriptors_come_together),
	TEST(test_a_parcel_has_as_many_descriptors_as_the_kernel_takes),
	TEST(test_parcels_stay_apart),
	TEST(test_a_short_parcel_is_sent_at_once),
	TEST(test_a_parcel_may_be_longer_than_the_sockets_buffer),
	TEST(test_the_end_of_the_other_side_is_told),
	TEST(test_a_cut_parcel_leaves_no_descriptors),
	TEST(test_bytes_that_are_no_parcel_are_refused),
	TEST(test_descriptors_that_are_not_announced_are_refused),
};

SUITE_MAIN(tests);
