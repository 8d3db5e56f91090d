/* SPDX-License-Identifier: MIT */
/* test_access_store.c - what broker/shared/access_store.h promises. */

#include "broker/shared/access_store.h"
#include "tests/support/suite.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
setup(void **state)
{
	*state = access_store_open(-1);
	return *state == NULL;
}

static int
teardown(void **state)
{
	access_store_close(*state);
	return 0;
}

static void
put(struct access_store *store, const char *const *list, size_t count)
{
	struct access_texts texts = { 0 };

	for (size_t i = 0; i < count; i++)
		assert_true(access_texts_add(
		    &texts, (enum access_kind)i, list[i], strlen(list[i])));
	access_store_put(store, &texts);
	access_texts_wipe(&texts);
}

static void
expect(const struct access_store *store, const char *const *list, size_t count)
{
	struct access_texts texts;
	uint32_t version;

	assert_true(access_store_get(store, &texts, &version));
	assert_int_equal(version, access_store_version(store));
	assert_int_equal(texts.count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(texts.text[i].kind, i);
		assert_int_equal(texts.text[i].len, strlen(list[i]));
		assert_memory_equal(texts.text[i].at, list[i], strlen(list[i]));
	}
	access_texts_wipe(&texts);
}

static void
test_an_empty_one_has_nothing(void **state)
{
	expect(*state, NULL, 0);
}

static void
test_what_was_put_last_comes_out(void **state)
{
	static const char *const first[] = { "one", "", "three" };
	static const char *const second[] = { "a longer one" };
	uint32_t before;

	put(*state, first, COUNT(first));
	expect(*state, first, COUNT(first));
	before = access_store_version(*state);
	put(*state, second, COUNT(second));
	assert_int_not_equal(access_store_version(*state), before);
	expect(*state, second, COUNT(second));
	put(*state, NULL, 0);
	expect(*state, NULL, 0);
}

/* Another process, forked before, reads whole texts or none while they change. */
static void
test_other_processes_read_all_or_nothing(void **state)
{
	static const char *const even[] = { "aaaaaaaaaaaaaaaaaaaa", "a" };
	static const char *const odd[] = { "bb", "bbbbbbbbbbbbbbbbbbbbbbbbbb" };
	struct access_store *store = *state;
	int status;
	pid_t pid;

	put(store, even, 2);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		access_store_protect(store);
		for (unsigned whole = 0; whole < 1000;) {
			struct access_texts texts;
			uint32_t version;
			const char *const *want;

			if (!access_store_get(store, &texts, &version))
				continue;
			want = version / 2 % 2 == 1 ? even : odd;
			for (size_t i = 0; i < 2; i++)
				if (texts.text[i].len != strlen(want[i]) ||
				    memcmp(texts.text[i].at, want[i],
					texts.text[i].len) != 0)
					_exit(1);
			access_texts_wipe(&texts);
			whole++;
		}
		_exit(0);
	}
	for (unsigned i = 0; waitpid(pid, &status, WNOHANG) == 0; i++)
		put(store, i % 2 == 0 ? odd : even, 2);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    test_an_empty_one_has_nothing, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_what_was_put_last_comes_out, setup, teardown),
	cmocka_unit_test_setup_teardown(
	    test_other_processes_read_all_or_nothing, setup, teardown),
};

SUITE_MAIN(tests);
