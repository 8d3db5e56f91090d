/* SPDX-License-Identifier: MIT */
/* find.c - see find.h. */

#include "broker/cli/client/find.h"

#include "broker/cli/absent.h"
#include "broker/cli/instance.h"
#include "common/bug.h"

#include <stdio.h>
#include <string.h>

/* The first URL of a running instance. */
static enum exit_status
client_find_instance(const struct cli *cli, struct url *url)
{
	char error[INSTANCE_ERROR_MAX], text[sizeof(url->text)];
	struct lockfile_holders holders;
	const char *wrong;
	struct segment seg;

	if (!lockfile_look(cli->config.lockfile, &holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	if (holders.supervisor == 0)
		return cli_not_running(cli, "");
	if (!instance_attach(&seg, cli->config.name, &holders, error))
		return report_failure(
		    EXIT_STATUS_FAILED, "%s %s", cli->config.name, error);
	snprintf(text, sizeof(text), "%.*s",
	    (int)strcspn(seg.header->run.urls, " "), seg.header->run.urls);
	segment_close(&seg);
	wrong = url_parse(url, text);
	if (wrong != NULL)
		return report_failure(EXIT_STATUS_FAILED,
		    "%s is only just starting", cli->config.name);
	return EXIT_STATUS_OK;
}

static enum exit_status
client_find_url(const struct cli *cli, struct url *url)
{
	const char *text = cli->client.url;

	if (text == NULL && cli->client.is_named)
		return client_find_instance(cli, url);
	CHECK(url_parse(url, text != NULL ? text : CLI_URL_DEFAULT) == NULL);
	return EXIT_STATUS_OK;
}

enum exit_status
client_find(
    const struct cli *cli, struct url *url, struct tls_client_context **tls)
{
	const char *ca_file = cli->client.ca_file;
	enum exit_status status = client_find_url(cli, url);
	char why[TLS_CLIENT_WHY_MAX];

	*tls = NULL;
	if (status != EXIT_STATUS_OK || !url->is_tls)
		return status;
	*tls = tls_client_context_new(ca_file, false, why);
	if (*tls != NULL)
		return EXIT_STATUS_OK;
	return report_failure(EXIT_STATUS_FAILED, "--ca-file %s: %s",
	    ca_file != NULL ? ca_file : "", why);
}

enum exit_status
client_report(
    const struct url *url, const struct outcome *end, const char *more)
{
	const char *semicolon = more[0] != '\0' ? "; " : "";

	if (end->kind == CLIENT_UNREACHABLE)
		return report_failure(EXIT_STATUS_NOT_RUNNING,
		    "no server answers on %s: %s%s%s", url->text, end->why,
		    semicolon, more);
	return report_failure(EXIT_STATUS_FAILED, "%s: %s%s%s", url->text,
	    end->why, semicolon, more);
}
