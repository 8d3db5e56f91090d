/* SPDX-License-Identifier: MIT */
/*
 * http_chunked.c - see http_chunked.h.
 *
 * One byte after the other through a small machine, except within a chunk, of
 * which as much as there is goes out at once.
 */

#include "common/http_chunked.h"

#include "common/bug.h"
#include "common/hex.h"

#include <stdio.h>
#include <string.h>

enum chunked_state {
	CHUNKED_SIZE = 0,      /* its digits, and what ends them */
	CHUNKED_EXTENSION,     /* the rest of that line */
	CHUNKED_SIZE_LF,       /* its LF */
	CHUNKED_DATA,          /* left bytes of the body */
	CHUNKED_DATA_CR,       /* the line end behind them */
	CHUNKED_DATA_LF,       /* */
	CHUNKED_TRAILER,       /* a trailer's first byte, or the empty line */
	CHUNKED_TRAILER_NAME,  /* up to the colon */
	CHUNKED_TRAILER_VALUE, /* up to the line end */
	CHUNKED_TRAILER_LF,    /* */
	CHUNKED_LAST_LF,       /* of the empty line */
	CHUNKED_OVER,          /* ended, or refused */
};

static bool
chunked_refuse(struct http_chunked *c, const char *why)
{
	c->why = why;
	return false;
}

/* Go to another state on this one byte, and on no other. */
static bool
chunked_expect(
    struct http_chunked *c, char byte, char wanted, enum chunked_state next)
{
	if (byte != wanted)
		return chunked_refuse(c, "a line of a chunk must end in CR LF");
	c->state = next;
	return true;
}

static bool
chunked_size(struct http_chunked *c, char byte)
{
	int digit = hex_digit(byte);

	if (digit >= 0) {
		if (c->digits == HTTP_CHUNKED_DIGITS_MAX)
			return chunked_refuse(c, "a chunk's size is too long");
		c->digits++;
		c->left = c->left << 4 | (unsigned)digit;
		return true;
	}
	if (c->digits == 0 || (byte != '\r' && byte != ';'))
		return chunked_refuse(c, "malformed size of a chunk");
	c->state = byte == '\r' ? CHUNKED_SIZE_LF : CHUNKED_EXTENSION;
	return true;
}

/* Whether a byte may stand in an extension or a trailer: those that may stand
 * in the value of a header (http_head.c). */
static bool
chunked_is_visible(char byte)
{
	return byte == '\t' || ((unsigned char)byte >= ' ' && byte != 0x7f);
}

static bool
chunked_extension(struct http_chunked *c, char byte)
{
	if (++c->extensions > HTTP_CHUNKED_EXTENSIONS_MAX)
		return chunked_refuse(c, "too many extensions of chunks");
	if (byte == '\r')
		c->state = CHUNKED_SIZE_LF;
	else if (!chunked_is_visible(byte))
		return chunked_refuse(
		    c, "a control character in a chunk's extension");
	return true;
}

static bool
chunked_size_lf(struct http_chunked *c, char byte)
{
	c->digits = 0;
	return chunked_expect(
	    c, byte, '\n', c->left > 0 ? CHUNKED_DATA : CHUNKED_TRAILER);
}

static bool
chunked_trailer(struct http_chunked *c, char byte)
{
	if (byte == '\r' && c->state == CHUNKED_TRAILER)
		c->state = CHUNKED_LAST_LF;
	else if (byte == ':' && c->state == CHUNKED_TRAILER_NAME)
		c->state = CHUNKED_TRAILER_VALUE;
	else if (http_is_token_char(byte))
		c->state = CHUNKED_TRAILER_NAME;
	else
		return chunked_refuse(c, "malformed name of a trailer");
	return true;
}

static bool
chunked_trailer_value(struct http_chunked *c, char byte)
{
	if (byte == '\r')
		c->state = CHUNKED_TRAILER_LF;
	else if (!chunked_is_visible(byte))
		return chunked_refuse(c, "a control character in a trailer");
	return true;
}

/* Use one byte.  Returns false if there is no use for it. */
static bool
chunked_byte(struct http_chunked *c, char byte)
{
	if (c->state >= CHUNKED_TRAILER &&
	    ++c->trailers > HTTP_CHUNKED_TRAILERS_MAX)
		return chunked_refuse(c, "the trailers are too large");
	switch ((enum chunked_state)c->state) {
	case CHUNKED_SIZE:
		return chunked_size(c, byte);
	case CHUNKED_EXTENSION:
		return chunked_extension(c, byte);
	case CHUNKED_SIZE_LF:
		return chunked_size_lf(c, byte);
	case CHUNKED_DATA_CR:
		return chunked_expect(c, byte, '\r', CHUNKED_DATA_LF);
	case CHUNKED_DATA_LF:
		return chunked_expect(c, byte, '\n', CHUNKED_SIZE);
	case CHUNKED_TRAILER:
	case CHUNKED_TRAILER_NAME:
		return chunked_trailer(c, byte);
	case CHUNKED_TRAILER_VALUE:
		return chunked_trailer_value(c, byte);
	case CHUNKED_TRAILER_LF:
		return chunked_expect(c, byte, '\n', CHUNKED_TRAILER);
	case CHUNKED_LAST_LF:
		return chunked_expect(c, byte, '\n', CHUNKED_OVER);
	case CHUNKED_DATA:
	case CHUNKED_OVER:
		break;
	}
	BUG("a byte for a body that is over");
}

/* Take as much of the chunk as there is. */
static struct http_text
chunked_data(struct http_chunked *c, const char *in, size_t len)
{
	struct http_text piece = { in, c->left < len ? (size_t)c->left : len };

	c->left -= piece.len;
	if (c->left == 0)
		c->state = CHUNKED_DATA_CR;
	return piece;
}

enum http_chunked_status
http_chunked_next(struct http_chunked *chunked, const char *in, size_t len,
    size_t *used, struct http_text *piece)
{
	*used = 0;
	while (*used < len) {
		if (chunked->state == CHUNKED_DATA) {
			*piece = chunked_data(chunked, in + *used, len - *used);
			*used += piece->len;
			return HTTP_CHUNKED_PIECE;
		}
		if (!chunked_byte(chunked, in[*used])) {
			chunked->state = CHUNKED_OVER;
			return HTTP_CHUNKED_REFUSED;
		}
		++*used;
		if (chunked->state == CHUNKED_OVER)
			return HTTP_CHUNKED_END;
	}
	return HTTP_CHUNKED_MORE;
}

size_t
http_chunk_close(struct buf *text, size_t start)
{
	char head[HTTP_CHUNKED_DIGITS_MAX + sizeof("\r\n")];
	size_t len = text->len - start;
	size_t head_len = (size_t)snprintf(head, sizeof(head), "%zx\r\n", len);

	CHECK(len > 0); /* an empty chunk would be the last one */
	buf_room(text, head_len);
	memmove(text->at + start + head_len, text->at + start, len);
	memcpy(text->at + start, head, head_len);
	text->len += head_len;
	buf_puts(text, "\r\n");
	return head_len;
}
