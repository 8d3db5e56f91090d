/* SPDX-License-Identifier: MIT */
/* site.c - see site.h. */

#include "tests/support/suite.h"
#include "tests/unit/support/site.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SITE_FD_MAX 256 /* a test has a handful */

const char *
site_path(const struct site *site, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", site->dir, name);
	return path;
}

void
site_file(const struct site *site, const char *name, const char *text)
{
	FILE *f = fopen(site_path(site, name), "w");

	assert_non_null(f);
	assert_int_not_equal(fputs(text, f), EOF);
	assert_int_equal(fclose(f), 0);
}

void
site_dir(const struct site *site, const char *name)
{
	assert_int_equal(mkdir(site_path(site, name), 0755), 0);
}

void
site_link(const struct site *site, const char *target, const char *name)
{
	assert_int_equal(symlink(target, site_path(site, name)), 0);
}

int
site_setup(void **state)
{
	struct site *site = calloc(1, sizeof(*site));

	assert_non_null(site);
	*state = site;
	strcpy(site->dir, "/tmp/test-static-XXXXXX");
	assert_non_null(mkdtemp(site->dir));
	assert_int_equal(chmod(site->dir, 0755), 0);
	site_dir(site, "root");
	site_dir(site, "root-2");
	site_file(site, "secret.txt", "secret");
	site_file(site, "root-2/secret.txt", "secret");
	site_file(site, "root/index.html", "<p>");
	site_file(site, "root/chat.js", "let a;");
	site->root = open(site_path(site, "root"), O_PATH | O_CLOEXEC);
	assert_true(static_open(&site->files, site->root, "root"));
	assert_false(site->files.walks);
	return 0;
}

int
site_setup_walking(void **state)
{
	struct site *site;

	site_setup(state);
	site = *state;
	site->files.walks = true;
	return 0;
}

static int
site_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

int
site_teardown(void **state)
{
	struct site *site = *state;
	int failed =
	    nftw(site->dir, site_remove, 16, FTW_DEPTH | FTW_PHYS) != 0;

	static_close(&site->files);
	close(site->root);
	free(site);
	return failed;
}

void
site_touch(const struct site *site, const char *name, time_t sec, long nsec)
{
	const struct timespec times[2] = { { sec, nsec }, { sec, nsec } };

	assert_int_equal(
	    utimensat(AT_FDCWD, site_path(site, name), times, 0), 0);
}

enum static_status
site_find(const struct site *site, const char *path, struct static_file *file)
{
	return static_find(
	    &site->files, &(struct http_text){ path, strlen(path) }, file);
}

int
site_count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < SITE_FD_MAX; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			count++;
	return count;
}
