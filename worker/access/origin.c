/* SPDX-License-Identifier: MIT */
/*
 * origin.c - see origin.h.
 *
 * The lists are parsed anew for each request that is compared with them: they
 * are short, requests of our own page are never compared, and a parsed copy
 * would be state to set up and to pass around.
 */

#include "worker/access/origin.h"

#include "common/web.h"

#include <string.h>

#define ORIGIN_ANY  "*"
#define ORIGIN_NULL "null"

static bool
origin_has_entry(const char *const *list, size_t count, const char *entry)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i], entry) == 0)
			return true;
	return false;
}

static bool
origin_parse_entry(const char *entry, struct web_origin *origin)
{
	struct http_text text = { entry, strlen(entry) };

	return web_origin_parse_written(&text, origin);
}

static bool
origin_host_is_listed(const struct config *config, const struct web_host *host)
{
	for (size_t i = 0; i < config->allow_host_count; i++) {
		const char *entry = config->allow_host[i];
		struct http_text text = { entry, strlen(entry) };
		struct web_host listed;

		if (web_host_parse(&text, &listed) &&
		    web_host_equal(&listed, host))
			return true;
	}
	for (size_t i = 0; i < config->allow_origin_count; i++) {
		struct web_origin listed;

		if (origin_parse_entry(config->allow_origin[i], &listed) &&
		    web_host_equal(&listed.host, host))
			return true;
	}
	return false;
}

/* Whether the request names no host at all.  An empty Host line names one. */
static bool
origin_is_hostless(const struct http_request *req)
{
	return req->host.len == 0 && http_header_find(req, "Host") == NULL;
}

enum origin_verdict
origin_check_host(const struct config *config, const struct http_request *req,
    bool loopback_listener)
{
	struct web_host host;

	if (!loopback_listener || origin_is_hostless(req) ||
	    origin_has_entry(
		config->allow_host, config->allow_host_count, ORIGIN_ANY))
		return ORIGIN_OK;
	if (!web_host_parse(&req->host, &host))
		return ORIGIN_HOST_FOREIGN;
	if (host.is_loopback || origin_host_is_listed(config, &host))
		return ORIGIN_OK;
	return ORIGIN_HOST_FOREIGN;
}

/* Whether the page came from the host and port that the request went to. */
static bool
origin_is_own(
    const struct web_origin *origin, const struct http_text *requested)
{
	int default_port = web_default_port(&origin->scheme);
	struct web_host host;

	if (default_port == WEB_PORT_NONE || !web_host_parse(requested, &host))
		return false;
	if (host.port == WEB_PORT_NONE)
		host.port = default_port;
	return host.port == origin->host.port &&
	       web_host_equal(&host, &origin->host);
}

static bool
origin_is_listed(const struct config *config, const struct web_origin *origin)
{
	for (size_t i = 0; i < config->allow_origin_count; i++) {
		struct web_origin listed;

		if (origin_parse_entry(config->allow_origin[i], &listed) &&
		    web_origin_equal(&listed, origin))
			return true;
	}
	return false;
}

enum origin_verdict
origin_check(const struct config *config, const struct http_request *req)
{
	const struct http_text *text = http_header_find(req, "Origin");
	const char *const *list = config->allow_origin;
	size_t count = config->allow_origin_count;
	bool any = origin_has_entry(list, count, ORIGIN_ANY);
	struct web_origin origin;

	if (text == NULL)
		return ORIGIN_OK;
	if (http_header_count(req, "Origin") > 1)
		return ORIGIN_TWICE;
	if (http_text_equal(text, ORIGIN_NULL))
		return any || origin_has_entry(list, count, ORIGIN_NULL)
		           ? ORIGIN_OK
		           : ORIGIN_OPAQUE;
	if (!web_origin_parse(text, &origin))
		return ORIGIN_MALFORMED;
	if (any || origin_is_own(&origin, &req->host) ||
	    origin_is_listed(config, &origin))
		return ORIGIN_OK;
	return ORIGIN_FOREIGN;
}

bool
origin_is_trusted(const struct config *config, const struct http_request *req)
{
	const struct http_text *text = http_header_find(req, "Origin");
	struct web_origin origin;

	return text != NULL && web_origin_parse(text, &origin) &&
	       (origin_is_own(&origin, &req->host) ||
		   origin_is_listed(config, &origin));
}

bool
origin_is_blind(const struct http_request *req)
{
	const struct http_text *site = http_header_find(req, "Sec-Fetch-Site");

	return http_header_find(req, "Origin") == NULL && site != NULL &&
	       !http_text_equal(site, "same-origin") &&
	       !http_text_equal(site, "none");
}
