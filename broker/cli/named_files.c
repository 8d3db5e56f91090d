/* SPDX-License-Identifier: MIT */
/* named_files.c - see named_files.h. */

#include "broker/cli/named_files.h"

#include "broker/host/access_files.h"
#include "broker/host/paths.h"
#include "broker/host/report.h"
#include "broker/host/tls_files.h"

/* Whether it can be known who may what. */
static bool
named_files_check_access(const struct cli *cli)
{
	char error[ACCESS_FILES_ERROR_MAX];
	struct access_texts texts;

	if (!access_files_read(&texts, &cli->config, error)) {
		report_failure(EXIT_STATUS_FAILED, "%s", error);
		return false;
	}
	access_texts_wipe(&texts);
	return true;
}

/* Whether the certificates can be served with. */
static bool
named_files_check_tls(const struct cli *cli)
{
	char error[TLS_FILES_ERROR_MAX];
	struct tls_files files;

	if (cli->config.tls_count == 0)
		return true;
	if (!tls_files_read(&files, &cli->config, true, error)) {
		report_failure(EXIT_STATUS_FAILED, "%s", error);
		return false;
	}
	tls_files_wipe(&files);
	return true;
}

static bool
named_files_check_root(const struct cli *cli)
{
	char error[PATHS_ERROR_MAX];

	if (paths_check_directory(cli->config.root, error))
		return true;
	report_failure(EXIT_STATUS_FAILED, "--root %s", error);
	return false;
}

bool
cli_check_named_files(const struct cli *cli)
{
	return named_files_check_access(cli) && named_files_check_tls(cli) &&
	       named_files_check_root(cli);
}
