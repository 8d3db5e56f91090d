/* SPDX-License-Identifier: MIT */
/* member.c - see member.h. */

#include "worker/protocol/member.h"

/* Integers above this are not exact in every client's language. */
#define MEMBER_INTEGER_MAX (((uint64_t)1 << 53) - 1)

bool
member_integer(const struct json_token *token, uint64_t *number)
{
	if (token->kind != JSON_NUMBER || token->raw_len > 16)
		return false;
	*number = 0;
	for (size_t i = 0; i < token->raw_len; i++) {
		if (token->raw[i] < '0' || token->raw[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(token->raw[i] - '0');
	}
	return *number <= MEMBER_INTEGER_MAX;
}

bool
member_bounded(const struct json_token *token, uint32_t min, uint32_t max,
    uint32_t *number)
{
	uint64_t n;

	if (!member_has(token))
		return true;
	if (!member_integer(token, &n) || n < min || n > max)
		return false;
	*number = (uint32_t)n;
	return true;
}

bool
member_flag(const struct json_token *token, bool *flag)
{
	*flag = token->kind == JSON_TRUE;
	return !member_has(token) || token->kind == JSON_TRUE ||
	       token->kind == JSON_FALSE;
}
