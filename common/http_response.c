/* SPDX-License-Identifier: MIT */
/* http_response.c - see http_response.h. */

#include "common/http_response.h"

#include "common/bug.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

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

/* By hand: strftime(3) would write the names in the locale's language. */
void
http_date(time_t when, char out[HTTP_DATE_SIZE])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	int n;

	if (when < 0)
		when = 0;
	if (when > HTTP_DATE_MAX)
		when = HTTP_DATE_MAX;
	gmtime_r(&when, &tm);
	n = snprintf(out, HTTP_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	CHECK(n == HTTP_DATE_SIZE - 1);
}

__attribute__((format(printf, 2, 3))) static void
http_write(struct http_writer *w, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->buf + w->len, w->size - w->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= w->size - w->len)
		w->len = w->size;
	else
		w->len += (size_t)n;
}

/* An Upgrade line must be announced by Connection (RFC 9110, 7.8). */
static void
http_write_connection(struct http_writer *w, const struct http_response *r)
{
	const char *stay = r->keep_alive ? "keep-alive" : "close";

	if (r->upgrade == NULL)
		http_write(w, "Connection: %s\r\n", stay);
	else if (r->status == 101)
		http_write(
		    w, "Connection: Upgrade\r\nUpgrade: %s\r\n", r->upgrade);
	else
		http_write(w, "Connection: %s, Upgrade\r\nUpgrade: %s\r\n",
		    stay, r->upgrade);
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

	http_write(&w, "HTTP/1.1 %d %s\r\n", r->status, http_reason(r->status));
	if (r->date != 0) {
		http_date(r->date, date);
		http_write(&w, "Date: %s\r\n", date);
	}
	if (r->content_type != NULL)
		http_write(&w, "Content-Type: %s\r\n", r->content_type);
	if (http_has_length(r))
		http_write(
		    &w, "Content-Length: %" PRIu64 "\r\n", r->content_length);
	http_write_connection(&w, r);
	http_write(&w, "%s\r\n", r->extra != NULL ? r->extra : "");
	return w.len == size ? 0 : w.len;
}
