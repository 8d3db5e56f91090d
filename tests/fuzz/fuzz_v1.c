/* SPDX-License-Identifier: MIT */
/*
 * fuzz_v1.c - a client's message, by both contracts: pubsubd.v1 and the plain
 * one.
 *
 * Whatever a text frame holds, a request comes out of it that may be noted as
 * it is, or an error with a code and a reason.
 */

#include "common/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "worker/protocol/plain.h"
#include "worker/requests/topic_name.h"
#include "worker/protocol/v1_request.h"

#define BODY_MAX 1000u
#define EPOCH    "k3f9"

/* What may go into the ring: one JSON value. */
static void
check_body(const char *body, size_t len)
{
	const char *why;
	size_t where;

	CHECK(len <= BODY_MAX);
	CHECK(json_check(body, len, &where, &why) == JSON_OK);
}

static void
check_topic(const char *topic, size_t len)
{
	const char *why;

	CHECK(topic_name_valid(topic, len, &why));
}

static void
check_request(const struct intake_request *want, const char *text, size_t len)
{
	if (want->id != NULL)
		CHECK(want->id_len <= V1_ID_MAX + 2 &&
		      fuzz_within(want->id, want->id_len, text, len));
	if (want->kind == INTAKE_ERROR) {
		CHECK(want->code != NULL && want->body_len > 0);
		return;
	}
	if (want->kind != INTAKE_PING)
		check_topic(want->topic, want->topic_len);
	if (want->kind != INTAKE_PLAIN && want->kind != INTAKE_PING)
		CHECK(want->topic_len > 0);
	if (want->kind == INTAKE_PLAIN || want->kind == INTAKE_PUBLISH)
		check_body(want->body, want->body_len);
	if (want->kind == INTAKE_HISTORY)
		CHECK(want->limit >= 1 && want->limit <= INTAKE_HISTORY_MAX);
	CHECK(!(want->has_since && want->has_limit));
	CHECK(want->since < UINT64_C(1) << 53);
	CHECK(want->before < UINT64_C(1) << 53);
}

static bool
check_plain(const char *text, size_t len, struct plain_request *req)
{
	struct json_reader json;
	struct plain_error error = { 0 };
	bool ok;

	json_reader_init(&json);
	ok = plain_parse(&json, true, text, len, BODY_MAX, req, &error);
	json_reader_fini(&json);
	if (ok) {
		check_topic(req->topic, req->topic_len);
		check_body(req->body, req->body_len);
	} else {
		CHECK(error.code == WS_CODE_POLICY ||
		      error.code == WS_CODE_TOO_BIG);
		CHECK(strlen(error.reason) > 0);
		CHECK(utf8_valid(error.reason, strlen(error.reason)));
	}
	return ok;
}

/* An object without a type is the same message in both contracts. */
static void
check_agreed(const struct intake_request *want, bool plain_ok,
    const struct plain_request *plain)
{
	if (want->kind != INTAKE_PLAIN)
		return;
	CHECK(plain_ok);
	CHECK(want->topic_len == plain->topic_len);
	CHECK(want->topic_len == 0 ||
	      memcmp(want->topic, plain->topic, want->topic_len) == 0);
	CHECK(want->body_len == plain->body_len);
	CHECK(memcmp(want->body, plain->body, want->body_len) == 0);
}

static void
check_same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	CHECK(a_len == b_len);
	CHECK(a_len == 0 || memcmp(a, b, a_len) == 0);
}

/* What the short way takes, the long way reads alike. */
static void
check_short_way(struct v1_reader *v1, const char *text, size_t len)
{
	struct intake_request shorter, want;

	if (!v1_publish_read(text, len, BODY_MAX, &shorter))
		return;
	v1_parse_any(v1, false, text, len, &want);
	check_same_bytes(shorter.id, shorter.id_len, want.id, want.id_len);
	check_same_bytes(
	    shorter.topic, shorter.topic_len, want.topic, want.topic_len);
	check_same_bytes(
	    shorter.body, shorter.body_len, want.body, want.body_len);
	CHECK((shorter.id == NULL) == (want.id == NULL));
	/* And all else. */
	shorter.id = want.id;
	shorter.topic = want.topic;
	shorter.body = want.body;
	CHECK(memcmp(&shorter, &want, sizeof(want)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct json_reader json;
	struct v1_reader v1 = {
		.json = &json, .epoch = EPOCH, .body_max = BODY_MAX
	};
	struct intake_request want;
	struct plain_request plain;
	bool plain_ok = check_plain(text, size, &plain);
	bool is_text = utf8_valid(text, size);

	json_reader_init(&json);
	buf_init(&v1.topic);
	v1_parse(&v1, !is_text, text, size, &want);
	CHECK(is_text || (!plain_ok && want.kind == INTAKE_ERROR));
	check_request(&want, text, size);
	check_agreed(&want, plain_ok, &plain);
	if (is_text)
		check_short_way(&v1, text, size);
	buf_fini(&v1.topic);
	json_reader_fini(&json);
	return 0;
}
