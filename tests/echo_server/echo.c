/* SPDX-License-Identifier: MIT */
/* echo.c - see echo.h. */

#include "tests/echo_server/echo.h"

#include "common/buf.h"
#include "common/config.h"
#include "common/deflate.h"
#include "common/ws.h"
#include "worker/http/http_conn.h"
#include "worker/net/conn.h"
#include "worker/net/service.h"
#include "worker/site.h"
#include "worker/ws/protocol.h"

struct echo_conn {
	struct conn conn;
	bool takes_deflate;
};

static struct echo_conn *
echo_of(struct conn *c)
{
	return (struct echo_conn *)c;
}

static void
echo_compress(struct conn *c)
{
	echo_of(c)->takes_deflate = true;
}

/* Compress what is echoed, if that is asked for and makes it smaller.  Returns the
 * bytes that are sent then, until the next call; NULL: it stays as it is. */
static const char *
echo_pack(struct conn *c, const char *data, size_t len, size_t *packed)
{
	static struct deflater *deflater; /* one worker is one process */
	static struct buf room;

	if (!echo_of(c)->takes_deflate || len < c->net->config->compress)
		return NULL;
	if (deflater == NULL)
		deflater = deflater_new();
	if (deflater == NULL)
		return NULL;
	buf_reset(&room);
	*packed = deflate_message(
	    deflater, data, len, buf_room(&room, len + DEFLATE_TAIL));
	return *packed > 0 ? room.at : NULL;
}

static void
echo_message(struct conn *c, bool binary, const char *data, size_t len)
{
	uint8_t header[WS_HEADER_MAX], rsv1 = 0;
	size_t packed_len = 0;
	const char *packed = echo_pack(c, data, len, &packed_len);
	size_t n;

	if (packed != NULL) {
		data = packed;
		len = packed_len;
		rsv1 = WS_RSV1;
	}
	n = ws_frame_header(header, binary ? WS_BINARY : WS_TEXT, len);
	header[0] |= rsv1;
	conn_answer(c, header, n);
	conn_answer(c, data, len);
}

static const struct protocol echo_protocol = {
	.restart_code = WS_CODE_GOING_AWAY,
	.compress = echo_compress,
	.message = echo_message,
};

static const struct protocol *const echo_protocols[] = { &echo_protocol };

static void
echo_serve(struct conn *c, const struct http_request *req)
{
	site_serve(c, req, NULL);
}

const struct service echo_service = {
	.client_size = sizeof(struct echo_conn),
	.handler = &http_conn_handler,
	.protocols = echo_protocols,
	.protocols_count = 1,
	.serve = echo_serve,
};
