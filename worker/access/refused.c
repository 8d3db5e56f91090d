/* SPDX-License-Identifier: MIT */
/* refused.c - see refused.h. */

#include "worker/access/refused.h"

#include "common/bug.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/siphash.h"
#include "common/web.h"

#include <stdio.h>
#include <string.h>

/* Texts that are remembered as logged. */
#define REFUSED_SEEN_MAX 16

/* A client's value, fit to be shown. */
struct refused_value {
	char text[REFUSED_VALUE_MAX + 1];
};

static bool
refused_is_plain(char c)
{
	return c > ' ' && c < 0x7f && c != '"' && c != '\\';
}

static struct refused_value
refused_value(const struct http_text *text)
{
	struct refused_value value;
	size_t len =
	    text->len < REFUSED_VALUE_MAX ? text->len : REFUSED_VALUE_MAX;

	for (size_t i = 0; i < len; i++)
		value.text[i] =
		    refused_is_plain(text->at[i]) ? text->at[i] : '?';
	value.text[len] = '\0';
	return value;
}

static void
refused_host(const struct http_request *req, char reason[REFUSED_REASON_SIZE])
{
	struct web_host host;
	struct refused_value name;

	if (!web_host_parse(&req->host, &host)) {
		snprintf(reason, REFUSED_REASON_SIZE,
		    "this server does not go by an empty Host (--allow-host)");
		return;
	}
	name = refused_value(&host.name);
	snprintf(reason, REFUSED_REASON_SIZE,
	    "this server does not go by the Host %s (--allow-host %s)",
	    name.text, name.text);
}

/* Whether Host is that of the page but for a port, which a proxy has left out
 * (nginx does, by proxy_set_header Host $host). */
static bool
refused_lost_port(
    const struct web_origin *origin, const struct http_text *requested)
{
	struct web_host host;

	return web_host_parse(requested, &host) && host.port == WEB_PORT_NONE &&
	       web_host_equal(&host, &origin->host) &&
	       origin->host.port != web_default_port(&origin->scheme);
}

static void
refused_foreign(
    const struct http_request *req, char reason[REFUSED_REASON_SIZE])
{
	const struct http_text *text = http_header_find(req, "Origin");
	struct refused_value origin = refused_value(text);
	struct refused_value host = refused_value(&req->host);
	struct web_origin parsed;

	if (web_origin_parse(text, &parsed) &&
	    refused_lost_port(&parsed, &req->host))
		snprintf(reason, REFUSED_REASON_SIZE,
		    "pages of %s are not allowed here: the Host is %s, without "
		    "the port; a proxy must pass it on (nginx: "
		    "proxy_set_header Host $http_host), or --allow-origin %s",
		    origin.text, host.text, origin.text);
	else
		snprintf(reason, REFUSED_REASON_SIZE,
		    "pages of %s are not allowed here, where the Host is %s "
		    "(--allow-origin %s)",
		    origin.text, host.text, origin.text);
}

void
refused_explain(enum origin_verdict verdict, const struct http_request *req,
    char reason[REFUSED_REASON_SIZE])
{
	switch (verdict) {
	case ORIGIN_HOST_FOREIGN:
		refused_host(req, reason);
		return;
	case ORIGIN_TWICE:
		snprintf(reason, REFUSED_REASON_SIZE, "more than one Origin");
		return;
	case ORIGIN_MALFORMED:
		snprintf(reason, REFUSED_REASON_SIZE, "malformed Origin: %s",
		    refused_value(http_header_find(req, "Origin")).text);
		return;
	case ORIGIN_OPAQUE:
		snprintf(reason, REFUSED_REASON_SIZE,
		    "pages without an Origin of their own are not allowed here "
		    "(--allow-origin null)");
		return;
	case ORIGIN_FOREIGN:
		refused_foreign(req, reason);
		return;
	case ORIGIN_OK:
		break;
	}
	BUG("nothing was refused");
}

/* Whether this text has been logged in the last REFUSED_QUIET_MS; from now on
 * it has.  The table is this process's, of one thread. */
static bool
refused_was_logged(const char *reason)
{
	static struct {
		uint64_t hash;
		uint64_t at_ms;
	} seen[REFUSED_SEEN_MAX];
	static size_t next;
	static const struct siphash_key key;
	uint64_t hash = siphash(&key, reason, strlen(reason));
	uint64_t now = clock_monotonic_ms();

	for (size_t i = 0; i < REFUSED_SEEN_MAX; i++)
		if (seen[i].hash == hash &&
		    now - seen[i].at_ms < REFUSED_QUIET_MS)
			return true;
	seen[next].hash = hash;
	seen[next].at_ms = now;
	next = (next + 1) % REFUSED_SEEN_MAX;
	return false;
}

void
refused_report(struct stats *stats, enum origin_verdict verdict,
    const struct http_request *req, const char *address,
    char reason[REFUSED_REASON_SIZE])
{
	refused_explain(verdict, req, reason);
	stats_add(stats, STATS_REFUSED_ORIGIN, 1);
	if (!refused_was_logged(reason))
		log_warnx("refused to %s: %s", address, reason);
}
