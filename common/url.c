/* SPDX-License-Identifier: MIT */
/* url.c - see url.h. */

#include "common/url.h"

#include "common/address.h"
#include "common/bug.h"
#include "common/http_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Skip the scheme.  Returns what is wrong with it, or NULL. */
static const char *
url_take_scheme(const char **text, bool *is_endpoint, bool *is_tls)
{
	static const struct {
		const char *prefix;
		bool is_endpoint, is_tls;
	} schemes[] = { { "ws://", true, false }, { "http://", false, false },
		{ "wss://", true, true }, { "https://", false, true } };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i].prefix);

		if (strncasecmp(*text, schemes[i].prefix, len) != 0)
			continue;
		*text += len;
		*is_endpoint = schemes[i].is_endpoint;
		*is_tls = schemes[i].is_tls;
		return NULL;
	}
	return "must be ws://HOST:PORT/ws or http://HOST:PORT, or wss:// or "
	       "https:// for TLS, or unix:PATH";
}

/* Copy the host and port out of the authority. */
static const char *
url_take_authority(struct url *url, const char *text, size_t len)
{
	struct http_text authority = { text, len }, host, port;
	size_t brackets;

	snprintf(
	    url->authority, sizeof(url->authority), "%.*s", (int)len, text);
	if (!http_host_split(&authority, &host, &port) || host.len == 0)
		return "has no host, or one that cannot be";
	brackets = host.at[0] == '[' ? 1 : 0;
	snprintf(url->host, sizeof(url->host), "%.*s",
	    (int)(host.len - 2 * brackets), host.at + brackets);
	snprintf(url->port, sizeof(url->port), "%.*s", (int)port.len,
	    port.len > 0 ? port.at : "");
	if (port.len == 0)
		snprintf(url->port, sizeof(url->port), "%s",
		    url->is_tls ? "443" : "80");
	return NULL;
}

/* Whether all of it may stand in a request line. */
static bool
url_is_target(const char *text)
{
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~' || *text == '#')
			return false;
	return true;
}

/* Take the path of the endpoint, or of the directory that it is in, and maybe a
 * query. */
static void
url_take_path(struct url *url, const char *path, bool is_endpoint)
{
	size_t len = strcspn(path, "?"), base_len = len;
	const char *slash = memrchr(path, '/', len);

	if (is_endpoint && len > 1)
		base_len = (size_t)(slash - path);
	while (base_len > 0 && path[base_len - 1] == '/')
		base_len--;
	snprintf(url->base, sizeof(url->base), "%.*s", (int)base_len, path);
	if (is_endpoint && len > 1)
		snprintf(url->endpoint, sizeof(url->endpoint), "%s", path);
	else
		snprintf(url->endpoint, sizeof(url->endpoint), "%s/ws%s",
		    url->base, path + len);
}

/* Take the path of a socket; the rest is as for http://localhost. */
static const char *
url_parse_unix(struct url *url, const char *text)
{
	struct config_address address;
	const char *wrong = address_parse_unix(&address, text);

	if (wrong != NULL)
		return wrong;
	url->is_unix = true;
	snprintf(url->host, sizeof(url->host), "%s", address_path(&address));
	snprintf(url->authority, sizeof(url->authority), "localhost");
	url_take_path(url, "", false);
	return NULL;
}

const char *
url_parse(struct url *url, const char *text)
{
	bool is_endpoint = true;
	const char *wrong;
	size_t len;

	if (strlen(text) >= sizeof(url->text))
		return "is too long";
	memset(url, 0, sizeof(*url));
	snprintf(url->text, sizeof(url->text), "%s", text);
	if (strncmp(text, ADDRESS_UNIX, strlen(ADDRESS_UNIX)) == 0)
		return url_parse_unix(url, text);
	if ((wrong = url_take_scheme(&text, &is_endpoint, &url->is_tls)) !=
	    NULL)
		return wrong;
	len = strcspn(text, "/?#");
	if ((wrong = url_take_authority(url, text, len)) != NULL)
		return wrong;
	if (!url_is_target(text + len))
		return "has a character that cannot be in it";
	url_take_path(url, text + len, is_endpoint);
	return NULL;
}

/* Whether the query has name= in it. */
static bool
url_has(const char *endpoint, const char *name)
{
	const char *question = strchr(endpoint, '?');
	struct http_text query, key, value;

	if (question == NULL)
		return false;
	query = (struct http_text){ question + 1, strlen(question + 1) };
	while (http_query_next(&query, &key, &value))
		if (http_text_equal(&key, name))
			return true;
	return false;
}

void
url_add(struct url *url, const char *name, const char *value)
{
	size_t len = strlen(url->endpoint);
	int n;

	if (url_has(url->endpoint, name))
		return;
	n = snprintf(url->endpoint + len, sizeof(url->endpoint) - len,
	    "%c%s=%s", strchr(url->endpoint, '?') == NULL ? '?' : '&', name,
	    value);
	CHECK(n > 0 && (size_t)n < sizeof(url->endpoint) - len);
}
