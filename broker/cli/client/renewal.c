/* SPDX-License-Identifier: MIT */
/* renewal.c - see renewal.h. */

#include "broker/cli/client/renewal.h"

#include "broker/cli/client/credential.h"
#include "broker/host/report.h"
#include "common/buf.h"
#include "common/clock.h"

#include <string.h>

/* How often the file is looked into, while nothing new is in it. */
#define RENEWAL_LOOK_MS 1000

void
renewal_init(struct renewal *renewal, const struct cli_client_options *options)
{
	memset(renewal, 0, sizeof(*renewal));
	renewal->options = options;
}

void
renewal_begin(struct renewal *renewal, const char *credential, size_t len)
{
	sha256(credential, len, renewal->shown);
	renewal->look_ms = 0;
	renewal->is_asked = false;
}

/* The token that was sent is refused. */
static void
renewal_refused(struct renewal *renewal, const struct server_message *said)
{
	char code[64], reason[256];

	server_message_copy(&said->code, code, sizeof(code));
	server_message_copy(&said->reason, reason, sizeof(reason));
	report_note("the renewed token is refused: %s (%s)", reason, code);
	/* The server has not looked at it: it may be good. */
	if (strcmp(code, "try_later") == 0)
		memset(renewal->shown, 0, SHA256_LEN);
	renewal->look_ms = clock_monotonic_ms() + RENEWAL_LOOK_MS;
}

bool
renewal_said(struct renewal *renewal, const struct server_message *said)
{
	if (said->kind == SERVER_EXPIRING) {
		if (credential_may_change(renewal->options))
			renewal->look_ms = clock_monotonic_ms();
		return true;
	}
	if (!renewal->is_asked || said->id != 0 ||
	    (said->kind != SERVER_ACK && said->kind != SERVER_ERROR))
		return false;
	renewal->is_asked = false;
	if (said->kind == SERVER_ERROR)
		renewal_refused(renewal, said);
	return true;
}

/* Whether the token is another one; it is noted as shown then. */
static bool
renewal_is_other(struct renewal *renewal, const struct buf *token)
{
	uint8_t digest[SHA256_LEN];

	sha256(token->at, token->len, digest);
	if (sha256_equal(digest, renewal->shown))
		return false;
	memcpy(renewal->shown, digest, SHA256_LEN);
	return true;
}

bool
renewal_look(struct renewal *renewal, struct buf *text)
{
	uint64_t now = clock_monotonic_ms();
	char why[CREDENTIAL_WHY_MAX];
	struct buf token;

	if (renewal->look_ms == 0 || now < renewal->look_ms)
		return false;
	buf_init(&token);
	if (credential_read(renewal->options, &token, why) &&
	    renewal_is_other(renewal, &token)) {
		renewal->is_asked = true;
		renewal->look_ms = 0;
		buf_puts(text, "{\"type\":\"auth\",\"id\":0,\"token\":");
		buf_json_string(text, token.at, token.len);
		buf_puts(text, "}");
	} else {
		renewal->look_ms = now + RENEWAL_LOOK_MS;
	}
	credential_wipe(&token);
	return renewal->is_asked;
}
