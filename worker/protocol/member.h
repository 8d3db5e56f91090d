/* SPDX-License-Identifier: MIT */
/*
 * member.h - the value of a member of a request, read as what it should be.
 *
 * A token with raw == NULL is of a member that is not there; one that is null
 * counts as not there.
 */

#ifndef WORKER_PROTOCOL_MEMBER_H
#define WORKER_PROTOCOL_MEMBER_H

#include "common/json.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether a token is a string, and this word. */
static inline bool
member_is(const struct json_token *token, const char *word)
{
	return token->kind == JSON_STRING &&
	       json_string_equal(token->raw, token->raw_len, word);
}

/* Whether the member is there at all. */
static inline bool
member_has(const struct json_token *token)
{
	return token->raw != NULL && token->kind != JSON_NULL;
}

/* Read a non-negative integer below 2^53.  Returns false if it is none. */
bool member_integer(const struct json_token *token, uint64_t *number);

/* Read an integer between these, or what is not there, which leaves *number as it
 * is.  Returns false if it is anything else. */
bool member_bounded(const struct json_token *token, uint32_t min, uint32_t max,
    uint32_t *number);

/* Read a member that is true or false, or not there, which is false.  Returns
 * false if it is anything else. */
bool member_flag(const struct json_token *token, bool *flag);

#endif
