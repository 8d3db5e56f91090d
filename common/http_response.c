/* SPDX-License-Identifier: MIT */
/* http_response.c - see http_response.h. */

#include "common/http_response.h"

#include <string.h>

#define HTTP_DATE_MAX 253402300799 /* the last second of the year 9999 */

struct http_writer {
	char *buf;
	size_t size;
	size_t len; /* == size once something did not fit */
};

static const struct {
	int status;
	const char *reason;
} http_reasons[] = {
	{ 101, "Switching Protocols" },
	{ 200, "OK" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 411, "Length Required" },
	{ 412, "Precondition Failed" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 426, "Upgrade Required" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

const char *
http_reason(int status)
{
	for (size_t i = 0; i < sizeof(http_reasons) / sizeof(http_reasons[0]);
	     i++)
		if (http_reasons[i].status == status)
			return http_reasons[i].reason;
	return "";
}

static void
http_two_digits(char *at, int n)
{
	at[0] = (char)('0' + n / 10);
	at[1] = (char)('0' + n % 10);
}

/* By hand: strftime(3) would write the names in the locale's language. */
void
http_date(time_t when, char out[HTTP_DATE_SIZE])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;

	if (when < 0)
		when = 0;
	if (when > HTTP_DATE_MAX)
		when = HTTP_DATE_MAX;
	gmtime_r(&when, &tm);
	memcpy(out, "Day, 00 Mon 0000 00:00:00 GMT", HTTP_DATE_SIZE);
	memcpy(out, days[tm.tm_wday], 3);
	http_two_digits(out + 5, tm.tm_mday);
	memcpy(out + 8, months[tm.tm_mon], 3);
	http_two_digits(out + 12, (tm.tm_year + 1900) / 100);
	http_two_digits(out + 14, (tm.tm_year + 1900) % 100);
	http_two_digits(out + 17, tm.tm_hour);
	http_two_digits(out + 20, tm.tm_min);
	http_two_digits(out + 23, tm.tm_sec);
}

/* Without printf(3), which takes most of the time that a head takes. */
static void
http_put(struct http_writer *w, const char *text)
{
	size_t len = strlen(text);

	if (len >= w->size - w->len) {
		w->len = w->size;
		return;
	}
	memcpy(w->buf + w->len, text, len + 1);
	w->len += len;
}

static void
http_put_number(struct http_writer *w, uint64_t n)
{
	char digits[21], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	http_put(w, at);
}

static void
http_put_line(struct http_writer *w, const char *name, const char *value)
{
	http_put(w, name);
	http_put(w, ": ");
	http_put(w, value);
	http_put(w, "\r\n");
}

/* An Upgrade line must be announced by Connection (RFC 9110, 7.8). */
static void
http_write_connection(struct http_writer *w, const struct http_response *r)
{
	const char *stay = r->keep_alive ? "keep-alive" : "close";

	if (r->upgrade == NULL) {
		http_put_line(w, "Connection", stay);
		return;
	}
	if (r->status == 101) {
		http_put_line(w, "Connection", "Upgrade");
	} else {
		http_put(w, "Connection: ");
		http_put(w, stay);
		http_put(w, ", Upgrade\r\n");
	}
	http_put_line(w, "Upgrade", r->upgrade);
}

static bool
http_has_length(const struct http_response *r)
{
	return r->content_length != HTTP_LENGTH_UNKNOWN && r->status != 101 &&
	       r->status != 204 && r->status != 304;
}

size_t
http_response_head(char *buf, size_t size, const struct http_response *response)
{
	struct http_writer w = { .buf = buf, .size = size };
	const struct http_response *r = response;
	char date[HTTP_DATE_SIZE];

	http_put(&w, "HTTP/1.1 ");
	http_put_number(&w, (uint64_t)r->status);
	http_put(&w, " ");
	http_put(&w, http_reason(r->status));
	http_put(&w, "\r\n");
	if (r->date != 0) {
		http_date(r->date, date);
		http_put_line(&w, "Date", date);
	}
	if (r->content_type != NULL)
		http_put_line(&w, "Content-Type", r->content_type);
	if (http_has_length(r)) {
		http_put(&w, "Content-Length: ");
		http_put_number(&w, r->content_length);
		http_put(&w, "\r\n");
	}
	http_write_connection(&w, r);
	if (r->extra != NULL)
		http_put(&w, r->extra);
	http_put(&w, "\r\n");
	return w.len == size ? 0 : w.len;
}
