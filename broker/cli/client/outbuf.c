/* SPDX-License-Identifier: MIT */
/* outbuf.c - see client_out.h. */

#include "broker/cli/client/outbuf.h"

#include "common/bug.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

void
client_out_init(struct client_out *out)
{
	buf_init(&out->buf);
	out->off = 0;
}

void
client_out_fini(struct client_out *out)
{
	buf_fini(&out->buf);
}

void
client_out_reset(struct client_out *out)
{
	buf_reset(&out->buf);
	out->off = 0;
}

size_t
client_out_unsent(const struct client_out *out)
{
	return out->buf.len - out->off;
}

void
client_out_add(struct client_out *out, const void *data, size_t len)
{
	buf_add(&out->buf, data, len);
}

void
client_out_frame(
    struct client_out *out, enum ws_opcode opcode, const void *data, size_t len)
{
	uint8_t mask[4], *room;

	/* Cannot fail: so few bytes, and not interruptible. */
	CHECK(getrandom(mask, sizeof(mask), 0) == sizeof(mask));
	if (out->off > client_out_unsent(out)) {
		memmove(out->buf.at, out->buf.at + out->off,
		    client_out_unsent(out));
		out->buf.len -= out->off;
		out->off = 0;
	}
	room = (uint8_t *)buf_room(&out->buf, len + WS_HEADER_MAX);
	out->buf.len += ws_frame_masked(room, opcode, mask, data, len);
}

void
client_out_flush(struct client_out *out, int fd)
{
	ssize_t n;

	if (client_out_unsent(out) == 0)
		return;
	n = send(
	    fd, out->buf.at + out->off, client_out_unsent(out), MSG_NOSIGNAL);
	if (n > 0)
		out->off += (size_t)n;
	else if (n == -1 && errno != EAGAIN && errno != EINTR)
		out->off = out->buf.len;
	if (client_out_unsent(out) == 0)
		client_out_reset(out);
}
