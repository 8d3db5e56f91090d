/* SPDX-License-Identifier: MIT */
/* outbuf.h - what a client has yet to send. */

#ifndef BROKER_CLI_CLIENT_OUTBUF_H
#define BROKER_CLI_CLIENT_OUTBUF_H

#include "common/buf.h"
#include "common/ws.h"

#include <stddef.h>

struct client_out {
	struct buf buf;
	size_t off; /* what is before it has been sent */
};

void client_out_init(struct client_out *out);
void client_out_fini(struct client_out *out);

/* Forget what was not sent. */
void client_out_reset(struct client_out *out);

/* Bytes that the socket has not taken. */
size_t client_out_unsent(const struct client_out *out);

/* Queue bytes, or a frame with a mask. */
void client_out_add(struct client_out *out, const void *data, size_t len);
void client_out_frame(struct client_out *out, enum ws_opcode opcode,
    const void *data, size_t len);

/* Send what the socket takes.  That it is broken shows when it is read. */
void client_out_flush(struct client_out *out, int fd);

#endif
