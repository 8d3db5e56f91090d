/* SPDX-License-Identifier: MIT */
/* handshake.h - the handshake of a client: what is asked, and whether the
 * answer lets it in. */

#ifndef BROKER_CLI_CLIENT_HANDSHAKE_H
#define BROKER_CLI_CLIENT_HANDSHAKE_H

#include "broker/cli/client/outcome.h"
#include "broker/cli/client/outbuf.h"
#include "broker/cli/client/url.h"
#include "common/buf.h"
#include "common/handshake.h"

#include <stddef.h>

struct client_shake {
	char key[HANDSHAKE_KEY_LEN + 1];
	struct buf head; /* the answer, as far as it came */
	size_t scanned;  /* of that: see http_parse_answer() */
};

enum client_shake_status {
	CLIENT_SHAKE_MORE = 0, /* the answer goes on */
	CLIENT_SHAKE_FAILED,   /* not let in */
	CLIENT_SHAKE_DONE,
};

void client_shake_init(struct client_shake *shake);
void client_shake_fini(struct client_shake *shake);

/* Forget the answer. */
void client_shake_reset(struct client_shake *shake);

/* Begin one: append its request to out. */
void client_shake_ask(struct client_shake *shake, const struct client_url *url,
    struct client_out *out);

/*
 * Bytes of the answer came in.  FAILED: end says why.  DONE: what came behind
 * the answer, maybe nothing, is at *rest until client_shake_reset().
 */
enum client_shake_status client_shake_answer(struct client_shake *shake,
    const char *data, size_t len, struct client_end *end, const char **rest,
    size_t *rest_len);

#endif
