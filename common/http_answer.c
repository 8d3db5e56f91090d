/* SPDX-License-Identifier: MIT */
/* http_answer.c - see http_answer.h. */

#include "common/http_answer.h"

#include "common/http_head.h"

#include <string.h>

static bool
answer_refuse(struct http_answer *answer, const char *why)
{
	return http_refuse(&answer->head, 400, why);
}

/* Whether what has come so far can become "HTTP/1.". */
static bool
answer_is_http(const char *buf, size_t len)
{
	static const char start[] = "HTTP/1.";
	size_t known = sizeof(start) - 1;

	return memcmp(buf, start, len < known ? len : known) == 0;
}

static bool
answer_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* HTTP/1.x SP 3 digits [SP reason] */
static bool
answer_parse_status_line(struct http_answer *answer, struct http_text line)
{
	const char *at = line.at;

	if (line.len < 12 || !answer_is_digit(at[7]) || at[8] != ' ' ||
	    at[9] < '1' || at[9] > '5' || !answer_is_digit(at[10]) ||
	    !answer_is_digit(at[11]) || (line.len > 12 && at[12] != ' '))
		return answer_refuse(answer, "malformed status line");
	answer->head.minor_version = at[7] - '0';
	answer->status =
	    (at[9] - '0') * 100 + (at[10] - '0') * 10 + (at[11] - '0');
	answer->reason = (struct http_text){ at + line.len, 0 };
	if (line.len > 13)
		answer->reason = (struct http_text){ at + 13, line.len - 13 };
	return true;
}

static bool
answer_parse_length(struct http_answer *answer)
{
	const struct http_text *value =
	    http_header_find(&answer->head, "Content-Length");
	uint64_t length = 0;

	if (http_header_find(&answer->head, "Transfer-Encoding") != NULL)
		return answer_refuse(answer, "a Transfer-Encoding unasked for");
	answer->content_length = HTTP_LENGTH_TO_END;
	if (value == NULL)
		return true;
	if (http_header_count(&answer->head, "Content-Length") > 1)
		return answer_refuse(answer, "Content-Length given twice");
	for (size_t i = 0; i < value->len; i++)
		if (!answer_is_digit(value->at[i]) ||
		    __builtin_mul_overflow(length, 10, &length) ||
		    __builtin_add_overflow(
			length, (uint64_t)(value->at[i] - '0'), &length))
			return answer_refuse(
			    answer, "malformed Content-Length");
	if (value->len == 0 || length == HTTP_LENGTH_TO_END)
		return answer_refuse(answer, "malformed Content-Length");
	answer->content_length = length;
	return true;
}

static bool
answer_parse_head(struct http_answer *answer, struct http_text head)
{
	struct http_text line = http_take_line(&head);

	if (!answer_parse_status_line(answer, line))
		return false;
	while ((line = http_take_line(&head)).len > 0)
		if (!http_parse_header(&answer->head, line))
			return false;
	return answer_parse_length(answer);
}

enum http_parse
http_parse_answer(const char *buf, size_t len, size_t head_max, size_t *scanned,
    struct http_answer *answer)
{
	size_t seen = len < head_max ? len : head_max;
	enum http_parse result;

	memset(answer, 0, offsetof(struct http_answer, head.headers));
	if (!answer_is_http(buf, seen)) {
		answer_refuse(answer, "this is not HTTP");
		return HTTP_REFUSED;
	}
	result = http_scan(buf, seen, scanned, &answer->head);
	if (result == HTTP_PARTIAL && seen == head_max) {
		answer_refuse(answer, "the head is too large");
		return HTTP_REFUSED;
	}
	if (result != HTTP_OK)
		return result;
	if (!answer_parse_head(
		answer, (struct http_text){ buf, answer->head.head_len }))
		return HTTP_REFUSED;
	return HTTP_OK;
}
