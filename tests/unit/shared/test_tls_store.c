/* SPDX-License-Identifier: MIT */
/* test_tls_store.c - what broker/shared/tls_store.h promises. */

#include "broker/shared/tls_store.h"
#include "tests/support/suite.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
setup(void **state)
{
	*state = tls_store_open(-1);
	return *state == NULL;
}

static int
teardown(void **state)
{
	tls_store_close(*state);
	return 0;
}

static struct tls_pair
pair(const char *cert, const char *key)
{
	return (struct tls_pair){ .cert = cert,
		.key = key,
		.cert_len = strlen(cert),
		.key_len = strlen(key) };
}

static void
expect_pair(const struct tls_pair *got, const char *cert, const char *key)
{
	assert_int_equal(got->cert_len, strlen(cert));
	assert_int_equal(got->key_len, strlen(key));
	assert_memory_equal(got->cert, cert, got->cert_len);
	assert_memory_equal(got->key, key, got->key_len);
}

static void
test_an_empty_one_has_nothing(void **state)
{
	struct tls_ticket_key keys[TLS_STORE_KEYS];
	struct tls_pair pairs[TLS_CERTS_MAX];
	uint32_t version;
	char *texts;

	assert_int_equal(tls_store_get(*state, pairs, &texts, &version), 0);
	tls_store_wipe(&texts, pairs, 0);
	assert_int_equal(tls_store_keys(*state, keys), 0);
}

static void
test_what_was_put_comes_out_in_order(void **state)
{
	const struct tls_pair put[] = { pair("one", "key of one"),
		pair("", "of an empty one"), pair("three", "") };
	struct tls_pair pairs[TLS_CERTS_MAX];
	uint32_t version;
	char *texts;

	tls_store_put(*state, put, 3);
	assert_int_equal(tls_store_get(*state, pairs, &texts, &version), 3);
	expect_pair(&pairs[0], "one", "key of one");
	expect_pair(&pairs[1], "", "of an empty one");
	expect_pair(&pairs[2], "three", "");
	assert_int_equal(version, tls_store_version(*state));
	tls_store_wipe(&texts, pairs, 3);
	assert_null(texts);
}

static void
test_another_set_has_another_version(void **state)
{
	const struct tls_pair many[] = { pair("a", "b"), pair("c", "d") };
	const struct tls_pair one = pair("e", "f");
	struct tls_pair pairs[TLS_CERTS_MAX];
	uint32_t before, version;
	char *texts;

	tls_store_put(*state, many, 2);
	before = tls_store_version(*state);
	tls_store_put(*state, &one, 1);
	assert_int_not_equal(tls_store_version(*state), before);
	assert_int_equal(tls_store_get(*state, pairs, &texts, &version), 1);
	expect_pair(&pairs[0], "e", "f");
	tls_store_wipe(&texts, pairs, 1);
}

static void
test_texts_as_long_as_can_be(void **state)
{
	static char text[TLS_CERTS_TEXT_MAX];
	struct tls_pair put[TLS_CERTS_MAX], pairs[TLS_CERTS_MAX];
	uint32_t version;
	char *texts;

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < TLS_CERTS_MAX; i++)
		put[i] =
		    (struct tls_pair){ text, text, sizeof(text), sizeof(text) };
	tls_store_put(*state, put, TLS_CERTS_MAX);
	assert_int_equal(
	    tls_store_get(*state, pairs, &texts, &version), TLS_CERTS_MAX);
	assert_memory_equal(pairs[TLS_CERTS_MAX - 1].key, text, sizeof(text));
	tls_store_wipe(&texts, pairs, TLS_CERTS_MAX);
}

static void
test_keys_move_on_and_the_oldest_goes(void **state)
{
	struct tls_ticket_key before[TLS_STORE_KEYS], keys[TLS_STORE_KEYS];

	for (size_t i = 1; i <= TLS_STORE_KEYS; i++) {
		tls_store_rotate(*state);
		assert_int_equal(tls_store_keys(*state, before), i);
	}
	tls_store_rotate(*state);
	assert_int_equal(tls_store_keys(*state, keys), TLS_STORE_KEYS);
	assert_memory_equal(
	    &keys[1], &before[0], sizeof(keys) - sizeof(keys[0]));
	for (size_t i = 0; i < TLS_STORE_KEYS; i++)
		assert_memory_not_equal(&keys[0], &before[i], sizeof(keys[0]));
}

static void
test_a_process_forked_before_sees_it(void **state)
{
	const struct tls_pair one = pair("later", "key");
	struct tls_pair pairs[TLS_CERTS_MAX];
	uint32_t version;
	char *texts, byte;
	int gate[2], status;
	pid_t pid;

	assert_int_equal(pipe(gate), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) { /* no assert here: it would go on with the tests */
		if (read(gate[0], &byte, 1) != 1 ||
		    tls_store_get(*state, pairs, &texts, &version) != 1)
			_exit(1);
		_exit(memcmp(pairs[0].cert, "later", 5) == 0 ? 0 : 1);
	}
	tls_store_put(*state, &one, 1);
	assert_int_equal(write(gate[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(gate[0]);
	close(gate[1]);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	T(test_an_empty_one_has_nothing),
	T(test_what_was_put_comes_out_in_order),
	T(test_another_set_has_another_version),
	T(test_texts_as_long_as_can_be),
	T(test_keys_move_on_and_the_oldest_goes),
	T(test_a_process_forked_before_sees_it),
};

SUITE_MAIN(tests);
