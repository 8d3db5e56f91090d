/* SPDX-License-Identifier: MIT */
/* outbuf.h - what a client has yet to send.  An empty one holds no memory. */

#ifndef BROKER_CLI_CLIENT_OUTBUF_H
#define BROKER_CLI_CLIENT_OUTBUF_H

#include "common/buf.h"
#include "common/ws_frame.h"

#include <stddef.h>
#include <stdint.h>

struct tls_client;

struct outbuf {
	struct buf buf;
	size_t off; /* what is before it has been sent */
};

/* Masks for frames, drawn from the kernel many at a time, as RFC 6455 section
 * 10.3 wants them.  Zeroed, it is empty. */
struct outbuf_masks {
	uint8_t bytes[256]; /* getrandom(2) fills so many without fail */
	size_t left;        /* not used yet: the first so many */
};

void outbuf_init(struct outbuf *out);
void outbuf_fini(struct outbuf *out);

/* Bytes that the socket has not taken. */
static inline size_t
outbuf_unsent(const struct outbuf *out)
{
	return out->buf.len - out->off;
}

/* Queue bytes, or a frame with a mask. */
void outbuf_add(struct outbuf *out, const void *data, size_t len);
void outbuf_frame(struct outbuf *out, struct outbuf_masks *masks,
    enum ws_opcode opcode, const void *data, size_t len);

/*
 * Send what the socket takes, over TLS unless that is NULL.  After an error
 * all is forgotten: that the connection is broken shows when it is read.
 */
void outbuf_flush(struct outbuf *out, int fd, struct tls_client *tls);

#endif
