/* SPDX-License-Identifier: MIT */
/*
 * test_last_words.c - the last words of children that die in earnest, as their
 * parent finds them.
 */

#include "broker/shared/last_words.h"
#include "common/bug.h"
#include "common/log.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"
#include "tests/support/testseg.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct testseg t;

static int
setup(void **state)
{
	testseg_open(&t, 4096, 4);
	return mp_setup(state);
}

static int
teardown(void **state)
{
	testseg_close(&t);
	return mp_teardown(state);
}

/* Begin as a worker does; no core file, and no words on our stderr. */
static void
live(void)
{
	struct rlimit none = { 0, 0 };

	MP_CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
	log_open("worker 0", open("/dev/null", O_WRONLY), LOG_ERROR);
	last_words_open(&t.seg.workers[0]);
}

/* Run a child to its end: it must die of the signal, with these words. */
static void
check_death(int (*run)(void *), void *arg, int signo, const char *words)
{
	char out[LAYOUT_OBITUARY];
	pid_t pid = mp_spawn(run, arg);

	mp_join_killed(pid, signo);
	assert_ptr_equal(last_words_take(&t.seg.workers[0], out), out);
	if (strstr(out, words) == NULL)
		fail_msg("last words: \"%s\"", out);
	assert_string_equal(last_words_take(&t.seg.workers[0], out), "");
}

static int
die_of_check(void *arg)
{
	const int *two = arg;

	live();
	CHECK(*two + *two == 5);
	return 0;
}

static void
test_failed_check_leaves_its_words(void **state)
{
	int two = 2;

	(void)state;
	check_death(die_of_check, &two, SIGABRT, "*two + *two == 5");
	check_death(die_of_check, &two, SIGABRT, "test_last_words.c:");
	check_death(die_of_check, &two, SIGABRT, "die_of_check()");
}

static int
die_of_bug(void *arg)
{
	live();
	BUG((const char *)arg);
}

static void
test_long_words_are_cut(void **state)
{
	char why[2 * LAYOUT_OBITUARY];

	(void)state;
	memset(why, 'w', sizeof(why) - 1);
	why[sizeof(why) - 1] = '\0';
	check_death(die_of_bug, why, SIGABRT, "die_of_bug(): wwwwwww");
}

static void
test_words_are_text(void **state)
{
	char why[] = "line\nline \033[1m\177";

	(void)state;
	check_death(die_of_bug, why, SIGABRT, "line?line ?[1m?");
}

static int
die_of_segv(void *arg)
{
	live();
	*(volatile int *)arg = 1;
	return 0;
}

static void
test_invalid_access_is_named(void **state)
{
	void *wall =
	    mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	check_death(die_of_segv, wall, SIGSEGV, "SIGSEGV");
	munmap(wall, 4096);
}

/* A file cut short under its mapping: what a full /dev/shm would do. */
static void
test_memory_that_is_not_backed_is_named(void **state)
{
	int fd = memfd_create("hollow", MFD_CLOEXEC);
	void *hollow = mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0);

	(void)state;
	check_death(die_of_segv, hollow, SIGBUS, "SIGBUS");
	munmap(hollow, 4096);
	close(fd);
}

/* Without optimisation's help: each call needs its frame. */
static int
recurse(volatile char *above)
{
	volatile char frame[4096];

	frame[0] = above[0];
	return frame[0] == 'x' ? 0 : recurse(frame) + frame[0];
}

static int
die_of_recursion(void *arg)
{
	live();
	return recurse(arg);
}

static void
test_full_stack_leaves_words_from_another(void **state)
{
	char start = '0';

	(void)state;
	check_death(die_of_recursion, &start, SIGSEGV, "SIGSEGV");
}

static int
die_of_signal(void *arg)
{
	live();
	kill(getpid(), *(const int *)arg);
	return 0;
}

/* A signal from kill(2) does not come again by itself as a fault does. */
static void
test_signal_that_was_sent_kills_too(void **state)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE };
	static const char *const words[] = { "SIGSEGV", "SIGBUS", "SIGILL",
		"SIGFPE" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		int signo = signals[i];

		check_death(die_of_signal, &signo, signo, words[i]);
	}
}

static int
die_twice(void *arg)
{
	live();
	strcpy(t.seg.workers[0].last_words, "the cause");
	*(volatile int *)arg = 1;
	return 0;
}

static void
test_first_words_are_the_cause(void **state)
{
	void *wall =
	    mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	check_death(die_twice, wall, SIGSEGV, "the cause");
	munmap(wall, 4096);
}

static int
die_silently(void *arg)
{
	(void)arg;
	live();
	return raise(SIGKILL);
}

static void
test_who_said_nothing_has_no_words(void **state)
{
	char out[LAYOUT_OBITUARY] = "x";

	(void)state;
	mp_join_killed(mp_spawn(die_silently, NULL), SIGKILL);
	assert_string_equal(last_words_take(&t.seg.workers[0], out), "");
}

/* A worker that ran wild may leave no end of words. */
static void
test_words_without_an_end_are_cut(void **state)
{
	char out[LAYOUT_OBITUARY];

	(void)state;
	memset(t.seg.workers[0].last_words, 'x', LAYOUT_OBITUARY);
	assert_int_equal(strlen(last_words_take(&t.seg.workers[0], out)),
	    LAYOUT_OBITUARY - 1);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_failed_check_leaves_its_words),
	T(test_long_words_are_cut),
	T(test_words_are_text),
	T(test_invalid_access_is_named),
	T(test_memory_that_is_not_backed_is_named),
	T(test_full_stack_leaves_words_from_another),
	T(test_signal_that_was_sent_kills_too),
	T(test_first_words_are_the_cause),
	T(test_who_said_nothing_has_no_words),
	T(test_words_without_an_end_are_cut),
};

SUITE_MAIN(tests);
