/* SPDX-License-Identifier: MIT */
/* outbuf.c - see outbuf.h. */

#include "broker/cli/client/outbuf.h"

#include "broker/cli/client/tls_client.h"
#include "common/bug.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

void
outbuf_init(struct outbuf *out)
{
	buf_init(&out->buf);
	out->off = 0;
}

void
outbuf_fini(struct outbuf *out)
{
	buf_fini(&out->buf);
	out->off = 0;
}

void
outbuf_add(struct outbuf *out, const void *data, size_t len)
{
	buf_add(&out->buf, data, len);
}

/* The next mask. */
static const uint8_t *
outbuf_mask(struct outbuf_masks *masks)
{
	const size_t size = sizeof(masks->bytes);

	if (masks->left == 0) {
		CHECK(getrandom(masks->bytes, size, 0) == (ssize_t)size);
		masks->left = size;
	}
	masks->left -= 4;
	return masks->bytes + masks->left;
}

void
outbuf_frame(struct outbuf *out, struct outbuf_masks *masks,
    enum ws_opcode opcode, const void *data, size_t len)
{
	uint8_t *room;

	if (out->off > outbuf_unsent(out)) {
		memmove(
		    out->buf.at, out->buf.at + out->off, outbuf_unsent(out));
		out->buf.len -= out->off;
		out->off = 0;
	}
	room = (uint8_t *)buf_room(&out->buf, len + WS_HEADER_MAX);
	out->buf.len +=
	    ws_frame_masked(room, opcode, outbuf_mask(masks), data, len);
}

void
outbuf_flush(struct outbuf *out, int fd, struct tls_client *tls)
{
	const void *data;
	ssize_t n;

	if (outbuf_unsent(out) == 0)
		return;
	data = out->buf.at + out->off;
	n = tls != NULL ? tls_client_send(tls, data, outbuf_unsent(out))
	                : send(fd, data, outbuf_unsent(out), MSG_NOSIGNAL);
	if (n > 0)
		out->off += (size_t)n;
	else if (n == -1 && errno != EAGAIN && errno != EINTR)
		out->off = out->buf.len;
	if (outbuf_unsent(out) == 0)
		outbuf_fini(out);
}
