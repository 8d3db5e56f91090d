/* SPDX-License-Identifier: MIT */
/* test_handover.c - what broker/supervisor/handover.h promises; the parsing of
 * a text from the environment, which anybody may have written. */

#include "broker/supervisor/handover.h"
#include "common/address.h"
#include "tests/support/mp.h"
#include "tests/support/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct handover given, taken;
static char error[LISTENERS_ERROR_MAX];

static int
setup(void **state)
{
	struct config_address wanted[2];
	int result = mp_setup(state);

	assert_null(address_parse(&wanted[0], "127.0.0.1:0"));
	assert_null(address_parse(&wanted[1], "127.0.0.2:0"));
	memset(&taken, 0, sizeof(taken));
	assert_true(listeners_open(&given.listeners, wanted, 2, 3, error));
	assert_true(listeners_open_alone(&given.admin, &wanted[0], error));
	given.lock_fd = STDIN_FILENO;
	given.log_fd = STDERR_FILENO;
	given.claim = STDIN_FILENO;
	return result;
}

static int
teardown(void **state)
{
	handover_drop();
	listeners_close(&given.listeners);
	listeners_close(&given.admin);
	return mp_teardown(state);
}

/* What follows the process's own number in the variable. */
static void
put_text(const char *text)
{
	char value[256];

	snprintf(value, sizeof(value), "%d %s", getpid(), text);
	assert_int_equal(setenv(HANDOVER_VARIABLE, value, 1), 0);
}

static void
test_what_was_put_is_taken(void **state)
{
	(void)state;
	handover_put(&given);
	assert_true(handover_is_there());
	assert_true(handover_take(&taken));
	assert_int_equal(taken.lock_fd, given.lock_fd);
	assert_int_equal(taken.log_fd, given.log_fd);
	assert_int_equal(taken.claim, given.claim);
	assert_int_equal(taken.listeners.workers, 3);
	assert_int_equal(taken.listeners.count, 2);
	for (unsigned w = 0; w < 3; w++)
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(
			    taken.listeners.fd[w][i], given.listeners.fd[w][i]);
	for (size_t i = 0; i < 2; i++)
		assert_true(address_equal(
		    &taken.listeners.address[i], &given.listeners.address[i]));
	assert_int_equal(taken.admin.count, 1);
	assert_true(taken.admin.alone);
	assert_int_equal(taken.admin.fd[0][0], given.admin.fd[0][0]);
	assert_true(
	    address_equal(&taken.admin.address[0], &given.admin.address[0]));
}

/* What a nursery gets beyond; other programs find none of it. */
static void
test_a_nursery_gets_its_sockets(void **state)
{
	struct handover_kept *kept = &given.kept;

	(void)state;
	*kept = (struct handover_kept){ .workers = 1,
		.successor = { -1 },
		.bridge = -1,
		.page = STDIN_FILENO,
		.store = { STDIN_FILENO, -1, STDERR_FILENO },
		.asked = { STDOUT_FILENO },
		.predecessor = { STDERR_FILENO } };
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_false(taken.kept.is_nursery);
	assert_int_equal(taken.kept.page, STDIN_FILENO);
	assert_int_equal(taken.kept.store[HANDOVER_ACCESS], -1);
	assert_int_equal(taken.kept.store[HANDOVER_TLS], STDERR_FILENO);
	kept->is_nursery = true;
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_true(taken.kept.is_nursery);
	assert_int_equal(taken.kept.asked[0], STDOUT_FILENO);
	assert_int_equal(taken.kept.predecessor[0], STDERR_FILENO);
	kept->predecessor[0] = -1;
	handover_put(&given);
	assert_false(handover_take(&taken));
	handover_keep(&given.kept, true); /* they are the test's */
	memset(kept, 0, sizeof(*kept));
}

/* Sockets that join one for IPv4 and IPv6 have to be such, too. */
static void
test_a_socket_for_both_is_known_as_such(void **state)
{
	static const struct {
		const char *text;
		bool dual;
	} cases[] = {
		{ "[::]:0", true },
		{ "[::]:0", false },
		{ "[::1]:0", false },
	};
	struct config_address address;

	(void)state;
	if (!listeners_have_ipv6())
		skip_because("this machine has no IPv6");
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_null(address_parse(&address, cases[i].text));
		address.dual = cases[i].dual;
		listeners_close(&given.listeners);
		assert_true(
		    listeners_open(&given.listeners, &address, 1, 1, error));
		handover_put(&given);
		assert_true(handover_take(&taken));
		assert_int_equal(
		    taken.listeners.address[0].dual, cases[i].dual);
		assert_true(listeners_resize(&taken.listeners, 3, error));
		given.listeners = taken.listeners;
	}
}

static void
test_no_operator_is_handed_over_as_such(void **state)
{
	(void)state;
	listeners_close(&given.admin);
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_int_equal(taken.admin.count, 0);
}

/* What a program wrote that knew of none: a restart brings in a new one. */
static void
test_text_without_operator_is_taken(void **state)
{
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "0 2 1 1 %d", given.listeners.fd[0][0]);
	put_text(text);
	assert_true(handover_take(&taken));
	assert_int_equal(taken.listeners.count, 1);
	assert_int_equal(taken.admin.count, 0);
	assert_int_equal(taken.claim, -1);
}

static void
test_operator_s_socket_must_be_one(void **state)
{
	char text[64];

	(void)state;
	snprintf(
	    text, sizeof(text), "0 2 1 1 %d 999999", given.listeners.fd[0][0]);
	put_text(text);
	assert_false(handover_take(&taken));
}

static void
test_it_is_taken_once(void **state)
{
	(void)state;
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_false(handover_is_there());
	assert_false(handover_take(&taken));
	assert_null(getenv(HANDOVER_VARIABLE));
}

static void
test_missing_log_is_handed_over_as_such(void **state)
{
	(void)state;
	given.log_fd = -1;
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_int_equal(taken.log_fd, -1);
}

static int
take_in_child(void *arg)
{
	(void)arg;
	MP_CHECK(!handover_is_there());
	MP_CHECK(!handover_take(&taken));
	return 0;
}

static void
test_it_is_for_one_process_only(void **state)
{
	(void)state;
	handover_put(&given);
	mp_join(mp_spawn(take_in_child, NULL));
}

static void
test_a_restart_keeps_no_workers(void **state)
{
	(void)state;
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_int_equal(taken.kept.workers, 0);
}

static void
test_workers_of_an_upgrade_are_taken(void **state)
{
	struct handover_kept *kept = &given.kept;

	(void)state;
	*kept = (struct handover_kept){ .workers = 3,
		.life = { 10, 11 },
		.state_fd = 12,
		.log = { 13, 14 },
		.doorbell = { 15, 16, 17 },
		.successor = { 18, -1, 20 } };
	handover_put(&given);
	assert_true(handover_take(&taken));
	assert_memory_equal(&taken.kept, kept, sizeof(*kept));
	kept->workers = 0;
}

static void
test_workers_without_all_that_goes_with_them_are_refused(void **state)
{
	char text[256];

	(void)state;
	given.kept = (struct handover_kept){ .workers = 1, .life = { 10, 11 } };
	handover_put(&given);
	given.kept.workers = 0;
	snprintf(text, sizeof(text), "%s", getenv(HANDOVER_VARIABLE));
	/* The last numbers, from the bridge's doorbell on, are what an older
	 * program does not have; the one before them, the successor's socket,
	 * is missing. */
	for (int i = 0; i < 2 + 1 + HANDOVER_STORES; i++) {
		text[strlen(text) - 1] = '\0';
		*(strrchr(text, ' ') + 1) = '\0';
	}
	assert_int_equal(setenv(HANDOVER_VARIABLE, text, 1), 0);
	assert_false(handover_take(&taken));
}

static void
test_text_that_is_not_whole_is_refused(void **state)
{
	static const char *const texts[] = { "", "0", "0 2", "0 2 1", "0 2 1 1",
		"x 2 1 1 0", "-1 2 1 1 0", "0 -2 1 1 0", "0 2 0 1 0",
		"0 2 65 1 0", "0 2 1 0 0", "0 2 1 17 0", "0 2 1 1 -1",
		"0 2 1 1 999999", "999999 2 1 1 0",
		"99999999999999999999 2 1 1 0" };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		put_text(texts[i]);
		if (handover_take(&taken))
			fail_msg("\"%s\" was taken", texts[i]);
		assert_null(getenv(HANDOVER_VARIABLE));
	}
}

static void
test_descriptor_that_is_no_socket_is_refused(void **state)
{
	int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	char text[64];

	(void)state;
	snprintf(text, sizeof(text), "0 2 1 1 %d", file);
	put_text(text);
	assert_false(handover_take(&taken));
	close(file);
}

#define HANDOVER_TEST(test) \
	cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	HANDOVER_TEST(test_what_was_put_is_taken),
	HANDOVER_TEST(test_a_nursery_gets_its_sockets),
	HANDOVER_TEST(test_a_socket_for_both_is_known_as_such),
	HANDOVER_TEST(test_no_operator_is_handed_over_as_such),
	HANDOVER_TEST(test_text_without_operator_is_taken),
	HANDOVER_TEST(test_operator_s_socket_must_be_one),
	HANDOVER_TEST(test_it_is_taken_once),
	HANDOVER_TEST(test_missing_log_is_handed_over_as_such),
	HANDOVER_TEST(test_it_is_for_one_process_only),
	HANDOVER_TEST(test_a_restart_keeps_no_workers),
	HANDOVER_TEST(test_workers_of_an_upgrade_are_taken),
	HANDOVER_TEST(test_workers_without_all_that_goes_with_them_are_refused),
	HANDOVER_TEST(test_text_that_is_not_whole_is_refused),
	HANDOVER_TEST(test_descriptor_that_is_no_socket_is_refused),
};

SUITE_MAIN(tests);
