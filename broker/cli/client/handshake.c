/* SPDX-License-Identifier: MIT */
/* handshake.c - see handshake.h. */

#include "broker/cli/client/handshake.h"

#include "common/bug.h"
#include "common/handshake_client.h"
#include "common/http_answer.h"

#include <sys/random.h>

void
client_handshake_init(struct client_handshake *shake)
{
	buf_init(&shake->head);
	shake->scanned = 0;
}

void
client_handshake_fini(struct client_handshake *shake)
{
	buf_fini(&shake->head);
}

void
client_handshake_ask(struct client_handshake *shake, const char *authority,
    const char *target, const char *protocol, const char *lines,
    struct outbuf *out)
{
	uint8_t nonce[HANDSHAKE_NONCE_LEN];

	/* Cannot fail: so few bytes, and not interruptible. */
	CHECK(getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce));
	handshake_key(nonce, shake->key);
	handshake_request(
	    &out->buf, authority, target, protocol, lines, shake->key);
}

/* The whole head is there.  Returns: whether it lets us in. */
static bool
client_handshake_admits(const struct client_handshake *shake,
    const char *protocol, const struct http_answer *answer, struct outcome *end)
{
	const char *fault;

	if (answer->status != 101) {
		outcome_refused(end, answer);
		return false;
	}
	fault = handshake_fault(answer, protocol, shake->key);
	if (fault != NULL)
		outcome_set(end, CLIENT_ALIEN, "no pubsubd: %s", fault);
	return fault == NULL;
}

enum client_handshake_status
client_handshake_answer(struct client_handshake *shake, const char *protocol,
    const char *data, size_t len, struct outcome *end, const char **rest,
    size_t *rest_len)
{
	struct http_answer answer;

	buf_add(&shake->head, data, len);
	switch (http_parse_answer(shake->head.at, shake->head.len,
	    HTTP_HEAD_MAX, &shake->scanned, &answer)) {
	case HTTP_PARTIAL:
		return CLIENT_HANDSHAKE_MORE;
	case HTTP_REFUSED:
		outcome_set(
		    end, CLIENT_ALIEN, "no pubsubd: %s", answer.head.why);
		return CLIENT_HANDSHAKE_FAILED;
	case HTTP_OK:
		break;
	}
	if (!client_handshake_admits(shake, protocol, &answer, end))
		return CLIENT_HANDSHAKE_FAILED;
	*rest = shake->head.at + answer.head.head_len;
	*rest_len = shake->head.len - answer.head.head_len;
	return CLIENT_HANDSHAKE_DONE;
}
