/* SPDX-License-Identifier: MIT */
/* deflate.c - see deflate.h. */

#include "common/deflate.h"

#include "common/bug.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* Input is only read. */
#define ZLIB_CONST
#include <zlib.h>

/* The fastest: what it saves beyond is worth less than the time it takes. */
#define DEFLATE_LEVEL 1

/* log2 of the hash table's entries, less 7: all of a deflater is 32 KiB then, where
 * zlib's default is 144, and 16 KB of JSON become 1 % more for it. */
#define DEFLATE_MEM_LEVEL 5

/* Of what comes in: any that a client may use. */
#define INFLATE_WINDOW_BITS 15

struct deflater {
	z_stream z;
};

struct inflater {
	z_stream z;
	size_t max; /* bytes of a text */
	uint8_t text[];
};

struct deflater *
deflater_new(void)
{
	struct deflater *deflater = calloc(1, sizeof(*deflater));

	/* A negative window is zlib's way to say raw DEFLATE. */
	if (deflater != NULL &&
	    deflateInit2(&deflater->z, DEFLATE_LEVEL, Z_DEFLATED,
		-DEFLATE_WINDOW_BITS, DEFLATE_MEM_LEVEL,
		Z_DEFAULT_STRATEGY) != Z_OK) {
		free(deflater);
		return NULL;
	}
	return deflater;
}

void
deflater_free(struct deflater **deflater)
{
	if (*deflater != NULL)
		deflateEnd(&(*deflater)->z);
	free(*deflater);
	*deflater = NULL;
}

size_t
deflate_message(
    struct deflater *deflater, const void *data, size_t len, void *out)
{
	z_stream *z = &deflater->z;

	CHECK(len <= UINT_MAX - DEFLATE_TAIL);
	CHECK(deflateReset(z) == Z_OK);
	z->next_in = data;
	z->avail_in = (uInt)len;
	z->next_out = out;
	z->avail_out = (uInt)(len + DEFLATE_TAIL);
	/* Without room left there is more to come, which would not be smaller. */
	if (deflate(z, Z_SYNC_FLUSH) != Z_OK || z->avail_out == 0)
		return 0;
	return len - z->avail_out;
}

struct inflater *
inflater_new(size_t max)
{
	struct inflater *inflater;

	CHECK(max < UINT_MAX);
	/* One byte more tells a text that is too long from one that fits. */
	inflater = malloc(sizeof(*inflater) + max + 1);
	if (inflater == NULL)
		return NULL;
	inflater->z = (z_stream){ .next_in = NULL };
	inflater->max = max;
	if (inflateInit2(&inflater->z, -INFLATE_WINDOW_BITS) != Z_OK) {
		free(inflater);
		return NULL;
	}
	return inflater;
}

void
inflater_free(struct inflater **inflater)
{
	if (*inflater != NULL)
		inflateEnd(&(*inflater)->z);
	free(*inflater);
	*inflater = NULL;
}

/* Inflate a piece of a message.  *last is what zlib said of its end. */
static enum inflate_status
inflate_piece(z_stream *z, const uint8_t *data, size_t len, int *last)
{
	z->next_in = data;
	z->avail_in = (uInt)len;
	while (z->avail_in > 0 && z->avail_out > 0) {
		*last = inflate(z, Z_SYNC_FLUSH);
		switch (*last) {
		case Z_OK:
			break;
		case Z_STREAM_END:
			inflateReset(z);
			break;
		case Z_MEM_ERROR:
			return INFLATE_NOMEM;
		default:
			return INFLATE_BAD;
		}
	}
	return z->avail_out == 0 ? INFLATE_TOO_BIG : INFLATE_OK;
}

/* Put back what the sender has left out, unless the message ends with its last
 * block: then nothing is missing. */
static enum inflate_status
inflate_all(z_stream *z, const uint8_t *data, size_t len)
{
	static const uint8_t tail[DEFLATE_TAIL] = { 0x00, 0x00, 0xff, 0xff };
	int last = Z_OK;
	enum inflate_status status = inflate_piece(z, data, len, &last);

	if (status != INFLATE_OK || last == Z_STREAM_END)
		return status;
	status = inflate_piece(z, tail, sizeof(tail), &last);
	/* zlib.h, inflate(): this bit of data_type is set between two blocks. */
	if (status == INFLATE_OK && last != Z_STREAM_END &&
	    (z->data_type & 128) == 0)
		return INFLATE_BAD;
	return status;
}

enum inflate_status
inflate_message(struct inflater *inflater, const void *data, size_t len,
    const char **text, size_t *text_len)
{
	enum inflate_status status = INFLATE_OK;
	z_stream *z = &inflater->z;

	CHECK(len <= UINT_MAX);
	inflateReset(z);
	z->next_out = inflater->text;
	z->avail_out = (uInt)inflater->max + 1;
	/* Senders that flush when there is nothing to be flushed send nothing. */
	if (len > 0)
		status = inflate_all(z, data, len);
	*text = (const char *)inflater->text;
	*text_len = (size_t)(z->next_out - inflater->text);
	return status;
}
