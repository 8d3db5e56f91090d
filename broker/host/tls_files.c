/* SPDX-License-Identifier: MIT */
/* tls_files.c - see tls_files.h. */

#include "broker/host/tls_files.h"

#include "common/bug.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

static bool
files_read_one(struct tls_files *files, size_t at, bool is_key,
    const char *path, char error[TLS_FILES_ERROR_MAX])
{
	char why[SMALL_FILE_WHY_MAX];

	return small_file_read(
		   &files->files[at], path, TLS_CERTS_TEXT_MAX, is_key, why) ||
	       files_fail(error, is_key, path, "%s", why);
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
			.cert = files->files[2 * i].text,
			.cert_len = files->files[2 * i].len,
			.key = files->files[2 * i + 1].text,
			.key_len = files->files[2 * i + 1].len,
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
	for (size_t i = 0; i < 2 * files->count; i++)
		small_file_wipe(&files->files[i]);
	memset(files, 0, sizeof(*files));
}
