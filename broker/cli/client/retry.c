/* SPDX-License-Identifier: MIT */
/* retry.c - see retry.h. */

#include "broker/cli/client/retry.h"

#include "common/ws.h"

/* Until a server has said what it would like. */
#define RETRY_MIN_MS 500
#define RETRY_MAX_MS 15000

/* Ranges of close codes with a meaning for this. */
#define RETRY_NEVER_FIRST   4000u
#define RETRY_NEVER_LAST    4099u
#define RETRY_AT_ONCE_FIRST 4200u
#define RETRY_AT_ONCE_LAST  4299u

static bool
retry_code_makes_sense(unsigned code)
{
	switch (code) {
	case WS_CODE_PROTOCOL:
	case WS_CODE_UNSUPPORTED:
	case WS_CODE_BAD_DATA:
	case WS_CODE_POLICY:
	case WS_CODE_TOO_BIG:
		return false;
	default:
		return code < RETRY_NEVER_FIRST || code > RETRY_NEVER_LAST;
	}
}

bool
retry_makes_sense(const struct outcome *end)
{
	switch (end->kind) {
	case CLIENT_UNREACHABLE:
	case CLIENT_LOST:
	case CLIENT_UNREADY:
		return true;
	case CLIENT_REFUSED:
		return end->code == 429 || end->code >= 500;
	case CLIENT_CLOSED:
		return retry_code_makes_sense(end->code);
	case CLIENT_ALIEN:
	case CLIENT_DONE:
		return false;
	}
	return false;
}

bool
retry_at_once(const struct outcome *end)
{
	return end->kind == CLIENT_CLOSED && end->code >= RETRY_AT_ONCE_FIRST &&
	       end->code <= RETRY_AT_ONCE_LAST;
}

/* A number from low to high. */
static uint64_t
retry_between(uint64_t low, uint64_t high, uint32_t random)
{
	if (high <= low)
		return low;
	return low +
	       (uint64_t)((double)(high - low) * ((double)random / UINT32_MAX));
}

/* The ceiling for this try, which doubles. */
static uint64_t
retry_ceiling(struct retry *retry)
{
	uint64_t min = retry->welcome.min_ms, max = retry->welcome.max_ms;

	if (max == 0)
		max = RETRY_MAX_MS;
	if (min == 0)
		min = RETRY_MIN_MS;
	for (unsigned i = 0; i < retry->attempt && min < max; i++)
		min *= 2;
	retry->attempt++;
	return min < max ? min : max;
}

uint64_t
retry_delay(struct retry *retry, const struct outcome *end, uint32_t random)
{
	uint64_t ceiling;

	if (retry->has_drain) {
		retry->has_drain = false;
		return retry_between(
		    retry->drain.min_ms, retry->drain.max_ms, random);
	}
	if (retry_at_once(end))
		return 0;
	ceiling = retry_ceiling(retry);
	return end->retry_after_ms +
	       retry_between(ceiling / 10, ceiling, random);
}
