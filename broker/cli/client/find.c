/* SPDX-License-Identifier: MIT */
/* find.c - see find.h. */

#include "broker/cli/client/find.h"

#include "broker/cli/absent.h"
#include "broker/cli/instance.h"
#include "common/bug.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

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

/* All that --url gives. */
static void
client_find_urls(const struct cli *cli, struct hosts *hosts)
{
	uint32_t random[CLI_URLS_MAX];
	struct url url;

	for (size_t i = 0; i < cli->client.url_count; i++) {
		CHECK(url_parse(&url, cli->client.urls[i]) == NULL);
		hosts_add(hosts, &url);
	}
	CHECK(getrandom(random, sizeof(random), 0) == sizeof(random));
	hosts_shuffle(hosts, random);
}

static enum exit_status
client_find_hosts(const struct cli *cli, struct hosts *hosts)
{
	enum exit_status status = EXIT_STATUS_OK;
	struct url url;

	if (cli->client.url_count > 0) {
		client_find_urls(cli, hosts);
		return EXIT_STATUS_OK;
	}
	if (cli->client.is_named)
		status = client_find_instance(cli, &url);
	else
		CHECK(url_parse(&url, CLI_URL_DEFAULT) == NULL);
	if (status == EXIT_STATUS_OK)
		hosts_add(hosts, &url);
	return status;
}

static bool
client_needs_tls(const struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->len; i++)
		if (hosts->all[i].url.is_tls)
			return true;
	return false;
}

enum exit_status
client_find(
    const struct cli *cli, struct hosts *hosts, struct tls_client_context **tls)
{
	const char *ca_file = cli->client.ca_file;
	enum exit_status status;
	char why[TLS_CLIENT_WHY_MAX];

	*hosts = (struct hosts){ 0 };
	*tls = NULL;
	status = client_find_hosts(cli, hosts);
	if (status != EXIT_STATUS_OK || !client_needs_tls(hosts))
		return status;
	*tls = tls_client_context_new(ca_file, false, why);
	if (*tls != NULL)
		return EXIT_STATUS_OK;
	return report_failure(EXIT_STATUS_FAILED, "--ca-file %s: %s",
	    ca_file != NULL ? ca_file : "", why);
}

void
client_report_next(const struct hosts *hosts, const struct outcome *end)
{
	const char *here = hosts_here(hosts)->url.text;

	if (hosts->next == hosts->here)
		report_note("%s: %s; trying again", here, end->why);
	else
		report_note("%s: %s; trying %s", here, end->why,
		    hosts_next(hosts)->url.text);
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
