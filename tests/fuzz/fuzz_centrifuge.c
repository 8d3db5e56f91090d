/* SPDX-License-Identifier: MIT */
/*
 * fuzz_centrifuge.c - a line from one of Centrifuge's clients.
 *
 * Whatever stands in it, it is no command, or one with an error, or one whose
 * request may be noted as it is.
 */

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/protocol/centrifuge_command.h"
#include "worker/requests/topic_name.h"

#define BODY_MAX 1000u
#define EPOCH    "k3f9"

/* What may go into the ring: one JSON value. */
static void
check_body(const struct intake_request *want, const char *text, size_t len)
{
	const char *why;
	size_t where;

	CHECK(want->body_len <= BODY_MAX);
	CHECK(fuzz_within(want->body, want->body_len, text, len));
	CHECK(json_check(want->body, want->body_len, &where, &why) == JSON_OK);
}

static void
check_topic(const struct intake_request *want)
{
	const char *why;

	CHECK(want->topic_len > 0);
	CHECK(topic_name_valid(want->topic, want->topic_len, &why));
}

static void
check_id(const struct intake_request *want, const char *text, size_t len)
{
	CHECK(want->id_len >= 1 && want->id_len <= CENTRIFUGE_ID_MAX);
	CHECK(fuzz_within(want->id, want->id_len, text, len));
	for (uint8_t i = 0; i < want->id_len; i++)
		CHECK(want->id[i] >= '0' && want->id[i] <= '9');
}

static void
check_command(
    const struct centrifuge_command *command, const char *text, size_t len)
{
	const struct intake_request *want = &command->want;

	if (command->method == CENTRIFUGE_PONG)
		return;
	if (command->method != CENTRIFUGE_SEND)
		check_id(want, text, len);
	if (command->error != CENTRIFUGE_OK) {
		CHECK(centrifuge_error_name(command->error)[0] != '\0');
		return;
	}
	CHECK(command->method != CENTRIFUGE_SEND &&
	      command->method != CENTRIFUGE_OTHER);
	if (command->method == CENTRIFUGE_CONNECT ||
	    command->method == CENTRIFUGE_REFRESH) {
		CHECK(utf8_valid(want->body, want->body_len));
		return;
	}
	check_topic(want);
	if (want->kind == INTAKE_PUBLISH)
		check_body(want, text, len);
	if (want->kind == INTAKE_HISTORY)
		CHECK(want->limit <= INTAKE_HISTORY_MAX);
	CHECK(!(want->has_since && want->has_before));
	CHECK(want->since < UINT64_C(1) << 53);
	CHECK(want->before < UINT64_C(1) << 53);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct centrifuge_command command;
	struct json_reader json;
	struct centrifuge_reader reader = {
		.json = &json, .epoch = EPOCH, .body_max = BODY_MAX
	};
	const char *why = NULL;

	if (!utf8_valid(text, size))
		return 0; /* is not read at all */
	json_reader_init(&json);
	buf_init(&reader.text);
	if (centrifuge_read(&reader, text, size, &command, &why))
		check_command(&command, text, size);
	else
		CHECK(why != NULL && why[0] != '\0');
	buf_fini(&reader.text);
	json_reader_fini(&json);
	return 0;
}
