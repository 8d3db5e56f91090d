/* SPDX-License-Identifier: MIT */
/*
 * deflate.h - a message made smaller, and back: raw DEFLATE (RFC 1951), ended as
 * permessage-deflate has it (RFC 7692, section 7.2).
 *
 * Only deflate.c knows zlib.  Each message stands for itself: no window goes on
 * from one to the next ("no context takeover").  So a message is compressed once
 * for all who get it, and one deflater and one inflater serve all connections of
 * a process, which need not remember anything.
 *
 * Blocks: never.  Callers: one thread for each of the objects.
 */

#ifndef COMMON_DEFLATE_H
#define COMMON_DEFLATE_H

#include <stddef.h>

/* The window of what is compressed here, log2 of bytes.  DEFLATE allows 15; but
 * clients may ask for less, and what is compressed once has to serve them all.
 * Messages up to 4 KiB lose nothing by it, and 16 KB of a feed in JSON nothing that
 * could be measured. */
#define DEFLATE_WINDOW_BITS 12

/* The bytes at the end of a sync flush that are not sent (section 7.2.1). */
#define DEFLATE_TAIL 4u

struct deflater;
struct inflater;

/* Some 32 KiB.  NULL: out of memory.  Owns: the caller, deflater_free(). */
struct deflater *deflater_new(void);

/* Free it, if it is not NULL, and leave NULL. */
void deflater_free(struct deflater **deflater);

/*
 * Compress len bytes.  out has room for len + DEFLATE_TAIL bytes, all of which
 * may be written to.
 * Returns: how many bytes of out are the message now, fewer than len; 0: it does
 *          not become smaller, and should go as it is.
 */
size_t deflate_message(
    struct deflater *deflater, const void *data, size_t len, void *out);

enum inflate_status {
	INFLATE_OK = 0,
	INFLATE_TOO_BIG, /* longer than the inflater's limit */
	INFLATE_BAD,     /* no DEFLATE data, or cut off */
	INFLATE_NOMEM,
};

/*
 * One for messages of at most max bytes.  It has room for that and 39 KiB of
 * zlib's, which the kernel gives when it is first used.
 * NULL: out of memory.  Owns: the caller, inflater_free().
 */
struct inflater *inflater_new(size_t max);

/* Free it, if it is not NULL, and leave NULL. */
void inflater_free(struct inflater **inflater);

/*
 * Inflate a message of len bytes, as it came off the wire.  However much it would
 * become, no more than the limit is ever written.  A block that says it is the
 * last one may be followed by others (section 7.2.3.5), which begin with an empty
 * window.
 * Returns: INFLATE_OK, with the text in the inflater until it is used again; or
 *          why there is none.
 */
enum inflate_status inflate_message(struct inflater *inflater, const void *data,
    size_t len, const char **text, size_t *text_len);

#endif
