/* SPDX-License-Identifier: MIT */
/*
 * test_activation.c - what broker/host/activation.h promises.
 *
 * The sockets have the numbers that a service manager gives them, so each test
 * is a child, which has no other use for these.
 */

#include "broker/host/activation.h"
#include "common/address.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define FIRST ACTIVATION_FIRST

static struct listeners listeners, admin;
static char error[LISTENERS_ERROR_MAX];

/* A socket of the loopback interface with this number, on a port of its own, or
 * on that of another one. */
static void
pass_socket(int fd, int port_of)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(address);
	int opened = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	setsockopt(opened, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (port_of != -1)
		MP_CHECK(getsockname(
			     port_of, (struct sockaddr *)&address, &len) == 0);
	MP_CHECK(bind(opened, (struct sockaddr *)&address, len) == 0);
	MP_CHECK(listen(opened, 16) == 0);
	if (opened != fd) {
		MP_CHECK(dup2(opened, fd) == fd);
		close(opened);
	}
}

/* So many sockets are passed on to this process. */
static void
pass(const char *count, const char *names)
{
	char own[16];

	snprintf(own, sizeof(own), "%d", getpid());
	setenv("LISTEN_PID", own, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

static bool
take(unsigned workers)
{
	return activation_take(&listeners, &admin, workers, error);
}

/* Whether two descriptors are of one socket. */
static bool
is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	       one.st_ino == other.st_ino;
}

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

/* Run a test in a child. */
static void
in_child(int (*run)(void *arg))
{
	mp_join(mp_spawn(run, NULL));
}

static int
none_for_others(void *arg)
{
	(void)arg;
	MP_CHECK(activation_count() == 0);
	pass("2", NULL);
	MP_CHECK(activation_count() == 2);
	setenv("LISTEN_PID", "1", 1);
	MP_CHECK(activation_count() == 0);
	pass("-1", NULL);
	MP_CHECK(activation_count() == 0);
	pass("2 ", NULL);
	MP_CHECK(activation_count() == 0);
	pass("99999999", NULL);
	MP_CHECK(activation_count() == 0);
	return 0;
}

static void
test_sockets_are_for_the_process_that_is_named(void **state)
{
	(void)state;
	in_child(none_for_others);
}

static int
one_each(void *arg)
{
	socklen_t len = sizeof(int);
	int no_delay = 0;

	(void)arg;
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, FIRST);
	pass("2", NULL);
	MP_CHECK(take(2));
	MP_CHECK(listeners.count == 1 && listeners.sockets == 2);
	MP_CHECK(listeners.workers == 2 && admin.count == 0);
	MP_CHECK(listeners.fd[0][0] == FIRST);
	MP_CHECK(listeners.fd[1][0] == FIRST + 1);
	MP_CHECK(address_port(&listeners.address[0]) != 0);
	for (int fd = FIRST; fd < FIRST + 2; fd++) {
		MP_CHECK((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
		MP_CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
		MP_CHECK(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &no_delay,
			     &len) == 0);
		MP_CHECK(no_delay == 1);
	}
	return 0;
}

static void
test_each_worker_has_its_socket_of_a_group(void **state)
{
	(void)state;
	in_child(one_each);
}

static int
shared(void *arg)
{
	(void)arg;
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, -1);
	pass("2", NULL);
	MP_CHECK(take(3));
	MP_CHECK(listeners.count == 2 && listeners.sockets == 3);
	for (unsigned w = 0; w < 3; w++)
		for (int i = 0; i < 2; i++)
			MP_CHECK(is_same(listeners.fd[w][i], FIRST + i));
	MP_CHECK(listeners.fd[1][0] > FIRST + 1);
	MP_CHECK((fcntl(listeners.fd[1][0], F_GETFD) & FD_CLOEXEC) != 0);
	return 0;
}

static void
test_workers_share_one_socket(void **state)
{
	(void)state;
	in_child(shared);
}

/* A restart: the next program takes them again, with another number of
 * workers. */
static int
again(void *arg)
{
	int duplicate;

	(void)arg;
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, FIRST);
	pass("2", NULL);
	MP_CHECK(take(3));
	duplicate = listeners.fd[2][0];
	MP_CHECK(take(1));
	MP_CHECK(!is_open(duplicate));
	MP_CHECK(is_open(FIRST) && is_open(FIRST + 1));
	MP_CHECK(listeners.workers == 1 && listeners.sockets == 2);
	MP_CHECK(take(4));
	MP_CHECK(listeners.sockets == 4);
	MP_CHECK(is_same(listeners.fd[3][0], FIRST + 1));
	return 0;
}

static void
test_a_restart_takes_them_again(void **state)
{
	(void)state;
	in_child(again);
}

static int
with_admin(void *arg)
{
	(void)arg;
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, -1);
	pass("2", "web.socket:admin");
	MP_CHECK(take(2));
	MP_CHECK(listeners.count == 1 && listeners.fd[0][0] == FIRST);
	MP_CHECK(admin.count == 1 && admin.alone);
	MP_CHECK(admin.fd[0][0] == FIRST + 1);
	/* Only that one: the public sockets stay what they are. */
	memset(&admin, 0, sizeof(admin));
	listeners.fd[0][0] = FIRST + 2;
	pass("1", "admin");
	MP_CHECK(take(2));
	MP_CHECK(listeners.fd[0][0] == FIRST + 2);
	MP_CHECK(admin.fd[0][0] == FIRST);
	return 0;
}

static int
with_other_names(void *arg)
{
	(void)arg;
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, -1);
	pass("2", "administration:other");
	MP_CHECK(take(2) && listeners.count == 2 && admin.count == 0);
	pass("2", "web");
	MP_CHECK(take(2) && listeners.count == 2 && admin.count == 0);
	return 0;
}

static void
test_the_operators_socket_is_known_by_its_name(void **state)
{
	(void)state;
	in_child(with_admin);
	in_child(with_other_names);
}

/* A socket with a path, or without one, with this number. */
static void
pass_unix(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int opened = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	MP_CHECK(
	    bind(opened, (struct sockaddr *)&address,
		path[0] != '\0' ? sizeof(address) : sizeof(sa_family_t)) == 0);
	MP_CHECK(listen(opened, 16) == 0);
	if (opened != fd) {
		MP_CHECK(dup2(opened, fd) == fd);
		close(opened);
	}
}

/* The file is the manager's: closing leaves it. */
static int
unix_socket(void *arg)
{
	char path[64];
	bool is_there;

	(void)arg;
	snprintf(path, sizeof(path), "/tmp/pubsubd-passed-%d", getpid());
	pass_unix(FIRST, path);
	pass_socket(FIRST + 1, -1);
	pass("2", NULL);
	if (!take(3))
		MP_CHECK(strcmp(error, "") == 0);
	MP_CHECK(listeners.count == 2 && listeners.sockets == 3);
	for (unsigned w = 0; w < 3; w++)
		MP_CHECK(listeners.fd[w][0] == FIRST);
	MP_CHECK(listeners.fd[2][1] > FIRST + 1);
	MP_CHECK(take(1)); /* a restart */
	MP_CHECK(is_open(FIRST));
	listeners_close(&listeners);
	is_there = access(path, F_OK) == 0;
	unlink(path);
	MP_CHECK(is_there);
	pass_unix(FIRST, "");
	pass_socket(FIRST + 1, -1);
	MP_CHECK(!take(3)); /* no name, no path */
	return 0;
}

static void
test_a_unix_socket_is_one_for_all(void **state)
{
	(void)state;
	in_child(unix_socket);
}

static int
refused(void *arg)
{
	int pair[2];

	(void)arg;
	pass("1", NULL);
	MP_CHECK(pipe(pair) == 0 && dup2(pair[0], FIRST) == FIRST);
	MP_CHECK(!take(2));
	MP_CHECK(strstr(error, "descriptor 3 ") != NULL);
	MP_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	MP_CHECK(dup2(pair[0], FIRST) == FIRST);
	MP_CHECK(!take(2));
	close(FIRST);
	MP_CHECK(!take(2));
	pass_socket(FIRST, -1);
	pass_socket(FIRST + 1, -1);
	pass("2", "admin:admin");
	MP_CHECK(!take(2));
	MP_CHECK(strstr(error, "two sockets") != NULL);
	MP_CHECK(listeners.count == 0 && admin.count == 0);
	return 0;
}

static void
test_what_cannot_be_served_is_refused(void **state)
{
	(void)state;
	in_child(refused);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_sockets_are_for_the_process_that_is_named, mp_setup,
	    mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_each_worker_has_its_socket_of_a_group, mp_setup, mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_workers_share_one_socket, mp_setup, mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_a_restart_takes_them_again, mp_setup, mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_the_operators_socket_is_known_by_its_name, mp_setup,
	    mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_a_unix_socket_is_one_for_all, mp_setup, mp_teardown),
	cmocka_unit_test_setup_teardown(
	    test_what_cannot_be_served_is_refused, mp_setup, mp_teardown),
};

SUITE_MAIN(tests);
