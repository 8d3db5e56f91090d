/* SPDX-License-Identifier: MIT */
/* handshake.c - see handshake.h. */

#include "common/handshake.h"

#include "common/bug.h"
#include "common/http_header.h"
#include "common/http_response.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

/* Says that the answer is a WebSocket server's, and no cache's (RFC 6455). */
#define HANDSHAKE_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

#define HANDSHAKE_EXTRA_SIZE 384

static bool
handshake_is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/* Sixteen bytes in base64 are 22 characters and two of padding. */
static bool
handshake_key_valid(const struct http_text *key)
{
	if (key->len != HANDSHAKE_KEY_LEN)
		return false;
	for (size_t i = 0; i < HANDSHAKE_KEY_LEN - 2; i++)
		if (!handshake_is_base64(key->at[i]))
			return false;
	return memcmp(key->at + HANDSHAKE_KEY_LEN - 2, "==", 2) == 0;
}

static bool
handshake_asked_for(const struct http_request *req)
{
	/* HTTP/1.0 does not know Upgrade: RFC 9110, 7.8 */
	return req->minor_version > 0 &&
	       http_header_has_token(req, "Upgrade", "websocket") &&
	       http_header_has_token(req, "Connection", "Upgrade");
}

static int
handshake_refuse(int status, const char *reason, const char **why)
{
	*why = reason;
	return status;
}

/* Why it is no handshake; what was meant as one has lost its Upgrade on the
 * way. */
static const char *
handshake_why_not(const struct http_request *req)
{
	if (http_header_find(req, "Sec-WebSocket-Key") == NULL)
		return "this is a WebSocket endpoint";
	if (req->minor_version == 0)
		return "a proxy has made HTTP/1.0 of this handshake (nginx: "
		       "proxy_http_version 1.1)";
	return "a proxy has removed Upgrade or Connection from this handshake "
	       "(nginx: proxy_set_header Upgrade $http_upgrade, "
	       "proxy_set_header Connection upgrade)";
}

int
handshake_check(const struct http_request *req, const char **why)
{
	const struct http_text *version, *key;

	version = http_header_find(req, "Sec-WebSocket-Version");
	key = http_header_find(req, "Sec-WebSocket-Key");
	if (!http_text_equal(&req->method, "GET"))
		return handshake_refuse(405, "a handshake is a GET", why);
	if (!handshake_asked_for(req))
		return handshake_refuse(426, handshake_why_not(req), why);
	if (req->is_chunked || req->content_length > 0)
		return handshake_refuse(400, "a handshake has no body", why);
	if (http_header_count(req, "Sec-WebSocket-Version") > 1 ||
	    http_header_count(req, "Sec-WebSocket-Key") > 1)
		return handshake_refuse(
		    400, "a line of the handshake is doubled", why);
	if (version == NULL || !http_text_equal(version, "13"))
		return handshake_refuse(426, "only WebSocket version 13", why);
	if (key == NULL || !handshake_key_valid(key))
		return handshake_refuse(
		    400, "Sec-WebSocket-Key is not 16 bytes in base64", why);
	return 101;
}

bool
handshake_offers(const struct http_request *req, const char *protocol)
{
	return http_header_has_exactly(req, "Sec-WebSocket-Protocol", protocol);
}

/* A header line, or nothing if it has no value. */
static bool
handshake_add_line(
    char *lines, size_t size, const char *name, const char *value)
{
	size_t at = strlen(lines);
	int n;

	if (value == NULL)
		return true;
	n = snprintf(lines + at, size - at, "%s: %s\r\n", name, value);
	return n > 0 && (size_t)n < size - at;
}

size_t
handshake_response(const struct http_request *req, const char *protocol,
    const char *extension, char *buf, size_t size)
{
	const struct http_text *key =
	    http_header_find(req, "Sec-WebSocket-Key");
	char accept[HANDSHAKE_ACCEPT_LEN + 1], extra[HANDSHAKE_EXTRA_SIZE] = "";
	struct http_response response = {
		.status = 101,
		.upgrade = "websocket",
		.extra = extra,
	};

	handshake_accept(key->at, key->len, accept);
	if (!handshake_add_line(
		extra, sizeof(extra), "Sec-WebSocket-Accept", accept) ||
	    !handshake_add_line(
		extra, sizeof(extra), "Sec-WebSocket-Protocol", protocol) ||
	    !handshake_add_line(
		extra, sizeof(extra), "Sec-WebSocket-Extensions", extension))
		return 0;
	return http_response_head(buf, size, &response);
}

void
handshake_accept(
    const char *key, size_t key_len, char out[HANDSHAKE_ACCEPT_LEN + 1])
{
	unsigned char digest[SHA_DIGEST_LENGTH];
	unsigned char text[HANDSHAKE_KEY_LEN + sizeof(HANDSHAKE_GUID) - 1];

	CHECK(key_len == HANDSHAKE_KEY_LEN);
	memcpy(text, key, HANDSHAKE_KEY_LEN);
	memcpy(text + HANDSHAKE_KEY_LEN, HANDSHAKE_GUID,
	    sizeof(HANDSHAKE_GUID) - 1);
	SHA1(text, sizeof(text), digest);
	EVP_EncodeBlock((unsigned char *)out, digest, sizeof(digest));
}

void
handshake_key(
    const uint8_t nonce[HANDSHAKE_NONCE_LEN], char out[HANDSHAKE_KEY_LEN + 1])
{
	EVP_EncodeBlock((unsigned char *)out, nonce, HANDSHAKE_NONCE_LEN);
}
