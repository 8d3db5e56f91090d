/* SPDX-License-Identifier: MIT */
/*
 * fuzz_handshake.c - the upgrade to WebSocket, from both ends.
 *
 * A request that the server would accept gets an answer that our own client
 * accepts.
 */

#include "common/handshake_client.h"
#include "common/http_answer.h"
#include "tests/fuzz/fuzz.h"

#define PROTOCOL      "pubsubd.v1"
#define RESPONSE_SIZE 1024u

/* Answer a request, and read the answer as the client that sent it. */
static void
check_answered(const struct http_request *req)
{
	const struct http_text *key =
	    http_header_find(req, "Sec-WebSocket-Key");
	bool offers = handshake_offers(req, PROTOCOL);
	char response[RESPONSE_SIZE], sent[HANDSHAKE_KEY_LEN + 1];
	struct http_answer answer;
	size_t scanned = 0;
	size_t len = handshake_response(
	    req, offers ? PROTOCOL : NULL, NULL, response, sizeof(response));

	CHECK(len > 0 && len <= sizeof(response));
	CHECK(http_parse_answer(
		  response, len, HTTP_HEAD_MAX, &scanned, &answer) == HTTP_OK);
	CHECK(answer.status == 101 && answer.head.head_len == len);
	CHECK(key->len == HANDSHAKE_KEY_LEN);
	memcpy(sent, key->at, key->len);
	sent[key->len] = '\0';
	CHECK((handshake_fault(&answer, PROTOCOL, sent) == NULL) == offers);
	sent[0] = sent[0] == 'A' ? 'B' : 'A';
	CHECK(handshake_fault(&answer, PROTOCOL, sent) != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request req;
	const char *why = NULL;
	size_t scanned = 0;

	if (http_parse_request((const char *)data, size, HTTP_HEAD_MAX,
		&scanned, &req) != HTTP_OK)
		return 0;
	switch (handshake_check(&req, &why)) {
	case 101:
		check_answered(&req);
		break;
	case 400:
	case 405:
	case 426:
		CHECK(why != NULL && *why != '\0');
		break;
	default:
		BUG("a status that is not in the contract");
	}
	return 0;
}
