/* SPDX-License-Identifier: MIT */
/* test_static.c - which paths worker/http/static.h finds, and which it must
 * not. */

#include "tests/support/suite.h"
#include "tests/unit/support/site.h"

#include "common/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534

static void
expect_status(
    const struct site *site, const char *path, enum static_status wanted)
{
	struct static_file file;
	enum static_status got = site_find(site, path, &file);

	if (got != wanted)
		fail_msg("%s: status %d, not %d", path, got, wanted);
}

static void
expect_file(const struct site *site, const char *path, const char *text,
    const char *type)
{
	struct static_file file;
	char buf[64];

	if (site_find(site, path, &file) != STATIC_OK)
		fail_msg("%s: not found", path);
	assert_int_equal(file.size, strlen(text));
	assert_int_equal(read(file.fd, buf, sizeof(buf)), strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_string_equal(file.type, type);
	assert_int_equal(close(file.fd), 0);
}

static void
test_a_file_is_found(void **state)
{
	expect_file(
	    *state, "/chat.js", "let a;", "text/javascript; charset=utf-8");
}

static void
test_a_slash_asks_for_the_index(void **state)
{
	site_dir(*state, "root/sub");
	site_file(*state, "root/sub/index.html", "<b>");
	expect_file(*state, "/", "<p>", "text/html; charset=utf-8");
	expect_file(*state, "/sub/", "<b>", "text/html; charset=utf-8");
}

static void
test_a_directory_without_a_slash_is_redirected(void **state)
{
	site_dir(*state, "root/sub");
	site_dir(*state, "root/sub/deep");
	expect_status(*state, "/sub", STATIC_REDIRECT);
	expect_status(*state, "/sub/deep", STATIC_REDIRECT);
	expect_status(*state, "/%73ub", STATIC_REDIRECT);
}

/* Sent back as Location, "//sub/" would be the host "sub". */
static void
test_two_slashes_are_never_redirected(void **state)
{
	site_dir(*state, "root/sub");
	site_file(*state, "root/sub/index.html", "<b>");
	expect_status(*state, "//sub", STATIC_NOT_FOUND);
	expect_status(*state, "//sub/", STATIC_NOT_FOUND);
	expect_status(*state, "/sub//", STATIC_NOT_FOUND);
	expect_status(*state, "//", STATIC_NOT_FOUND);
	expect_status(*state, "//index.html", STATIC_NOT_FOUND);
}

static void
test_an_index_that_is_a_directory_is_no_redirect(void **state)
{
	site_dir(*state, "root/sub");
	site_dir(*state, "root/sub/index.html");
	expect_status(*state, "/sub/", STATIC_NOT_FOUND);
	expect_status(*state, "/sub/index.html", STATIC_REDIRECT);
}

static void
test_what_is_not_there_is_not_found(void **state)
{
	site_dir(*state, "root/empty");
	expect_status(*state, "/nothing", STATIC_NOT_FOUND);
	expect_status(*state, "/nothing/at.all", STATIC_NOT_FOUND);
	expect_status(*state, "/chat.js/", STATIC_NOT_FOUND);
	expect_status(*state, "/chat.js/more", STATIC_NOT_FOUND);
	expect_status(*state, "/empty/", STATIC_NOT_FOUND);
	expect_status(*state, "/CHAT.js", STATIC_NOT_FOUND);
	expect_status(*state, "*", STATIC_NOT_FOUND);
	expect_status(*state, "", STATIC_NOT_FOUND);
	expect_status(*state, "chat.js", STATIC_NOT_FOUND);
}

static void
test_a_path_ends_where_its_length_says(void **state)
{
	const struct site *site = *state;
	struct http_text none = { "/", 0 }, cut = { "/chat.jsx", 8 };
	struct static_file file;

	assert_int_equal(
	    static_find(&site->files, &none, &file), STATIC_NOT_FOUND);
	assert_int_equal(static_find(&site->files, &cut, &file), STATIC_OK);
	close(file.fd);
}

static void
test_a_path_is_percent_decoded_once(void **state)
{
	const char *type = "text/plain; charset=utf-8";

	site_file(*state, "root/a b+c.txt", "1");
	site_file(*state, "root/100%41.txt", "2");
	site_file(*state, "root/\xc3\xa9.txt", "3");
	expect_file(*state, "/a%20b+c.txt", "1", type);
	expect_file(*state, "/100%2541.txt", "2", type);
	expect_file(*state, "/%C3%a9.txt", "3", type);
	expect_file(
	    *state, "/%63h%61t.js", "let a;", "text/javascript; charset=utf-8");
}

static void
test_broken_encoding_is_a_bad_path(void **state)
{
	expect_status(*state, "/%", STATIC_BAD_PATH);
	expect_status(*state, "/chat.js%4", STATIC_BAD_PATH);
	expect_status(*state, "/chat.js%zz", STATIC_BAD_PATH);
	expect_status(*state, "/%00", STATIC_BAD_PATH);
	expect_status(*state, "/chat.js%00.png", STATIC_BAD_PATH);
	/* The digits must not be taken from the next segment. */
	expect_status(*state, "/a%4/1", STATIC_BAD_PATH);
}

static void
test_an_encoded_slash_is_no_slash(void **state)
{
	site_dir(*state, "root/sub");
	site_file(*state, "root/sub/file.txt", "x");
	expect_status(*state, "/sub%2Ffile.txt", STATIC_NOT_FOUND);
	expect_status(*state, "/sub%2f", STATIC_NOT_FOUND);
	expect_status(*state, "/%2fsub", STATIC_NOT_FOUND);
	expect_status(*state, "/%2fetc%2fpasswd", STATIC_NOT_FOUND);
}

static void
test_dots_lead_nowhere(void **state)
{
	static const char *const paths[] = { "/..", "/../", "/../secret.txt",
		"/../root/index.html", "/%2e%2e/secret.txt", "/%2E./secret.txt",
		"/.%2e/secret.txt", "/..%2fsecret.txt", "/sub/../../secret.txt",
		"/sub/../index.html", "/.", "/./index.html", "/%2e/index.html",
		"/../root-2/secret.txt", "/..;/secret.txt", "/...", "/sub/..",
		"/sub/.%2e/" };

	site_dir(*state, "root/sub");
	for (size_t i = 0; i < COUNT(paths); i++)
		expect_status(*state, paths[i], STATIC_NOT_FOUND);
}

/* On Linux it is a character like any other. */
static void
test_a_backslash_is_no_slash(void **state)
{
	expect_status(*state, "/..\\secret.txt", STATIC_NOT_FOUND);
	expect_status(*state, "/a\\..\\..\\secret.txt", STATIC_NOT_FOUND);
	expect_status(*state, "/%5c..%5csecret.txt", STATIC_NOT_FOUND);
}

static void
test_dotfiles_are_not_found(void **state)
{
	site_dir(*state, "root/.git");
	site_file(*state, "root/.git/config", "x");
	site_file(*state, "root/.htpasswd", "x");
	site_file(*state, "root/a.b", "x");
	expect_status(*state, "/.git", STATIC_NOT_FOUND);
	expect_status(*state, "/.git/", STATIC_NOT_FOUND);
	expect_status(*state, "/.git/config", STATIC_NOT_FOUND);
	expect_status(*state, "/%2egit/config", STATIC_NOT_FOUND);
	expect_status(*state, "/.htpasswd", STATIC_NOT_FOUND);
	expect_status(*state, "/%2Ehtpasswd", STATIC_NOT_FOUND);
	expect_file(*state, "/a.b", "x", "application/octet-stream");
}

static void
test_links_do_not_lead_out(void **state)
{
	struct site *site = *state;
	char absolute[128];

	snprintf(absolute, sizeof(absolute), "%s/secret.txt", site->dir);
	site_link(site, "../secret.txt", "root/up.txt");
	site_link(site, absolute, "root/absolute.txt");
	site_link(site, "..", "root/parent");
	site_link(site, "../root-2", "root/neighbour");
	site_link(site, "/", "root/slash");
	site_link(site, "/proc/self/root", "root/magic");
	expect_status(site, "/up.txt", STATIC_NOT_FOUND);
	expect_status(site, "/absolute.txt", STATIC_NOT_FOUND);
	expect_status(site, "/parent", STATIC_NOT_FOUND);
	expect_status(site, "/parent/secret.txt", STATIC_NOT_FOUND);
	expect_status(site, "/parent/root/index.html", STATIC_NOT_FOUND);
	expect_status(site, "/neighbour/secret.txt", STATIC_NOT_FOUND);
	expect_status(site, "/slash/etc/passwd", STATIC_NOT_FOUND);
	expect_status(site, "/magic/etc/passwd", STATIC_NOT_FOUND);
}

/* Even a link to a file inside, if it goes by the root of everything. */
static void
test_an_absolute_link_is_refused_wherever_it_leads(void **state)
{
	struct site *site = *state;
	char absolute[128];

	snprintf(absolute, sizeof(absolute), "%s/root/chat.js", site->dir);
	site_link(site, absolute, "root/same.js");
	expect_status(site, "/same.js", STATIC_NOT_FOUND);
}

static void
test_links_inside_are_followed(void **state)
{
	site_dir(*state, "root/sub");
	site_link(*state, "../chat.js", "root/sub/link.js");
	site_link(*state, "sub", "root/alias");
	expect_file(
	    *state, "/sub/link.js", "let a;", "text/javascript; charset=utf-8");
	expect_file(*state, "/alias/link.js", "let a;",
	    "text/javascript; charset=utf-8");
	expect_status(*state, "/alias", STATIC_REDIRECT);
}

static void
test_a_walk_follows_no_link(void **state)
{
	site_dir(*state, "root/sub");
	site_file(*state, "root/sub/file.txt", "x");
	site_link(*state, "../chat.js", "root/sub/link.js");
	site_link(*state, "sub", "root/alias");
	expect_file(*state, "/sub/file.txt", "x", "text/plain; charset=utf-8");
	expect_status(*state, "/sub/link.js", STATIC_NOT_FOUND);
	expect_status(*state, "/alias/file.txt", STATIC_NOT_FOUND);
	expect_status(*state, "/alias/", STATIC_NOT_FOUND);
	expect_status(*state, "/alias", STATIC_NOT_FOUND);
}

static void
test_a_circle_of_links_is_not_found(void **state)
{
	site_link(*state, "b", "root/a");
	site_link(*state, "a", "root/b");
	site_link(*state, "nowhere", "root/dangling");
	expect_status(*state, "/a", STATIC_NOT_FOUND);
	expect_status(*state, "/dangling", STATIC_NOT_FOUND);
}

/* A FIFO without a writer would hang an ordinary open(2) for ever; the alarm
 * makes that a failure. */
static void
test_a_fifo_is_refused_at_once(void **state)
{
	assert_int_equal(mkfifo(site_path(*state, "root/fifo"), 0644), 0);
	alarm(10);
	expect_status(*state, "/fifo", STATIC_NOT_FOUND);
	alarm(0);
}

static void
test_a_socket_is_not_found(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_not_equal(fd, -1);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s",
	    site_path(*state, "root/socket"));
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	expect_status(*state, "/socket", STATIC_NOT_FOUND);
	close(fd);
}

/* Around what a name, a path and a head may have, and far beyond. */
static void
test_very_long_names_are_not_found(void **state)
{
	static const size_t lengths[] = { 257, 4095, 4096, 4097,
		HTTP_HEAD_MAX - 1, HTTP_HEAD_MAX, HTTP_HEAD_MAX + 1,
		HTTP_HEAD_MAX + 100, 4 * HTTP_HEAD_MAX };
	static char path[4 * HTTP_HEAD_MAX + 1];

	for (size_t i = 0; i < COUNT(lengths); i++) {
		memset(path, 'a', lengths[i]);
		path[0] = '/';
		path[lengths[i]] = '\0';
		expect_status(*state, path, STATIC_NOT_FOUND);
	}
}

static void
test_the_longest_names_are_found(void **state)
{
	char name[256 + 5] = "root/", path[3 * 255 + 2] = "/";

	for (int i = 0; i < 255; i++) {
		strcat(name, "x");
		strcat(path, "%78");
	}
	site_file(*state, name, "long");
	expect_file(*state, path, "long", "application/octet-stream");
}

/* Path after path of deep directories, up to what one head can carry. */
static void
test_very_deep_paths_are_not_found(void **state)
{
	static char path[HTTP_HEAD_MAX + 1];

	for (size_t i = 0; i < HTTP_HEAD_MAX; i++)
		path[i] = i % 2 == 0 ? '/' : 'a';
	expect_status(*state, path, STATIC_NOT_FOUND);
	path[HTTP_HEAD_MAX - 1] = '/'; /* and two slashes at the end */
	expect_status(*state, path, STATIC_NOT_FOUND);
	path[HTTP_HEAD_MAX - 2] = 'a'; /* the index goes behind it */
	expect_status(*state, path, STATIC_NOT_FOUND);
}

/* Root may read anything, so it becomes nobody for a moment. */
static void
test_what_may_not_be_read_is_forbidden(void **state)
{
	uid_t me = geteuid();
	struct static_file file;
	enum static_status status;
	const char *path = "/locked.txt";

	site_file(*state, "root/locked.txt", "x");
	assert_int_equal(chmod(site_path(*state, "root/locked.txt"), 0), 0);
	if (me == 0)
		assert_int_equal(seteuid(NOBODY), 0);
	status = site_find(*state, path, &file);
	if (me == 0)
		assert_int_equal(seteuid(me), 0);
	assert_int_equal(status, STATIC_FORBIDDEN);
}

/* Run out of descriptors and have some again. */
static void
test_out_of_descriptors_is_unavailable(void **state)
{
	struct rlimit before, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 0; /* what is open stays open */
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	log_open("test", STDERR_FILENO, LOG_ERROR);
	expect_status(*state, "/chat.js", STATIC_UNAVAILABLE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	expect_file(
	    *state, "/chat.js", "let a;", "text/javascript; charset=utf-8");
}

static void
test_nothing_stays_open(void **state)
{
	int before = site_count_fds();

	site_dir(*state, "root/sub");
	assert_int_equal(mkfifo(site_path(*state, "root/fifo"), 0644), 0);
	expect_status(*state, "/sub", STATIC_REDIRECT);
	expect_status(*state, "/fifo", STATIC_NOT_FOUND);
	expect_status(*state, "/nothing", STATIC_NOT_FOUND);
	expect_file(
	    *state, "/chat.js", "let a;", "text/javascript; charset=utf-8");
	assert_int_equal(site_count_fds(), before);
}

static void
test_the_descriptor_is_not_inherited(void **state)
{
	struct static_file file;

	assert_int_equal(site_find(*state, "/chat.js", &file), STATIC_OK);
	assert_int_equal(fcntl(file.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(file.fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(file.fd);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)
#define WALK(name) \
	cmocka_unit_test_setup_teardown(name, site_setup_walking, site_teardown)
#define BOTH(name) TEST(name), WALK(name)

static const struct CMUnitTest tests[] = {
	BOTH(test_a_file_is_found),
	BOTH(test_a_slash_asks_for_the_index),
	BOTH(test_a_directory_without_a_slash_is_redirected),
	BOTH(test_two_slashes_are_never_redirected),
	BOTH(test_an_index_that_is_a_directory_is_no_redirect),
	BOTH(test_what_is_not_there_is_not_found),
	BOTH(test_a_path_ends_where_its_length_says),
	BOTH(test_a_path_is_percent_decoded_once),
	BOTH(test_broken_encoding_is_a_bad_path),
	BOTH(test_an_encoded_slash_is_no_slash),
	BOTH(test_dots_lead_nowhere),
	BOTH(test_a_backslash_is_no_slash),
	BOTH(test_dotfiles_are_not_found),
	BOTH(test_links_do_not_lead_out),
	BOTH(test_an_absolute_link_is_refused_wherever_it_leads),
	TEST(test_links_inside_are_followed),
	WALK(test_a_walk_follows_no_link),
	BOTH(test_a_circle_of_links_is_not_found),
	BOTH(test_a_fifo_is_refused_at_once),
	BOTH(test_a_socket_is_not_found),
	BOTH(test_very_long_names_are_not_found),
	BOTH(test_the_longest_names_are_found),
	BOTH(test_very_deep_paths_are_not_found),
	BOTH(test_what_may_not_be_read_is_forbidden),
	BOTH(test_out_of_descriptors_is_unavailable),
	BOTH(test_nothing_stays_open),
	BOTH(test_the_descriptor_is_not_inherited),
};

SUITE_MAIN(tests);
