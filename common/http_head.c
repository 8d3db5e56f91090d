/* SPDX-License-Identifier: MIT */
/* http_head.c - see http_head.h. */

#include "common/http_head.h"

#include <string.h>

bool
http_refuse(struct http_request *req, int status, const char *why)
{
	req->status = status;
	req->why = why;
	return false;
}

/* Field values: visible characters, anything over ASCII, blanks. */
static bool
http_is_value(const struct http_text *text)
{
	for (size_t i = 0; i < text->len; i++) {
		unsigned char c = (unsigned char)text->at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

struct http_text
http_take_line(struct http_text *head)
{
	struct http_text line = http_text_take(head, '\n');

	line.len--; /* the CR */
	return line;
}

enum http_parse
http_scan(
    const char *buf, size_t len, size_t *scanned, struct http_request *req)
{
	while (*scanned < len) {
		const char *lf = memchr(buf + *scanned, '\n', len - *scanned);
		size_t at;

		if (lf == NULL) {
			*scanned = len;
			break;
		}
		at = (size_t)(lf - buf);
		if (at == 0 || buf[at - 1] != '\r') {
			http_refuse(req, 400, "a line must end in CR LF");
			return HTTP_REFUSED;
		}
		*scanned = at + 1;
		if (at >= 3 && buf[at - 2] == '\n') {
			req->head_len = at + 1;
			return HTTP_OK;
		}
	}
	return HTTP_PARTIAL;
}

bool
http_parse_header(struct http_request *req, struct http_text line)
{
	struct http_header *header = &req->headers[req->headers_len];

	if (req->headers_len == HTTP_HEADERS_MAX)
		return http_refuse(req, 431, "too many header lines");
	if (*line.at == ' ' || *line.at == '\t')
		return http_refuse(req, 400, "a header line is folded");
	if (memchr(line.at, ':', line.len) == NULL)
		return http_refuse(req, 400, "a header line has no colon");
	header->name = http_text_take(&line, ':');
	if (!http_is_token(&header->name))
		return http_refuse(req, 400, "malformed header name");
	http_text_trim(&line);
	if (!http_is_value(&line))
		return http_refuse(req, 400, "a control character in a header");
	header->value = line;
	req->headers_len++;
	return true;
}
