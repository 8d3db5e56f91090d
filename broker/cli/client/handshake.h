/* SPDX-License-Identifier: MIT */
/* handshake.h - the handshake of a client: what is asked, and whether the
 * answer lets it in. */

#ifndef BROKER_CLI_CLIENT_HANDSHAKE_H
#define BROKER_CLI_CLIENT_HANDSHAKE_H

#include "broker/cli/client/outbuf.h"
#include "broker/cli/client/outcome.h"
#include "common/buf.h"
#include "common/handshake.h"

#include <stddef.h>

struct client_handshake {
	char key[HANDSHAKE_KEY_LEN + 1];
	struct buf head; /* the answer, as far as it came */
	size_t scanned;  /* of that: see http_parse_answer() */
};

enum client_handshake_status {
	CLIENT_HANDSHAKE_MORE = 0, /* the answer goes on */
	CLIENT_HANDSHAKE_FAILED,   /* not let in */
	CLIENT_HANDSHAKE_DONE,
};

void client_handshake_init(struct client_handshake *shake);
void client_handshake_fini(struct client_handshake *shake);

/* Begin one: append its request to out.  authority, target, protocol and lines
 * are as for handshake_request(). */
void client_handshake_ask(struct client_handshake *shake, const char *authority,
    const char *target, const char *protocol, const char *lines,
    struct outbuf *out);

/*
 * Bytes of the answer came in, to a request for this protocol.  FAILED: end
 * says why.  DONE: what came behind the answer, maybe nothing, is at *rest
 * until client_handshake_fini().
 */
enum client_handshake_status client_handshake_answer(
    struct client_handshake *shake, const char *protocol, const char *data,
    size_t len, struct outcome *end, const char **rest, size_t *rest_len);

#endif
