/* SPDX-License-Identifier: MIT */
/* echo.c - see echo.h. */

#include "tests/echo_server/echo.h"

#include "common/ws.h"
#include "worker/net/conn.h"

static void
echo_message(struct conn *c, bool binary, const char *data, size_t len)
{
	uint8_t header[WS_HEADER_MAX];

	conn_answer(c, header,
	    ws_frame_header(header, binary ? WS_BINARY : WS_TEXT, len));
	conn_answer(c, data, len);
}

static const struct protocol echo_protocol = { .message = echo_message };

const struct service echo_service = {
	.protocols = &echo_protocol,
	.protocols_count = 1,
};
