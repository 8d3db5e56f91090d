/* SPDX-License-Identifier: MIT */
/* outcome.c - see outcome.h. */

#include "broker/cli/client/outcome.h"

#include "common/http_answer.h"
#include "common/ws.h"

#include <stdarg.h>
#include <stdio.h>

#define END_REASON_MAX 80 /* bytes of a status line's reason */

void
outcome_set(
    struct outcome *end, enum outcome_kind kind, const char *format, ...)
{
	va_list args;

	*end = (struct outcome){ .kind = kind };
	va_start(args, format);
	vsnprintf(end->why, sizeof(end->why), format, args);
	va_end(args);
}

/* Seconds that a refusal wants us to stay away, as milliseconds. */
static uint64_t
end_retry_after(const struct http_answer *answer)
{
	const struct http_text *value =
	    http_header_find(&answer->head, "Retry-After");
	uint64_t seconds = 0;

	if (value == NULL || value->len > 4)
		return 0;
	for (size_t i = 0; i < value->len; i++) {
		if (value->at[i] < '0' || value->at[i] > '9')
			return 0; /* a date; our servers send none */
		seconds = seconds * 10 + (uint64_t)(value->at[i] - '0');
	}
	return seconds * 1000;
}

void
outcome_refused(struct outcome *end, const struct http_answer *answer)
{
	struct http_text reason = answer->reason;

	if (reason.len > END_REASON_MAX)
		reason.len = END_REASON_MAX;
	for (size_t i = 0; i < reason.len; i++)
		if ((unsigned char)reason.at[i] < ' ' || reason.at[i] == 0x7f)
			reason.len = i; /* it is for a terminal */
	outcome_set(end, CLIENT_REFUSED, "refused with %d %.*s", answer->status,
	    (int)reason.len, reason.at);
	end->code = (unsigned)answer->status;
	end->retry_after_ms = end_retry_after(answer);
}

void
outcome_told(struct outcome *end, bool by_peer, unsigned code,
    const char *reason, size_t reason_len)
{
	const char *colon = reason_len > 0 ? ": " : "";

	if (!by_peer)
		outcome_set(end, CLIENT_ALIEN, "not WebSocket%s%.*s", colon,
		    (int)reason_len, reason);
	else if (code == WS_CODE_NONE)
		outcome_set(end, CLIENT_CLOSED, "closed by the server");
	else
		outcome_set(end, CLIENT_CLOSED,
		    "closed by the server with %u%s%.*s", code, colon,
		    (int)reason_len, reason);
	end->code = code;
	for (char *p = end->why; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* it is for a terminal */
}
