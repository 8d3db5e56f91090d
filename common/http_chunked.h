/* SPDX-License-Identifier: MIT */
/*
 * http_chunked.h - take the chunks of an HTTP/1.1 body apart (RFC 9112, 7.1).
 *
 *	5;name=value\r\n	a size in hexadecimal, maybe extensions
 *	hello\r\n
 *	0\r\n			the last chunk
 *	Name: value\r\n		trailers, maybe
 *	\r\n
 *
 * The input may be cut anywhere; the pieces of the body are given back as
 * ranges of it, nothing is copied.  The next request begins where the body
 * ends, so everything that a proxy might read differently is refused: a line
 * ends in CR LF, a size is digits and nothing else, no white space stands
 * around it, no trailer is folded.  Extensions and trailers mean nothing here;
 * they are checked, passed over, and bounded.
 *
 * The caller limits how long the body may become.
 *
 * For a body that this server sends in chunks there is http_chunk_close().
 */

#ifndef COMMON_HTTP_CHUNKED_H
#define COMMON_HTTP_CHUNKED_H

#include "common/buf.h"
#include "common/http_text.h"

#include <stddef.h>
#include <stdint.h>

#define HTTP_CHUNKED_DIGITS_MAX     16u   /* of one size, leading zeros too */
#define HTTP_CHUNKED_EXTENSIONS_MAX 1024u /* bytes of all in a body */
#define HTTP_CHUNKED_TRAILERS_MAX   4096u /* bytes, the line ends too */

enum http_chunked_status {
	HTTP_CHUNKED_MORE = 0, /* all bytes are used: call with the next */
	HTTP_CHUNKED_PIECE,    /* a piece of the body; call with the rest */
	HTTP_CHUNKED_END,      /* the rest of the bytes is not of this body */
	HTTP_CHUNKED_REFUSED,  /* 400 with ->why, and close the connection */
};

/* All zeros: at the beginning of a body. */
struct http_chunked {
	unsigned char state;
	unsigned char digits;
	uint32_t extensions; /* bytes so far */
	uint32_t trailers;   /* bytes so far */
	uint64_t left;       /* bytes of this chunk */
	const char *why;     /* on HTTP_CHUNKED_REFUSED: a static sentence */
};

/*
 * Go on with the len bytes at `in', up to a piece of the body at most.  *used
 * is how many of them are done with; *piece is set on HTTP_CHUNKED_PIECE, is
 * never empty then, and lies within them.  After HTTP_CHUNKED_END or _REFUSED
 * the body is over: do not call again.
 */
enum http_chunked_status http_chunked_next(struct http_chunked *chunked,
    const char *in, size_t len, size_t *used, struct http_text *piece);

/* What ends a body in chunks: the last chunk, and no trailers. */
#define HTTP_CHUNK_LAST "0\r\n\r\n"

/*
 * Make a chunk of what was appended to a text since its length was start, at
 * least one byte.  Returns: by how many bytes that has moved up.
 */
size_t http_chunk_close(struct buf *text, size_t start);

#endif
