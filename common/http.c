/* SPDX-License-Identifier: MIT */
/*
 * http.c - parse a request head.
 *
 * Two steps.  http_scan() runs whenever bytes come in and looks only at line
 * ends, from where it stopped, until it finds the empty line.  Then the head
 * is parsed once, as a whole.  So a head that comes byte by byte costs no
 * more than one that comes at once, and there is no half-parsed state to keep
 * for a connection but one offset.
 */

#include "common/http.h"

#include "common/http_head.h"

#include <string.h>
#include <strings.h>

/* Bytes of the empty line that may stand before a request (RFC 9112, 2.2). */
static size_t
http_leading(const char *buf, size_t len)
{
	return len >= 2 && buf[0] == '\r' && buf[1] == '\n' ? 2 : 0;
}

/* Whether what has come so far cannot become a request: TLS, for example. */
static bool
http_is_alien(const char *buf, size_t len)
{
	size_t start = http_leading(buf, len);

	if (len == start || (len == 1 && buf[0] == '\r'))
		return false;
	return !http_is_token_char(buf[start]);
}

static bool
http_parse_version(struct http_request *req, const struct http_text *version)
{
	const char *at = version->at;

	if (version->len != 8 || memcmp(at, "HTTP/", 5) != 0 || at[5] < '0' ||
	    at[5] > '9' || at[6] != '.' || at[7] < '0' || at[7] > '9')
		return http_refuse(req, 400, "malformed HTTP version");
	if (at[5] != '1' || at[7] > '1')
		return http_refuse(req, 505, "only HTTP/1.0 and HTTP/1.1");
	req->minor_version = at[7] - '0';
	return true;
}

/* Visible ASCII; a fragment never travels. */
static bool
http_is_target(const struct http_text *target)
{
	for (size_t i = 0; i < target->len; i++)
		if (target->at[i] <= ' ' || target->at[i] > '~' ||
		    target->at[i] == '#')
			return false;
	return target->len > 0;
}

/* The form that a proxy is asked in: http://host/path?query. */
static bool
http_parse_absolute(struct http_request *req, struct http_text rest)
{
	size_t scheme_len = 0;
	struct http_text name, port;

	if (rest.len > 7 && strncasecmp(rest.at, "http://", 7) == 0)
		scheme_len = 7;
	else if (rest.len > 8 && strncasecmp(rest.at, "https://", 8) == 0)
		scheme_len = 8;
	if (scheme_len == 0)
		return http_refuse(req, 400, "malformed request target");
	rest.at += scheme_len;
	rest.len -= scheme_len;

	req->host = rest;
	req->host.len = 0;
	while (rest.len > 0 && *rest.at != '/' && *rest.at != '?') {
		req->host.len++;
		rest.at++;
		rest.len--;
	}
	if (req->host.len == 0 || !http_host_split(&req->host, &name, &port))
		return http_refuse(req, 400, "malformed host in the target");

	req->path = http_text_take(&rest, '?');
	req->query = rest;
	if (req->path.len == 0)
		req->path = (struct http_text){ "/", 1 };
	return true;
}

static bool
http_parse_target(struct http_request *req, struct http_text target)
{
	if (!http_is_target(&target))
		return http_refuse(req, 400, "malformed request target");
	if (*target.at == '/') {
		req->path = http_text_take(&target, '?');
		req->query = target;
		return true;
	}
	if (http_text_equal(&req->method, "CONNECT"))
		return http_refuse(req, 501, "this is no proxy");
	if (http_text_equal(&target, "*") &&
	    http_text_equal(&req->method, "OPTIONS")) {
		req->path = target;
		return true;
	}
	return http_parse_absolute(req, target);
}

/* METHOD SP target SP HTTP/1.x, with single spaces. */
static bool
http_parse_request_line(struct http_request *req, struct http_text line)
{
	const char *space = memrchr(line.at, ' ', line.len);
	struct http_text version;

	req->method = http_text_take(&line, ' ');
	if (!http_is_token(&req->method) || space == NULL || space < line.at)
		return http_refuse(req, 400, "malformed request line");
	version.at = space + 1;
	version.len = (size_t)(line.at + line.len - version.at);
	line.len = (size_t)(space - line.at);
	return http_parse_version(req, &version) &&
	       http_parse_target(req, line);
}

static bool
http_parse_length(struct http_request *req, const struct http_text *value)
{
	uint64_t length = 0;

	for (size_t i = 0; i < value->len; i++) {
		char c = value->at[i];

		if (c < '0' || c > '9')
			return http_refuse(
			    req, 400, "malformed Content-Length");
		if (__builtin_mul_overflow(length, 10, &length) ||
		    __builtin_add_overflow(length, c - '0', &length))
			return http_refuse(req, 413, "the body is too large");
	}
	if (value->len == 0)
		return http_refuse(req, 400, "malformed Content-Length");
	req->has_content_length = true;
	req->content_length = length;
	return true;
}

/* Transfer-Encoding is understood in one spelling only (RFC 9112, 6.1). */
static bool
http_parse_coding(struct http_request *req, const struct http_text *value)
{
	struct http_text list = *value, coding = { "", 0 };

	if (req->minor_version == 0)
		return http_refuse(
		    req, 400, "Transfer-Encoding in an HTTP/1.0 request");
	if (http_text_equal_nocase(value, "chunked")) {
		req->is_chunked = true;
		return true;
	}
	while (http_list_next(&list, &coding))
		continue;
	if (!http_text_equal_nocase(&coding, "chunked"))
		return http_refuse(req, 400, "the body's end is not known");
	return http_refuse(req, 501, "only chunked is understood");
}

/* Find out where the body ends, if there is exactly one answer to that. */
static bool
http_parse_framing(struct http_request *req)
{
	const struct http_text *length, *coding;

	length = http_header_find(req, "Content-Length");
	coding = http_header_find(req, "Transfer-Encoding");
	if (http_header_count(req, "Content-Length") > 1)
		return http_refuse(req, 400, "Content-Length given twice");
	if (http_header_count(req, "Transfer-Encoding") > 1)
		return http_refuse(req, 400, "Transfer-Encoding given twice");
	if (length != NULL && coding != NULL)
		return http_refuse(
		    req, 400, "both Content-Length and Transfer-Encoding");
	if (length != NULL)
		return http_parse_length(req, length);
	return coding == NULL || http_parse_coding(req, coding);
}

/* HTTP/1.1 must say which host, and nobody may say it twice. */
static bool
http_parse_host(struct http_request *req)
{
	const struct http_text *host = http_header_find(req, "Host");
	struct http_text name, port;

	if (host == NULL && req->minor_version > 0)
		return http_refuse(req, 400, "no Host");
	if (host == NULL)
		return true;
	if (http_header_count(req, "Host") > 1)
		return http_refuse(req, 400, "Host given twice");
	if (!http_host_split(host, &name, &port))
		return http_refuse(req, 400, "malformed Host");
	if (req->host.len == 0) /* else the target's counts, RFC 9112, 3.2.2 */
		req->host = *host;
	return true;
}

static bool
http_parse_head(struct http_request *req, struct http_text head)
{
	struct http_text line = http_take_line(&head);

	if (!http_parse_request_line(req, line))
		return false;
	while ((line = http_take_line(&head)).len > 0)
		if (!http_parse_header(req, line))
			return false;
	return http_parse_framing(req) && http_parse_host(req);
}

enum http_parse
http_parse_request(const char *buf, size_t len, size_t head_max,
    size_t *scanned, struct http_request *req)
{
	size_t seen = len < head_max ? len : head_max;
	size_t start = http_leading(buf, seen);
	enum http_parse result;

	memset(req, 0, offsetof(struct http_request, headers));
	req->query.at = req->host.at = "";
	if (http_is_alien(buf, seen)) {
		http_refuse(req, 400, "this is not HTTP");
		return HTTP_REFUSED;
	}
	result = http_scan(buf, seen, scanned, req);
	if (result == HTTP_PARTIAL && seen == head_max) {
		if (memchr(buf + start, '\n', seen - start) == NULL)
			http_refuse(req, 414, "the request line is too long");
		else
			http_refuse(req, 431, "the head is too large");
		return HTTP_REFUSED;
	}
	if (result != HTTP_OK)
		return result;
	if (!http_parse_head(
		req, (struct http_text){ buf + start, req->head_len - start }))
		return HTTP_REFUSED;
	return HTTP_OK;
}
