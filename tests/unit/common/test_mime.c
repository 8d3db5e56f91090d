/* SPDX-License-Identifier: MIT */
/* test_mime.c - what common/mime.h promises. */

#include "common/mime.h"
#include "tests/support/suite.h"

#include <string.h>

static void
expect_type(const char *path, const char *type)
{
	assert_string_equal(mime_type(path, strlen(path)), type);
}

/* A browser runs a module and applies a style sheet of these types only. */
static void
test_the_page_has_the_types_that_browsers_insist_on(void **state)
{
	(void)state;
	expect_type("index.html", "text/html; charset=utf-8");
	expect_type("/js/app.js", "text/javascript; charset=utf-8");
	expect_type("/js/app.mjs", "text/javascript; charset=utf-8");
	expect_type("/style.css", "text/css; charset=utf-8");
	expect_type("/icon.svg", "image/svg+xml");
	expect_type("/shot.png", "image/png");
	expect_type("/app.webmanifest", "application/manifest+json");
}

static void
test_case_does_not_matter(void **state)
{
	(void)state;
	expect_type("INDEX.HTML", "text/html; charset=utf-8");
	expect_type("Photo.JpEg", "image/jpeg");
}

static void
test_only_the_last_extension_of_the_last_segment_counts(void **state)
{
	(void)state;
	expect_type("/a.html/b.css", "text/css; charset=utf-8");
	expect_type("/a/.css", "text/css; charset=utf-8");
	expect_type("archive.html.gz", "application/octet-stream");
	expect_type("/dir.html/file", "application/octet-stream");
	expect_type("html", "application/octet-stream");
	expect_type("page.html.", "application/octet-stream");
}

static void
test_the_unknown_is_bytes(void **state)
{
	(void)state;
	expect_type("", "application/octet-stream");
	expect_type("/", "application/octet-stream");
	expect_type("a.htmlx", "application/octet-stream");
	expect_type("a.ht", "application/octet-stream");
}

static void
test_nothing_behind_the_length_is_read(void **state)
{
	(void)state;
	assert_string_equal(
	    mime_type("a.js.html", 4), "text/javascript; charset=utf-8");
}

static void
test_what_is_packed_already_does_not_compress(void **state)
{
	(void)state;
	assert_true(mime_compresses(mime_type("a.html", 6)));
	assert_true(mime_compresses(mime_type("a.js", 4)));
	assert_true(mime_compresses(mime_type("a.svg", 5)));
	assert_true(mime_compresses(mime_type("a.json", 6)));
	assert_false(mime_compresses(mime_type("a.png", 5)));
	assert_false(mime_compresses(mime_type("a.gz", 4)));
	assert_false(mime_compresses(mime_type("a", 1)));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_the_page_has_the_types_that_browsers_insist_on),
	cmocka_unit_test(test_case_does_not_matter),
	cmocka_unit_test(
	    test_only_the_last_extension_of_the_last_segment_counts),
	cmocka_unit_test(test_the_unknown_is_bytes),
	cmocka_unit_test(test_nothing_behind_the_length_is_read),
	cmocka_unit_test(test_what_is_packed_already_does_not_compress),
};

SUITE_MAIN(tests);
