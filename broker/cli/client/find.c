/* SPDX-License-Identifier: MIT */
/* find.c - see find.h. */

#include "broker/cli/client/find.h"

#include "broker/cli/absent.h"
#include "broker/cli/instance.h"
#include "common/bug.h"

#include <stdio.h>
#include <string.h>

/* The first of these URLs, with spaces between them, that a client can use: not
 * one where it had to send a PROXY header.  Returns NULL, or what is wrong with
 * the last. */
static const char *
client_choose(const char *urls, struct url *url)
{
	const char *wrong = "there is none";

	while (*urls != '\0' && wrong != NULL) {
		size_t len = strcspn(urls, " ");
		char text[sizeof(url->text)];

		snprintf(text, sizeof(text), "%.*s", (int)len, urls);
		wrong = url_parse(url, text);
		urls += len + strspn(urls + len, " ");
	}
	return wrong;
}

/* The address of a running instance. */
static enum exit_status
client_find_instance(const struct cli *cli, struct url *url)
{
	char error[INSTANCE_ERROR_MAX];
	struct lockfile_holders holders;
	const char *wrong;
	struct segment seg;
	bool is_starting;

	if (!lockfile_look(cli->config.lockfile, &holders, error))
		return report_failure(EXIT_STATUS_FAILED, "%s", error);
	if (holders.supervisor == 0)
		return cli_not_running(cli, "");
	if (!instance_attach(&seg, cli->config.name, &holders, error))
		return report_failure(
		    EXIT_STATUS_FAILED, "%s %s", cli->config.name, error);
	is_starting = seg.header->run.urls[0] == '\0';
	wrong = client_choose(seg.header->run.urls, url);
	segment_close(&seg);
	if (wrong == NULL)
		return EXIT_STATUS_OK;
	return report_failure(EXIT_STATUS_FAILED, "%s %s", cli->config.name,
	    is_starting ? "is only just starting"
			: "has no address for clients without a PROXY header");
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

	if (end->kind == CLIENT_UNREADY)
		return report_failure(
		    EXIT_STATUS_FAILED, "%s%s%s", end->why, semicolon, more);
	if (end->kind == CLIENT_UNREACHABLE)
		return report_failure(EXIT_STATUS_NOT_RUNNING,
		    "no server answers on %s: %s%s%s", url->text, end->why,
		    semicolon, more);
	return report_failure(EXIT_STATUS_FAILED, "%s: %s%s%s", url->text,
	    end->why, semicolon, more);
}
