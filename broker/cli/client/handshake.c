/* SPDX-License-Identifier: MIT */
/* handshake.c - see client_shake.h. */

#include "broker/cli/client/handshake.h"

#include "broker/cli/client/server_message.h"
#include "common/bug.h"
#include "common/handshake_client.h"
#include "common/http_answer.h"

#include <sys/random.h>

void
client_shake_init(struct client_shake *shake)
{
	buf_init(&shake->head);
	shake->scanned = 0;
}

void
client_shake_fini(struct client_shake *shake)
{
	buf_fini(&shake->head);
}

void
client_shake_reset(struct client_shake *shake)
{
	buf_reset(&shake->head);
	shake->scanned = 0;
}

void
client_shake_ask(struct client_shake *shake, const struct client_url *url,
    struct client_out *out)
{
	uint8_t nonce[HANDSHAKE_NONCE_LEN];

	/* Cannot fail: so few bytes, and not interruptible. */
	CHECK(getrandom(nonce, sizeof(nonce), 0) == sizeof(nonce));
	handshake_key(nonce, shake->key);
	handshake_request(&out->buf, url->authority, url->endpoint,
	    CLIENT_PROTOCOL, shake->key);
}

/* The whole head is there.  Returns: whether it lets us in. */
static bool
client_shake_admits(const struct client_shake *shake,
    const struct http_answer *answer, struct client_end *end)
{
	const char *fault;

	if (answer->status != 101) {
		client_end_refused(end, answer);
		return false;
	}
	fault = handshake_fault(answer, CLIENT_PROTOCOL, shake->key);
	if (fault != NULL)
		client_end_set(end, CLIENT_ALIEN, "no pubsubd: %s", fault);
	return fault == NULL;
}

enum client_shake_status
client_shake_answer(struct client_shake *shake, const char *data, size_t len,
    struct client_end *end, const char **rest, size_t *rest_len)
{
	struct http_answer answer;

	buf_add(&shake->head, data, len);
	switch (http_parse_answer(shake->head.at, shake->head.len,
	    HTTP_HEAD_MAX, &shake->scanned, &answer)) {
	case HTTP_PARTIAL:
		return CLIENT_SHAKE_MORE;
	case HTTP_REFUSED:
		client_end_set(
		    end, CLIENT_ALIEN, "no pubsubd: %s", answer.head.why);
		return CLIENT_SHAKE_FAILED;
	case HTTP_OK:
		break;
	}
	if (!client_shake_admits(shake, &answer, end))
		return CLIENT_SHAKE_FAILED;
	*rest = shake->head.at + answer.head.head_len;
	*rest_len = shake->head.len - answer.head.head_len;
	return CLIENT_SHAKE_DONE;
}
