/* SPDX-License-Identifier: MIT */
/* outbuf.h - what a client has yet to send. */

#ifndef BROKER_CLI_CLIENT_OUTBUF_H
#define BROKER_CLI_CLIENT_OUTBUF_H

#include "common/buf.h"
#include "common/ws.h"

#include <stddef.h>

struct outbuf {
	struct buf buf;
	size_t off; /* what is before it has been sent */
};

void outbuf_init(struct outbuf *out);
void outbuf_fini(struct outbuf *out);

/* Forget what was not sent. */
void outbuf_reset(struct outbuf *out);

/* Bytes that the socket has not taken. */
size_t outbuf_unsent(const struct outbuf *out);

/* Queue bytes, or a frame with a mask. */
void outbuf_add(struct outbuf *out, const void *data, size_t len);
void outbuf_frame(
    struct outbuf *out, enum ws_opcode opcode, const void *data, size_t len);

/* Send what the socket takes.  That it is broken shows when it is read. */
void outbuf_flush(struct outbuf *out, int fd);

#endif
