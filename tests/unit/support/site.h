/* SPDX-License-Identifier: MIT */
/*
 * site.h - a directory to be served, made for one test and removed after it.
 *
 *	DIR/secret.txt		must never be seen
 *	DIR/root/		served: index.html ("<p>") and chat.js ("let a;")
 *	DIR/root-2/secret.txt	a neighbour whose name begins alike
 */

#ifndef TESTS_SITE_H
#define TESTS_SITE_H

#include "worker/http/static.h"

#include <time.h>

struct site {
	char dir[64];
	int root;                  /* DIR/root, O_PATH */
	struct static_files files; /* of it */
};

/* For cmocka_unit_test_setup_teardown(); *state is the site. */
int site_setup(void **state);
int site_teardown(void **state);

/* The same where openat2(2) is refused: paths are walked. */
int site_setup_walking(void **state);

/* The path of something in DIR.  Returns: text valid until the next call. */
const char *site_path(const struct site *site, const char *name);

/* Make a file, a directory, a symbolic link; or fail the test. */
void site_file(const struct site *site, const char *name, const char *text);
void site_dir(const struct site *site, const char *name);
void site_link(const struct site *site, const char *target, const char *name);

/* Set a file's time of modification. */
void site_touch(
    const struct site *site, const char *name, time_t sec, long nsec);

/* static_find() for a string. */
enum static_status site_find(
    const struct site *site, const char *path, struct static_file *file);

/* How many descriptors are open: tells whether one leaked. */
int site_count_fds(void);

#endif
