/* SPDX-License-Identifier: MIT */
/* tls_files.c - see tls_files.h. */

#include "broker/host/tls_files.h"

#include "common/bug.h"
#include "common/xmalloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char *const files_option[] = { "--tls-cert", "--tls-key" };

/* Say what is wrong with a file.  Returns false. */
#define files_fail(error, is_key, path, ...)                       \
	(files_begin_error((error), (is_key), (path)),             \
	    snprintf((error) + strlen(error),                      \
		TLS_FILES_ERROR_MAX - strlen(error), __VA_ARGS__), \
	    false)

static void
files_begin_error(
    char error[TLS_FILES_ERROR_MAX], bool is_key, const char *path)
{
	snprintf(error, TLS_FILES_ERROR_MAX,
	    "%s %.300s: ", files_option[is_key], path);
}

/* Whether the file is one, of a size that can be, and a key is kept secret. */
static bool
files_check(
    int fd, bool is_key, const char *path, char error[TLS_FILES_ERROR_MAX])
{
	struct stat st;

	if (fstat(fd, &st) == -1)
		return files_fail(error, is_key, path, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return files_fail(error, is_key, path, "is not a file");
	if (st.st_size > TLS_CERTS_TEXT_MAX)
		return files_fail(error, is_key, path, "has more than %d KiB",
		    TLS_CERTS_TEXT_MAX / 1024);
	if (is_key && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
		return files_fail(error, is_key, path,
		    "others than its owner may %s it (mode %04o); chmod 600 "
		    "mends that",
		    (st.st_mode & S_IROTH) != 0 ? "read" : "change",
		    (unsigned)st.st_mode & 07777);
	return true;
}

/* Read until the end.  Returns the length, or -1 with errno. */
static ssize_t
files_read_all(int fd, char *text)
{
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, text + len, TLS_CERTS_TEXT_MAX - len)) != 0) {
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

static bool
files_read_one(struct tls_files *files, size_t at, bool is_key,
    const char *path, char error[TLS_FILES_ERROR_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len = -1;
	bool ok;

	if (fd == -1)
		return files_fail(error, is_key, path, "%s", strerror(errno));
	ok = files_check(fd, is_key, path, error);
	if (ok) {
		files->text[at] = xmalloc(TLS_CERTS_TEXT_MAX);
		len = files_read_all(fd, files->text[at]);
		files->len[at] = len > 0 ? (size_t)len : 0;
		if (len == -1)
			ok = files_fail(
			    error, is_key, path, "%s", strerror(errno));
	}
	close(fd);
	return ok;
}

/* Whether OpenSSL can use them, and clients accept them at this time. */
static bool
files_judge(const struct tls_files *files, const struct config *config,
    bool at_start, char error[TLS_FILES_ERROR_MAX])
{
	struct tls_certs_error wrong;
	struct tls_certs *certs = tls_certs_new(files->pairs, files->count,
	    config->tls_only_1_3, NULL, NULL, &wrong);
	bool ok = certs != NULL &&
	          (!at_start || tls_certs_are_valid(certs, time(NULL), &wrong));

	tls_certs_free(certs);
	if (ok)
		return true;
	return files_fail(error, wrong.is_key,
	    wrong.is_key ? config->tls_key[wrong.pair]
			 : config->tls_cert[wrong.pair],
	    "%s", wrong.why);
}

bool
tls_files_read(struct tls_files *files, const struct config *config,
    bool at_start, char error[TLS_FILES_ERROR_MAX])
{
	bool ok = true;

	CHECK(config->tls_count > 0 && config->tls_count <= TLS_CERTS_MAX);
	memset(files, 0, sizeof(*files));
	files->count = config->tls_count;
	for (size_t i = 0; ok && i < files->count; i++) {
		ok = files_read_one(
			 files, 2 * i, false, config->tls_cert[i], error) &&
		     files_read_one(
			 files, 2 * i + 1, true, config->tls_key[i], error);
		files->pairs[i] = (struct tls_pair){
			.cert = files->text[2 * i],
			.cert_len = files->len[2 * i],
			.key = files->text[2 * i + 1],
			.key_len = files->len[2 * i + 1],
		};
	}
	if (ok && files_judge(files, config, at_start, error))
		return true;
	tls_files_wipe(files);
	return false;
}

void
tls_files_wipe(struct tls_files *files)
{
	for (size_t i = 0; i < 2 * files->count; i++) {
		if (files->text[i] != NULL)
			explicit_bzero(files->text[i], files->len[i]);
		free(files->text[i]);
	}
	memset(files, 0, sizeof(*files));
}
