/* SPDX-License-Identifier: MIT */
/*
 * handshake.h - the opening handshake of WebSocket (RFC 6455, section 4).
 *
 * Both ends: the server checks a request and answers it, a client makes a
 * key and knows the answer to expect.  Whether the Origin may talk to this
 * server is a matter of policy and decided elsewhere.
 */

#ifndef COMMON_HANDSHAKE_H
#define COMMON_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HANDSHAKE_NONCE_LEN  16u /* bytes, random */
#define HANDSHAKE_KEY_LEN    24u /* characters: the nonce in base64 */
#define HANDSHAKE_ACCEPT_LEN 28u /* characters: a SHA-1 in base64 */

/* Belongs into a response with status 426, besides Upgrade: websocket. */
#define HANDSHAKE_VERSION_LINE "Sec-WebSocket-Version: 13\r\n"

struct http_request;

/*
 * Is this request a WebSocket handshake that can be answered with 101?
 *
 * Returns: 101; or the status of the refusal, with *why a static sentence:
 *          405 not GET; 426 no upgrade to websocket asked for, or another
 *          version than 13; 400 malformed key, a doubled line, a body.
 */
int handshake_check(const struct http_request *req, const char **why);

/*
 * Returns: whether the client offers this subprotocol.  Names are compared
 *          exactly, as RFC 6455 has it.
 */
bool handshake_offers(const struct http_request *req, const char *protocol);

/*
 * Write the whole 101 response to a request that handshake_check() allows.
 * protocol is the subprotocol chosen, one that the client offers, or NULL;
 * extension likewise, with its parameters (ws_deflate.h).  Each has at most 128
 * bytes.
 *
 * Returns: the number of bytes, or 0 if size is too small for them or one of the
 *          two too long.
 */
size_t handshake_response(const struct http_request *req, const char *protocol,
    const char *extension, char *buf, size_t size);

/*
 * Write the Sec-WebSocket-Accept that answers a well-formed key, of which
 * key_len is HANDSHAKE_KEY_LEN; with NUL.
 */
void handshake_accept(
    const char *key, size_t key_len, char out[HANDSHAKE_ACCEPT_LEN + 1]);

/* Write a client's Sec-WebSocket-Key for a random nonce, with NUL. */
void handshake_key(
    const uint8_t nonce[HANDSHAKE_NONCE_LEN], char out[HANDSHAKE_KEY_LEN + 1]);

#endif
