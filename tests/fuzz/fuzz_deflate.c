/* SPDX-License-Identifier: MIT */
/*
 * fuzz_deflate.c - permessage-deflate: what clients offer, and what they send.
 *
 * The first byte of the input chooses the longest text, the first line is what a
 * request offers, and the rest a compressed message.
 *
 * An answer is itself an offer that would be accepted with the same window.  What
 * inflates is within the limit, inflates to the same again, and comes back when it
 * is compressed; what is refused for its length is taken by who takes more.
 */

#include "common/deflate.h"
#include "common/http_header.h"
#include "common/ws_deflate.h"
#include "tests/fuzz/fuzz.h"

#define LIMIT_BITS 17u

static struct http_request
offers_of(const char *value, size_t len)
{
	static const char name[] = "Sec-WebSocket-Extensions";

	return (struct http_request){ .headers_len = 1,
		.headers = { { { name, sizeof(name) - 1 }, { value, len } } } };
}

static void
check_offers(const char *value, size_t len)
{
	struct http_request req = offers_of(value, len), back;
	char answer[WS_DEFLATE_ANSWER_MAX], again[WS_DEFLATE_ANSWER_MAX];
	struct ws_deflate agreed;
	unsigned declined;

	if (!ws_deflate_choose(&req, &agreed, &declined))
		return;
	CHECK(agreed.window_bits >= 8 && agreed.window_bits <= 15);
	ws_deflate_answer(&agreed, answer);
	back = offers_of(answer, strlen(answer));
	CHECK(ws_deflate_choose(&back, &agreed, &declined) && declined == 0);
	ws_deflate_answer(&agreed, again);
	CHECK(strcmp(answer, again) == 0);
}

/* What has come out goes in, and comes out again. */
static void
check_there_and_back(const char *text, size_t len)
{
	struct deflater *deflater = deflater_new();
	struct inflater *inflater = inflater_new(len);
	char *packed = xmalloc(len + DEFLATE_TAIL);
	const char *back;
	size_t n, back_len;

	CHECK(deflater != NULL && inflater != NULL);
	n = deflate_message(deflater, text, len, packed);
	CHECK(n == 0 || n < len);
	if (n > 0) {
		CHECK(inflate_message(inflater, packed, n, &back, &back_len) ==
		      INFLATE_OK);
		CHECK(back_len == len && memcmp(back, text, len) == 0);
	}
	free(packed);
	deflater_free(&deflater);
	inflater_free(&inflater);
}

static void
check_message(size_t max, const char *data, size_t len)
{
	struct inflater *small = inflater_new(max);
	struct inflater *large = inflater_new((size_t)1 << LIMIT_BITS);
	enum inflate_status status, wide;
	const char *text, *wide_text;
	size_t text_len, wide_len;

	CHECK(small != NULL && large != NULL);
	status = inflate_message(small, data, len, &text, &text_len);
	wide = inflate_message(large, data, len, &wide_text, &wide_len);
	CHECK(status != INFLATE_NOMEM && wide != INFLATE_NOMEM);
	switch (status) {
	case INFLATE_OK:
		CHECK(wide == INFLATE_OK && text_len <= max);
		CHECK(wide_len == text_len &&
		      memcmp(text, wide_text, text_len) == 0);
		check_there_and_back(text, text_len);
		break;
	case INFLATE_TOO_BIG:
		CHECK(wide_len > max);
		CHECK(memcmp(text, wide_text, max) == 0);
		break;
	case INFLATE_BAD:
		CHECK(wide == INFLATE_BAD);
		break;
	case INFLATE_NOMEM:
		break;
	}
	inflater_free(&small);
	inflater_free(&large);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *end;
	char *copy;
	size_t line;

	if (size == 0)
		return 0;
	copy = fuzz_copy(data + 1, size - 1);
	end = memchr(copy, '\n', size - 1);
	line = end != NULL ? (size_t)(end - copy) : size - 1;
	check_offers(copy, line);
	if (end != NULL)
		check_message((size_t)1 << data[0] % LIMIT_BITS, end + 1,
		    size - 1 - line - 1);
	free(copy);
	return 0;
}
