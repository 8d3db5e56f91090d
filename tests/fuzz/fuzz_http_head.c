/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_head.c - the head of a request, as any client may send it.
 *
 * What is made of it does not depend on how the network cuts it, and all that
 * is given back lies within it.
 */

#include "common/http.h"
#include "tests/fuzz/fuzz.h"

#define PIECES 12u

/* What became of a head. */
struct outcome {
	enum http_parse result;
	struct http_request req;
	char *bytes; /* what it was parsed from; owned */
};

/*
 * Parse as the bytes come in, in pieces of at most `step' bytes.  Each time the
 * bytes so far are in another place, with nothing behind them.
 */
static struct outcome
parse_in_pieces(const uint8_t *data, size_t size, size_t step)
{
	struct outcome o = { .result = HTTP_PARTIAL };
	size_t scanned = 0, len = 0;

	do {
		free(o.bytes);
		len = size - len < step ? size : len + step;
		o.bytes = fuzz_copy(data, len);
		o.result = http_parse_request(
		    o.bytes, len, HTTP_HEAD_MAX, &scanned, &o.req);
		CHECK(scanned <= len);
	} while (o.result == HTTP_PARTIAL && len < size);
	return o;
}

static void
check_text(const struct outcome *o, const struct http_text *text)
{
	CHECK(text->len == 0 ||
	      fuzz_within(text->at, text->len, o->bytes, o->req.head_len));
}

static void
check_parts(const struct outcome *o, size_t size)
{
	const struct http_request *req = &o->req;
	struct http_text query = req->query, key, value;
	size_t pairs = 0;

	CHECK(req->head_len <= size && req->head_len <= HTTP_HEAD_MAX);
	CHECK(memcmp(o->bytes + req->head_len - 4, "\r\n\r\n", 4) == 0);
	check_text(o, &req->method);
	check_text(o, &req->query);
	check_text(o, &req->host);
	CHECK(req->path.len > 0 &&
	      (*req->path.at == '/' || http_text_equal(&req->path, "*")));
	CHECK(!(req->is_chunked && req->has_content_length));
	CHECK(req->has_content_length || req->content_length == 0);
	CHECK(http_header_count(req, "Host") <= 1);
	for (size_t i = 0; i < req->headers_len; i++) {
		check_text(o, &req->headers[i].name);
		check_text(o, &req->headers[i].value);
		CHECK(memchr(req->headers[i].value.at, '\r',
			  req->headers[i].value.len) == NULL);
	}
	while (http_query_next(&query, &key, &value))
		CHECK(++pairs <= req->query.len);
}

static bool
same_text(const struct http_text *a, const struct http_text *b)
{
	return a->len == b->len && memcmp(a->at, b->at, a->len) == 0;
}

static void
check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK(a->result == b->result);
	if (a->result == HTTP_REFUSED)
		CHECK(
		    a->req.status == b->req.status && a->req.why == b->req.why);
	if (a->result != HTTP_OK)
		return;
	CHECK(a->req.head_len == b->req.head_len);
	CHECK(a->req.headers_len == b->req.headers_len);
	CHECK(same_text(&a->req.path, &b->req.path));
	CHECK(same_text(&a->req.query, &b->req.query));
	CHECK(same_text(&a->req.host, &b->req.host));
	CHECK(a->req.content_length == b->req.content_length);
	CHECK(a->req.is_chunked == b->req.is_chunked);
	CHECK(http_keep_alive(&a->req) == http_keep_alive(&b->req));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = fuzz_dice(data, size);
	size_t step = size / PIECES + 1 + dice_below(&dice, PIECES);
	struct outcome whole = parse_in_pieces(data, size, size + 1);
	struct outcome split = parse_in_pieces(data, size, step);

	if (whole.result == HTTP_OK)
		check_parts(&whole, size);
	if (whole.result == HTTP_REFUSED)
		CHECK(whole.req.status >= 400 && whole.req.status <= 505);
	check_same(&whole, &split);
	free(whole.bytes);
	free(split.bytes);
	return 0;
}
