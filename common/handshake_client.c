/* SPDX-License-Identifier: MIT */
/* handshake_client.c - see handshake_client.h. */

#include "common/handshake_client.h"

#include "common/buf.h"
#include "common/http_answer.h"

#include <string.h>

void
handshake_request(struct buf *buf, const char *authority, const char *target,
    const char *protocol, const char *lines, const char *key)
{
	const char *const parts[] = { "GET ", target,
		" HTTP/1.1\r\nHost: ", authority,
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
		HANDSHAKE_VERSION_LINE, lines != NULL ? lines : "",
		"Sec-WebSocket-Key: ", key,
		protocol != NULL ? "\r\nSec-WebSocket-Protocol: " : "",
		protocol != NULL ? protocol : "", "\r\n\r\n" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		buf_puts(buf, parts[i]);
}

const char *
handshake_fault(
    const struct http_answer *answer, const char *protocol, const char *key)
{
	const struct http_request *head = &answer->head;
	const struct http_text *accept, *chosen;
	char wanted[HANDSHAKE_ACCEPT_LEN + 1];

	accept = http_header_find(head, "Sec-WebSocket-Accept");
	chosen = http_header_find(head, "Sec-WebSocket-Protocol");
	handshake_accept(key, HANDSHAKE_KEY_LEN, wanted);
	if (!http_header_has_token(head, "Upgrade", "websocket") ||
	    !http_header_has_token(head, "Connection", "Upgrade"))
		return "it does not upgrade to websocket";
	if (accept == NULL || !http_text_equal(accept, wanted))
		return "its Sec-WebSocket-Accept is wrong";
	if (http_header_find(head, "Sec-WebSocket-Extensions") != NULL)
		return "it wants an extension nobody asked for";
	if (protocol == NULL && chosen != NULL)
		return "it chose a subprotocol nobody asked for";
	if (protocol != NULL &&
	    (chosen == NULL || !http_text_equal(chosen, protocol)))
		return "it does not speak the subprotocol";
	return NULL;
}
