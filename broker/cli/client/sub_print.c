/* SPDX-License-Identifier: MIT */
/* sub_print.c - see sub_print.h. */

#include "broker/cli/client/sub_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A newline in JSON is white space, for in a string it would be escaped. */
void
sub_put_json(struct buf *buf, const char *json, size_t len)
{
	char *room = buf_room(buf, len);

	for (size_t i = 0; i < len; i++) {
		room[i] = json[i];
		if (json[i] == '\n' || json[i] == '\r')
			room[i] = ' ';
	}
	buf->len += len;
}

void
sub_put_body(struct buf *buf, const char *json, size_t len)
{
	if (len > 0 && json[0] == '"')
		buf_json_text(buf, json, len);
	else
		sub_put_json(buf, json, len);
}

void
sub_print(
    struct buf *buf, enum sub_form form, const struct server_message *message)
{
	if (form == SUB_ENVELOPE) {
		sub_put_json(buf, message->text, message->len);
		buf_add(buf, "\n", 1);
		return;
	}
	if (form == SUB_TOPIC) {
		sub_put_body(buf, message->topic.raw, message->topic.raw_len);
		buf_add(buf, " ", 1);
	}
	sub_put_body(buf, message->message.raw, message->message.raw_len);
	buf_add(buf, "\n", 1);
}

/* A gap's reason as a sentence for people. */
static const char *
sub_explain(const char *reason)
{
	static const struct {
		const char *reason, *meaning;
	} reasons[] = {
		{ "slow", "slow: they came faster than they were read here" },
		{ "lapped", "lapped: they came faster than the server read" },
		{ "expired", "expired: the server's ring holds them no more" },
		{ "unknown", "unknown: the topic has begun anew meanwhile" },
		{ "epoch", "epoch: the server has begun anew meanwhile" },
		{ "forbidden", "forbidden: no grant for the past" },
		{ "lost", "lost: the server did not say why" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (strcmp(reasons[i].reason, reason) == 0)
			return reasons[i].meaning;
	return reason; /* of a later server */
}

const char *
sub_sentence(char out[SUB_SENTENCE_MAX], const char *topic,
    const struct resume_point_gap *gap, const char *reason)
{
	const char *why = sub_explain(reason);

	if (!gap->has_numbers)
		snprintf(out, SUB_SENTENCE_MAX,
		    "%s: messages may be missing (%s)", topic, why);
	else if (gap->from == gap->to)
		snprintf(out, SUB_SENTENCE_MAX,
		    "%s: 1 message is missing, %" PRIu64 " (%s)", topic,
		    gap->from, why);
	else
		snprintf(out, SUB_SENTENCE_MAX,
		    "%s: %" PRIu64 " messages are missing, %" PRIu64
		    " to %" PRIu64 " (%s)",
		    topic, gap->to - gap->from + 1, gap->from, gap->to, why);
	return out;
}
