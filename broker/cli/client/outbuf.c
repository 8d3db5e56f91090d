/* SPDX-License-Identifier: MIT */
/* outbuf.c - see outbuf.h. */

#include "broker/cli/client/outbuf.h"

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
}

void
outbuf_reset(struct outbuf *out)
{
	buf_reset(&out->buf);
	out->off = 0;
}

size_t
outbuf_unsent(const struct outbuf *out)
{
	return out->buf.len - out->off;
}

void
outbuf_add(struct outbuf *out, const void *data, size_t len)
{
	buf_add(&out->buf, data, len);
}

void
outbuf_frame(
    struct outbuf *out, enum ws_opcode opcode, const void *data, size_t len)
{
	uint8_t mask[4], *room;

	/* Cannot fail: so few bytes, and not interruptible. */
	CHECK(getrandom(mask, sizeof(mask), 0) == sizeof(mask));
	if (out->off > outbuf_unsent(out)) {
		memmove(
		    out->buf.at, out->buf.at + out->off, outbuf_unsent(out));
		out->buf.len -= out->off;
		out->off = 0;
	}
	room = (uint8_t *)buf_room(&out->buf, len + WS_HEADER_MAX);
	out->buf.len += ws_frame_masked(room, opcode, mask, data, len);
}

void
outbuf_flush(struct outbuf *out, int fd)
{
	ssize_t n;

	if (outbuf_unsent(out) == 0)
		return;
	n = send(fd, out->buf.at + out->off, outbuf_unsent(out), MSG_NOSIGNAL);
	if (n > 0)
		out->off += (size_t)n;
	else if (n == -1 && errno != EAGAIN && errno != EINTR)
		out->off = out->buf.len;
	if (outbuf_unsent(out) == 0)
		outbuf_reset(out);
}
