/* SPDX-License-Identifier: MIT */
/* option_values.c - see option_values.h. */

#include "broker/cli/option_values.h"

#include "common/web.h"

#include <stdio.h>
#include <string.h>

static bool
value_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
value_is_alnum(char c)
{
	return value_is_digit(c) || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* Read digits; *text moves behind them.  Returns false if there are none or too
 * many. */
static bool
value_digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t n = 0;

	if (!value_is_digit(*p))
		return false;
	for (; value_is_digit(*p); p++) {
		if (n > (UINT64_MAX - 9) / 10)
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
	}
	*text = p;
	*out = n;
	return true;
}

bool
value_count(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    char why[VALUES_WHY_MAX])
{
	if (value_digits(&text, out) && *text == '\0' && *out >= min &&
	    *out <= max)
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    max - min == 1 ? "must be %llu or %llu"
			   : "must be a number from %llu to %llu",
	    (unsigned long long)min, (unsigned long long)max);
	return false;
}

/* Multiply by a unit, if one stands here; *text moves behind it. */
static bool
value_unit(const char **text, uint64_t *n)
{
	static const char units[] = "KMG";
	const char *unit = **text != '\0' ? strchr(units, **text) : NULL;
	unsigned shift;

	if (unit == NULL)
		return true;
	shift = 10 * (unsigned)(unit - units + 1);
	if (*n > UINT64_MAX >> shift)
		return false;
	*n <<= shift;
	++*text;
	return true;
}

const char *
value_size_format(uint64_t bytes, char out[24])
{
	static const char units[] = "\0KMG";
	size_t unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit < 3) {
		bytes /= 1024;
		unit++;
	}
	snprintf(out, 24, "%llu%.1s", (unsigned long long)bytes, units + unit);
	return out;
}

bool
value_size(const char *text, uint64_t min, uint64_t max, uint64_t *out,
    char why[VALUES_WHY_MAX])
{
	char low[24], high[24];

	if (value_digits(&text, out) && value_unit(&text, out) &&
	    *text == '\0' && *out >= min && *out <= max)
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    "must be a number of bytes from %s to %s; K, M and G may follow it",
	    value_size_format(min, low), value_size_format(max, high));
	return false;
}

/* The decimals behind a point as thousandths; *text moves behind them. */
static bool
value_thousandths(const char **text, uint64_t *out)
{
	unsigned worth = 100;

	*out = 0;
	if (**text != '.')
		return true;
	for (++*text; value_is_digit(**text); ++*text) {
		if (worth == 0)
			return false;
		*out += worth * (uint64_t)(**text - '0');
		worth /= 10;
	}
	return worth != 100;
}

bool
value_seconds(const char *text, uint64_t min_ms, uint64_t max_ms,
    uint64_t *out_ms, char why[VALUES_WHY_MAX])
{
	uint64_t seconds, thousandths;

	if (value_digits(&text, &seconds) && seconds <= max_ms / 1000 &&
	    value_thousandths(&text, &thousandths) && *text == '\0') {
		*out_ms = seconds * 1000 + thousandths;
		if (*out_ms >= min_ms && *out_ms <= max_ms)
			return true;
	}
	snprintf(why, VALUES_WHY_MAX,
	    "must be a number of seconds from %g to %g, such as 5 or 0.25",
	    (double)min_ms / 1000, (double)max_ms / 1000);
	return false;
}

bool
value_name(const char *text, size_t max, char why[VALUES_WHY_MAX])
{
	size_t len = strlen(text);
	bool ok = len >= 1 && len <= max && value_is_alnum(text[0]);

	for (size_t i = 0; ok && i < len; i++)
		ok = value_is_alnum(text[i]) || strchr("._-", text[i]) != NULL;
	if (ok)
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    "must be 1 to %zu letters, digits, '.', '_', '-', and begin with "
	    "a letter or digit",
	    max);
	return false;
}

/* Bytes of the name that a text begins with; 0: it is none, or a dot segment. */
static size_t
value_segment_len(const char *text)
{
	size_t len = 0, dots = strspn(text, ".");

	while (value_is_alnum(text[len]) ||
	       (text[len] != '\0' && strchr("._~-", text[len]) != NULL))
		len++;
	return len == dots ? 0 : len;
}

bool
value_base_path(const char *text, char why[VALUES_WHY_MAX])
{
	const char *at = text;
	size_t len = 1;

	while (*at == '/' && len > 0) {
		len = value_segment_len(at + 1);
		at += 1 + len;
	}
	if (at > text && *at == '\0' && len > 0 &&
	    strlen(text) <= VALUES_BASE_PATH_MAX)
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    "must be a path like /app: at most %u letters, digits, '.', '_', "
	    "'~', '-', and no slash behind",
	    VALUES_BASE_PATH_MAX);
	return false;
}

/* A host, perhaps with a port, as a request names one: what could never be
 * matched is of no use.  *port is WEB_PORT_NONE where there is none. */
static bool
value_is_host(const char *text, int *port)
{
	struct http_text all = { text, strlen(text) };
	struct web_host host;

	if (!web_host_parse(&all, &host))
		return false;
	*port = host.port;
	return text[all.len - 1] != ':';
}

/* Whether pages have addresses of this scheme. */
static bool
value_is_page_scheme(const struct http_text *scheme)
{
	static const char *const others[] = { "ws", "wss", "ftp" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (http_text_equal_nocase(scheme, others[i]))
			return false;
	return true;
}

bool
value_origin(const char *text, char why[VALUES_WHY_MAX])
{
	struct http_text all = { text, strlen(text) };
	struct web_origin origin;

	if (strcmp(text, "*") == 0 || strcmp(text, "null") == 0)
		return true;
	if (web_origin_parse_written(&all, &origin) &&
	    value_is_page_scheme(&origin.scheme) && origin.host.port != 0 &&
	    text[all.len - 1] != ':')
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    "must be the beginning of a page's address, as https://HOST or "
	    "http://HOST:PORT, and nothing behind it; or null, or *");
	return false;
}

bool
value_host(const char *text, char why[VALUES_WHY_MAX])
{
	int port;

	if (strcmp(text, "*") == 0 ||
	    (value_is_host(text, &port) && port == WEB_PORT_NONE))
		return true;
	snprintf(why, VALUES_WHY_MAX,
	    "must be a host name or address without a port, or *");
	return false;
}

/* What may stand behind EPOCH:SEQ: nothing, or :STREAM.NUMBER. */
static bool
value_log_place(const char *text, char *pos, size_t size)
{
	size_t len;

	if (*text == '\0')
		return true;
	if (*text++ != ':')
		return false;
	for (len = 0; value_is_alnum(text[len]) || text[len] == '.'; len++)
		continue;
	if (len == 0 || len >= size || text[len] != '\0')
		return false;
	memcpy(pos, text, len + 1);
	return true;
}

bool
value_place(const char *text, char *epoch, size_t size, uint64_t *seq,
    char *pos, size_t pos_size, char why[VALUES_WHY_MAX])
{
	size_t len = 0;
	const char *p;

	pos[0] = '\0';

	while (value_is_alnum(text[len]))
		len++;
	p = text + len + 1;
	if (len > 0 && len < size && text[len] == ':' &&
	    value_digits(&p, seq) && *seq < UINT64_C(1) << 53 &&
	    value_log_place(p, pos, pos_size)) {
		snprintf(epoch, size, "%.*s", (int)len, text);
		return true;
	}
	snprintf(why, VALUES_WHY_MAX, "must be EPOCH:SEQ, such as k3f9:41");
	return false;
}
