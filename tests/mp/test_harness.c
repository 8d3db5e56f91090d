/* SPDX-License-Identifier: MIT */
/* test_harness.c - the harness of these tests sees what it promises to see. */

#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <signal.h>
#include <unistd.h>

static int
sleep_on(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return 0;
}

static int
stop(void *arg)
{
	return raise(*(int *)arg);
}

static void
test_child_left_behind_is_found_and_removed(void **state)
{
	pid_t pid;

	assert_int_equal(mp_setup(state), 0);
	pid = mp_spawn(sleep_on, NULL);
	assert_int_equal(mp_teardown(state), -1);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(mp_setup(state), 0);
	assert_int_equal(mp_teardown(state), 0);
}

static void
test_descriptor_left_behind_is_found(void **state)
{
	int fd;

	assert_int_equal(mp_setup(state), 0);
	fd = dup(0);
	assert_int_equal(mp_teardown(state), -1);
	assert_int_equal(mp_setup(state), 0);
	close(fd);
	assert_int_equal(mp_teardown(state), -1);
}

static void
test_stopped_child_is_seen_continued_and_joined(void **state)
{
	int signo = SIGSTOP;
	pid_t pid;

	assert_int_equal(mp_setup(state), 0);
	pid = mp_spawn(stop, &signo);
	mp_wait_stopped(pid);
	mp_continue(pid);
	mp_join(pid);
	assert_int_equal(mp_teardown(state), 0);
}

static int
pass(void *arg)
{
	struct mp_gate *gates = arg;

	mp_gate_give(&gates[0], 1);
	mp_gate_take(&gates[1], 1);
	mp_gate_give(&gates[0], 1);
	return 0;
}

static void
test_gate_lets_as_many_pass_as_were_given(void **state)
{
	struct mp_gate gates[2];
	pid_t pids[3];

	assert_int_equal(mp_setup(state), 0);
	mp_gate_open(&gates[0]);
	mp_gate_open(&gates[1]);
	for (int i = 0; i < 3; i++)
		pids[i] = mp_spawn(pass, gates);
	mp_gate_take(&gates[0], 3);
	mp_gate_give(&gates[1], 3);
	mp_gate_take(&gates[0], 3);
	for (int i = 0; i < 3; i++)
		mp_join(pids[i]);
	mp_gate_close(&gates[0]);
	mp_gate_close(&gates[1]);
	assert_int_equal(mp_teardown(state), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_child_left_behind_is_found_and_removed),
	cmocka_unit_test(test_descriptor_left_behind_is_found),
	cmocka_unit_test(test_stopped_child_is_seen_continued_and_joined),
	cmocka_unit_test(test_gate_lets_as_many_pass_as_were_given),
};

SUITE_MAIN(tests);
