/* SPDX-License-Identifier: MIT */
/* small_file.c - see small_file.h. */

#include "broker/host/small_file.h"

#include "common/xmalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Note why the file cannot be used, and be false. */
#define small_file_fail(why, ...) \
	(snprintf((why), SMALL_FILE_WHY_MAX, __VA_ARGS__), false)

bool
small_file_is_guarded(
    const struct small_file *file, char why[SMALL_FILE_WHY_MAX])
{
	if ((file->mode & (S_IRWXO | S_IWGRP)) == 0)
		return true;
	return small_file_fail(why,
	    "others than its owner may %s it (mode %04o); chmod 600 mends that",
	    (file->mode & S_IROTH) != 0 ? "read" : "change", file->mode);
}

/* Whether it is a file, of a size that can be, and a secret one is kept so. */
static bool
small_file_check(struct small_file *file, int fd, size_t max, bool is_secret,
    char why[SMALL_FILE_WHY_MAX])
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return small_file_fail(why, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return small_file_fail(why, "is not a file");
	if (st.st_size > (off_t)max)
		return small_file_fail(
		    why, "has more than %zu KiB", max / 1024);
	file->mode = st.st_mode & 07777;
	return !is_secret || small_file_is_guarded(file, why);
}

/* Read until the end, or until max bytes.  Returns the length, or -1 with
 * errno. */
static ssize_t
small_file_read_all(int fd, char *text, size_t max)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, max - len)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

bool
small_file_read(struct small_file *file, const char *path, size_t max,
    bool is_secret, char why[SMALL_FILE_WHY_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;
	bool ok;

	*file = (struct small_file){ 0 };
	if (fd == -1)
		return small_file_fail(why, "%s", strerror(errno));
	ok = small_file_check(file, fd, max, is_secret, why);
	if (ok) {
		file->text = xmalloc(max);
		file->len = max; /* until it is known: to be wiped */
		len = small_file_read_all(fd, file->text, max);
		if (len == -1) {
			ok = small_file_fail(why, "%s", strerror(errno));
			small_file_wipe(file);
		} else {
			file->len = (size_t)len;
		}
	}
	close(fd);
	return ok;
}

void
small_file_wipe(struct small_file *file)
{
	if (file->text != NULL)
		explicit_bzero(file->text, file->len);
	free(file->text);
	*file = (struct small_file){ 0 };
}
