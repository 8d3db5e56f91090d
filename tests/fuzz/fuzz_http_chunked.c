/* SPDX-License-Identifier: MIT */
/*
 * fuzz_http_chunked.c - a body in chunks.
 *
 * Where it ends is where the next request begins: body, end and refusal are
 * the same however the network cuts the bytes.
 */

#include "common/buf.h"
#include "common/http_chunked.h"
#include "tests/fuzz/fuzz.h"

/* What became of a body. */
struct outcome {
	enum http_chunked_status status;
	size_t used;
	const char *why;
	struct buf body;
};

/* Hand over one piece of what came; it is of the body up to its end. */
static void
take_piece(
    struct outcome *o, struct http_chunked *chunked, char *in, size_t len)
{
	struct http_text piece;
	size_t off = 0, used;

	do {
		o->status = http_chunked_next(
		    chunked, in + off, len - off, &used, &piece);
		CHECK(used <= len - off);
		if (o->status == HTTP_CHUNKED_PIECE) {
			CHECK(piece.len > 0 &&
			      fuzz_within(piece.at, piece.len, in + off, used));
			buf_add(&o->body, piece.at, piece.len);
		}
		off += used;
	} while (o->status == HTTP_CHUNKED_PIECE);
	CHECK(o->status != HTTP_CHUNKED_MORE || off == len);
	o->used += off;
}

/* Read the whole, in pieces of at most `step' bytes. */
static struct outcome
read_in_pieces(const uint8_t *data, size_t size, size_t step)
{
	struct outcome o = { .status = HTTP_CHUNKED_MORE };
	struct http_chunked chunked = { 0 };

	buf_init(&o.body);
	for (size_t at = 0; at < size && o.status == HTTP_CHUNKED_MORE;
	     at += step) {
		size_t len = size - at < step ? size - at : step;
		char *in = fuzz_copy(data + at, len);

		take_piece(&o, &chunked, in, len);
		free(in);
	}
	o.why = o.status == HTTP_CHUNKED_REFUSED ? chunked.why : NULL;
	return o;
}

static void
check_same(const struct outcome *a, const struct outcome *b)
{
	CHECK(a->status == b->status && a->used == b->used);
	CHECK(a->why == b->why);
	CHECK(a->body.len == b->body.len);
	CHECK(a->body.len == 0 ||
	      memcmp(a->body.at, b->body.at, a->body.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dice dice = fuzz_dice(data, size);
	struct outcome whole = read_in_pieces(data, size, size + 1);
	struct outcome split =
	    read_in_pieces(data, size, 2 + dice_below(&dice, size + 1));
	struct outcome bytes = read_in_pieces(data, size, 1);

	CHECK(whole.body.len <= size);
	check_same(&whole, &split);
	check_same(&whole, &bytes);
	buf_fini(&whole.body);
	buf_fini(&split.body);
	buf_fini(&bytes.body);
	return 0;
}
