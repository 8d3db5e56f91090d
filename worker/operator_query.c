/* SPDX-License-Identifier: MIT */
/* operator_query.c - see operator_query.h. */

#include "worker/operator_query.h"

#include "common/percent.h"
#include "common/utf8.h"

#include <string.h>

#define OPERATOR_CODE   4001u
#define OPERATOR_REASON "closed by the operator"

static bool
operator_is(const struct http_text *key, const char *name)
{
	return http_text_equal(key, name);
}

/* Decode a value of at most max bytes of UTF-8. */
static bool
operator_text(
    const struct http_text *value, char *out, size_t max, uint8_t *len)
{
	char room[3 * (LAYOUT_TOPIC_NAME_MAX + 1)];
	size_t n;

	if (value->len > sizeof(room) ||
	    !percent_decode_query(value->at, value->len, room, &n) || n > max ||
	    !utf8_valid(room, n))
		return false;
	memcpy(out, room, n);
	*len = (uint8_t)n;
	return true;
}

/* A decimal number that text begins with; at moves behind it. */
static bool
operator_number(const char **at, const char *end, uint64_t *number)
{
	const char *from = *at;

	*number = 0;
	for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
		if (*number > (UINT64_MAX - 9) / 10)
			return false;
		*number = *number * 10 + (uint64_t)(**at - '0');
	}
	return *at > from;
}

static bool
operator_conn(const struct http_text *value, struct ask_question *question,
    uint64_t *targets)
{
	const char *at = value->at, *end = value->at + value->len;
	uint64_t slot;

	if (!operator_number(&at, end, &slot) || slot >= LAYOUT_WORKERS ||
	    at == end || *at++ != '.' ||
	    !operator_number(&at, end, &question->conn) || at != end)
		return false;
	*targets = UINT64_C(1) << slot;
	return question->conn != 0;
}

static bool
operator_code(const struct http_text *value, struct ask_question *question)
{
	const char *at = value->at, *end = value->at + value->len;
	uint64_t code;

	if (!operator_number(&at, end, &code) || at != end || code < 3000 ||
	    code > 4999)
		return false;
	question->code = (uint32_t)code;
	return true;
}

/* Take one option.  Returns NULL, or what is wrong with it. */
static const char *
operator_option(const struct http_text *key, const struct http_text *value,
    struct ask_question *question, uint64_t *targets)
{
	if (operator_is(key, "topic")) {
		question->has_topic = 1;
		return operator_text(value, question->topic,
			   LAYOUT_TOPIC_NAME_MAX, &question->topic_len)
		           ? NULL
		           : "topic is UTF-8 of at most 255 bytes";
	}
	if (operator_is(key, "user")) {
		question->has_user = 1;
		return operator_text(value, question->user, ASK_USER_MAX,
			   &question->user_len) &&
		               question->user_len > 0
		           ? NULL
		           : "user is UTF-8 of 1 to 64 bytes";
	}
	if (operator_is(key, "conn"))
		return operator_conn(value, question, targets)
		           ? NULL
		           : "conn is the id of a connection, WORKER.NUMBER";
	if (operator_is(key, "code"))
		return operator_code(value, question)
		           ? NULL
		           : "code is a number from 3000 to 4999";
	if (operator_is(key, "reason"))
		return operator_text(value, question->reason, ASK_REASON_MAX,
			   &question->reason_len)
		           ? NULL
		           : "reason is UTF-8 of at most 123 bytes";
	return NULL;
}

bool
operator_query(struct http_text query, struct ask_question *question,
    uint64_t *targets, const char **why)
{
	struct http_text key, value;

	memset(question, 0, sizeof(*question));
	question->code = OPERATOR_CODE;
	question->reason_len = sizeof(OPERATOR_REASON) - 1;
	memcpy(question->reason, OPERATOR_REASON, question->reason_len);
	*targets = UINT64_MAX;
	while (http_query_next(&query, &key, &value)) {
		*why = operator_option(&key, &value, question, targets);
		if (*why != NULL)
			return false;
	}
	return true;
}
