/* SPDX-License-Identifier: MIT */
/*
 * test_static_cache.c - what worker/http/static_cache.h promises: what is kept
 * is served only while the file is what it was.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/site.h"
#include "worker/http/static_cache.h"
#include "worker/net/kept.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LATER 10 /* seconds: by then a file has settled */

static void
stat_file(const struct site *site, const char *name, struct stat *st)
{
	assert_int_equal(stat(site_path(site, name), st), 0);
}

/* Find a file as a request does, and keep it as if some time had passed. */
static void
keep(const struct site *site, const char *path)
{
	struct static_file file;
	char name[64];
	struct stat st;

	assert_int_equal(site_find(site, path, &file), STATIC_OK);
	assert_int_not_equal(file.fd, -1);
	snprintf(name, sizeof(name), "root%s", path);
	stat_file(site, name, &st);
	assert_true(static_cache_add(site->files.cache, path + 1, &st,
	    st.st_ctim.tv_sec + LATER, &file));
	assert_int_equal(file.fd, -1);
}

static void
assert_kept(const struct site *site, const char *path, const char *text)
{
	struct static_file file;

	assert_int_equal(site_find(site, path, &file), STATIC_OK);
	assert_int_equal(file.fd, -1);
	assert_int_equal(file.size, strlen(text));
	if (file.size > 0)
		assert_memory_equal(file.body->bytes, text, file.size);
	else
		assert_null(file.body);
}

/* It is read from the disk, where this stands now. */
static void
assert_read(const struct site *site, const char *path, const char *text)
{
	struct static_file file;
	char got[64];

	assert_int_equal(site_find(site, path, &file), STATIC_OK);
	assert_int_not_equal(file.fd, -1);
	assert_int_equal(read(file.fd, got, sizeof(got)), strlen(text));
	assert_memory_equal(got, text, strlen(text));
	close(file.fd);
}

/* The times of files tick: wait until what is changed now has another one. */
static void
wait_for_a_tick(const struct site *site, const char *name)
{
	struct stat was, now;

	stat_file(site, name, &was);
	do {
		site_file(site, "clock", "");
		stat_file(site, "clock", &now);
	} while (now.st_ctim.tv_sec == was.st_ctim.tv_sec &&
		 now.st_ctim.tv_nsec == was.st_ctim.tv_nsec);
}

static void
test_a_kept_file_is_served_from_memory(void **state)
{
	const struct site *site = *state;
	struct static_file first, kept;
	int fds = site_count_fds();

	assert_int_equal(site_find(site, "/chat.js", &first), STATIC_OK);
	close(first.fd);
	keep(site, "/chat.js");
	assert_kept(site, "/chat.js", "let a;");
	assert_kept(site, "/%63hat.js", "let a;");
	assert_int_equal(site_find(site, "/chat.js", &kept), STATIC_OK);
	assert_string_equal(kept.etag, first.etag);
	assert_string_equal(kept.type, first.type);
	assert_int_equal(kept.mtime, first.mtime);
	assert_int_equal(site_count_fds(), fds);
	assert_read(site, "/", "<p>");
}

static void
test_an_empty_file_is_kept_too(void **state)
{
	const struct site *site = *state;

	site_file(site, "root/empty", "");
	keep(site, "/empty");
	assert_kept(site, "/empty", "");
}

/* Who is being sent a file keeps it, whatever becomes of the file. */
static void
test_a_body_outlives_its_place(void **state)
{
	const struct site *site = *state;
	struct static_file file;
	struct kept *body;

	keep(site, "/chat.js");
	assert_int_equal(site_find(site, "/chat.js", &file), STATIC_OK);
	body = kept_take(file.body);
	site_file(site, "root/chat.js", "let another;");
	assert_read(site, "/chat.js", "let another;");
	assert_int_equal(body->references, 1);
	assert_int_equal(body->len, 6);
	assert_memory_equal(body->bytes, "let a;", 6);
	kept_drop(&body);
}

static void
test_a_file_that_has_just_changed_is_not_kept(void **state)
{
	const struct site *site = *state;

	assert_read(site, "/chat.js", "let a;");
	assert_read(site, "/chat.js", "let a;");
}

static void
test_any_change_is_seen(void **state)
{
	const struct site *site = *state;
	struct static_file file;

	keep(site, "/chat.js");
	wait_for_a_tick(site, "root/chat.js");
	site_file(site, "root/chat.js", "let b;"); /* of the same size */
	assert_read(site, "/chat.js", "let b;");
	keep(site, "/chat.js");
	wait_for_a_tick(site, "root/chat.js");
	site_file(site, "root/chat.js", "let bee;");
	assert_read(site, "/chat.js", "let bee;");
	keep(site, "/chat.js");
	wait_for_a_tick(site, "root/chat.js");
	assert_int_equal(chmod(site_path(site, "root/chat.js"), 0600), 0);
	assert_read(site, "/chat.js", "let bee;");
	keep(site, "/chat.js");
	assert_int_equal(unlink(site_path(site, "root/chat.js")), 0);
	assert_int_equal(site_find(site, "/chat.js", &file), STATIC_NOT_FOUND);
}

/* As with any other file that is too long to be asked for all at once. */
static void
test_a_large_file_is_not_kept(void **state)
{
	const struct site *site = *state;
	struct static_file file;
	struct stat st;

	site_file(site, "root/large", "");
	assert_int_equal(
	    truncate(site_path(site, "root/large"), STATIC_CACHE_FILE + 1), 0);
	assert_int_equal(site_find(site, "/large", &file), STATIC_OK);
	stat_file(site, "root/large", &st);
	assert_false(static_cache_add(
	    site->files.cache, "large", &st, st.st_ctim.tv_sec + LATER, &file));
	assert_int_not_equal(file.fd, -1);
	close(file.fd);
}

/* Those that came first leave; there is never more than was said. */
static void
test_memory_is_bounded(void **state)
{
	const struct site *site = *state;
	struct static_file file;
	char name[32];
	unsigned kept = 0;

	for (unsigned i = 0; i < 2 * STATIC_CACHE_FILES; i++) {
		snprintf(name, sizeof(name), "root/file%u", i);
		site_file(site, name, "");
		assert_int_equal(
		    truncate(site_path(site, name), STATIC_CACHE_FILE), 0);
		keep(site, name + 4);
	}
	for (unsigned i = 0; i < 2 * STATIC_CACHE_FILES; i++) {
		snprintf(name, sizeof(name), "/file%u", i);
		assert_int_equal(site_find(site, name, &file), STATIC_OK);
		kept += file.fd == -1;
		if (file.fd != -1)
			close(file.fd);
		else
			assert_in_range(i,
			    2 * STATIC_CACHE_FILES -
				STATIC_CACHE_BYTES / STATIC_CACHE_FILE,
			    2 * STATIC_CACHE_FILES);
	}
	assert_int_equal(kept, STATIC_CACHE_BYTES / STATIC_CACHE_FILE);
}

#define T(test) cmocka_unit_test_setup_teardown(test, site_setup, site_teardown)

static const struct CMUnitTest tests[] = {
	T(test_a_kept_file_is_served_from_memory),
	T(test_an_empty_file_is_kept_too),
	T(test_a_body_outlives_its_place),
	T(test_a_file_that_has_just_changed_is_not_kept),
	T(test_any_change_is_seen),
	T(test_a_large_file_is_not_kept),
	T(test_memory_is_bounded),
};

SUITE_MAIN(tests);
