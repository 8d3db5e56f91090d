/* SPDX-License-Identifier: MIT */
/* echo.c - see echo.h. */

#include "tests/echo_server/echo.h"

#include "common/ws.h"
#include "worker/http/http_conn.h"
#include "worker/net/conn.h"
#include "worker/net/service.h"
#include "worker/site.h"
#include "worker/ws/protocol.h"

static void
echo_message(struct conn *c, bool binary, const char *data, size_t len)
{
	uint8_t header[WS_HEADER_MAX];

	conn_answer(c, header,
	    ws_frame_header(header, binary ? WS_BINARY : WS_TEXT, len));
	conn_answer(c, data, len);
}

static const struct protocol echo_protocol = {
	.restart_code = WS_CODE_GOING_AWAY,
	.message = echo_message,
};

static const struct protocol *const echo_protocols[] = { &echo_protocol };

static void
echo_serve(struct conn *c, const struct http_request *req)
{
	site_serve(c, req, NULL);
}

const struct service echo_service = {
	.client_size = sizeof(struct conn),
	.handler = &http_conn_handler,
	.protocols = echo_protocols,
	.protocols_count = 1,
	.serve = echo_serve,
};
