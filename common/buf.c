/* SPDX-License-Identifier: MIT */
/* buf.c - see buf.h. */

#include "common/buf.h"

#include "common/bug.h"
#include "common/json.h"
#include "common/xmalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
buf_init(struct buf *buf)
{
	memset(buf, 0, sizeof(*buf));
}

void
buf_fini(struct buf *buf)
{
	free(buf->at);
	buf_init(buf);
}

char *
buf_room(struct buf *buf, size_t len)
{
	if (buf->size - buf->len < len) {
		buf->size = (buf->len + len) * 2;
		buf->at = xreallocarray(buf->at, buf->size, 1);
	}
	return buf->at + buf->len;
}

void
buf_add(struct buf *buf, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buf_room(buf, len), data, len);
	buf->len += len;
}

void
buf_printf(struct buf *buf, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	CHECK(n >= 0 && (size_t)n < sizeof(text));
	buf_add(buf, text, (size_t)n);
}

size_t
buf_digits(char *out, uint64_t number)
{
	static const char pairs[] = "0001020304050607080910111213141516171819"
				    "2021222324252627282930313233343536373839"
				    "4041424344454647484950515253545556575859"
				    "6061626364656667686970717273747576777879"
				    "8081828384858687888990919293949596979899";
	/* As much again behind them: a copy of a fixed size is a few moves. */
	char digits[2 * BUF_DIGITS_MAX] = { 0 };
	size_t at = BUF_DIGITS_MAX;

	for (; number >= 10; number /= 100)
		memcpy(digits + (at -= 2), pairs + 2 * (number % 100), 2);
	/* An odd number of digits, or 0 alone. */
	if (number > 0 || at == BUF_DIGITS_MAX)
		digits[--at] = (char)('0' + number);
	memcpy(out, digits + at, BUF_DIGITS_MAX);
	return BUF_DIGITS_MAX - at;
}

void
buf_number(struct buf *buf, uint64_t number)
{
	buf->len += buf_digits(buf_room(buf, BUF_DIGITS_MAX), number);
}

void
buf_json_string(struct buf *buf, const char *text, size_t len)
{
	char *room = buf_room(buf, JSON_ENCODED_MAX(len));

	buf->len += json_string_encode(text, len, room);
}

void
buf_json_text(struct buf *buf, const char *json, size_t len)
{
	char *room = buf_room(buf, len);

	if (json_kind_of(json, len) == JSON_STRING)
		buf->len += json_string_decode(json, len, room);
	else
		buf_add(buf, json, len);
}
