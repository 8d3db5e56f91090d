/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_answer.c - what a server, or whatever listens there, answers our
 * clients: the head, the client's check of the upgrade, a refusal.
 */

#include "broker/cli/client/outcome.h"
#include "common/handshake_client.h"
#include "common/http_answer.h"
#include "tests/fuzz/fuzz.h"

/* The key of RFC 6455, 1.3; its accept is s3pPLMBiTxaQ9kYGzzhZRbK+xOo=. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static enum http_parse
parse_in_pieces(const uint8_t *data, size_t size, size_t step, char **bytes,
    struct http_answer *answer)
{
	enum http_parse result;
	size_t scanned = 0, len = 0;

	*bytes = NULL;
	do {
		free(*bytes);
		len = size - len < step ? size : len + step;
		*bytes = fuzz_copy(data, len);
		result = http_parse_answer(
		    *bytes, len, HTTP_HEAD_MAX, &scanned, answer);
	} while (result == HTTP_PARTIAL && len < size);
	return result;
}

/* What a person is told of it fits a terminal's line. */
static void
check_refusal(const struct http_answer *answer)
{
	struct outcome end;

	outcome_refused(&end, answer);
	CHECK(end.kind == CLIENT_REFUSED);
	CHECK(end.code == (unsigned)answer->status);
	CHECK(memchr(end.why, '\0', sizeof(end.why)) != NULL);
	for (const char *p = end.why; *p != '\0'; p++)
		CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
	CHECK(end.retry_after_ms <= 9999 * 1000);
}

static void
check_answer(const struct http_answer *answer, const char *bytes, size_t size)
{
	const struct http_request *head = &answer->head;
	const struct http_text *accept =
	    http_header_find(head, "Sec-WebSocket-Accept");

	CHECK(answer->status >= 100 && answer->status <= 599);
	CHECK(head->head_len <= size);
	CHECK(answer->reason.len == 0 ||
	      fuzz_within(answer->reason.at, answer->reason.len, bytes,
		  head->head_len));
	for (size_t i = 0; i < head->headers_len; i++)
		CHECK(fuzz_within(head->headers[i].value.at,
		    head->headers[i].value.len, bytes, head->head_len));
	if (handshake_fault(answer, "pubsubd.v1", KEY) == NULL)
		CHECK(http_text_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
	check_refusal(answer);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = fuzz_dice(data, size);
	struct http_answer whole, split;
	char *whole_bytes, *split_bytes;
	enum http_parse result =
	    parse_in_pieces(data, size, size + 1, &whole_bytes, &whole);

	CHECK(result == parse_in_pieces(data, size,
			    size / 12 + 1 + dice_below(&dice, 12), &split_bytes,
			    &split));
	if (result == HTTP_OK) {
		CHECK(whole.status == split.status);
		CHECK(whole.content_length == split.content_length);
		CHECK(whole.head.head_len == split.head.head_len);
		CHECK(whole.head.headers_len == split.head.headers_len);
		check_answer(&whole, whole_bytes, size);
	} else if (result == HTTP_REFUSED) {
		CHECK(whole.head.why == split.head.why);
	}
	free(whole_bytes);
	free(split_bytes);
	return 0;
}
