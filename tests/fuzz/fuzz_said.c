/* SPDX-License-Identifier: MIT */
/*
 * fuzz_said.c - what a server says in pubsubd.v1, as our clients read it; and
 * where a subscriber then is.
 *
 * A line of the input is a message.  However the server lies, no message is
 * printed twice in a row, and what is printed has no control characters.
 */

#include "broker/cli/client/resume_point.h"
#include "broker/cli/client/server_message.h"
#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"

#define LINES_MAX 64

static void
check_token(const struct json_token *token, const char *text, size_t len)
{
	char out[100];

	if (token->raw == NULL)
		return;
	CHECK(fuzz_within(token->raw, token->raw_len, text, len));
	server_message_copy(token, out, sizeof(out));
	for (const char *p = out; *p != '\0'; p++)
		CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void
check_gap(const struct resume_point_gap *gap)
{
	CHECK(!gap->has_numbers || gap->from <= gap->to);
}

/* A subscriber hears it. */
static void
move(struct resume_point *place, const struct server_message *said)
{
	uint64_t before = place->seq;
	struct resume_point_gap gap = { 0 };

	switch (said->kind) {
	case SERVER_ACK:
		if (said->topic.raw != NULL)
			resume_point_acked(place, said);
		break;
	case SERVER_MESSAGE:
		if (resume_point_message(place, said, &gap) != RESUME_POINT_OLD)
			CHECK(place->seq == said->seq || said->is_retained);
		else
			CHECK(place->seq == before);
		check_gap(&gap);
		break;
	case SERVER_GAP:
		if (resume_point_gapped(place, said, &gap) !=
		    RESUME_POINT_KNOWN)
			check_gap(&gap);
		break;
	case SERVER_DRAIN:
		resume_point_cut(place);
		resume_point_ask(place, place->ack_epoch);
		break;
	case SERVER_EPHEMERAL:
	case SERVER_WELCOME:
	case SERVER_ERROR:
	case SERVER_UNSUBSCRIBED:
	case SERVER_EXPIRING:
	case SERVER_PRESENCE:
	case SERVER_JOIN:
	case SERVER_LEAVE:
	case SERVER_OTHER:
		break;
	}
	CHECK(memchr(place->epoch, '\0', sizeof(place->epoch)) != NULL);
	CHECK(memchr(place->pos, '\0', sizeof(place->pos)) != NULL);
}

static void
hear(struct json_reader *json, struct resume_point *place, const char *text,
    size_t len)
{
	struct server_message said;

	if (!utf8_valid(text, len) ||
	    !server_message_parse(json, text, len, &said))
		return;
	check_token(&said.topic, text, len);
	check_token(&said.epoch, text, len);
	check_token(&said.message, text, len);
	check_token(&said.code, text, len);
	check_token(&said.reason, text, len);
	if (said.kind == SERVER_GAP)
		CHECK(said.from <= said.to);
	if (said.kind == SERVER_MESSAGE)
		CHECK(said.seq > 0);
	move(place, &said);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct resume_point place = { .history = 3 };
	struct json_reader json;
	size_t at = 0;

	json_reader_init(&json);
	for (int i = 0; i < LINES_MAX && at < size; i++) {
		const uint8_t *end = memchr(data + at, '\n', size - at);
		size_t len =
		    end != NULL ? (size_t)(end - data) - at : size - at;
		char *text = fuzz_copy(data + at, len);

		hear(&json, &place, text, len);
		free(text);
		at += len + 1;
	}
	json_reader_fini(&json);
	return 0;
}
