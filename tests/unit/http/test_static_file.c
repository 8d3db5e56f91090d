/* SPDX-License-Identifier: MIT */
/*
 * test_static_file.c - what worker/http/static.h says of a file it found, and
 * how it starts.
 */

#include "tests/support/suite.h"
#include "tests/unit/support/site.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void
find_etag(const struct site *site, const char *path, char *etag)
{
	struct static_file file;

	assert_int_equal(site_find(site, path, &file), STATIC_OK);
	close(file.fd);
	strcpy(etag, file.etag);
}

static void
test_an_etag_is_a_quoted_string(void **state)
{
	char etag[STATIC_ETAG_SIZE];
	size_t len;

	find_etag(*state, "/chat.js", etag);
	len = strlen(etag);
	assert_int_equal(etag[0], '"');
	assert_int_equal(etag[len - 1], '"');
	assert_int_equal(strspn(etag + 1, "0123456789abcdef-"), len - 2);
}

static void
test_the_same_file_has_the_same_etag(void **state)
{
	char first[STATIC_ETAG_SIZE], second[STATIC_ETAG_SIZE];

	find_etag(*state, "/chat.js", first);
	find_etag(*state, "/%63hat.js", second);
	assert_string_equal(first, second);
}

/* One after the other: time to the nanosecond, size, and another file of the
 * same time and size. */
static void
test_any_change_changes_the_etag(void **state)
{
	char old[STATIC_ETAG_SIZE], new[STATIC_ETAG_SIZE];

	site_touch(*state, "root/chat.js", 1000, 1);
	find_etag(*state, "/chat.js", old);
	site_touch(*state, "root/chat.js", 1000, 2);
	find_etag(*state, "/chat.js", new);
	assert_string_not_equal(old, new);

	site_file(*state, "root/chat.js", "longer than before");
	site_touch(*state, "root/chat.js", 1000, 1);
	find_etag(*state, "/chat.js", new);
	assert_string_not_equal(old, new);

	site_file(*state, "root/twin.js", "let b;");
	site_touch(*state, "root/twin.js", 1000, 1);
	find_etag(*state, "/twin.js", new);
	assert_string_not_equal(old, new);
}

static void
test_the_widest_numbers_fit_an_etag(void **state)
{
	char etag[STATIC_ETAG_SIZE];
	struct static_file file;

	site_touch(*state, "root/chat.js", -1, 0);
	find_etag(*state, "/chat.js", etag);
	assert_int_equal(etag[strlen(etag) - 1], '"');
	assert_int_equal(site_find(*state, "/chat.js", &file), STATIC_OK);
	assert_int_equal(file.mtime, -1);
	close(file.fd);
}

/* Find /chat.js and prefer what is compressed.  Returns: whether that was. */
static bool
prefers_gzip(const struct site *site, struct static_file *file)
{
	const struct http_text path = { "/chat.js", 8 };

	assert_int_equal(site_find(site, "/chat.js", file), STATIC_OK);
	static_prefer_gzip(&site->files, &path, file);
	close(file->fd);
	return file->is_gzip;
}

static void
test_a_newer_gzip_takes_the_place_of_the_file(void **state)
{
	struct static_file plain, packed;

	site_touch(*state, "root/chat.js", 1000, 5);
	assert_false(prefers_gzip(*state, &plain));
	assert_true(plain.compresses);
	site_file(*state, "root/chat.js.gz", "packed");
	site_touch(*state, "root/chat.js.gz", 1000, 5);
	assert_true(prefers_gzip(*state, &packed));
	assert_int_equal(packed.size, strlen("packed"));
	assert_int_equal(packed.mtime, 1000);
	assert_string_equal(packed.type, plain.type);
	assert_string_not_equal(packed.etag, plain.etag);
}

static void
test_an_older_gzip_is_left_alone(void **state)
{
	struct static_file file;

	site_file(*state, "root/chat.js.gz", "packed");
	site_touch(*state, "root/chat.js.gz", 1000, 4);
	site_touch(*state, "root/chat.js", 1000, 5);
	assert_false(prefers_gzip(*state, &file));
	site_touch(*state, "root/chat.js.gz", 999, 6);
	assert_false(prefers_gzip(*state, &file));
	assert_int_equal(file.size, strlen("let a;"));
}

static void
test_a_gzip_that_is_no_file_of_the_root_is_left_alone(void **state)
{
	struct static_file file;
	int before = site_count_fds();

	site_link(*state, "../secret.txt", "root/chat.js.gz");
	assert_false(prefers_gzip(*state, &file));
	assert_int_equal(unlink(site_path(*state, "root/chat.js.gz")), 0);
	site_dir(*state, "root/chat.js.gz");
	assert_false(prefers_gzip(*state, &file));
	assert_int_equal(site_count_fds(), before);
}

/* Open a directory with the log going to a pipe; tells what was logged. */
static bool
open_logged(struct static_files *files, int root, char *said, size_t size)
{
	int fds[2];
	ssize_t n;
	bool ok;

	if (pipe(fds) == -1)
		return false;
	log_open("test", fds[1], LOG_INFO);
	ok = static_open(files, root, "/the/root");
	log_open("test", STDERR_FILENO, LOG_ERROR);
	close(fds[1]);
	n = read(fds[0], said, size - 1);
	said[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	return ok;
}

static void
test_a_root_that_is_none_is_named(void **state)
{
	struct static_files files;
	char said[LOG_LINE_MAX + 1];
	int before = site_count_fds();
	int none = open(site_path(*state, "secret.txt"), O_PATH | O_CLOEXEC);

	assert_int_not_equal(none, -1);
	assert_false(open_logged(&files, none, said, sizeof(said)));
	assert_non_null(strstr(said, "--root /the/root: Not a directory\n"));
	assert_null(strstr(said, "openat2")); /* which is not to blame */
	close(none);
	assert_int_equal(site_count_fds(), before);
}

/* Make openat2(2) fail in this process from now on, as an old kernel would. */
static bool
forbid_openat2(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = COUNT(code),
		.filter = code,
	};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* The child's exit status says what was wrong; it must not assert. */
static int
open_without_openat2(int root)
{
	const struct http_text path = { "/chat.js", 8 };
	struct static_files files;
	struct static_file file;
	char said[LOG_LINE_MAX + 1];

	if (!forbid_openat2())
		return 1;
	if (!open_logged(&files, root, said, sizeof(said)))
		return 2;
	if (strstr(said, "openat2(2) is refused (Function not implemented)") ==
	    NULL)
		return 3;
	return static_find(&files, &path, &file) == STATIC_OK ? 0 : 4;
}

/* It was an error. */
static void
test_a_kernel_without_openat2_serves_files(void **state)
{
	const struct site *site = *state;
	int status;
	pid_t pid = fork();

	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(open_without_openat2(site->root));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, site_setup, site_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_an_etag_is_a_quoted_string),
	TEST(test_the_same_file_has_the_same_etag),
	TEST(test_any_change_changes_the_etag),
	TEST(test_the_widest_numbers_fit_an_etag),
	TEST(test_a_newer_gzip_takes_the_place_of_the_file),
	TEST(test_an_older_gzip_is_left_alone),
	TEST(test_a_gzip_that_is_no_file_of_the_root_is_left_alone),
	TEST(test_a_root_that_is_none_is_named),
	TEST(test_a_kernel_without_openat2_serves_files),
};

SUITE_MAIN(tests);
